//! How a worker works.

use std::time::Duration;

use crate::Root;

/// Settings of one worker process.
///
/// Memory of one slot in bytes, measured by a test: `4 × 128 KiB` of batches on their way, four times the
/// largest text (read, decoded, encoded, compressed), and for each split `64 KiB + 3 × 1 MiB` of encoded
/// pieces plus what the store's driver holds of an upload (S3: three parts of 8 MiB). One slot with one
/// split and small texts: about 30 MiB.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Tasks at once.
    pub slots: u16,
    /// How long a claim holds without a heartbeat.
    pub lease_seconds: u32,
    /// Who we are, in leases and logs.
    pub owner: String,
    /// How long running tasks may go on after a stop; then they are given back.
    pub stop_grace: Duration,
    /// Where a job's objects stand in the store.
    pub root: Root,
    /// Whether a wrong set-up fails the job at once instead of waiting for its mend: right when a person
    /// waits at the terminal, wrong in a fleet.
    pub fails_on_configuration: bool,
}

impl Settings {
    pub(crate) fn heartbeat_every(&self) -> Duration {
        heartbeat_every(self.lease_seconds)
    }

    /// What a lease is trusted for: its length less a margin for the clock and the last write on its way.
    pub(crate) fn trusted_for(&self) -> Duration {
        Duration::from_secs(u64::from(self.lease_seconds)) * 9 / 10
    }
}

/// Heartbeats: five to a lease, so that several may be lost.
pub fn heartbeat_every(lease_seconds: u32) -> Duration {
    Duration::from_secs(u64::from(lease_seconds)) / 5
}
