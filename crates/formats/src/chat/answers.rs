//! What the assistant answers.

use std::sync::Arc;

use serde::Serialize;
use spanfleet_core::{CharIndex, Document, Ledger, Loss, Order, options::TaskType};

use crate::support::{
    homeless::{lose_relations, lose_spans, lose_text_labels, text_labels},
    names::LabelNames,
    questions,
    spans::{FoundSpans, Tie},
};

/// Takes a question, where the conversation has one of its own, and the answer.
pub(super) type Emit<'e> = dyn FnMut(Option<&str>, &str) + 'e;

pub(super) struct Answerer {
    task_type: TaskType,
    names: LabelNames,
    chars: CharIndex,
}

#[derive(Serialize)]
struct Spans<'d> {
    spans: Vec<Span<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    relations: Option<Vec<Relation<'d>>>,
}

#[derive(Serialize)]
struct Span<'d> {
    text: &'d str,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'d str>,
    start: u32,
    end: u32,
}

#[derive(Serialize)]
struct Relation<'d> {
    head: usize,
    tail: usize,
    #[serde(rename = "type")]
    kind: &'d str,
}

#[derive(Serialize)]
struct Labels {
    labels: Vec<Arc<str>>,
}

#[derive(Serialize)]
struct Answers<'d> {
    answers: Vec<Span<'d>>,
}

impl Answerer {
    pub(super) fn new(task_type: TaskType, order: &Order) -> Answerer {
        Answerer { task_type, names: LabelNames::new(&order.options), chars: CharIndex::default() }
    }

    /// The conversations of a text. Every annotation, relation and text is written or lost, exactly once.
    pub(super) fn answer(&mut self, document: &Document, ledger: &mut Ledger, emit: &mut Emit<'_>) {
        self.chars.rebuild(&document.text);
        match self.task_type {
            TaskType::SequenceClassification => {
                lose_spans(document, ledger);
                lose_relations(document, ledger);
                let labels = text_labels(document, &mut self.names, ledger);
                emit(None, &to_json(&Labels { labels }));
            }
            TaskType::QuestionAnswering => {
                lose_relations(document, ledger);
                if !self.answer_questions(document, ledger, emit) {
                    return ledger.lose_text(Loss::Unrepresentable, &document.id);
                }
            }
            _ => emit(None, &self.spans(document, ledger)),
        }
        ledger.counts.texts += 1;
    }

    fn spans<'d>(&mut self, document: &'d Document, ledger: &mut Ledger) -> String {
        lose_text_labels(document, ledger);
        let found = FoundSpans::in_chars(document, &self.chars, &mut self.names, ledger);
        let is_about_relations = self.task_type == TaskType::RelationExtraction;
        if !is_about_relations {
            lose_relations(document, ledger);
        }
        let ties = is_about_relations.then(|| found.ties(ledger));
        let relation =
            |tie: Tie<'d>| Relation { head: tie.source, tail: tie.target, kind: &tie.relation.kind };
        let relations = ties.map(|ties| ties.into_iter().map(relation).collect());
        let spans = found
            .all
            .iter()
            .map(|span| Span { label: Some(&span.label), ..self.span(document, (span.start, span.end)) });
        to_json(&Spans { spans: spans.collect(), relations })
    }

    fn span<'d>(&self, document: &'d Document, (start, end): (u32, u32)) -> Span<'d> {
        let text = self.chars.slice(&document.text, start, end).unwrap_or_default();
        Span { text, label: None, start, end }
    }

    /// Whether the text has any question.
    fn answer_questions(&self, document: &Document, ledger: &mut Ledger, emit: &mut Emit<'_>) -> bool {
        let questions = questions::find(document, &self.chars, ledger, |_| None);
        for question in &questions {
            question.count(document, true, ledger);
            let answers = question.answers.iter().map(|answer| self.span(document, *answer)).collect();
            emit(Some(&question.words), &to_json(&Answers { answers }));
        }
        !questions.is_empty()
    }
}

fn to_json(answer: &impl Serialize) -> String {
    // Nothing in it is no JSON.
    serde_json::to_string(answer).unwrap_or_default()
}
