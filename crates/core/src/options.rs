//! Export parameters, checked on construction. An unknown key or a bad value is refused by name.
//!
//! To add one: a line in [`OPTIONS`], a field in [`Options`], an arm in `Options::set`.

use serde_json::{Map, Value};

use crate::Split;

mod choices;
mod preprocessing;
mod values;

pub use choices::*;
pub use preprocessing::{Duplicates, Step, UnicodeForm, Window};
use values::{
    annotators, columns, flag, hierarchy, label_map, min_confidence, numbered, object, partitions, split,
    whole, word, worded,
};

/// One line of help for one export parameter.
#[derive(Clone, Copy, Debug)]
pub struct OptionInfo {
    /// The key in `export_parameters` and `--set`.
    pub key: &'static str,
    /// What it may be, the default first.
    pub values: &'static str,
    /// What it means.
    pub meaning: &'static str,
}

const fn info(key: &'static str, values: &'static str, meaning: &'static str) -> OptionInfo {
    OptionInfo { key, values, meaning }
}

/// Every export parameter of this version.
pub const OPTIONS: &[OptionInfo] = &[
    info("label_scheme", "BIO, BILOU, IOBES, IOB1, IO", "token labels"),
    info(
        "tokenizer",
        "words, whitespace, gold, spacy, {\"file\": \"tokenizer.json\"}",
        "token boundaries; spacy: those of spaCy's English rules; a file (transformers, token_classification) \
         gives the tokens of its model",
    ),
    info(
        "max_length",
        "none, 2 to 1000000",
        "with a tokenizer's file: tokens of a window, special ones included",
    ),
    info(
        "stride",
        "0, 0 to 1000000",
        "with a tokenizer's file: tokens that a window repeats of the one before",
    ),
    info(
        "label_subtokens",
        "first, all",
        "with a tokenizer's file: which tokens of a word carry its label; the others have -100",
    ),
    info("alignment", "expand, contract, strict", "a span that cuts a token"),
    info("overlap", "longest, first, confidence, error", "spans that one label sequence can't hold"),
    info(
        "annotators",
        "all, majority, each, {\"only\": [names]}",
        "whose annotations: everybody's (token formats write identical spans once), those that more than half \
         of a text's annotators agree on, a text for each annotator, or those of the named",
    ),
    info(
        "split",
        "none, {\"train\": 0.8, \"dev\": 0.2}, the same with \"group_by\": \"metadata.FIELD\" or \"stratify_by\": \
         \"label\" and \"tolerance\": 0.05, {\"by\": \"metadata.FIELD\"}",
        "by a stable hash of the text id or of a metadata field, with each label's texts within the tolerance of \
         the shares if stratified; or as metadata says",
    ),
    info("preprocessing", preprocessing::ALLOWED, "steps before encoding, in order; offsets move along"),
    info(
        "min_confidence",
        "none, a number",
        "leaves out annotations with a lower confidence before any step; those without one stay",
    ),
    info("label_map", "{}, {\"OLD\": \"NEW\", \"OTHER\": null}", "rename, merge, or drop (null) labels"),
    info("hierarchy", "leaf, path, root, {\"depth\": n}", "how a hierarchical label is written"),
    info("compression", "none, gzip, zstd", "of the data files"),
    info("compression_level", "1 to 9 (gzip), 1 to 19 (zstd)", "higher is smaller and slower"),
    info("batch_size", "1000, 1 to 100000", "rows per row group or record batch"),
    info("partitions", "auto, 1 to 100000", "how many pieces the job is cut into"),
    info(
        "conll_style",
        "plain, conll2002, conll2003, conllu",
        "CoNLL: the columns asked for apart by TAB; token, label or token, pos, label apart by a space; token, \
         pos, chunk, label apart by a space; the ten of CoNLL-U",
    ),
    info("columns", "[\"token\", \"label\"] of token, label, pos, lemma, chunk", "CoNLL columns, in order"),
    info("include_pos", "false, true", "CoNLL: adds the column pos"),
    info("include_lemma", "false, true", "CoNLL: adds the column lemma"),
    info(
        "docstart",
        "auto, true, false",
        "CoNLL: a -DOCSTART- line before each document; auto: where texts carry metadata.doc",
    ),
    info("arrow_ipc", "file, stream", "Arrow: the file format (.arrow), or the stream format (.arrows)"),
    info("rows", "annotation, text", "CSV: one row per annotation, or per text"),
    info("csv_bom", "false, true", "CSV: a byte order mark, for Excel"),
    info(
        "spreadsheet_safe",
        "false, true",
        "CSV: a quote before cells that a spreadsheet would run as a formula",
    ),
    info(
        "task_type",
        "token_classification, sequence_classification, relation_extraction, question_answering, language_modeling",
        "the task, for formats that serve several",
    ),
    info(
        "template",
        "none, FRAMEWORK/TASK",
        "whose load.py stands beside the data; a template sets it itself",
    ),
    info("jq", "none, a jq filter", "json, jsonl: what a record becomes; none, one or several values"),
    info("record_schema", "none, a JSON Schema", "json, jsonl: what every record has to satisfy"),
    info("bundle", "zip, none", "brat, webanno: the files of a split in one zip, or one by one in a folder"),
    info("data_files", "parquet, jsonl", "transformers: what the data files are"),
    info(
        "multi_label",
        "auto, true, false",
        "transformers, sequence_classification: a list of labels per text; auto: where any text has several",
    ),
    info("squad_version", "1.1, 2.0", "SQuAD: 2.0 has questions without an answer"),
    info(
        "instruction",
        "one for each task_type, or words with {labels} and {relations} in them",
        "chat: what the user asks for, before the text",
    ),
    info("system_message", "none, or words", "chat: what the system says first"),
];

