//! Named places where a process under test dies, as by `kill -9`, or stalls until somebody wakes it.
//!
//! Without the feature `armed`, which only the tests turn on, a place is nothing at all.

/// Every place, by the step of the protocol that it interrupts: `<who>-<what has just been done>`.
pub const POINTS: [&str; 22] = [
    "worker-claimed",
    "worker-plan-made",
    "worker-plan-committed",
    "worker-attempt-noted",
    "worker-part-begun",
    "worker-part-written",
    "worker-part-reported",
    "worker-part-committed",
    "worker-files-sealed",
    "worker-manifest-written",
    "worker-final-reported",
    "worker-final-committed",
    "worker-parts-deleted",
    "worker-done",
    "relay-hints-taken",
    "relay-hints-sent",
    "dispatcher-job-stored",
    "dispatcher-expiry-marked",
    "dispatcher-manifest-deleted",
    "dispatcher-files-deleted",
    "dispatcher-job-emptied",
    "dispatcher-leftovers-removed",
];

/// Dies here if `SPANFLEET_CRASH_AT` names this place; stalls here, once, if `SPANFLEET_STALL_AT` does.
#[inline]
pub fn crash_point(name: &'static str) {
    #[cfg(feature = "armed")]
    armed::reach(name);
    #[cfg(not(feature = "armed"))]
    let _ = name;
}

#[cfg(feature = "armed")]
mod armed {
    use std::sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    };

    use rustix::process::{Signal, getpid, kill_process};

    pub(super) fn reach(name: &str) {
        static CRASH: OnceLock<Option<String>> = OnceLock::new();
        static STALL: OnceLock<Option<String>> = OnceLock::new();
        static HAS_STALLED: AtomicBool = AtomicBool::new(false);
        debug_assert!(super::POINTS.contains(&name), "`{name}` is in no list");
        let told = |variable: &str| std::env::var(variable).ok();
        if CRASH.get_or_init(|| told("SPANFLEET_CRASH_AT")).as_deref() == Some(name) {
            // Nothing is dropped, flushed or told to anybody.
            eprintln!("crash point `{name}`");
            std::process::abort();
        }
        let stalls = STALL.get_or_init(|| told("SPANFLEET_STALL_AT")).as_deref() == Some(name);
        if stalls && !HAS_STALLED.swap(true, Ordering::Relaxed) {
            eprintln!("stalled at `{name}`");
            // The whole process; it goes on here when it is woken by SIGCONT.
            let _ = kill_process(getpid(), Signal::STOP);
        }
    }
}
