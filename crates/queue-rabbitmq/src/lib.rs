//! Hints over RabbitMQ.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `settings.rs` | what an operator sets |
//! | `broker.rs` | connecting, and what has to be declared there |
//! | `error.rs` | what a failure means and how to mend it |
//! | `message.rs` | the body of a message |
//! | `publisher.rs` | sending a window of hints and knowing what became of each |
//! | `consumer.rs` | the port's consumer, and the supervisor behind it that rebuilds what breaks |
//! | `delivery.rs` | settling a message |
//! | `queue.rs` | the port |
//!
//! The client's own recovery is not used: after it the same stream gives the same message again, and a channel
//! that the broker closed stays silent for ever. Here any error drops the connection and everything on it, and
//! a supervisor builds anew. Sending and consuming have a connection each: a broker short of memory or disk
//! holds up the one that sends, and acknowledgements must still get through.

mod broker;
mod consumer;
mod delivery;
mod error;
mod message;
mod metrics;
mod publisher;
mod queue;
mod settings;

pub use queue::RabbitQueue;
pub use settings::RabbitSettings;