/// Why a parameter, filter or setting was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionError {
    /// What was refused: `option` or `filter`.
    pub what: &'static str,
    /// The key.
    pub key: String,
    /// The value, when the key is known.
    pub value: Option<String>,
    /// What is allowed instead.
    pub allowed: String,
}

impl OptionError {
    /// A key that does not exist.
    pub fn unknown(what: &'static str, key: &str, allowed: impl Into<String>) -> OptionError {
        OptionError { what, key: key.to_owned(), value: None, allowed: allowed.into() }
    }

    /// A value that its key can't take.
    pub fn value(what: &'static str, key: &str, value: &Value, allowed: impl Into<String>) -> OptionError {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        OptionError { what, key: key.to_owned(), value: Some(value), allowed: allowed.into() }
    }
}

impl std::fmt::Display for OptionError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let OptionError { what, key, allowed, .. } = self;
        match &self.value {
            None => write!(out, "unknown {what} `{key}`; allowed: {allowed}"),
            Some(value) => write!(out, "{what} `{key}` can't be `{value}`; allowed: {allowed}"),
        }
    }
}

impl std::error::Error for OptionError {}

/// Export parameters, merged and checked.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)] // each field is a line of OPTIONS
pub struct Options {
    pub label_scheme: LabelScheme,
    pub tokenizer: Tokenizer,
    pub tokenizer_file: Option<TokenizerFile>,
    pub max_length: Option<usize>,
    pub stride: usize,
    pub label_subtokens: LabelSubtokens,
    pub alignment: Alignment,
    pub overlap: Overlap,
    pub annotators: Annotators,
    pub split: Split,
    pub preprocessing: Vec<Step>,
    /// Old name to new name, or to `None` to drop; in the order asked for.
    pub label_map: Vec<(String, Option<String>)>,
    pub hierarchy: Hierarchy,
    pub compression: Compression,
    pub compression_level: Option<u8>,
    pub batch_size: usize,
    pub partitions: Partitions,
    pub conll_style: ConllStyle,
    pub columns: Vec<Column>,
    pub docstart: DocStart,
    pub arrow_ipc: ArrowIpc,
    pub rows: Rows,
    pub csv_bom: bool,
    pub spreadsheet_safe: bool,
    pub task_type: Option<TaskType>,
    pub template: Option<String>,
    pub jq: Option<String>,
    pub record_schema: Option<Map<String, Value>>,
    pub bundle: Bundle,
    pub data_files: DataFiles,
    pub multi_label: MultiLabel,
    pub squad_version: SquadVersion,
    pub instruction: Option<String>,
    pub system_message: Option<String>,
    /// What was asked for, as it stands in jobs and manifests.
    asked: Map<String, Value>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            label_scheme: LabelScheme::default(),
            tokenizer: Tokenizer::default(),
            tokenizer_file: None,
            max_length: None,
            stride: 0,
            label_subtokens: LabelSubtokens::default(),
            alignment: Alignment::default(),
            overlap: Overlap::default(),
            annotators: Annotators::default(),
            split: Split::default(),
            preprocessing: Vec::new(),
            label_map: Vec::new(),
            hierarchy: Hierarchy::default(),
            compression: Compression::default(),
            compression_level: None,
            batch_size: 1000,
            partitions: Partitions::default(),
            conll_style: ConllStyle::default(),
            columns: vec![Column::Token, Column::Label],
            docstart: DocStart::default(),
            arrow_ipc: ArrowIpc::default(),
            rows: Rows::default(),
            csv_bom: false,
            spreadsheet_safe: false,
            task_type: None,
            template: None,
            jq: None,
            record_schema: None,
            bundle: Bundle::default(),
            data_files: DataFiles::default(),
            multi_label: MultiLabel::default(),
            squad_version: SquadVersion::default(),
            instruction: None,
            system_message: None,
            asked: Map::new(),
        }
    }
}

impl Options {
    /// Merges layers of parameters, later ones winning key by key, and checks the result.
    pub fn merge(layers: &[&Map<String, Value>]) -> Result<Options, OptionError> {
        let mut asked = Map::new();
        for (key, value) in layers.iter().flat_map(|layer| layer.iter()) {
            asked.insert(key.clone(), value.clone());
        }
        asked.retain(|_, value| !value.is_null());
        let mut options = Options::default();
        for (key, value) in &asked {
            options.set(key, value)?;
        }
        options.add_columns(&asked)?;
        if let Some(value) = asked.get("min_confidence") {
            options.preprocessing.splice(0..0, min_confidence("min_confidence", value)?);
        }
        options.check_level()?;
        options.asked = asked;
        Ok(options)
    }

