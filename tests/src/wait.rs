//! Waiting for a condition. Tests wait with this and contain no sleep of their own.

use std::time::{Duration, Instant};

/// Short against everything that tests wait for, long against the cost of looking.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Waits until the condition holds; panics with `what` when it does not within the patience.
pub fn wait_until(what: &str, patience: Duration, mut condition: impl FnMut() -> bool) {
    let arrived = wait_for(patience, || condition().then_some(()));
    assert!(arrived.is_some(), "waited {} s in vain until {what}", patience.as_secs());
}

/// The same for a condition that has to be awaited.
pub async fn wait_until_async<Asked: Future<Output = bool>>(
    what: &str,
    patience: Duration,
    mut condition: impl FnMut() -> Asked,
) {
    let deadline = Instant::now() + patience;
    while !condition().await {
        assert!(Instant::now() < deadline, "waited {} s in vain until {what}", patience.as_secs());
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// Waits for a value; `None` when there is none within the patience.
pub fn wait_for<T>(patience: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if Instant::now() >= deadline {
            return None;
        }
        std::thread::sleep(LOOK_AGAIN);
    }
}
