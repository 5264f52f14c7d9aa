//! Takes a hint, claims its task, does one step, reports. Workers know ports, never drivers.
//!
//! | file | what it is |
//! | --- | --- |
//! | [`worker`](Worker) | the loop: hints in, slots, stop |
//! | `lease` | heartbeats, and when to stop trusting a lease |
//! | `steps/plan` | cuts the selection into partitions |
//! | `steps/encode` | documents → encoder → compressor → store, one partition |
//! | `steps/finalize` | parts → files, manifest, losses |
//! | `preview` | the first documents of an order, encoded at once |
//! | `keys` | where objects stand |
//! | `error` | what a failure means for the next try |
//! | [`metrics`] | what Prometheus reads |
//!
//! Memory of a worker, whatever the size of a job, is
//! `base + slots × (batches + largest text × 4 + splits × (encode buffers + upload))`; see [`Settings`].

mod error;
mod keys;
mod lease;
pub mod metrics;
mod preview;
mod settings;
mod steps;
mod worker;

pub use error::StepError;
pub use keys::Root;
pub use metrics::Metrics;
pub use preview::{Preview, count, preview};
pub use settings::{Settings, heartbeat_every};
pub use worker::{Ports, Worker};
