//! What several formats share.
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`compress`] | gzip members and zstd frames |
//! | [`duplicates`] | which texts say the same as an earlier one |
//! | `file_names` | names of files that stand for texts |
//! | [`jq`] | a jq filter over the neutral record |
//! | [`framing`] | a file from its parts and what stands around them |
//! | [`labels`] | annotations and tokens to one label sequence |
//! | [`names`] | how a label is written: the label map and the hierarchy |
//! | [`record`] | the neutral record as JSON |
//! | [`record_table`] | the neutral record as nested columns |
//! | [`schemes`] | BIO and its kin: the tag of each token |
//! | [`subwords`] | the tokens of a model's `tokenizer.json` |
//! | [`table`] | tables of nested columns: Arrow, Parquet, JSON lines |
//! | [`tokenize`] | words, white space, gold tokens, spaCy's |
//! | `zip` | a zip whose entries are written part by part |

pub mod compress;
pub mod duplicates;
pub(crate) mod file_names;
pub mod framing;
pub mod jq;
pub mod labels;
pub mod names;
pub mod record;
pub mod record_table;
pub mod schemes;
pub mod subwords;
pub mod table;
pub mod tokenize;
pub(crate) mod zip;
