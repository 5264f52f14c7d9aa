//! The thin dispatcher: HTTP to core words and back, the sweeper. Never touches documents.
//!
//! | file | what it is |
//! | --- | --- |
//! | `http` | the API, one file a noun |
//! | [`tokens`] | bearer tokens: made, hashed |
//! | [`catalogue`] | the built-in rows of formats and templates |
//! | [`fsck`] | the promises of the protocol, checked |
//! | [`sweeper`](Sweeper) | leases, expiry, leftovers |
//! | [`previewer`](Previewer) | what shows the beginning of an export |
//! | [`webhooks`](Webhooks) | calls whoever wants to know that a job has ended |
//! | [`metrics`] | what Prometheus reads |
//! | [`probes`] | health, readiness and metrics of any process |

pub mod catalogue;
pub mod fsck;
mod http;
pub mod metrics;
mod previewer;
pub mod probes;
mod settings;
mod signer;
mod sweeper;
pub mod tokens;
mod webhooks;

pub use http::{Api, router};
pub use metrics::Metrics;
pub use previewer::{CantShow, Previewer, Shown};
pub use settings::Settings;
pub use sweeper::Sweeper;
pub use webhooks::{WebhookSettings, Webhooks};
