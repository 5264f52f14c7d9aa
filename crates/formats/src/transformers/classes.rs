//! Names of classes and their ids.

use std::{collections::HashMap, sync::Arc};

use spanfleet_core::{Document, options::LabelScheme};

use crate::EncodeError;
use crate::support::{schemes, table::Kind};

/// A list of names, which a column's numbers are places in.
pub(super) struct Classes {
    names: Arc<[String]>,
    ids: HashMap<String, i64>,
}

impl Classes {
    /// From names without repetitions, in the order of their ids.
    pub(super) fn new(names: Vec<String>) -> Classes {
        let ids = names.iter().cloned().zip(0..).collect();
        Classes { names: names.into(), ids }
    }

    /// The type of a column of these classes.
    pub(super) fn kind(&self) -> Kind {
        Kind::Label(self.names.clone())
    }

    /// All names.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// The id of a name. Fails for one that the selection did not have when it was planned.
    pub(super) fn id(&self, name: &str, document: &Document) -> Result<i64, EncodeError> {
        self.ids.get(name).copied().ok_or_else(|| {
            EncodeError::about(
                &document.id,
                format!(
                    "text `{}`: `{name}` is none of the names that the selection had when the export was \
                     planned; start the export again",
                    document.id
                ),
            )
        })
    }
}

/// The tags of labels under a scheme: `O` first, then every label with the first prefix, and so on.
pub(super) struct Tags {
    classes: Classes,
    labels: Classes,
    scheme: LabelScheme,
}

impl Tags {
    pub(super) fn new(scheme: LabelScheme, labels: &[String]) -> Tags {
        let tags = schemes::prefixes(scheme)
            .iter()
            .flat_map(|prefix| labels.iter().map(move |label| format!("{prefix}{label}")));
        let names = std::iter::once("O".to_owned()).chain(tags).collect();
        Tags { classes: Classes::new(names), labels: Classes::new(labels.to_vec()), scheme }
    }

    pub(super) fn classes(&self) -> &Classes {
        &self.classes
    }

    /// The id of a label, for `id`.
    pub(super) fn label(&self, label: &str, document: &Document) -> Result<i64, EncodeError> {
        self.labels.id(label, document)
    }

    /// The id of a tag: what stands before the label, and the label's id.
    pub(super) fn id(&self, prefix: &str, label: i64) -> i64 {
        let prefixes = schemes::prefixes(self.scheme);
        let place = prefixes.iter().position(|known| *known == prefix).unwrap_or_default();
        1 + (place * self.labels.names().len()) as i64 + label
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_numbered_as_they_are_named() {
        let document = Document::default();
        let labels = ["LOC".to_owned(), "PER".to_owned()];
        for scheme in
            [LabelScheme::Bio, LabelScheme::Bilou, LabelScheme::Iobes, LabelScheme::Iob1, LabelScheme::Io]
        {
            let tags = Tags::new(scheme, &labels);
            assert_eq!(tags.classes().names()[0], "O");
            for prefix in schemes::prefixes(scheme) {
                for label in &labels {
                    let id = tags.id(prefix, tags.label(label, &document).unwrap());
                    assert_eq!(tags.classes().names()[id as usize], format!("{prefix}{label}"));
                }
            }
        }
    }

    #[test]
    fn a_name_that_came_later_is_refused() {
        let error = Classes::new(vec!["PER".to_owned()]).id("LOC", &Document::default()).unwrap_err();
        assert!(error.message.contains("`LOC` is none of the names"), "{error}");
    }
}
