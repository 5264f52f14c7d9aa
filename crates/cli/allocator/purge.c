/* Freed pages go back to the system at once. By default mimalloc waits a second, and what a second's work frees
   grows with how long a job runs. The crate offers no safe call for it, so it is set before `main`. */
#include <mimalloc.h>

__attribute__((constructor)) static void purge_at_once(void) {
  mi_option_set(mi_option_purge_delay, 0);
}
