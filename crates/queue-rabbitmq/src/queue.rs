//! The port, over RabbitMQ.

use std::sync::Arc;

use async_trait::async_trait;
use spanfleet_core::{Hint, TaskId};
use spanfleet_queue::{Consumer, Queue, QueueError, QueueErrorKind};
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::RabbitSettings;
use crate::broker::Broker;
use crate::consumer::{RabbitConsumer, subscribe};
use crate::metrics;
use crate::publisher::{Publisher, Sent, WINDOW, unconfirmed};

/// A queue of hints at RabbitMQ.
pub struct RabbitQueue {
    broker: Arc<Broker>,
    /// Taken out while it sends: a send that is cancelled or fails leaves none behind.
    publisher: Mutex<Option<Publisher>>,
}

impl std::fmt::Debug for RabbitQueue {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("RabbitQueue").field("address", &self.address()).finish_non_exhaustive()
    }
}

impl RabbitQueue {
    /// Connects. Fails when the set-up is wrong; a broker that is merely away is connected to later, by
    /// whichever call comes first when it is back.
    pub async fn connect(settings: RabbitSettings) -> Result<RabbitQueue, QueueError> {
        metrics::show();
        let broker = Arc::new(Broker::new(settings)?);
        let publisher = unless_away(Publisher::connect(&broker).await)?;
        Ok(RabbitQueue { broker, publisher: Mutex::new(publisher) })
    }

    async fn send_window(
        &self,
        slot: &mut Option<Publisher>,
        window: &[Hint],
    ) -> Result<Vec<TaskId>, QueueError> {
        self.wait_while_blocked(slot.as_ref()).await?;
        let mut publisher = match slot.take() {
            Some(publisher) if publisher.is_usable() => publisher,
            _ => {
                metrics::RECONNECTS.inc();
                Publisher::connect(&self.broker).await?
            }
        };
        let sent = publisher.send(&self.broker, window).await;
        if matches!(sent, Ok(Sent { some_returned: true, .. })) {
            tracing::warn!("RabbitMQ returned hints: the queue is gone and will be declared anew");
        } else if sent.is_ok() || publisher.is_blocked() {
            *slot = Some(publisher);
        }
        sent.map(|sent| sent.confirmed)
    }

    /// Sends nothing to a broker that is short of memory or disk: it would take it twice, later.
    async fn wait_while_blocked(&self, slot: Option<&Publisher>) -> Result<(), QueueError> {
        let Some(publisher) = slot.filter(|publisher| publisher.is_blocked()) else { return Ok(()) };
        let mut blocked = publisher.blocked();
        let freed = blocked.wait_for(|is_blocked| !is_blocked);
        // A connection that is gone blocks nobody.
        let freed = timeout(self.broker.settings.confirm_timeout, freed).await;
        freed.map(drop).map_err(|_| unconfirmed(&self.broker))
    }
}

#[async_trait]
impl Queue for RabbitQueue {
    async fn send(&self, hints: &[Hint]) -> Result<Vec<TaskId>, QueueError> {
        let mut publisher = self.publisher.lock().await;
        let mut confirmed = Vec::with_capacity(hints.len());
        for window in hints.chunks(WINDOW) {
            match self.send_window(&mut publisher, window).await {
                Ok(sent) => confirmed.extend(sent),
                Err(error) if confirmed.is_empty() => return Err(error),
                Err(error) => {
                    tracing::warn!(%error, "some hints were sent and the others have to be sent again");
                    break;
                }
            }
        }
        Ok(confirmed)
    }

    async fn consume(&self, prefetch: u16) -> Result<Box<dyn Consumer>, QueueError> {
        // Nought would mean as many as there are.
        let prefetch = prefetch.max(1);
        let first = subscribe(&self.broker, prefetch).await.map_err(|unserved| unserved.error);
        let first = unless_away(first)?;
        Ok(Box::new(RabbitConsumer::start(Arc::clone(&self.broker), prefetch, first)))
    }

    async fn check(&self) -> Result<(), QueueError> {
        self.broker.connect("checks").await?.close().await;
        Ok(())
    }

    fn address(&self) -> String {
        self.broker.address()
    }
}

/// A broker that is away is no failure yet: whoever needs it tries again.
fn unless_away<T>(attempt: Result<T, QueueError>) -> Result<Option<T>, QueueError> {
    match attempt {
        Ok(made) => Ok(Some(made)),
        Err(error) if error.kind == QueueErrorKind::Transient => {
            tracing::warn!(%error, "the queue is away; it will be tried again");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
