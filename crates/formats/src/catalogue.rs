//! Every format there is. Help, the table in the guide, OpenAPI and `export_formats` are made from this list.

use serde_json::{Value, json};
use spanfleet_core::{OptionError, Order, options::Compression};

use crate::templates::find_template;
use crate::{
    Entry, Format, FormatInfo, arrow, brat, chat, conll, csv, doccano, gliner, json, jsonl, label_studio,
    parquet, prodigy, spacy, spacy_json, squad, tfrecord, transformers, webanno, xml,
};

/// One line per format, in the order that people see.
static ENTRIES: &[Entry] = &[
    jsonl::ENTRY,
    json::ENTRY,
    xml::ENTRY,
    csv::ENTRY,
    conll::ENTRY,
    spacy::ENTRY,
    tfrecord::ENTRY,
    transformers::ENTRY,
    parquet::ENTRY,
    arrow::ENTRY,
    brat::ENTRY,
    spacy_json::ENTRY,
    squad::ENTRY,
    gliner::ENTRY,
    prodigy::ENTRY,
    doccano::ENTRY,
    label_studio::ENTRY,
    chat::ENTRY,
    webanno::ENTRY,
];

/// What every format of text can be compressed with.
pub(crate) const ALL_COMPRESSIONS: &[Compression] =
    &[Compression::None, Compression::Gzip, Compression::Zstd];

/// The whole catalogue.
pub fn all() -> &'static [Entry] {
    ENTRIES
}

/// The entry of that name.
pub fn find(name: &str) -> Option<&'static Entry> {
    ENTRIES.iter().find(|entry| entry.info.name == name)
}

/// The entry that makes a stored format's files: its own, or of a user-defined format that of its type.
pub fn base_of<'n>(format_name: &'n str, format_type: &'n str) -> &'n str {
    if find(format_name).is_some() { format_name } else { format_type }
}

/// Makes the format that an order asks for; refuses an unknown one, and options that it can't follow.
pub fn open(order: &Order) -> Result<Box<dyn Format>, OptionError> {
    let entry = find(&order.format).ok_or_else(|| OptionError::unknown("format", &order.format, names()))?;
    if let Some(template) = &order.options.template {
        find_template(template)?;
    }
    let compression = order.options.compression;
    if !entry.info.compressions.contains(&compression) {
        let allowed = format!("{} with {}", words(&entry.info).join(", "), entry.info.name);
        return Err(OptionError::value("option", "compression", &compression.as_str().into(), allowed));
    }
    // A model's tokens are no words: only a layout for models can hold them.
    if let Some(file) = order.options.tokenizer_file.as_ref().filter(|_| entry.info.kind != "transformers") {
        let allowed = format!("words, whitespace, gold, spacy with {}", entry.info.name);
        return Err(OptionError::value("option", "tokenizer", &json!({"file": file.path}), allowed));
    }
    if !["json", "jsonl"].contains(&entry.info.name) {
        refuse_custom_records(order)?;
    }
    (entry.make)(order)
}

fn refuse_custom_records(order: &Order) -> Result<(), OptionError> {
    let options = &order.options;
    let asked = [
        ("jq", options.jq.as_deref().map(Value::from)),
        ("record_schema", options.record_schema.clone().map(Value::from)),
    ];
    match asked.iter().find_map(|(key, value)| value.as_ref().map(|value| (key, value))) {
        None => Ok(()),
        Some((key, value)) => Err(OptionError::value("option", key, value, "only with json and jsonl")),
    }
}

impl FormatInfo {
    /// `compression_options` of the format's row in `export_formats`.
    pub fn compression_options(&self) -> Value {
        let words = words(self);
        json!({"compression": words, "default": words.first()})
    }
}

fn words(info: &FormatInfo) -> Vec<&'static str> {
    info.compressions.iter().map(|compression| compression.as_str()).collect()
}

fn names() -> String {
    ENTRIES.iter().map(|entry| entry.info.name).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::order;

    #[test]
    fn names_are_unique_and_found() {
        for entry in all() {
            assert_eq!(find(entry.info.name).unwrap().info.title, entry.info.title);
            let same = all().iter().filter(|other| other.info.name == entry.info.name);
            assert_eq!(same.count(), 1, "{}", entry.info.name);
        }
    }

    #[test]
    fn unknown_formats_are_refused_with_the_list() {
        let error = open(&order("word", "{}")).err().unwrap().to_string();
        assert_eq!(error, format!("unknown format `word`; allowed: {}", names()));
        assert!(error.contains("jsonl, json"), "{error}");
    }

    #[test]
    fn entries_fill_their_rows() {
        for entry in all() {
            let schema = (entry.info.schema)();
            assert_eq!(
                schema["$schema"], "https://json-schema.org/draft/2020-12/schema",
                "{}",
                entry.info.name
            );
            assert_eq!(entry.info.extensions()[0], entry.info.extension);
            assert_eq!(entry.info.compression_options()["compression"][0], "none");
        }
    }
}
