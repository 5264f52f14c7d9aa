//! What is known of a selection before its first document.

use serde::{Deserialize, Serialize};

/// The label set and the cut of one job, handed to every encoder and to `seal`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schema {
    /// Every label of the selection as it will be written, sorted. Empty when the format did not ask for
    /// them (see `FormatInfo::needs_labels`): corpus files would have to be read twice.
    pub labels: Vec<String>,
    /// Every relation type, sorted; empty under the same condition.
    pub relation_types: Vec<String>,
    /// Whether any text has several labels of the whole text; false under the same condition.
    #[serde(default)]
    pub is_multi_label: bool,
}
