//! How a dispatcher works.

use std::time::Duration;

use crate::WebhookSettings;

/// Settings of one dispatcher process.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How long artifacts live when a job does not say.
    pub expires_in_seconds: i64,
    /// How long a link lives.
    pub link_seconds: u64,
    /// How often leases and due retries are looked at.
    pub sweep_every: Duration,
    /// How often expired jobs and leftovers are looked at.
    pub remove_every: Duration,
    /// Who may be told that a job has ended, and how.
    pub webhooks: WebhookSettings,
    /// How often the promises of the protocol are checked.
    pub check_every: Duration,
    /// How often the store is searched for orphans.
    pub collect_every: Duration,
    /// How old an orphan has to be before it goes.
    pub orphan_grace: Duration,
    /// After how long a ready task without a claim gets a new hint.
    pub rehint_after_seconds: u32,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            expires_in_seconds: 7 * 24 * 60 * 60,
            link_seconds: 15 * 60,
            sweep_every: Duration::from_secs(1),
            remove_every: Duration::from_secs(2),
            webhooks: WebhookSettings { secret: None, allows_private: false },
            check_every: Duration::from_hours(1),
            collect_every: Duration::from_hours(1),
            orphan_grace: Duration::from_hours(1),
            rehint_after_seconds: 120,
        }
    }
}
