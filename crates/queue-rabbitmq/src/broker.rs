//! Connecting, and what has to be declared at the broker.

use std::sync::Arc;
use std::time::Duration;

use futures_util::Stream;
use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::{AMQPValue, FieldTable, LongString};
use lapin::uri::AMQPUri;
use lapin::{Channel, Connection, ConnectionProperties, Event, ExchangeKind};
use spanfleet_queue::{QueueError, QueueErrorKind};
use tokio::time::timeout;

use crate::RabbitSettings;
use crate::error::{explain, too_late};

/// A broker that has not greeted by then is away.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// One that takes longer for a single request is as good as gone.
pub(crate) const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// The broker itself waits five seconds for a queue without a leader before it takes it away by force.
const DELETE_TIMEOUT: Duration = Duration::from_secs(30);

/// A dead connection is noticed after two of these.
const HEARTBEAT_SECONDS: u16 = 10;

const OK: u16 = 200;

/// Where the broker is, and what we want there.
pub(crate) struct Broker {
    /// Holds the password, and its debug form shows it.
    uri: AMQPUri,
    pub(crate) settings: RabbitSettings,
}

/// A channel and its connection.
pub(crate) struct Link {
    connection: Arc<Connection>,
    pub(crate) channel: Channel,
}

impl Broker {
    pub(crate) fn new(settings: RabbitSettings) -> Result<Broker, QueueError> {
        let mut uri: AMQPUri = settings.url.parse().map_err(|_| {
            // The parser's own words quote the address, password and all.
            let message =
                "AMQP_URL is no address of RabbitMQ: write it as `amqp://user:password@host:5672/vhost`";
            QueueError::new(QueueErrorKind::Configuration, message)
        })?;
        uri.query.heartbeat.get_or_insert(HEARTBEAT_SECONDS);
        if uri.vhost.is_empty() {
            // The slash that people leave at an address's end means the default, not a host without a name.
            "/".clone_into(&mut uri.vhost);
        }
        Ok(Broker { uri, settings })
    }

    /// The address as people write it, without user and password.
    pub(crate) fn address(&self) -> String {
        let AMQPUri { scheme, authority, vhost, .. } = &self.uri;
        let vhost = vhost.replace('/', "%2f");
        format!("{scheme}://{}:{}/{vhost}", authority.host, authority.port)
    }

    pub(crate) fn explain(&self, action: &str, error: &lapin::Error) -> QueueError {
        explain(action, &self.address(), error)
    }

    /// Connects and sees to it that everything is declared.
    pub(crate) async fn connect(&self, purpose: &str) -> Result<Link, QueueError> {
        let name = LongString::from(format!("spanfleet {purpose}"));
        let properties = ConnectionProperties::default().with_connection_name(name);
        let connecting = timeout(CONNECT_TIMEOUT, Connection::connect_uri(self.uri.clone(), properties));
        let connection = connecting
            .await
            .map_err(|_| too_late("connect to", &self.address()))?
            .map_err(|error| self.explain("connect to", &error))?;
        let connection = Arc::new(connection);
        let channel = self.open_channel(&connection).await?;
        Ok(Link { connection, channel })
    }

    /// Opens a channel and declares everything on it.
    async fn open_channel(&self, connection: &Connection) -> Result<Channel, QueueError> {
        let opening = timeout(ANSWER_TIMEOUT, async {
            let channel = connection.create_channel().await?;
            self.declare(&channel).await?;
            Ok(channel)
        });
        let opened = opening.await.map_err(|_| too_late("declare the queue at", &self.address()))?;
        opened.map_err(|error| self.explain("declare the queue at", &error))
    }

