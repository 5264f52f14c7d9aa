//! The port's consumer, and the supervisor behind it. The supervisor is a task of its own, so that a `next`
//! that is cancelled interrupts nothing: it takes deliveries from the broker, hands them over, makes sure from
//! time to time that the broker still serves us, and builds everything anew after any failure.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use lapin::options::{
    BasicCancelOptions, BasicConsumeOptions, BasicQosOptions, BasicRejectOptions, QueueDeclareOptions,
};
use lapin::types::FieldTable;
use spanfleet_queue::{Consumer, Delivery, QueueError, QueueErrorKind};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::broker::{ANSWER_TIMEOUT, Broker, Link};
use crate::delivery::{Out, put_back};
use crate::error::{is_internal, too_late};
use crate::message::read;
use crate::metrics;

/// Waits between attempts are drawn from nothing to this, doubled each time up to the longest.
const WAIT_FIRST: Duration = Duration::from_millis(200);
const WAIT_LONGEST: Duration = Duration::from_secs(5);

/// The port's side.
pub(crate) struct RabbitConsumer {
    /// Never more than the prefetch are in it.
    deliveries: UnboundedReceiver<Delivery>,
    stop: CancellationToken,
    supervisor: Option<JoinHandle<()>>,
    _stop_when_dropped: DropGuard,
}

impl RabbitConsumer {
    /// Starts a supervisor, with the subscription that it begins with where there is one already.
    pub(crate) fn start(broker: Arc<Broker>, prefetch: u16, first: Option<Subscription>) -> RabbitConsumer {
        let (hand_over, deliveries) = unbounded_channel();
        let stop = CancellationToken::new();
        let supervisor = Supervisor { broker, prefetch, hand_over, stop: stop.clone() };
        let supervisor = Some(tokio::spawn(supervisor.run(first)));
        RabbitConsumer { deliveries, _stop_when_dropped: stop.clone().drop_guard(), stop, supervisor }
    }
}

#[async_trait]
impl Consumer for RabbitConsumer {
    async fn next(&mut self) -> Option<Delivery> {
        self.deliveries.recv().await
    }

    async fn close(&mut self) {
        self.stop.cancel();
        if let Some(supervisor) = self.supervisor.take() {
            // It ends of itself; a panic in it is not ours to repeat.
            let _ = supervisor.await;
        }
        self.deliveries.close();
        while let Some(unseen) = self.deliveries.recv().await {
            unseen.put_back().await;
        }
    }
}

struct Supervisor {
    broker: Arc<Broker>,
    prefetch: u16,
    hand_over: UnboundedSender<Delivery>,
    stop: CancellationToken,
}

impl Supervisor {
    async fn run(self, mut first: Option<Subscription>) {
        let (mut failures, mut stuck_since) = (0, None);
        while !self.stop.is_cancelled() {
            let subscribed = match first.take() {
                Some(subscription) => Ok(subscription),
                None => self.subscribe_anew().await,
            };
            failures = match subscribed {
                Ok(subscription) => {
                    self.serve(subscription).await;
                    stuck_since = None;
                    0
                }
                Err(Unserved { error, is_stuck }) => {
                    tracing::warn!(%error, "the queue is away; trying again");
                    stuck_since = is_stuck.then(|| stuck_since.unwrap_or_else(Instant::now));
                    failures + 1
                }
            };
            if stuck_since.is_some_and(|since| since.elapsed() >= self.broker.settings.stuck_after) {
                self.remake_queue().await;
                stuck_since = None;
            }
            self.stop.run_until_cancelled(tokio::time::sleep(wait(failures))).await;
        }
    }

    async fn subscribe_anew(&self) -> Result<Subscription, Unserved> {
        metrics::RECONNECTS.inc();
        let subscribing = self.stop.run_until_cancelled(subscribe(&self.broker, self.prefetch)).await;
        subscribing.unwrap_or_else(|| Err(too_late("consume from", &self.broker.address()).into()))
    }

    async fn remake_queue(&self) {
        let remaking = self.stop.run_until_cancelled(self.broker.remake_queue());
        if let Some(Err(error)) = remaking.await {
            tracing::warn!(%error, "can't declare the queue anew; trying again");
        }
    }

    /// Hands deliveries over until the consumer is closed or the subscription is lost.
    async fn serve(&self, mut subscription: Subscription) {
        tracing::debug!(address = self.broker.address(), "consuming");
        let every = self.broker.settings.probe_interval;
        let mut probes = interval_at(Instant::now() + every, every);
        probes.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let lost = loop {
            tokio::select! {
                () = self.stop.cancelled() => return subscription.cancel().await,
                came = subscription.stream.next() => match came {
                    Some(Ok(message)) => self.deliver(&mut subscription, message).await,
                    Some(Err(error)) => break error.to_string(),
                    None => break "the broker ended the subscription".to_owned(),
                },
                _ = probes.tick() => match subscription.probe(&self.broker, self.prefetch).await {
                    Ok(()) => {}
                    Err(error) => break error.to_string(),
                },
            }
        };
        tracing::warn!(lost, "lost the queue; building the connection anew");
        // What is out on it returns to the broker now and not at the end of whoever works on it.
        subscription.link.close().await;
    }

