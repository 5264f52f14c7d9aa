//! Requests and replies on the wire.
//!
//! | module | what it is |
//! | --- | --- |
//! | [`problem`] | errors as RFC 9457 |
//! | [`jobs`] | creating, listing and reading jobs |
//! | [`catalogue`] | formats and templates |
//! | [`files`] | artifacts of a job |
//! | [`openapi`] | what the API is, for machines |

pub mod catalogue;
pub mod files;
pub mod jobs;
pub mod openapi;
pub mod problem;

pub use catalogue::{Format, FormatsQuery, NewFormat, Template, TemplatesQuery};
pub use files::{Artifact, DownloadQuery, Files};
pub use jobs::{CreateJob, Job, Jobs, JobsQuery, Partitions, Preview, PreviewQuery};
pub use problem::Problem;
