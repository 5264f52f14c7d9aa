//! The harness of the tests: real servers on free ports, processes under test, waiting for conditions.
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`servers`] | PostgreSQL, RabbitMQ, an S3 server and radosgw as children: shared ones, or private ones to break |
//! | [`process`] | a program under test: output, signals, peak memory |
//! | [`proxy`] | a wire that can be cut, stalled, slowed, and made to lie |
//! | [`site`] | private servers behind wires |
//! | [`wait`] | waiting for a condition; the only place that sleeps |
//! | [`command`], [`client`] | the binary as a person runs it, and its API as a program calls it |
//! | [`fleet`] | a dispatcher and workers on the servers |
//! | [`traces`] | a receiver of traces |
//! | [`corpora`] | what they export |
//!
//! It panics when it cannot do its work: nobody but tests calls it.

#![allow(clippy::unwrap_used)]

pub mod client;
pub mod command;
pub mod corpora;
pub mod daemon;
pub mod fleet;
pub mod process;
pub mod proxy;
pub mod servers;
pub mod site;
pub mod traces;
pub mod wait;

pub use client::Client;
pub use fleet::Fleet;
pub use process::Process;
pub use proxy::Proxy;
pub use servers::shared;
pub use site::Site;
pub use wait::{wait_until, wait_until_async};
