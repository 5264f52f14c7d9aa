//! The words that parameters take, as types. To add a choice: a `choice!` below.

use std::sync::Arc;

use serde_json::Value;

use super::OptionError;

macro_rules! choice {
    ($(#[$doc:meta])* $name:ident { $($(#[$item:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub enum $name { $($(#[$item])* $variant,)+ }
        impl $name {
            /// The word in options and manifests.
            pub const fn as_str(self) -> &'static str { match self { $($name::$variant => $word,)+ } }
            pub(super) fn read(key: &str, value: &Value) -> Result<$name, OptionError> {
                match value.as_str() {
                    $(Some($word) => Ok($name::$variant),)+
                    _ => Err(OptionError::value("option", key, value, [$($word),+].join(", "))),
                }
            }
        }
    };
}

choice! {
    /// How spans become one label per token.
    LabelScheme {
        /// Begin, inside, outside (IOB2).
        #[default] Bio = "BIO",
        /// Begin, inside, last, outside, unit.
        Bilou = "BILOU",
        /// Inside, outside, begin, end, single.
        Iobes = "IOBES",
        /// `B-` only right after a span of the same label.
        Iob1 = "IOB1",
        /// Inside, outside; touching spans of one label merge.
        Io = "IO",
    }
}
choice! {
    /// Where tokens come from.
    Tokenizer {
        /// Unicode words, punctuation apart.
        #[default] Words = "words",
        /// Runs without white space.
        Whitespace = "whitespace",
        /// The corpus's own tokens; a text without them falls back to `words`.
        Gold = "gold",
        /// As spaCy's English rules split, white space apart.
        Spacy = "spacy",
    }
}
choice! {
    /// What becomes of a span that cuts a token.
    Alignment {
        /// Takes every token that it touches.
        #[default] Expand = "expand",
        /// Takes the tokens that lie wholly inside.
        Contract = "contract",
        /// Is dropped and counted.
        Strict = "strict",
    }
}
choice! {
    /// Which of several spans on one token is written.
    Overlap {
        /// The longest, then the earliest.
        #[default] Longest = "longest",
        /// The first in input order.
        First = "first",
        /// The most confident, then the longest.
        Confidence = "confidence",
        /// None: the export fails and names them.
        Error = "error",
    }
}
choice! {
    /// Compression of data files.
    Compression {
        /// As is.
        #[default] None = "none",
        /// Gzip members, one per part.
        Gzip = "gzip",
        /// Zstandard frames, one per part.
        Zstd = "zstd",
    }
}
choice! {
    /// Which of CoNLL's layouts is written.
    ConllStyle {
        /// The columns asked for, apart by TAB.
        #[default] Plain = "plain",
        /// Token and label, or token, part of speech and label, apart by a space.
        Conll2002 = "conll2002",
        /// Token, part of speech, chunk and label, apart by a space.
        Conll2003 = "conll2003",
        /// The ten columns of Universal Dependencies, apart by TAB.
        Conllu = "conllu",
    }
}
choice! {
    /// A CoNLL column.
    Column {
        /// The token itself.
        #[default] Token = "token",
        /// Its label under the label scheme.
        Label = "label",
        /// Part of speech.
        Pos = "pos",
        /// Lemma.
        Lemma = "lemma",
        /// Syntactic chunk.
        Chunk = "chunk",
    }
}
choice! {
    /// When a CoNLL `-DOCSTART-` line is written.
    DocStart {
        /// Where texts carry `metadata.doc`: at the first text of each document.
        #[default] Auto = "auto",
        /// Like `Auto`, and before every text that carries none.
        Always = "true",
        /// Not at all.
        Never = "false",
    }
}
choice! {
    /// Which of Arrow's two formats is written.
    ArrowIpc {
        /// With an index at its end, which most readers want.
        #[default] File = "file",
        /// Batch after batch.
        Stream = "stream",
    }
}
choice! {
    /// How the files of a format with a file for every text are handed out.
    Bundle {
        /// In one zip for each split.
        #[default] Zip = "zip",
        /// One by one, in a folder for each split.
        None = "none",
    }
}
choice! {
    /// What the data files of Hugging Face's layout are.
    DataFiles {
        /// Parquet.
        #[default] Parquet = "parquet",
        /// JSON lines.
        Lines = "jsonl",
    }
}
choice! {
    /// Whether texts have lists of labels.
    MultiLabel {
        /// Where any text of the selection has several.
        #[default] Auto = "auto",
        /// All of them.
        Always = "true",
        /// None; a text with several is refused.
        Never = "false",
    }
}
choice! {
    /// Which SQuAD is written.
    SquadVersion {
        /// Every question has an answer.
        #[default] One = "1.1",
        /// A question may have none.
        Two = "2.0",
    }
}
choice! {
    /// Which tokens of a word carry its label.
    LabelSubtokens {
        /// The first; the others are ignored in training.
        #[default] First = "first",
        /// All of them.
        All = "all",
    }
}
choice! {
    /// What a CSV row holds.
    Rows {
        /// One annotation (or one text without any).
        #[default] Annotation = "annotation",
        /// One text, its annotations as JSON in a cell.
        Text = "text",
    }
}
choice! {
    /// What a model is trained to do.
    TaskType {
        /// A label per token.
        #[default] TokenClassification = "token_classification",
        /// A label per text.
        SequenceClassification = "sequence_classification",
        /// A label per pair of spans.
        RelationExtraction = "relation_extraction",
        /// A span per question.
        QuestionAnswering = "question_answering",
        /// The text itself.
        LanguageModeling = "language_modeling",
    }
}

/// A Hugging Face tokenizer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenizerFile {
    /// Where the process that encodes finds it.
    pub path: String,
    /// Its content, once that process has read it.
    pub content: Option<Arc<[u8]>>,
}

/// Whose annotations are exported.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Annotators {
    /// Everybody's.
    #[default]
    All,
    /// Spans and labels that more than half of a text's annotators agree on; a tie is no majority.
    Majority,
    /// Everybody's, in a text of its own for each annotator.
    Each,
    /// Those of the named people.
    Only(Vec<String>),
}

/// How a hierarchical label is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hierarchy {
    /// Its last component.
    #[default]
    Leaf,
    /// All components, joined by `/`.
    Path,
    /// Its first component.
    Root,
    /// Its first `n` components, joined by `/`.
    Depth(usize),
}

/// How many pieces a job is cut into.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Partitions {
    /// By size, see the source's sizing.
    #[default]
    Auto,
    /// Exactly so many, where there are enough texts.
    Count(u32),
}
