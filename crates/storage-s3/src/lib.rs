//! Objects in a bucket of S3, or of anything that speaks it.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `settings.rs` | what an operator sets, and the client made from it |
//! | `bucket.rs` | single requests, keys with the store's prefix, errors for people |
//! | `error.rs` | what an answer means and how to mend it |
//! | `upload.rs` | an object being written: one request, or parts that overlap with encoding |
//! | `multipart.rs` | an upload in parts: create, send, copy, complete, abort |
//! | `plan.rs` | how pieces become parts of legal size; pure |
//! | `compose.rs` | carries a plan out, or all bytes where it copies none |
//! | `sums.rs` | what a store tells of the bytes that it holds |
//! | `store.rs` | the port |
//!
//! Memory: an upload holds at most three times its part size (one part being filled, two on their way). A compose holds
//! at most two parts, or where it copies nothing 30 MiB: an upload in the smallest parts and two reads of their size
//! (70 MiB at 25 GB, the most that small parts of a job come to, since an upload's parts grow).

mod bucket;
mod compose;
mod error;
mod metrics;
mod multipart;
mod plan;
mod settings;
mod store;
mod sums;
mod upload;

pub use settings::{Checksum, S3Settings};
pub use store::S3Storage;
