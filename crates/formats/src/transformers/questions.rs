//! `question_answering`: a row per question, as in SQuAD. What is a question says [`crate::support::questions`].

use spanfleet_core::{CharIndex, Document, Ledger, Loss};

use super::task::{Emit, Task};
use crate::EncodeError;
use crate::support::{
    homeless::lose_relations,
    questions::{self, Question},
    table::{Cell, Column, Kind},
};

#[derive(Default)]
pub(super) struct Questions {
    chars: CharIndex,
}

impl Questions {
    fn answers<'d>(&self, document: &'d Document, question: &Question) -> Cell<'d> {
        let answers = || question.answers.iter();
        let text = |(start, end): &(u32, u32)| Cell::text(self.chars.slice(&document.text, *start, *end));
        let texts = Cell::list(answers().map(text));
        let starts = Cell::list(answers().map(|(start, _)| Cell::Integer((*start).into())));
        Cell::Struct(vec![texts, starts])
    }

    fn find(&mut self, document: &Document, ledger: &mut Ledger) -> Vec<Question> {
        self.chars.rebuild(&document.text);
        let questions = questions::find(document, &self.chars, ledger, |_| None);
        for question in &questions {
            question.count(document, true, ledger);
        }
        questions
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
        let title = questions::title(document);
        for (at, question) in questions.iter().enumerate() {
            let id = question.id_in(document, at);
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
