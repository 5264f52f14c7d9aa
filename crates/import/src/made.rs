//! What one record makes: documents, and what of them could not be taken.
//!
//! A record is rejected whole when nothing can be made of it. Where its text can be read, only the annotations
//! and relations are rejected that are wrong, each with its place and reason, so that
//! `read = imported + rejected` holds for texts, annotations and relations alike.

use std::collections::VecDeque;

use spanfleet_core::{Document, Kind};

use crate::place::Fault;

/// What one record made.
#[derive(Debug, Default)]
pub struct Made {
    /// Its documents, in order.
    pub documents: VecDeque<Document>,
    /// What of them could not be taken.
    pub refusals: Vec<Refusal>,
}

/// A part of a record that could not be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What it is.
    pub kind: Kind,
    /// As it stands in the record.
    pub part: String,
    /// Where and why.
    pub fault: Fault,
}

impl Made {
    /// Empties it for the next record.
    pub fn clear(&mut self) {
        self.documents.clear();
        self.refusals.clear();
    }
}
