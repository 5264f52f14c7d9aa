//! Named places where a process under test dies, as by `kill -9`.
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

/// Dies here if `SPANFLEET_CRASH_AT` names this place.
#[inline]
pub fn crash_point(name: &'static str) {
    #[cfg(feature = "armed")]
    armed::reach(name);
    #[cfg(not(feature = "armed"))]
    let _ = name;
}

#[cfg(feature = "armed")]
mod armed {
    use std::sync::OnceLock;

    /// Aborts: nothing is dropped, flushed or told to anybody.
    pub(super) fn reach(name: &str) {
        static WHERE: OnceLock<Option<String>> = OnceLock::new();
        debug_assert!(super::POINTS.contains(&name), "`{name}` is in no list");
        let place = WHERE.get_or_init(|| std::env::var("SPANFLEET_CRASH_AT").ok());
        if place.as_deref() == Some(name) {
            eprintln!("crash point `{name}`");
            std::process::abort();
        }
    }
}
