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
    /// Ids of texts that say the same as an earlier one, sorted; empty unless the order asked to leave them out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub duplicates: Vec<String>,
    /// Whether any text has several labels of the whole text; false under the same condition.
    #[serde(default)]
    pub is_multi_label: bool,
}
