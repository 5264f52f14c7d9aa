//! Where spaCy's English tokenizer splits a run without white space.
//!
//! A run that is an exception is split as the exception says. From any other, prefixes and suffixes are taken off
//! as long as there are any and what is left is no exception; what remains is an exception, an address, or is split
//! at its infixes. Then exceptions are looked for in what came out (`:` and `)` become `:)`), the longest first.
//! As in spaCy's `tokenizer.pyx`; what the patterns of its `punctuation.py` say is in [`rules`].

mod rules;
mod url;

use std::sync::LazyLock;

use rules::Rules;

static RULES: LazyLock<Rules> = LazyLock::new(|| Rules::read(include_str!("spacy/rules.txt")));

/// Splits runs, in memory that it keeps from run to run.
#[derive(Default)]
pub(super) struct SpacyRules {
    /// Where pieces end, in bytes from the beginning of the run.
    ends: Vec<u32>,
    suffixes: Vec<u32>,
    found: Vec<Match>,
    joined: Vec<u32>,
}

/// An exception among pieces.
#[derive(Clone, Copy)]
struct Match {
    first: usize,
    /// One past the last piece.
    end: usize,
    begin_byte: usize,
}

impl SpacyRules {
    /// Where the tokens of a run end, in bytes; ascending, the last one the run's end.
    pub(super) fn split(&mut self, run: &str) -> &[u32] {
        self.ends.clear();
        if let Some(exception) = RULES.exceptions.get(run) {
            self.ends.extend_from_slice(&exception.ends);
        } else if run.bytes().all(|byte| byte.is_ascii_lowercase()) {
            // Most runs; there is nothing in them that a rule is about.
            self.ends.push(run.len() as u32);
        } else {
            split_affixes(&RULES, run, true, &mut self.ends, &mut self.suffixes);
            self.join_exceptions(run);
        }
        &self.ends
    }

    fn join_exceptions(&mut self, run: &str) {
        self.find_exceptions(run);
        if self.found.is_empty() {
            return;
        }
        self.joined.clear();
        let mut at = 0;
        for found in &self.found {
            self.joined.extend_from_slice(&self.ends[at..found.first]);
            let word = &run[found.begin_byte..self.ends[found.end - 1] as usize];
            let tokens = RULES.exceptions.get(word).map_or(&[][..], |exception| &exception.ends);
            self.joined.extend(tokens.iter().map(|end| end + found.begin_byte as u32));
            at = found.end;
        }
        self.joined.extend_from_slice(&self.ends[at..]);
        std::mem::swap(&mut self.ends, &mut self.joined);
    }

    /// Exceptions whose own pieces stand in the run, one after the other; of two that overlap the longer one, then
    /// the first.
    fn find_exceptions(&mut self, run: &str) {
        self.found.clear();
        for first in 0..self.ends.len() {
            let begin_byte = first.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
            let most = self.ends.len().min(first + RULES.most_pieces);
            for end in first + 1..=most {
                let Some(exception) = RULES.exceptions.get(&run[begin_byte..self.ends[end - 1] as usize])
                else {
                    continue;
                };
                let pieces = self.ends[first..end].iter().map(|end| end - begin_byte as u32);
                if exception.pieces.as_ref().is_some_and(|own| own.iter().copied().eq(pieces)) {
                    self.found.push(Match { first, end, begin_byte });
                }
            }
        }
        if self.found.len() > 1 {
            self.found.sort_by_key(|found| (std::cmp::Reverse(found.end - found.first), found.first));
            let all = std::mem::take(&mut self.found);
            for found in all {
                let overlaps = |kept: &Match| found.first < kept.end && kept.first < found.end;
                if !self.found.iter().any(overlaps) {
                    self.found.push(found);
                }
            }
            self.found.sort_by_key(|found| found.first);
        }
    }
}

/// Takes prefixes and suffixes off a run and splits what remains; `with_exceptions` as spaCy splits texts, without
/// as it splits its exceptions themselves.
fn split_affixes(
    rules: &Rules,
    run: &str,
    with_exceptions: bool,
    ends: &mut Vec<u32>,
    suffixes: &mut Vec<u32>,
) {
    let is_exception = |word: &str| with_exceptions && rules.exceptions.contains_key(word);
    suffixes.clear();
    let (mut begin, mut end) = (0, run.len());
    while begin < end && !is_exception(&run[begin..end]) {
        let word = &run[begin..end];
        let prefix = rules.prefix(word);
        if prefix > 0 && is_exception(&word[prefix..]) {
            begin += prefix;
            ends.push(begin as u32);
            break;
        }
        let suffix = rules.suffix(&word[prefix..]);
        if suffix > 0 && is_exception(&word[..word.len() - suffix]) {
            suffixes.push(end as u32);
            end -= suffix;
            break;
        }
        if prefix == 0 && suffix == 0 {
            break;
        }
        if prefix > 0 {
            begin += prefix;
            ends.push(begin as u32);
        }
        if suffix > 0 {
            suffixes.push(end as u32);
            end -= suffix;
        }
    }
    split_core(rules, run, begin..end, with_exceptions, ends);
    ends.extend(suffixes.drain(..).rev());
}

/// Splits what has no prefix and no suffix.
fn split_core(
    rules: &Rules,
    run: &str,
    core: std::ops::Range<usize>,
    with_exceptions: bool,
    ends: &mut Vec<u32>,
) {
    let word = &run[core.clone()];
    if word.is_empty() {
        return;
    }
    if let Some(exception) = rules.exceptions.get(word).filter(|_| with_exceptions) {
        return ends.extend(exception.ends.iter().map(|end| end + core.start as u32));
    }
    if url::is_url(word, |character| rules.lower.holds(character)) {
        return ends.push(core.end as u32);
    }
    let (mut at, mut piece) = (0, 0);
    while let Some((begin, end)) = rules.infix(word, at) {
        at = end;
        // One at the very beginning is left where it is.
        if begin > 0 {
            if begin > piece {
                ends.push((core.start + begin) as u32);
            }
            ends.push((core.start + end) as u32);
            piece = end;
        }
    }
    if piece < word.len() {
        ends.push(core.end as u32);
    }
}

#[cfg(test)]
mod tests;
