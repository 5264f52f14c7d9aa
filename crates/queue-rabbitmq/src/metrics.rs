//! What Prometheus reads of the broker, in the registry of the process.

use std::sync::LazyLock;

use prometheus::{
    Histogram, IntCounter, IntGauge, register_histogram, register_int_counter, register_int_gauge,
};

/// From an idle broker to one that is short of disk.
const CONFIRM_BUCKETS: &[f64] =
    &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// The macros fail only on a name that is no name, or that this process has given already.
const CONSTANT: &str = "a constant name, registered once";

/// Seconds until a window of hints was confirmed.
pub(crate) static CONFIRM_SECONDS: LazyLock<Histogram> = LazyLock::new(|| {
    let (name, help) = ("spanfleet_publish_confirm_seconds", "until a window of hints was confirmed");
    register_histogram!(name, help, CONFIRM_BUCKETS.to_vec()).expect(CONSTANT)
});
/// Hints that came back, because no queue took them.
pub(crate) static RETURNED: LazyLock<IntCounter> = LazyLock::new(|| {
    register_int_counter!("spanfleet_publish_returned_total", "hints that no queue took").expect(CONSTANT)
});
/// Whether the broker refuses messages for want of memory or disk.
pub(crate) static BLOCKED: LazyLock<IntGauge> = LazyLock::new(|| {
    let help = "1 while the broker is short of memory or disk";
    register_int_gauge!("spanfleet_broker_blocked", help).expect(CONSTANT)
});
/// Connections that had to be built anew.
pub(crate) static RECONNECTS: LazyLock<IntCounter> = LazyLock::new(|| {
    register_int_counter!("spanfleet_broker_reconnects_total", "connections built anew").expect(CONSTANT)
});

/// Makes all of them, so that they are shown from the start.
pub(crate) fn show() {
    LazyLock::force(&CONFIRM_SECONDS);
    LazyLock::force(&RETURNED);
    LazyLock::force(&BLOCKED);
    LazyLock::force(&RECONNECTS);
}
