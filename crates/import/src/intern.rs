//! Strings that repeat in every record: labels, annotators, relation types.

use std::sync::Arc;

use foldhash::HashSet;

/// Beyond so many different strings sharing saves nothing; the memory is given back.
const KEPT: usize = 16 * 1024;

/// Hands out one shared copy of each string.
#[derive(Debug, Default)]
pub(crate) struct Interner(HashSet<Arc<str>>);

impl Interner {
    pub(crate) fn get(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.0.get(text) {
            return known.clone();
        }
        if self.0.len() >= KEPT {
            self.0.clear();
        }
        let new: Arc<str> = text.into();
        self.0.insert(new.clone());
        new
    }
}