    async fn deliver(&self, subscription: &mut Subscription, message: lapin::message::Delivery) {
        subscription.received += 1;
        match read(&message) {
            Ok(hint) => {
                let out =
                    Out::new(message.acker, Arc::clone(&subscription.link), Arc::clone(&subscription.out));
                // When nobody listens any more the delivery is dropped here, and with that put back.
                let _ = self.hand_over.send(Delivery::new(hint, Box::new(out)));
            }
            Err(reason) => {
                tracing::warn!(reason, "nobody can read this message; it goes to the dead ones");
                let rejected = message.acker.reject(BasicRejectOptions { requeue: false });
                let _ = timeout(ANSWER_TIMEOUT, rejected).await;
            }
        }
    }
}

/// Why there is no subscription.
pub(crate) struct Unserved {
    pub(crate) error: QueueError,
    /// Whether the broker answers and it is the queue that does not.
    is_stuck: bool,
}

impl From<QueueError> for Unserved {
    fn from(error: QueueError) -> Unserved {
        Unserved { error, is_stuck: false }
    }
}

/// A consumer at the broker.
pub(crate) struct Subscription {
    link: Arc<Link>,
    stream: lapin::Consumer,
    /// How many messages are out: handed over and not settled.
    out: Arc<AtomicUsize>,
    /// How many have come, and how many had at the last probe.
    received: u64,
    received_at_probe: u64,
}

/// Connects and subscribes.
pub(crate) async fn subscribe(broker: &Broker, prefetch: u16) -> Result<Subscription, Unserved> {
    let link = Arc::new(broker.connect("consumes").await?);
    let stream = consume(broker, &link, prefetch).await?;
    Ok(Subscription { link, stream, out: Arc::default(), received: 0, received_at_probe: 0 })
}

async fn consume(broker: &Broker, link: &Link, prefetch: u16) -> Result<lapin::Consumer, Unserved> {
    let subscribing = timeout(ANSWER_TIMEOUT, async {
        link.channel.basic_qos(prefetch, BasicQosOptions::default()).await?;
        let queue = broker.settings.queue.as_str().into();
        link.channel
            .basic_consume(queue, "".into(), BasicConsumeOptions::default(), FieldTable::default())
            .await
    });
    let address = broker.address();
    let subscribed = subscribing
        .await
        .map_err(|_| Unserved { error: too_late("consume from", &address), is_stuck: true })?;
    subscribed.map_err(|error| Unserved {
        is_stuck: is_internal(&error),
        error: broker.explain("consume from", &error),
    })
}

impl Subscription {
    /// Sees to it that the broker serves us; else tells why it cannot be made to.
    async fn probe(&mut self, broker: &Broker, prefetch: u16) -> Result<(), QueueError> {
        let is_quiet = self.out.load(Ordering::Relaxed) == 0 && self.received == self.received_at_probe;
        self.received_at_probe = self.received;
        if is_quiet { self.renew(broker, prefetch).await } else { self.ask(broker).await }
    }

    /// Subscribes anew on a new channel. A channel can be dead and show no sign of it: when a queue is deleted
    /// and declared again, RabbitMQ 3.10 counts our consumer and gives it messages that never come here. To
    /// subscribe again while nothing is out costs five short requests and mends whatever it was.
    async fn renew(&mut self, broker: &Broker, prefetch: u16) -> Result<(), QueueError> {
        let link = Arc::new(self.link.next_channel(broker).await?);
        // What may be on its way to the old channel goes back when it closes.
        self.link.close_channel().await;
        self.stream = consume(broker, &link, prefetch).await.map_err(|unserved| unserved.error)?;
        self.link = link;
        Ok(())
    }

    /// Whether the channel answers and the broker knows of a consumer.
    async fn ask(&self, broker: &Broker) -> Result<(), QueueError> {
        let (queue, address) = (broker.settings.queue.as_str().into(), broker.address());
        let passive = QueueDeclareOptions::durable().passive();
        let asking =
            timeout(ANSWER_TIMEOUT, self.link.channel.queue_declare(queue, passive, FieldTable::default()));
        let state = asking.await.map_err(|_| too_late("consume from", &address))?;
        match state.map_err(|error| broker.explain("consume from", &error))?.consumer_count() {
            0 => {
                let message = format!("`{address}` does not know our consumer any more");
                Err(QueueError::new(QueueErrorKind::Transient, message))
            }
            _ => Ok(()),
        }
    }

    /// Takes no more and returns what nobody has seen. What is out can still be settled.
    async fn cancel(mut self) {
        let cancelled = timeout(ANSWER_TIMEOUT, async {
            self.link.channel.basic_cancel(self.stream.tag(), BasicCancelOptions::default()).await?;
            while let Some(message) = self.stream.next().await {
                put_back(&message?.acker).await;
            }
            Ok::<(), lapin::Error>(())
        });
        if !matches!(cancelled.await, Ok(Ok(()))) {
            // The broker is not to be talked to. Without its connection it takes everything back.
            self.link.close().await;
        }
    }
}

/// How long to wait after so many failures. Drawn at random: a hundred workers that lost one broker do not come
/// back at once.
fn wait(failures: u32) -> Duration {
    let longest = WAIT_FIRST.saturating_mul(2_u32.saturating_pow(failures)).min(WAIT_LONGEST);
    Duration::from_millis(rand::random_range(0..=longest.as_millis() as u64))
}
