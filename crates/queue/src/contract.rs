//! The contract that every driver passes: `contract::check_all(make)` in a test of the driver's crate, where
//! `make` gives an empty queue of its own each time.
//!
//! Brokers may send a hint twice and in any order; so the suite asks what must be true, not what is usual.
#![allow(clippy::unwrap_used, reason = "this is test code that several crates share")]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use spanfleet_core::{Hint, TaskId, TraceParent};

use crate::{Consumer, Delivery, Queue};

/// Nothing here takes a second; this is for a machine that does ten other things.
const PATIENCE: Duration = Duration::from_mins(1);

/// Long enough for a delivery that should not come to come.
const SILENCE: Duration = Duration::from_millis(300);

/// Runs the whole suite; panics at the first broken promise.
pub async fn check_all<Made: Future<Output = Arc<dyn Queue>>>(make: impl Fn() -> Made) {
    what_is_sent_arrives(make().await).await;
    a_hint_keeps_its_trace(make().await).await;
    what_is_put_back_comes_again(make().await).await;
    what_is_dropped_comes_again(make().await).await;
    what_a_lost_consumer_had_comes_again(make().await).await;
    no_more_than_the_prefetch_is_out(make().await).await;
    consumers_share(make().await).await;
    close_ends_the_stream_but_not_what_is_out(make().await).await;
    a_cancelled_next_loses_nothing(make().await).await;
    many_senders_are_all_confirmed(make().await).await;
    the_address_and_the_check(make().await).await;
}

async fn what_is_sent_arrives(queue: Arc<dyn Queue>) {
    assert_eq!(queue.send(&[]).await.unwrap(), []);
    assert_eq!(queue.send(&hints(1..=3)).await.unwrap(), tasks(1..=3));
    let mut consumer = queue.consume(10).await.unwrap();
    let mut arrived = BTreeSet::new();
    for _ in 1..=3 {
        let delivery = next(&mut consumer).await;
        arrived.insert(delivery.hint.task.0);
        delivery.ack().await;
    }
    assert_eq!(arrived, BTreeSet::from([1, 2, 3]));
    assert_silence(&mut consumer).await;
}

async fn a_hint_keeps_its_trace(queue: Arc<dyn Queue>) {
    let traceparent = TraceParent::parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    let sent = [Hint { task: TaskId(1), traceparent }, TaskId(2).into()];
    queue.send(&sent).await.unwrap();
    let mut consumer = queue.consume(2).await.unwrap();
    for _ in sent {
        let delivery = next(&mut consumer).await;
        assert!(sent.contains(&delivery.hint), "{delivery:?}");
        delivery.ack().await;
    }
}

async fn what_is_put_back_comes_again(queue: Arc<dyn Queue>) {
    queue.send(&hints(7..=7)).await.unwrap();
    let mut consumer = queue.consume(1).await.unwrap();
    next(&mut consumer).await.put_back().await;
    let again = next(&mut consumer).await;
    assert_eq!(again.hint.task, TaskId(7));
    again.ack().await;
    assert_silence(&mut consumer).await;
}

async fn what_is_dropped_comes_again(queue: Arc<dyn Queue>) {
    queue.send(&hints(8..=8)).await.unwrap();
    let mut consumer = queue.consume(1).await.unwrap();
    drop(next(&mut consumer).await);
    next(&mut consumer).await.ack().await;
}

async fn what_a_lost_consumer_had_comes_again(queue: Arc<dyn Queue>) {
    queue.send(&hints(1..=4)).await.unwrap();
    let mut lost = queue.consume(3).await.unwrap();
    let held = [next(&mut lost).await, next(&mut lost).await];
    // A third may be on its way to the lost one and has to turn round too.
    drop(lost);
    drop(held);
    let mut consumer = queue.consume(4).await.unwrap();
    assert_eq!(drain(&mut consumer, 4).await, BTreeSet::from([1, 2, 3, 4]));
}

async fn no_more_than_the_prefetch_is_out(queue: Arc<dyn Queue>) {
    queue.send(&hints(1..=5)).await.unwrap();
    let mut consumer = queue.consume(2).await.unwrap();
    let (first, _second) = (next(&mut consumer).await, next(&mut consumer).await);
    assert_silence(&mut consumer).await;
    first.ack().await;
    let third = next(&mut consumer).await;
    assert_silence(&mut consumer).await;
    third.ack().await;
}

