//! `question_answering`: a row per question, as in SQuAD.
//!
//! An annotation answers the question in its `question` attribute; annotations with the same `qa_id`, or without
//! one the same question, answer together. An annotation of the whole text says that there is no answer.

use serde_json::Value;
use spanfleet_core::{Annotation, CharIndex, Document, Extent, Ledger, Loss};

use super::task::{Emit, Task, lose_relations};
use crate::EncodeError;
use crate::support::{
    labels::span_of,
    table::{Cell, Column, Kind},
};

#[derive(Default)]
pub(super) struct Questions {
    chars: CharIndex,
}

/// A question with the code points of its answers.
struct Question {
    id: Option<String>,
    words: String,
    answers: Vec<(u32, u32)>,
}

impl Questions {
    fn find(&mut self, document: &Document, ledger: &mut Ledger) -> Vec<Question> {
        self.chars.rebuild(&document.text);
        let mut questions: Vec<Question> = Vec::new();
        for annotation in &document.annotations {
            let answer = match self.answer(annotation) {
                Ok(answer) => answer,
                Err(loss) => {
                    ledger.lose_annotation(loss, &document.id, &annotation.id);
                    continue;
                }
            };
            ledger.counts.annotations_written += 1;
            let is_same = |known: &&mut Question| {
                known.id == answer.id && (known.id.is_some() || known.words == answer.words)
            };
            match questions.iter_mut().find(is_same) {
                Some(known) => known.answers.extend(answer.answers),
                None => questions.push(answer),
            }
        }
        questions
    }

    /// The question of an annotation, with one answer or none.
    fn answer(&self, annotation: &Annotation) -> Result<Question, Loss> {
        let attribute = |key: &str| match annotation.attributes.as_ref()?.member(&[key]) {
            Some(Value::String(text)) => Some(text),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        };
        let words = attribute("question").ok_or(Loss::Unrepresentable)?;
        let answers = match annotation.extent {
            Extent::Text => Vec::new(),
            _ => vec![span_of(annotation, &self.chars)?],
        };
        Ok(Question { id: attribute("qa_id"), words, answers })
    }

    fn answers<'d>(&self, document: &'d Document, question: &Question) -> Cell<'d> {
        let answers = || question.answers.iter();
        let text = |(start, end): &(u32, u32)| Cell::text(self.chars.slice(&document.text, *start, *end));
        let texts = Cell::list(answers().map(text));
        let starts = Cell::list(answers().map(|(start, _)| Cell::Integer((*start).into())));
        Cell::Struct(vec![texts, starts])
    }
}

impl Task for Questions {
    fn columns(&self) -> Vec<Column> {
        let answers = vec![
            Column::new("text", Kind::list(Kind::Text)),
            Column::new("answer_start", Kind::list(Kind::Integer)),
        ];
        vec![
            Column::new("id", Kind::Text),
            Column::new("title", Kind::Text),
            Column::new("context", Kind::Text),
            Column::new("question", Kind::Text),
            Column::new("answers", Kind::Struct(answers)),
        ]
    }

    fn rows(
        &mut self,
        document: &Document,
        ledger: &mut Ledger,
        emit: &mut Emit<'_>,
    ) -> Result<(), EncodeError> {
        let questions = self.find(document, ledger);
        lose_relations(document, ledger);
        if questions.is_empty() {
            ledger.lose_text(Loss::Unrepresentable, &document.id);
            return Ok(());
        }
        let title = title(document);
        for (at, question) in questions.iter().enumerate() {
            let id = question.id.clone().unwrap_or_else(|| format!("{}:{at}", document.id));
            emit(&[
                Cell::Text(&id),
                Cell::Text(&title),
                Cell::Text(&document.text),
                Cell::Text(&question.words),
                self.answers(document, question),
            ])?;
        }
        ledger.counts.texts += 1;
        Ok(())
    }
}

/// `metadata.title`, or the text's id.
fn title(document: &Document) -> String {
    let title = document.metadata.as_ref().and_then(|metadata| metadata.member(&["title"]));
    title.and_then(|title| title.as_str().map(str::to_owned)).unwrap_or_else(|| document.id.to_string())
}
