//! Questions about texts and their answers.
//!
//! An annotation answers the question in its `question` attribute; annotations with the same `qa_id`, or without
//! one the same question, answer together. An annotation of the whole text says that there is no answer.

use std::collections::{HashMap, hash_map::Entry};

use serde_json::{Map, Value};
use spanfleet_core::{Annotation, CharIndex, Document, Extent, Ledger, Loss};

use crate::support::labels::span_of;

/// A question with the code points of its answers.
#[derive(Debug, Default)]
pub(crate) struct Question {
    /// What the corpus calls it.
    pub(crate) id: Option<String>,
    /// The question itself.
    pub(crate) words: String,
    /// Right answers; none where the text has none.
    pub(crate) answers: Vec<(u32, u32)>,
    /// What might be taken for an answer, as SQuAD 2.0 writes it: `plausible_answers` of an annotation of the whole
    /// text.
    pub(crate) plausible: Vec<Value>,
    /// Which of the document's annotations say so.
    pub(crate) annotations: Vec<usize>,
}

/// The questions of a document, in the order of their first annotations. An annotation without a question answers
/// what `ask` gives for it. Counts annotations that are lost; the others are counted by their questions.
pub(crate) fn find(
    document: &Document,
    chars: &CharIndex,
    ledger: &mut Ledger,
    mut ask: impl FnMut(&Annotation) -> Option<String>,
) -> Vec<Question> {
    let (mut questions, mut places): (Vec<Question>, HashMap<_, usize>) = (Vec::new(), HashMap::new());
    for (at, annotation) in document.annotations.iter().enumerate() {
        let mut question = match read(annotation, chars, &mut ask) {
            Ok(question) => question,
            Err(loss) => {
                ledger.lose_annotation(loss, &document.id, &annotation.id);
                continue;
            }
        };
        question.annotations.push(at);
        let name = question.id.clone().map_or_else(|| (false, question.words.clone()), |id| (true, id));
        match places.entry(name) {
            Entry::Occupied(place) => questions[*place.get()].join(question),
            Entry::Vacant(place) => {
                place.insert(questions.len());
                questions.push(question);
            }
        }
    }
    questions
}

impl Question {
    fn join(&mut self, other: Question) {
        self.answers.extend(other.answers);
        self.plausible.extend(other.plausible);
        self.annotations.extend(other.annotations);
    }

    /// Counts its annotations. That there is no answer can be said once, where nobody gave one and the format knows
    /// how.
    pub(crate) fn count(&self, document: &Document, knows_no_answer: bool, ledger: &mut Ledger) {
        let mut is_said = false;
        for annotation in self.annotations.iter().map(|at| &document.annotations[*at]) {
            let loss = match annotation.extent {
                Extent::Text if !knows_no_answer || !self.answers.is_empty() => Loss::Unrepresentable,
                Extent::Text if std::mem::replace(&mut is_said, true) => Loss::Duplicate,
                _ => {
                    ledger.counts.annotations_written += 1;
                    continue;
                }
            };
            ledger.lose_annotation(loss, &document.id, &annotation.id);
        }
    }

    /// Its id, or one from the text's id and its place there.
    pub(crate) fn id_in(&self, document: &Document, place: usize) -> String {
        self.id.clone().unwrap_or_else(|| format!("{}:{place}", document.id))
    }
}

/// The question of an annotation, with one answer or none.
fn read(
    annotation: &Annotation,
    chars: &CharIndex,
    ask: &mut impl FnMut(&Annotation) -> Option<String>,
) -> Result<Question, Loss> {
    let attributes = match annotation.attributes.as_ref().map(spanfleet_core::Json::to_value) {
        Some(Value::Object(attributes)) => attributes,
        _ => Map::new(),
    };
    let words = text(&attributes, "question").or_else(|| ask(annotation)).ok_or(Loss::Unrepresentable)?;
    let mut question = Question { id: text(&attributes, "qa_id"), words, ..Question::default() };
    if annotation.extent == Extent::Text {
        let plausible = attributes.get("plausible_answers").and_then(Value::as_array);
        question.plausible = plausible.cloned().unwrap_or_default();
    } else {
        question.answers.push(span_of(annotation, chars)?);
    }
    Ok(question)
}

/// `metadata.title`, or the text's id.
pub(crate) fn title(document: &Document) -> String {
    let title = document.metadata.as_ref().and_then(|metadata| metadata.member(&["title"]));
    title.and_then(|title| title.as_str().map(str::to_owned)).unwrap_or_else(|| document.id.to_string())
}

fn text(attributes: &Map<String, Value>, key: &str) -> Option<String> {
    match attributes.get(key)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
