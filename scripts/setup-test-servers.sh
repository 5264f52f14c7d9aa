#!/bin/sh
# Installs the servers that the tests start as children of their own: PostgreSQL, RabbitMQ and, as an old
# third-party S3, radosgw with its one-node Ceph. Installs only what is missing, starts no service, and says
# nothing when there is nothing to do. Runs as root or through sudo; Debian and its relatives only.
set -eu

missing=""
need() { # need COMMAND-OR-FILE PACKAGE…
    probe=$1
    shift
    for found in $(command -v "$probe" 2>/dev/null) $probe; do
        [ -x "$found" ] && return 0
    done
    missing="$missing $*"
}

# Debian keeps the server binaries of PostgreSQL out of PATH, one folder per version.
need "/usr/lib/postgresql/*/bin/postgres" postgresql
need /usr/lib/rabbitmq/bin/rabbitmq-server rabbitmq-server
need ceph-mon ceph-mon
need ceph-osd ceph-osd
need radosgw radosgw
# Clocks that are wrong.
need faketime faketime
# Counts instructions.
need valgrind valgrind
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "cannot install$missing: run this as root" >&2; exit 1; }
    exec sudo sh "$0" "$@"
fi
command -v apt-get >/dev/null || { echo "cannot install$missing: no apt-get here, install them by hand" >&2; exit 1; }

# The packages would start their services. The tests start servers of their own instead.
policy=/usr/sbin/policy-rc.d
log=$(mktemp)
made_policy=""
restore() {
    rm -f "$log"
    [ -z "$made_policy" ] || rm -f "$policy"
}
trap restore EXIT
trap 'exit 130' INT TERM
if [ ! -e "$policy" ]; then
    made_policy=yes
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi

echo "installing the test servers:$missing"
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # the list is meant to be split
{ apt-get update -q && apt-get install -q -y --no-install-recommends $missing; } >"$log" 2>&1 </dev/null || {
    cat "$log" >&2
    exit 1
}
