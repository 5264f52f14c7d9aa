//! One export as asked for, checked on construction.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Filter, OptionError, Options};

/// What goes into the artifacts beside texts and annotations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Include {
    /// Text metadata and annotation attributes.
    pub metadata: bool,
    /// Relations. When left out they are not selected, hence no loss.
    pub relations: bool,
    /// The full path of hierarchical labels beside the label itself.
    pub hierarchies: bool,
}

impl Default for Include {
    /// The defaults of the specification's columns.
    fn default() -> Include {
        Include { metadata: true, relations: false, hierarchies: false }
    }
}

/// Format, options, filter and inclusions of one export.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    /// Name of a catalogue entry. That it exists is checked where the catalogue is known.
    pub format: String,
    /// Export parameters, merged and checked.
    pub options: Options,
    /// Which texts and annotations.
    pub filter: Filter,
    /// What else.
    pub include: Include,
}

impl Order {
    /// Merges option layers (later ones win) and checks options and filter.
    pub fn new(
        format: &str,
        layers: &[&Map<String, Value>],
        filter: &Map<String, Value>,
        include: Include,
    ) -> Result<Order, OptionError> {
        Ok(Order {
            format: format.to_owned(),
            options: Options::merge(layers)?,
            filter: Filter::from_json(filter)?,
            include,
        })
    }
}
