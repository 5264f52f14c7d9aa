//! A queue inside the process: for one machine, and the reference for the other drivers. Its hints die with
//! the process; the sweeper finds what they stood for.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use spanfleet_core::{Hint, TaskId};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::{Consumer, Delivery, Queue, QueueError, Settle};

/// A queue of hints in memory. Clones are the same queue.
#[derive(Clone, Debug, Default)]
pub struct InProcessQueue {
    hints: Arc<Hints>,
}

impl InProcessQueue {
    /// An empty queue.
    pub fn new() -> InProcessQueue {
        InProcessQueue::default()
    }
}

/// The hints that nobody has. Not bounded: the relay keeps few hints out per user, and a hint is some numbers.
#[derive(Debug, Default)]
struct Hints {
    waiting: Mutex<VecDeque<Hint>>,
    arrived: Notify,
}

impl Hints {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Hint>> {
        // A list of numbers is never left half changed.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, hint: Hint) {
        self.lock().push_back(hint);
        self.arrived.notify_one();
    }

    fn put_back(&self, hint: Hint) {
        self.lock().push_front(hint);
        self.arrived.notify_one();
    }

    fn pop(&self) -> Option<Hint> {
        let mut waiting = self.lock();
        let hint = waiting.pop_front();
        if !waiting.is_empty() {
            // Several arrivals can have left one wake-up; each consumer that takes one wakes the next.
            self.arrived.notify_one();
        }
        hint
    }

    async fn take(&self) -> Hint {
        loop {
            if let Some(hint) = self.pop() {
                return hint;
            }
            self.arrived.notified().await;
        }
    }
}

#[async_trait]
impl Queue for InProcessQueue {
    async fn send(&self, hints: &[Hint]) -> Result<Vec<TaskId>, QueueError> {
        for hint in hints {
            self.hints.push(*hint);
        }
        Ok(hints.iter().map(|hint| hint.task).collect())
    }

    async fn consume(&self, prefetch: u16) -> Result<Box<dyn Consumer>, QueueError> {
        let slots = Arc::new(Semaphore::new(usize::from(prefetch.max(1))));
        Ok(Box::new(InProcessConsumer { hints: Arc::clone(&self.hints), slots }))
    }

    async fn check(&self) -> Result<(), QueueError> {
        Ok(())
    }

    fn address(&self) -> String {
        "in-process".to_owned()
    }
}

struct InProcessConsumer {
    hints: Arc<Hints>,
    /// One permit for each delivery that may be out; closed with the consumer.
    slots: Arc<Semaphore>,
}

#[async_trait]
impl Consumer for InProcessConsumer {
    async fn next(&mut self) -> Option<Delivery> {
        let slot = Arc::clone(&self.slots).acquire_owned().await.ok()?;
        // Nothing is awaited once a hint is taken: a `next` that is cancelled loses none.
        let hint = self.hints.take().await;
        let out = Out { hints: Arc::clone(&self.hints), hint, settled: false, _slot: slot };
        Some(Delivery::new(hint, Box::new(out)))
    }

    async fn close(&mut self) {
        self.slots.close();
    }
}

/// A hint that somebody has.
struct Out {
    hints: Arc<Hints>,
    hint: Hint,
    settled: bool,
    _slot: OwnedSemaphorePermit,
}

#[async_trait]
impl Settle for Out {
    async fn ack(mut self: Box<Self>) {
        self.settled = true;
    }

    async fn put_back(self: Box<Self>) {
        // Dropping it does that.
    }
}

impl Drop for Out {
    fn drop(&mut self) {
        if !self.settled {
            self.hints.put_back(self.hint);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract;

    #[tokio::test]
    async fn keeps_the_contract() {
        contract::check_all(|| async { Arc::new(InProcessQueue::new()) as Arc<dyn Queue> }).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn keeps_the_contract_on_threads() {
        contract::check_all(|| async { Arc::new(InProcessQueue::new()) as Arc<dyn Queue> }).await;
    }

    #[tokio::test]
    async fn a_cancelled_next_loses_no_wake_up() {
        let queue = InProcessQueue::new();
        let mut first = queue.consume(1).await.unwrap();
        let mut second = queue.consume(1).await.unwrap();
        // The first is woken and gone before it looks.
        let mut waiting = Box::pin(first.next());
        assert!(poll_once(&mut waiting).await.is_none());
        queue.send(&[TaskId(1).into()]).await.unwrap();
        drop(waiting);
        assert_eq!(second.next().await.unwrap().hint.task, TaskId(1));
    }

    async fn poll_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
        std::future::poll_fn(|context| match std::pin::Pin::new(&mut *future).poll(context) {
            std::task::Poll::Ready(output) => std::task::Poll::Ready(Some(output)),
            std::task::Poll::Pending => std::task::Poll::Ready(None),
        })
        .await
    }
}
