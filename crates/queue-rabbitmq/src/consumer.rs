//! The port's consumer, and the supervisor behind it. The supervisor is a task of its own, so that a `next`
//! that is cancelled interrupts nothing: it takes deliveries from the broker, hands them over, asks from time
//! to time whether the broker still knows us, and builds everything anew after any failure.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use lapin::options::{BasicCancelOptions, BasicConsumeOptions, BasicRejectOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use spanfleet_queue::{Consumer, Delivery, QueueError};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::broker::{ANSWER_TIMEOUT, Broker, Link};
use crate::delivery::{Out, put_back};
use crate::error::too_late;
use crate::message::decode;

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
        let mut failures = 0;
        while !self.stop.is_cancelled() {
            let subscribed = match first.take() {
                Some(subscription) => Ok(subscription),
                None => self
                    .stop
                    .run_until_cancelled(subscribe(&self.broker, self.prefetch))
                    .await
                    .unwrap_or_else(|| Err(too_late("consume from", &self.broker.address()))),
            };
            failures = match subscribed {
                Ok(subscription) => {
                    self.serve(subscription).await;
                    0
                }
                Err(error) => {
                    tracing::warn!(%error, "the queue is away; trying again");
                    failures + 1
                }
            };
            self.stop.run_until_cancelled(tokio::time::sleep(wait(failures))).await;
        }
    }

    /// Hands deliveries over until the consumer is closed or the subscription is lost.
    async fn serve(&self, mut subscription: Subscription) {
        eprintln!("CONSUMING"); tracing::debug!(address = self.broker.address(), "consuming");
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
                    Err(reason) => break reason,
                },
            }
        };
        eprintln!("LOST {lost}"); tracing::warn!(lost, "lost the queue; building the connection anew");
        // What is out on it returns to the broker now and not at the end of whoever works on it.
        subscription.link.close().await; eprintln!("CLOSED");
    }

    async fn deliver(&self, subscription: &mut Subscription, message: lapin::message::Delivery) {
        subscription.received += 1;
        match decode(&message.data) {
            Ok(task) => {
                let out =
                    Out::new(message.acker, Arc::clone(&subscription.link), Arc::clone(&subscription.out));
                // When nobody listens any more the delivery is dropped here, and with that put back.
                let _ = self.hand_over.send(Delivery::new(task, Box::new(out)));
            }
            Err(reason) => {
                tracing::warn!(reason, "nobody can read this message; it goes to the dead ones");
                let rejected = message.acker.reject(BasicRejectOptions { requeue: false });
                let _ = timeout(ANSWER_TIMEOUT, rejected).await;
            }
        }
    }
}

/// A consumer at the broker.
pub(crate) struct Subscription {
    link: Arc<Link>,
    stream: lapin::Consumer,
    /// How many messages are out: handed over and not settled.
    out: Arc<AtomicUsize>,
    /// How many have come.
    received: u64,
    /// How many had come when a probe last found messages waiting that we had room for.
    received_at_doubt: Option<u64>,
}

/// Connects and subscribes.
pub(crate) async fn subscribe(broker: &Broker, prefetch: u16) -> Result<Subscription, QueueError> {
    let link = broker.connect("consumes").await?;
    let subscribing = timeout(ANSWER_TIMEOUT, async {
        link.limit_deliveries(prefetch).await?;
        let queue = broker.settings.queue.as_str().into();
        link.channel
            .basic_consume(queue, "".into(), BasicConsumeOptions::default(), FieldTable::default())
            .await
    });
    let stream = subscribing
        .await
        .map_err(|_| too_late("consume from", &broker.address()))?
        .map_err(|error| broker.explain("consume from", &error))?;
    let (link, out) = (Arc::new(link), Arc::new(AtomicUsize::new(0)));
    Ok(Subscription { link, stream, out, received: 0, received_at_doubt: None })
}

impl Subscription {
    /// Whether the broker still serves us; else why we think that it does not. A channel can die at the broker
    /// and look alive here.
    async fn probe(&mut self, broker: &Broker, prefetch: u16) -> Result<(), String> {
        let queue = broker.settings.queue.as_str().into();
        let ask = self.link.channel.queue_declare(
            queue,
            QueueDeclareOptions::durable().passive(),
            FieldTable::default(),
        );
        let state =
            timeout(ANSWER_TIMEOUT, ask).await.map_err(|_| "the broker does not answer".to_owned())?;
        let state = state.map_err(|error| error.to_string())?;
        eprintln!("PROBE {state:?} out {}", self.out.load(Ordering::Relaxed));
        if state.consumer_count() == 0 {
            return Err("the broker does not know our consumer".to_owned());
        }
        let has_room = self.out.load(Ordering::Relaxed) < usize::from(prefetch);
        if state.message_count() == 0 || !has_room {
            self.received_at_doubt = None;
        } else if self.received_at_doubt.replace(self.received) == Some(self.received) {
            // For a whole interval messages waited, we had room, and none came.
            return Err("messages wait at the broker and none comes".to_owned());
        }
        Ok(())
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
