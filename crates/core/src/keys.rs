//! Where a job's objects stand in a shared store.

use uuid::Uuid;

/// The prefix of everything that belongs to a job.
pub fn job_prefix(job: Uuid) -> String {
    format!("{job}/")
}
