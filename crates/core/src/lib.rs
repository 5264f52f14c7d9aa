//! The words of Spanfleet, and the life of a job. Pure: no clock, no input or output, no async.
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`block`] | where compressed blocks begin |
//! | [`card`] | the data card: labels, lengths, annotators, agreement |
//! | [`document`] | a text with its annotations, relations and tokens |
//! | [`text`] | code points to bytes and back |
//! | [`timestamp`] | an instant in UTC, microseconds |
//! | [`schema`] | what is known of a selection before its first document |
//! | [`losses`] | the ledger of what was dropped or changed, and why |
//! | [`options`] | export parameters, checked on construction |
//! | [`filter`] | which texts and annotations were asked for |
//! | [`order`] | one export as asked for: format, options, filter, inclusions |
//! | [`report`] | what came of a part, what stands in a manifest |
//! | [`hint`] | what a queue carries, and its place in a trace |
//! | [`ids`] | numbers that name rows |
//! | [`keys`] | where a job's objects stand |
//! | [`limit`] | how long a text may be |
//! | [`job`] | the life of a job: `decide` |
//! | [`promises`] | what always holds of a job's rows |
//! | [`spacy_symbols`] | the numbers that spaCy knows strings by |
//! | [`split`] | which split a text falls into |

pub mod block;
pub mod card;
mod chain;
pub mod document;
pub mod filter;
pub mod hint;
pub mod ids;
pub mod job;
pub mod keys;
pub mod limit;
pub mod losses;
pub mod options;
pub mod order;
pub mod promises;
pub mod report;
pub mod schema;
pub mod spacy_symbols;
pub mod split;
pub mod text;
pub mod timestamp;

pub use block::begins_block;
pub use chain::chain;
pub use document::{Annotation, Document, Extent, Json, Relation, Token};
pub use filter::Filter;
pub use hint::{Hint, TraceParent};
pub use ids::{ProjectId, TaskId, UserId};
pub use limit::TextLimit;
pub use losses::{Change, Kind, Ledger, Loss};
pub use options::{OptionError, Options};
pub use order::{Include, Order};
pub use schema::Schema;
pub use split::Split;
pub use text::CharIndex;
pub use timestamp::Timestamp;
