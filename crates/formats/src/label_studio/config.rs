//! `config.xml`: the labelling interface of a project that takes the tasks.

use std::collections::BTreeSet;

use super::Words;
use crate::xml::escape::attribute;

/// The configuration with every word that tasks use.
pub(super) fn render(words: &Words) -> Vec<u8> {
    let mut out = b"<View>\n".to_vec();
    list("Labels name=\"label\" toName=\"text\"", "Label", &words.labels, &mut out);
    out.extend_from_slice(b"  <Text name=\"text\" value=\"$text\"/>\n");
    list("Choices name=\"choice\" toName=\"text\" choice=\"multiple\"", "Choice", &words.choices, &mut out);
    list("Relations", "Relation", &words.relations, &mut out);
    out.extend_from_slice(b"</View>\n");
    out
}

/// A tag with an item for every word; nothing without words.
fn list(tag: &str, item: &str, words: &BTreeSet<String>, out: &mut Vec<u8>) {
    if words.is_empty() {
        return;
    }
    out.extend_from_slice(format!("  <{tag}>\n").as_bytes());
    for word in words {
        out.extend_from_slice(format!("    <{item}").as_bytes());
        attribute("value", word, out);
        out.extend_from_slice(b"/>\n");
    }
    let name = tag.split(' ').next().unwrap_or(tag);
    out.extend_from_slice(format!("  </{name}>\n").as_bytes());
}
