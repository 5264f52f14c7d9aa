//! What several formats share.
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`compress`] | gzip members and zstd frames |
//! | [`custom`] | records of user-defined formats: filtered, checked |
//! | [`duplicates`] | which texts say the same as an earlier one |
//! | `file_names` | names of files that stand for texts |
//! | [`framing`] | a file from its parts and what stands around them |
//! | `homeless` | what a format has no place for |
//! | [`jq`] | a jq filter over the neutral record |
//! | `json_file` | files of JSON records |
//! | [`labels`] | annotations and tokens to one label sequence |
//! | [`names`] | how a label is written: the label map and the hierarchy |
//! | [`record`] | the neutral record as JSON |
//! | [`record_schema`] | a JSON Schema for every record |
//! | [`record_table`] | the neutral record as nested columns |
//! | `questions` | questions and their answers |
//! | `rows` | tokens as spaCy has them |
//! | [`sketch`] | keys that nearly equal texts share |
//! | [`schemes`] | BIO and its kin: the tag of each token |
//! | `spans` | the spans of a text for formats that hold overlapping ones |
//! | [`subwords`] | the tokens of a model's `tokenizer.json` |
//! | [`table`] | tables of nested columns: Arrow, Parquet, JSON lines |
//! | [`tokenize`] | words, white space, gold tokens, spaCy's |
//! | `utf16` | code points to UTF-16 units |
//! | `zip` | a zip whose entries are written part by part |

pub mod compress;
pub mod custom;
pub mod duplicates;
pub(crate) mod file_names;
pub mod framing;
pub(crate) mod homeless;
pub mod jq;
pub(crate) mod json_file;
pub mod labels;
pub mod names;
pub(crate) mod questions;
pub mod record;
pub mod record_schema;
pub mod record_table;
pub(crate) mod rows;
pub mod schemes;
pub mod sketch;
pub(crate) mod spans;
pub mod subwords;
pub mod table;
pub mod tokenize;
pub(crate) mod utf16;
pub(crate) mod zip;
