//! Settling a message.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use lapin::Acker;
use lapin::options::{BasicAckOptions, BasicNackOptions};
use spanfleet_queue::Settle;
use tokio::time::timeout;

use crate::broker::{ANSWER_TIMEOUT, Link};

/// A message that is out. On a channel that is gone every call does nothing: the broker has the message again
/// already and gives it to somebody.
pub(crate) struct Out {
    acker: Acker,
    /// The connection lives as long as something on it can be settled.
    link: Arc<Link>,
    count: Arc<AtomicUsize>,
    is_settled: bool,
}

impl Out {
    /// `count` tells how many messages of a consumer are out.
    pub(crate) fn new(acker: Acker, link: Arc<Link>, count: Arc<AtomicUsize>) -> Out {
        count.fetch_add(1, Ordering::Relaxed);
        Out { acker, link, count, is_settled: false }
    }
}

#[async_trait]
impl Settle for Out {
    async fn ack(mut self: Box<Self>) {
        self.is_settled = true;
        // `Ok(false)` says that the channel is gone; a wait that is too long, that it is going.
        let acked = timeout(ANSWER_TIMEOUT, self.acker.ack(BasicAckOptions::default())).await;
        tracing::trace!(?acked, "acknowledged");
    }

    async fn put_back(mut self: Box<Self>) {
        self.is_settled = true;
        put_back(&self.acker).await;
    }
}

impl Drop for Out {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        if !self.is_settled {
            let (acker, link) = (self.acker.clone(), Arc::clone(&self.link));
            runtime.spawn(async move {
                put_back(&acker).await;
                drop(link);
            });
        }
    }
}

pub(crate) async fn put_back(acker: &Acker) {
    let options = BasicNackOptions { requeue: true, ..BasicNackOptions::default() };
    let returned = timeout(ANSWER_TIMEOUT, acker.nack(options)).await;
    tracing::trace!(?returned, "put back");
}
