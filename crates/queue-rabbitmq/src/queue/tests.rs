//! Against the real broker that `with-servers` (package `spanfleet-tests`) started. Without it these tests say
//! so and pass.

use std::time::Duration;

use lapin::options::{BasicGetOptions, BasicPublishOptions, QueueDeleteOptions};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use spanfleet_queue::{Delivery, contract};

use super::*;

const LOGIN: &str = "Basic dGVzdDp0ZXN0";
const PATIENCE: Duration = Duration::from_mins(1);

/// The broker of this run.
struct TestBroker {
    url: String,
    api: String,
}

impl TestBroker {
    fn find() -> Option<TestBroker> {
        let url = std::env::var("SPANFLEET_TEST_AMQP_URL").ok();
        let api = std::env::var("SPANFLEET_TEST_AMQP_API").ok();
        if url.is_none() || api.is_none() {
            println!("skipped: SPANFLEET_TEST_AMQP_URL is not set; run the tests through `with-servers`");
        }
        Some(TestBroker { url: url?, api: api?.replace("test:test@", "") })
    }

    /// The address of a new virtual host.
    async fn fresh_vhost(&self) -> String {
        let name = format!("test-{}", uuid::Uuid::new_v4().simple());
        let rights = r#"{"configure":".*","write":".*","read":".*"}"#;
        for (path, body) in [(format!("vhosts/{name}"), "{}"), (format!("permissions/{name}/test"), rights)] {
            let request = ureq::put(format!("{}/{path}", self.api));
            let request = request.header("authorization", LOGIN).header("content-type", "application/json");
            tokio::task::spawn_blocking(move || request.send(body).unwrap()).await.unwrap();
        }
        format!("{}/{name}", self.url.rsplit_once('/').unwrap().0)
    }

    async fn fresh_queue(&self) -> TestQueue {
        let url = self.fresh_vhost().await;
        let settings =
            RabbitSettings { probe_interval: Duration::from_millis(200), ..RabbitSettings::new(&url) };
        TestQueue { queue: RabbitQueue::connect(settings).await.unwrap(), url }
    }
}

struct TestQueue {
    queue: RabbitQueue,
    url: String,
}

impl TestQueue {
    /// A channel that is not ours.
    async fn channel(&self) -> Channel {
        let connection = Connection::connect(&self.url, ConnectionProperties::default()).await.unwrap();
        connection.create_channel().await.unwrap()
    }

    async fn send(&self, task: i64) {
        assert_eq!(self.queue.send(&[TaskId(task).into()]).await.unwrap(), [TaskId(task)]);
    }

    async fn delete_queue(&self) {
        let channel = self.channel().await;
        channel.queue_delete("spanfleet.tasks".into(), QueueDeleteOptions::default()).await.unwrap();
    }
}

async fn next(consumer: &mut Box<dyn Consumer>) -> Delivery {
    tokio::time::timeout(PATIENCE, consumer.next())
        .await
        .expect("a hint comes")
        .expect("the consumer is open")
}

/// Sends until it arrives: while the queue is away hints are unknown, and sent again.
async fn send_until_it_arrives(queue: &RabbitQueue, consumer: &mut Box<dyn Consumer>, task: i64) {
    let sending = async {
        while queue.send(&[TaskId(task).into()]).await.unwrap_or_default().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, sending).await.expect("it is confirmed in the end");
    while next_acked(consumer).await != TaskId(task) {}
}

async fn next_acked(consumer: &mut Box<dyn Consumer>) -> TaskId {
    let delivery = next(consumer).await;
    let task = delivery.hint.task;
    delivery.ack().await;
    task
}

