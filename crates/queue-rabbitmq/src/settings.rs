//! What an operator sets.

use std::time::Duration;

/// What an operator sets.
#[derive(Clone)]
pub struct RabbitSettings {
    /// The address, with user and password: `amqp://user:password@host:5672/vhost`, or `amqps://…`.
    pub url: String,
    /// The queue's name. Messages that nobody can read go to the queue of this name with `.dead` behind it.
    pub queue: String,
    /// How often a message may come back before it is laid with the dead ones. The metastore still knows the
    /// task, and the sweeper sends a new hint.
    pub delivery_limit: u32,
    /// How long a sent hint may stay without a confirm before it counts as unknown.
    pub confirm_timeout: Duration,
    /// How often a consumer makes sure that the broker serves it: a quiet one subscribes anew.
    pub probe_interval: Duration,
    /// How long a queue may fail everybody who consumes while the broker itself answers: then it is deleted and
    /// declared anew. RabbitMQ 3.10 can bring a queue back from a crash without a leader, for ever.
    pub stuck_after: Duration,
}

impl RabbitSettings {
    /// The usual settings for an address.
    pub fn new(url: impl Into<String>) -> RabbitSettings {
        RabbitSettings {
            url: url.into(),
            queue: "spanfleet.tasks".to_owned(),
            delivery_limit: 20,
            confirm_timeout: Duration::from_secs(10),
            probe_interval: Duration::from_secs(10),
            stuck_after: Duration::from_secs(20),
        }
    }
}

impl std::fmt::Debug for RabbitSettings {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Not the address: it holds the password.
        out.debug_struct("RabbitSettings")
            .field("queue", &self.queue)
            .field("delivery_limit", &self.delivery_limit)
            .field("confirm_timeout", &self.confirm_timeout)
            .field("probe_interval", &self.probe_interval)
            .field("stuck_after", &self.stuck_after)
            .finish_non_exhaustive()
    }
}
