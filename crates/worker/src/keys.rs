//! Where objects stand. Keys are made of ids, numbers and split names, never of labels or file names.

pub(crate) use spanfleet_core::keys::attempt;
use uuid::Uuid;

/// Where a job's objects stand in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Root {
    /// Under `<job uuid>/`: many jobs share the store.
    PerJob,
    /// At the store's root: the store belongs to this one job.
    Whole,
}

impl Root {
    /// The prefix of everything that belongs to a job.
    pub fn prefix(self, job: Uuid) -> String {
        match self {
            Root::PerJob => spanfleet_core::keys::job_prefix(job),
            Root::Whole => String::new(),
        }
    }

    /// The prefix of a job's parts.
    pub fn parts(self, job: Uuid) -> String {
        spanfleet_core::keys::parts_prefix(&self.prefix(job))
    }
}

/// The object of one split of an attempt. Split names hold no dot.
pub(crate) fn part(attempt: &str, split: &str) -> String {
    format!("{attempt}.{split}")
}

/// The object with sketches of an attempt's texts.
pub(crate) fn sketches(attempt: &str) -> String {
    format!("{attempt}.sketches.bin")
}

/// The object with an attempt's examples of losses and changes.
pub(crate) fn examples(attempt: &str) -> String {
    format!("{attempt}.losses.jsonl")
}