#[tokio::test]
async fn keeps_the_contract() {
    let Some(broker) = TestBroker::find() else { return };
    contract::check_all(|| async { Arc::new(broker.fresh_queue().await.queue) as Arc<dyn Queue> }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keeps_the_contract_on_threads() {
    let Some(broker) = TestBroker::find() else { return };
    contract::check_all(|| async { Arc::new(broker.fresh_queue().await.queue) as Arc<dyn Queue> }).await;
}

#[tokio::test]
async fn consuming_goes_on_after_the_queue_was_deleted() {
    let Some(broker) = TestBroker::find() else { return };
    let test = broker.fresh_queue().await;
    let mut consumer = test.queue.consume(2).await.unwrap();
    test.send(1).await;
    assert_eq!(next_acked(&mut consumer).await, TaskId(1));
    test.delete_queue().await;
    send_until_it_arrives(&test.queue, &mut consumer, 2).await;
}

#[tokio::test]
async fn what_no_queue_takes_is_not_confirmed() {
    let Some(broker) = TestBroker::find() else { return };
    let test = broker.fresh_queue().await;
    test.delete_queue().await;
    let tasks: Vec<TaskId> = (1..=300).map(TaskId).collect();
    let hints: Vec<Hint> = tasks.iter().copied().map(Hint::from).collect();
    let confirmed = test.queue.send(&hints).await.unwrap();
    // The first window came back whole. Its failure was seen, and the queue declared anew for the second.
    assert_eq!(confirmed, tasks[WINDOW..]);
    assert_eq!(test.queue.send(&hints[..WINDOW]).await.unwrap(), tasks[..WINDOW]);
}

#[tokio::test]
async fn what_nobody_can_read_goes_to_the_dead() {
    let Some(broker) = TestBroker::find() else { return };
    let test = broker.fresh_queue().await;
    let channel = test.channel().await;
    let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
    channel
        .basic_publish("".into(), "spanfleet.tasks".into(), options, b"{\"v\":9}", properties)
        .await
        .unwrap();
    let mut consumer = test.queue.consume(1).await.unwrap();
    test.send(5).await;
    assert_eq!(next_acked(&mut consumer).await, TaskId(5), "the queue is not held up");
    let dead = async {
        loop {
            let got =
                channel.basic_get("spanfleet.tasks.dead".into(), BasicGetOptions::default()).await.unwrap();
            if let Some(message) = got {
                return message.delivery.data;
            }
        }
    };
    assert_eq!(tokio::time::timeout(PATIENCE, dead).await.unwrap(), b"{\"v\":9}");
}

#[tokio::test]
async fn a_delivery_of_a_lost_connection_is_settled_in_silence_and_comes_again() {
    let Some(broker) = TestBroker::find() else { return };
    let test = broker.fresh_queue().await;
    let mut consumer = test.queue.consume(1).await.unwrap();
    test.send(3).await;
    let held = next(&mut consumer).await;
    let vhost = test.url.rsplit_once('/').unwrap().1.to_owned();
    tokio::task::spawn_blocking(move || close_connections(&broker.api, &vhost)).await.unwrap();
    let again = next(&mut consumer).await;
    assert_eq!(again.hint.task, TaskId(3));
    held.ack().await;
    again.ack().await;
    send_until_it_arrives(&test.queue, &mut consumer, 4).await;
}

/// Closes every connection of a virtual host, as an operator would.
fn close_connections(api: &str, vhost: &str) {
    let mut closed = 0;
    // The list of the management lags behind by seconds.
    while closed == 0 {
        let mut answer = ureq::get(format!("{api}/vhosts/{vhost}/connections"))
            .header("authorization", LOGIN)
            .call()
            .unwrap();
        let connections: serde_json::Value =
            serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap();
        for connection in connections.as_array().unwrap() {
            let name =
                connection["name"].as_str().unwrap_or_default().replace(' ', "%20").replace('>', "%3E");
            let asked =
                ureq::delete(format!("{api}/connections/{name}")).header("authorization", LOGIN).call();
            closed += usize::from(asked.is_ok());
        }
    }
}

async fn complaint(url: &str) -> String {
    let error = RabbitQueue::connect(RabbitSettings::new(url)).await.unwrap_err();
    assert_eq!(error.kind, QueueErrorKind::Configuration, "{error}");
    assert!(!format!("{error:?}").contains("hush"), "{error:?}");
    error.message
}

#[tokio::test]
async fn a_wrong_set_up_is_told_with_its_mend() {
    let Some(broker) = TestBroker::find() else { return };
    let told = complaint(&broker.url.replace("test:test", "test:hush")).await;
    assert!(told.contains("wrong user or password in AMQP_URL"), "{told}");
    let told = complaint(&broker.url.replace("%2f", "nowhere")).await;
    assert!(told.contains("check the virtual host"), "{told}");

    let url = broker.fresh_vhost().await;
    RabbitQueue::connect(RabbitSettings::new(&url)).await.unwrap();
    let other = RabbitSettings { delivery_limit: 3, ..RabbitSettings::new(&url) };
    let error = RabbitQueue::connect(other).await.unwrap_err();
    assert_eq!(error.kind, QueueErrorKind::Configuration, "{error}");
    assert!(error.message.contains("exists with other settings"), "{error}");
}

#[tokio::test]
async fn a_broker_that_is_away_may_come_back() {
    let queue = RabbitQueue::connect(RabbitSettings::new("amqp://fleet:hush@127.0.0.1:9/%2f")).await.unwrap();
    let error = queue.check().await.unwrap_err();
    assert_eq!(error.kind, QueueErrorKind::Transient, "{error}");
    let sent = queue.send(&[TaskId(1).into()]).await.unwrap_err();
    assert_eq!(sent.kind, QueueErrorKind::Transient, "{sent}");
    assert!(!format!("{error:?} {sent:?} {queue:?}").contains("hush"));
    let mut consumer = queue.consume(1).await.unwrap();
    consumer.close().await;
    assert!(consumer.next().await.is_none());
}
