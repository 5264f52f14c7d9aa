//! Port: hints, at least once, in no promised order. A message carries a task id (and where its trace goes on);
//! the metastore decides what becomes of it. Losing one costs time, doubling one costs a refusal.
//!
//! Drivers: [`in_process`] (here) and `spanfleet-queue-rabbitmq`. All pass the suite in `contract.rs`
//! (feature `contract`); a new driver is a crate with one test that calls it.

#[cfg(any(test, feature = "contract"))]
pub mod contract;
pub mod in_process;

pub use in_process::InProcessQueue;

use async_trait::async_trait;
use spanfleet_core::{Hint, TaskId};

/// A queue of hints.
#[async_trait]
pub trait Queue: Send + Sync + std::fmt::Debug {
    /// Sends hints and waits until the queue has taken them. Returns those that it surely holds; the others
    /// are unknown and have to be sent again.
    async fn send(&self, hints: &[Hint]) -> Result<Vec<TaskId>, QueueError>;

    /// Starts to consume with at most `prefetch` deliveries out at once.
    async fn consume(&self, prefetch: u16) -> Result<Box<dyn Consumer>, QueueError>;

    /// Whether the queue can be reached and takes messages; the error says how to mend it.
    async fn check(&self) -> Result<(), QueueError>;

    /// The queue's address as people write it, without secrets.
    fn address(&self) -> String;
}

/// A stream of deliveries that mends itself: a lost connection is rebuilt inside [`Consumer::next`].
#[async_trait]
pub trait Consumer: Send {
    /// The next hint; waits as long as it takes. `None` after [`Consumer::close`] or when the queue is gone
    /// for good.
    async fn next(&mut self) -> Option<Delivery>;

    /// Takes no more; deliveries that are out may still be settled.
    async fn close(&mut self);
}

/// One hint, to be settled once. Dropped without that, it is put back.
pub struct Delivery {
    /// The task that may have work.
    pub hint: Hint,
    settle: Box<dyn Settle>,
}

impl Delivery {
    /// Made by drivers.
    pub fn new(hint: Hint, settle: Box<dyn Settle>) -> Delivery {
        Delivery { hint, settle }
    }

    /// The hint is used up. On a connection that is gone this does nothing: the hint will come again.
    pub async fn ack(self) {
        self.settle.ack().await;
    }

    /// Somebody else may have it.
    pub async fn put_back(self) {
        self.settle.put_back().await;
    }
}

impl std::fmt::Debug for Delivery {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Delivery").field("hint", &self.hint).finish_non_exhaustive()
    }
}

/// The driver's half of a delivery. Dropped without a call it returns the message, so that no failure keeps
/// a hint and its place in the prefetch.
#[async_trait]
pub trait Settle: Send {
    /// Removes the message.
    async fn ack(self: Box<Self>);
    /// Returns the message.
    async fn put_back(self: Box<Self>);
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueErrorKind {
    /// The set-up is wrong: bad address, access refused, no such virtual host. No retry helps.
    Configuration,
    /// May work next time.
    Transient,
}

/// An error of the queue. Its text holds no secret.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct QueueError {
    /// What to do next.
    pub kind: QueueErrorKind,
    /// What was tried and why it failed.
    pub message: String,
    /// The cause.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl QueueError {
    /// An error without a cause below it.
    pub fn new(kind: QueueErrorKind, message: impl Into<String>) -> QueueError {
        QueueError { kind, message: message.into(), source: None }
    }

    /// The same with its cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> QueueError {
        self.source = Some(source.into());
        self
    }
}
