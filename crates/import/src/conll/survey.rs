//! One pass over a file to learn what holds for all of it: which columns are labels, and the label scheme.

use std::{
    io::{self, BufRead},
    sync::Arc,
};

use super::{
    ConllColumns, ConllDialect, Role, Scheme,
    columns::cells,
    sentence::misc_label,
    tags::{Evidence, Tag},
};
use crate::{
    format::{Dialect, FormatOptions},
    records::{Framing, Position, Records},
};

/// Surveys a file that stands at its beginning.
pub(super) fn survey(input: &mut dyn BufRead, options: &FormatOptions) -> io::Result<Arc<dyn Dialect>> {
    Ok(Arc::new(dialect(input, options.conll_columns.as_ref())?))
}

pub(super) fn dialect(input: &mut dyn BufRead, wanted: Option<&ConllColumns>) -> io::Result<ConllDialect> {
    let columns = match wanted {
        Some(columns) => columns.clone(),
        None => ConllColumns::detect(input.fill_buf()?)
            .unwrap_or_else(|| ConllColumns::new(vec![Role::Token, Role::Label])),
    };
    let framing = Framing::Blocks { comments: columns.has_comments() };
    let mut records = Records::new(input, framing, Position::default());
    let mut found = Found::new(&columns);
    while let Some(record) = records.next_record()? {
        found.add_sentence(&String::from_utf8_lossy(record.bytes), columns.has_comments());
    }
    let scheme = found.scheme();
    let columns =
        if wanted.is_none() && columns.has_comments() { found.labels_only(&columns) } else { columns };
    Ok(ConllDialect { columns, scheme })
}

/// What was seen of the columns that may hold labels.
struct Found {
    candidates: Vec<Candidate>,
}

struct Candidate {
    at: usize,
    in_misc: bool,
    evidence: Evidence,
    strangers: u64,
    tags: u64,
}

impl Found {
    fn new(columns: &ConllColumns) -> Found {
        let is_candidate = |role: Role| matches!(role, Role::Label | Role::Misc);
        let candidates = columns.roles().iter().enumerate().filter(|(_, role)| is_candidate(**role));
        let candidate = |(at, role): (usize, &Role)| Candidate {
            at,
            in_misc: *role == Role::Misc,
            evidence: Evidence::default(),
            strangers: 0,
            tags: 0,
        };
        Found { candidates: candidates.map(candidate).collect() }
    }

    fn add_sentence(&mut self, block: &str, comments: bool) {
        let lines = block.lines().filter(|line| !(comments && line.starts_with('#')));
        for line in lines {
            for candidate in &mut self.candidates {
                candidate.add(cells(line).nth(candidate.at).unwrap_or_default().trim());
            }
        }
        self.candidates.iter_mut().for_each(|candidate| candidate.evidence.end_sentence());
    }

    fn scheme(&self) -> Scheme {
        let schemes =
            || self.candidates.iter().filter(|found| found.is_label()).map(|found| found.evidence.scheme());
        [Scheme::Closed, Scheme::Iob1]
            .into_iter()
            .find(|scheme| schemes().any(|found| found == *scheme))
            .unwrap_or(Scheme::Bio)
    }

    /// The columns without labels that turned out to hold something else; the first always stays.
    fn labels_only(&self, columns: &ConllColumns) -> ConllColumns {
        let mut roles = columns.roles().to_vec();
        let labels = || self.candidates.iter().filter(|found| !found.in_misc);
        let first = labels().find(|found| found.is_label()).or(labels().next()).map(|found| found.at);
        for candidate in labels().filter(|found| !found.is_label() && Some(found.at) != first) {
            roles[candidate.at] = Role::Skip;
        }
        ConllColumns::new(roles)
    }
}

impl Candidate {
    fn add(&mut self, cell: &str) {
        let cell = if self.in_misc { misc_label(cell).unwrap_or("O") } else { cell };
        match Tag::of(cell) {
            Some(tag) => {
                self.tags += 1;
                self.evidence.add(tag);
            }
            None => self.strangers += 1,
        }
    }

    /// A few bad lines don't make a column something else; they are refused one by one.
    fn is_label(&self) -> bool {
        self.tags > self.strangers
    }
}