async fn consumers_share(queue: Arc<dyn Queue>) {
    let mut left = queue.consume(2).await.unwrap();
    let mut right = queue.consume(2).await.unwrap();
    queue.send(&hints(1..=4)).await.unwrap();
    let held = [next(&mut left).await, next(&mut left).await, next(&mut right).await, next(&mut right).await];
    let all: BTreeSet<i64> = held.iter().map(|delivery| delivery.hint.task.0).collect();
    assert_eq!(all, BTreeSet::from([1, 2, 3, 4]), "nobody has what another has");
    for delivery in held {
        delivery.ack().await;
    }
}

async fn close_ends_the_stream_but_not_what_is_out(queue: Arc<dyn Queue>) {
    queue.send(&hints(1..=4)).await.unwrap();
    let mut closing = queue.consume(2).await.unwrap();
    let held = next(&mut closing).await;
    let settled = held.hint.task.0;
    closing.close().await;
    closing.close().await;
    while let Some(late) = patiently(closing.next()).await {
        late.put_back().await;
    }
    held.ack().await;
    let mut consumer = queue.consume(4).await.unwrap();
    let left = BTreeSet::from([1, 2, 3, 4]).into_iter().filter(|task| *task != settled).collect();
    assert_eq!(drain(&mut consumer, 3).await, left);
    assert_silence(&mut consumer).await;
}

async fn a_cancelled_next_loses_nothing(queue: Arc<dyn Queue>) {
    let mut consumer = queue.consume(1).await.unwrap();
    for task in 1..=20 {
        // Cancelled at whatever point it has come to.
        let _ = tokio::time::timeout(Duration::from_micros(50), consumer.next()).await;
        queue.send(&hints(task..=task)).await.unwrap();
        let delivery = next(&mut consumer).await;
        assert_eq!(delivery.hint.task, TaskId(task));
        delivery.ack().await;
    }
}

async fn many_senders_are_all_confirmed(queue: Arc<dyn Queue>) {
    let senders: Vec<_> = (0..8)
        .map(|sender| {
            let queue = Arc::clone(&queue);
            tokio::spawn(async move {
                let numbers = sender * 100..=sender * 100 + 99;
                let confirmed = queue.send(&hints(numbers.clone())).await.unwrap();
                assert_eq!(confirmed, tasks(numbers));
            })
        })
        .collect();
    for sender in senders {
        patiently(sender).await.unwrap();
    }
    let mut consumer = queue.consume(50).await.unwrap();
    assert_eq!(drain(&mut consumer, 800).await, (0..800).collect());
}

async fn the_address_and_the_check(queue: Arc<dyn Queue>) {
    queue.check().await.unwrap();
    assert!(!queue.address().is_empty());
    assert!(!format!("{queue:?} {}", queue.address()).contains(":test@"), "no password is shown");
}

fn tasks(numbers: impl Iterator<Item = i64>) -> Vec<TaskId> {
    numbers.map(TaskId).collect()
}

fn hints(numbers: impl Iterator<Item = i64>) -> Vec<Hint> {
    numbers.map(|number| TaskId(number).into()).collect()
}

async fn patiently<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("this comes")
}

async fn next(consumer: &mut Box<dyn Consumer>) -> Delivery {
    patiently(consumer.next()).await.expect("the consumer is open")
}

/// Acks deliveries until it has seen so many tasks.
async fn drain(consumer: &mut Box<dyn Consumer>, tasks: usize) -> BTreeSet<i64> {
    let mut seen = BTreeSet::new();
    while seen.len() < tasks {
        let delivery = next(consumer).await;
        seen.insert(delivery.hint.task.0);
        delivery.ack().await;
    }
    seen
}

async fn assert_silence(consumer: &mut Box<dyn Consumer>) {
    let unexpected = tokio::time::timeout(SILENCE, consumer.next()).await;
    assert!(unexpected.is_err(), "nothing more comes, but {unexpected:?} did");
}
