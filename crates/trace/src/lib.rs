//! One trace for each job: from the request through outbox and message to every partition and the seal.
//!
//! A span is of the crate `tracing`, made with [`span!`]. Where it goes on travels as a [`TraceParent`]: in the
//! header of the request, the rows of job and outbox, the header of the message. With the feature `otlp` and an
//! endpoint in the environment spans are exported; without either they cost nothing, and what came in is carried on.
//!
//! No span holds text, a label or a secret: ids, numbers and words of our own only.

#[cfg(feature = "otlp")]
mod client;
#[cfg(feature = "otlp")]
mod exporter;

#[cfg(feature = "otlp")]
pub use exporter::Exporter;

use spanfleet_core::TraceParent;
use tracing::Span;

#[doc(hidden)]
pub use tracing;

/// Where spans that only traces show come from: logs leave it out, and are as they are without traces.
pub const TARGET: &str = "spanfleet::trace";

/// A span that only traces show.
#[macro_export]
macro_rules! span {
    ($($fields:tt)*) => { $crate::tracing::info_span!(target: $crate::TARGET, $($fields)*) };
}

/// Makes a span that nobody has entered go on from another process. A span that is not exported stays as it is.
#[cfg(feature = "otlp")]
pub fn go_on(span: &Span, from: Option<TraceParent>) {
    if let Some(place) = from {
        exporter::go_on(span, place);
    }
}

/// Makes a span that nobody has entered go on from another process. This build exports none.
#[cfg(not(feature = "otlp"))]
pub fn go_on(_span: &Span, _from: Option<TraceParent>) {}

/// Where another process goes on from a span; `None` for one that is not exported.
#[cfg(feature = "otlp")]
pub fn place(span: &Span) -> Option<TraceParent> {
    exporter::place(span)
}

/// Where another process goes on from a span. This build exports none.
#[cfg(not(feature = "otlp"))]
pub fn place(_span: &Span) -> Option<TraceParent> {
    None
}