    /// Reads the files that parameters name; only the process that encodes needs them.
    ///
    /// Fails with the path when one can't be read.
    pub fn read_files<E: std::fmt::Display>(
        &mut self,
        read: impl FnOnce(&str) -> Result<Vec<u8>, E>,
    ) -> Result<(), String> {
        let Some(file) = &mut self.tokenizer_file else { return Ok(()) };
        let content = read(&file.path).map_err(|error| {
            format!("can't read the tokenizer `{}` where texts are encoded: {error}", file.path)
        })?;
        file.content = Some(content.into());
        Ok(())
    }

    /// What was asked for: the merged layers.
    pub fn to_json(&self) -> &Map<String, Value> {
        &self.asked
    }

    fn set(&mut self, key: &str, value: &Value) -> Result<(), OptionError> {
        match key {
            "label_scheme" => self.label_scheme = LabelScheme::read(key, value)?,
            "tokenizer" => match value.get("file").and_then(Value::as_str) {
                Some(path) => {
                    self.tokenizer_file = Some(TokenizerFile { path: path.to_owned(), content: None });
                }
                None => self.tokenizer = Tokenizer::read(key, value)?,
            },
            "max_length" => self.max_length = Some(whole(key, value, 2, 1_000_000)? as usize),
            "stride" => self.stride = whole(key, value, 0, 1_000_000)? as usize,
            "label_subtokens" => self.label_subtokens = LabelSubtokens::read(key, value)?,
            "alignment" => self.alignment = Alignment::read(key, value)?,
            "overlap" => self.overlap = Overlap::read(key, value)?,
            "annotators" => self.annotators = annotators(key, value)?,
            "split" => self.split = split(key, value)?,
            "preprocessing" => self.preprocessing = preprocessing::read(key, value)?,
            "include_pos" | "include_lemma" => drop(flag(key, value)?),
            "min_confidence" => drop(min_confidence(key, value)?),
            "label_map" => self.label_map = label_map(key, value)?,
            "hierarchy" => self.hierarchy = hierarchy(key, value)?,
            "compression" => self.compression = Compression::read(key, value)?,
            "compression_level" => self.compression_level = Some(whole(key, value, 1, 19)? as u8),
            "batch_size" => self.batch_size = whole(key, value, 1, 100_000)? as usize,
            "partitions" => self.partitions = partitions(key, value)?,
            "conll_style" => self.conll_style = ConllStyle::read(key, value)?,
            "columns" => self.columns = columns(key, value)?,
            "docstart" => self.docstart = DocStart::read(key, &worded(value))?,
            "arrow_ipc" => self.arrow_ipc = ArrowIpc::read(key, value)?,
            "rows" => self.rows = Rows::read(key, value)?,
            "csv_bom" => self.csv_bom = flag(key, value)?,
            "spreadsheet_safe" => self.spreadsheet_safe = flag(key, value)?,
            "task_type" => self.task_type = Some(TaskType::read(key, value)?),
            "template" => self.template = word(key, value, "FRAMEWORK/TASK")?,
            "jq" => self.jq = word(key, value, "a jq filter")?,
            "record_schema" => self.record_schema = object(key, value, "a JSON Schema")?,
            "bundle" => self.bundle = Bundle::read(key, value)?,
            "data_files" => self.data_files = DataFiles::read(key, value)?,
            "multi_label" => self.multi_label = MultiLabel::read(key, &worded(value))?,
            "squad_version" => self.squad_version = SquadVersion::read(key, &numbered(value))?,
            "instruction" => self.instruction = word(key, value, "words")?,
            "system_message" => self.system_message = word(key, value, "none, or words")?,
            _ => return Err(OptionError::unknown("option", key, known_keys())),
        }
        Ok(())
    }

    /// `include_pos` and `include_lemma` append their column unless `columns` names it already.
    fn add_columns(&mut self, asked: &Map<String, Value>) -> Result<(), OptionError> {
        for (key, column) in [("include_pos", Column::Pos), ("include_lemma", Column::Lemma)] {
            let wanted = asked.get(key).map_or(Ok(false), |value| flag(key, value))?;
            if wanted && !self.columns.contains(&column) {
                self.columns.push(column);
            }
        }
        Ok(())
    }

    fn check_level(&self) -> Result<(), OptionError> {
        match (self.compression, self.compression_level) {
            (Compression::Gzip, Some(level)) if level > 9 => Err(OptionError::value(
                "option",
                "compression_level",
                &Value::from(level),
                "1 to 9 with gzip",
            )),
            _ => Ok(()),
        }
    }
}

fn known_keys() -> String {
    OPTIONS.iter().map(|option| option.key).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
