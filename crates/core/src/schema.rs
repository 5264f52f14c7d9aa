//! What is known of a selection before its first document.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::card::Stratification;

/// The label set and the cut of one job, handed to every encoder and to `seal`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
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
    /// Ids of texts, or groups of them, that a stratified split puts elsewhere than their hash, with that split.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub moved: BTreeMap<String, String>,
    /// How well a stratified split came out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stratification: Option<Stratification>,
    /// How much the filter matched; `None` where counting would have taken long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selected: Option<SelectionCount>,
}

/// What a selection matches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SelectionCount {
    /// Texts.
    pub texts: u64,
    /// Annotations.
    pub annotations: u64,
}
