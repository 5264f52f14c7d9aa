//! Real servers for the tests.
//!
//! [`shared`] gives the servers of this run: those that `with-servers` started, else some of its own. Tests
//! take a fresh database, virtual host or bucket there and are alone in it. A test that breaks a server
//! starts a private one: [`Postgres::start`], [`Rabbit::start`], [`S3Server::start`], [`Radosgw::start`].

mod bucket;
mod postgres;
mod rabbit;
mod radosgw;
mod s3;
mod shared;

pub use bucket::{Bucket, S3Access};
pub use postgres::{Postgres, PostgresAccess};
pub use rabbit::{Rabbit, RabbitAccess};
pub use radosgw::Radosgw;
pub use s3::S3Server;
pub use shared::{Shared, Started, shared};

use std::time::Duration;

/// A server that is not up by then will not come up.
const START_PATIENCE: Duration = Duration::from_mins(2);

/// A server that has not stopped by then is killed.
const STOP_PATIENCE: Duration = Duration::from_secs(20);

/// A name that nobody else has on a shared server.
fn fresh_name(kind: &str) -> String {
    format!("{kind}-{}", uuid::Uuid::new_v4().simple())
}