    /// The queue of hints, and the one for messages that nobody can read or that came back too often. Both are
    /// replicated, and everything that a broker would otherwise choose by its version is said.
    async fn declare(&self, channel: &Channel) -> lapin::Result<()> {
        let RabbitSettings { queue, delivery_limit, .. } = &self.settings;
        let dead = self.dead_queue();
        let durable = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
        let none = FieldTable::default;
        channel.exchange_declare(dead.as_str().into(), ExchangeKind::Fanout, durable, none()).await?;
        let mut replicated = none();
        replicated.insert("x-queue-type".into(), text("quorum"));
        channel
            .queue_declare(dead.as_str().into(), QueueDeclareOptions::durable(), replicated.clone())
            .await?;
        let bind = QueueBindOptions::default();
        channel.queue_bind(dead.as_str().into(), dead.as_str().into(), "".into(), bind, none()).await?;
        replicated.insert("x-delivery-limit".into(), AMQPValue::LongUInt(*delivery_limit));
        replicated.insert("x-dead-letter-exchange".into(), text(&dead));
        channel.queue_declare(queue.as_str().into(), QueueDeclareOptions::durable(), replicated).await?;
        Ok(())
    }

    /// Deletes the queue and declares it anew, unless it serves somebody. The hints in it are lost: the sweeper
    /// sends them again.
    pub(crate) async fn remake_queue(&self) -> Result<(), QueueError> {
        let link = self.connect("mends").await?;
        let remaking = timeout(DELETE_TIMEOUT, async {
            let queue = || self.settings.queue.as_str().into();
            let passive = QueueDeclareOptions::durable().passive();
            let state = link.channel.queue_declare(queue(), passive, FieldTable::default()).await?;
            if state.consumer_count() == 0 {
                tracing::warn!(
                    queue = self.settings.queue,
                    "the queue serves nobody; deleting it and declaring it anew"
                );
                link.channel.queue_delete(queue(), QueueDeleteOptions::default()).await?;
                self.declare(&link.channel).await?;
            }
            Ok(())
        });
        let remade = remaking.await.map_err(|_| too_late("delete the queue at", &self.address()));
        link.close().await;
        remade?.map_err(|error| self.explain("delete the queue at", &error))
    }

    /// The name of the queue and the exchange for the dead.
    fn dead_queue(&self) -> String {
        format!("{}.dead", self.settings.queue)
    }
}

impl Link {
    pub(crate) fn is_connected(&self) -> bool {
        self.connection.status().connected() && self.channel.status().connected()
    }

    /// What the broker tells of the connection. One listener hears an event.
    pub(crate) fn events(&self) -> impl Stream<Item = Event> + Send + 'static {
        self.connection.events_listener()
    }

    /// Another channel on the same connection.
    pub(crate) async fn next_channel(&self, broker: &Broker) -> Result<Link, QueueError> {
        let channel = broker.open_channel(&self.connection).await?;
        Ok(Link { connection: Arc::clone(&self.connection), channel })
    }

    /// Ends the channel, for a broker that may be gone not longer than it takes.
    pub(crate) async fn close_channel(&self) {
        let _ = timeout(ANSWER_TIMEOUT, self.channel.close(OK, "done".into())).await;
    }

    /// Ends the connection and whatever hangs on it.
    pub(crate) async fn close(&self) {
        let _ = timeout(ANSWER_TIMEOUT, self.connection.close(OK, "done".into())).await;
    }
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(url: &str) -> Result<String, QueueError> {
        Broker::new(RabbitSettings::new(url)).map(|broker| broker.address())
    }

    #[test]
    fn the_address_has_no_password() {
        let check = |url: &str, expected: &str| assert_eq!(address(url).unwrap(), expected);
        check("amqp://fleet:hush@broker:5673/team", "amqp://broker:5673/team");
        check("amqps://fleet:hush@broker/", "amqps://broker:5671/%2f");
        check("amqp://broker", "amqp://broker:5672/%2f");
        check("amqp://fleet:hush@broker/%2f", "amqp://broker:5672/%2f");
    }

    #[test]
    fn a_bad_address_is_refused_without_being_shown() {
        for url in
            ["", "broker", "http://fleet:hush@broker", "amqp:fleet:hush", "amqp://fleet:hush@broker:port"]
        {
            let error = address(url).unwrap_err();
            assert_eq!(error.kind, QueueErrorKind::Configuration);
            assert!(!format!("{error:?}").contains("hush"), "{error:?}");
        }
    }
}
