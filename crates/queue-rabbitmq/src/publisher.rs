//! Sending a window of hints, and knowing what became of each.

use std::collections::HashSet;
use std::time::Instant;

use futures_util::StreamExt;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{BasicProperties, Event, PublisherConfirm};
use spanfleet_core::{Hint, TaskId};
use spanfleet_queue::{QueueError, QueueErrorKind};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::broker::{ANSWER_TIMEOUT, Broker, Link};
use crate::error::too_late;
use crate::message::{encode, headers};
use crate::metrics;

/// How many hints wait for their confirms at once. Confirms come in batches; more brings nothing.
pub(crate) const WINDOW: usize = 200;

/// To disk, on every replica.
const PERSISTENT: u8 = 2;

/// A channel that confirms. One window is under way on it at a time.
pub(crate) struct Publisher {
    link: Link,
    sent: u64,
    /// Whether the broker refuses messages for want of memory or disk.
    blocked: watch::Receiver<bool>,
    /// Whether a window failed: a late answer to it would be taken for another's.
    is_spent: bool,
}

/// What became of a window.
pub(crate) struct Sent {
    /// What the broker surely holds.
    pub(crate) confirmed: Vec<TaskId>,
    /// Whether some came back, because nothing there takes them.
    pub(crate) some_returned: bool,
}

impl Publisher {
    pub(crate) async fn connect(broker: &Broker) -> Result<Publisher, QueueError> {
        let link = broker.connect("sends").await?;
        let confirming =
            timeout(ANSWER_TIMEOUT, link.channel.confirm_select(ConfirmSelectOptions::default()));
        confirming
            .await
            .map_err(|_| too_late("send to", &broker.address()))?
            .map_err(|error| broker.explain("send to", &error))?;
        let blocked = watch_blocked(&link);
        Ok(Publisher { link, sent: 0, blocked, is_spent: false })
    }

    /// Whether windows can be sent.
    pub(crate) fn is_usable(&self) -> bool {
        self.link.is_connected() && !self.is_spent
    }

    /// Whether the broker is short of memory or disk. Kept until it is not: the broker says so on the connection that
    /// it holds up and on no other.
    pub(crate) fn is_blocked(&self) -> bool {
        self.link.is_connected() && *self.blocked.borrow()
    }

    /// Learns when the broker takes messages again.
    pub(crate) fn blocked(&self) -> watch::Receiver<bool> {
        self.blocked.clone()
    }

    /// Sends a window and waits until the fate of each of its hints is known. After an error nothing of it is, and
    /// no more can be sent.
    pub(crate) async fn send(&mut self, broker: &Broker, window: &[Hint]) -> Result<Sent, QueueError> {
        let begun = Instant::now();
        let sent = timeout(broker.settings.confirm_timeout, self.send_and_wait(broker, window)).await;
        metrics::CONFIRM_SECONDS.observe(begun.elapsed().as_secs_f64());
        self.is_spent = !matches!(sent, Ok(Ok(_)));
        let sent = sent.map_err(|_| unconfirmed(broker))?;
        sent.map_err(|error| broker.explain("send to", &error))
    }

    async fn send_and_wait(&mut self, broker: &Broker, window: &[Hint]) -> lapin::Result<Sent> {
        let mut pending = Vec::with_capacity(window.len());
        for hint in window {
            self.sent += 1;
            let id = format!("{}.{}", hint.task, self.sent);
            pending.push((hint.task, id.clone(), self.publish(broker, *hint, &id).await?));
        }
        let (mut acked, mut returned) = (Vec::with_capacity(window.len()), HashSet::<String>::new());
        for (task, id, confirm) in pending {
            let confirmation = confirm.await?;
            if confirmation.is_ack() {
                acked.push((task, id));
            }
            // The client can hang a returned message on the confirm of another; its id tells whose it is.
            let message = confirmation.take_message();
            returned.extend(
                message.and_then(|message| Some(message.properties.message_id().as_ref()?.to_string())),
            );
        }
        let confirmed =
            acked.into_iter().filter(|(_, id)| !returned.contains(id)).map(|(task, _)| task).collect();
        metrics::RETURNED.inc_by(returned.len() as u64);
        Ok(Sent { confirmed, some_returned: !returned.is_empty() })
    }

    async fn publish(&self, broker: &Broker, hint: Hint, id: &str) -> lapin::Result<PublisherConfirm> {
        let properties = BasicProperties::default()
            .with_delivery_mode(PERSISTENT)
            .with_content_type("application/json".into())
            .with_message_id(id.into())
            .with_headers(headers(hint));
        // A message that no queue takes comes back instead of vanishing.
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let queue = broker.settings.queue.as_str().into();
        self.link.channel.basic_publish("".into(), queue, options, &encode(hint.task), properties).await
    }
}

/// The error of a broker that does not confirm.
pub(crate) fn unconfirmed(broker: &Broker) -> QueueError {
    let address = broker.address();
    let message = format!("`{address}` did not confirm in time; it may be short of memory or disk");
    QueueError::new(QueueErrorKind::Transient, message)
}

/// Follows what the broker tells of a connection, for as long as there is one.
fn watch_blocked(link: &Link) -> watch::Receiver<bool> {
    let (tell, blocked) = watch::channel(false);
    let mut events = Box::pin(link.events());
    tokio::spawn(async move {
        while let Some(event) = events.next().await {
            let is_blocked = match event {
                Event::ConnectionBlocked(reason) => {
                    tracing::warn!(reason, "RabbitMQ takes no hints");
                    true
                }
                Event::ConnectionUnblocked => false,
                Event::Error(_) => break,
                _ => continue,
            };
            metrics::BLOCKED.set(is_blocked.into());
            tell.send_replace(is_blocked);
        }
        if tell.send_replace(false) {
            metrics::BLOCKED.set(0);
        }
    });
    blocked
}
