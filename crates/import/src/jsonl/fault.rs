//! What is wrong with a line, with its column. Off the hot path: the line is read again to find the place.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::place::Fault;

/// What a complaint is about.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    /// The line as a whole.
    Line,
    /// The annotation at an index.
    Annotation(usize),
    /// The relation at an index.
    Relation(usize),
    /// The token at an index.
    Token(usize),
}

/// A reason without its place.
#[derive(Debug)]
pub(super) struct Complaint {
    pub(super) part: Part,
    pub(super) reason: String,
}

impl Complaint {
    /// About an annotation, by its id where it has one.
    pub(super) fn about_annotation(nth: usize, id: &str, reason: &str) -> Complaint {
        let reason = match id {
            "" => format!("annotation {}: {reason}", nth + 1),
            id => format!("annotation `{id}`: {reason}"),
        };
        Complaint { part: Part::Annotation(nth), reason }
    }

    /// The complaint with the column at which its part begins.
    pub(super) fn placed(self, line: &str) -> Fault {
        let column = raw_part(line, self.part).map_or(1, |raw| {
            let byte_at = raw.get().as_ptr() as usize - line.as_ptr() as usize;
            line[..byte_at].chars().count() as u64 + 1
        });
        Fault::at(0, column, self.reason)
    }
}

/// The lists of a line, each entry where it stands.
#[derive(Deserialize)]
struct Parts<'a> {
    #[serde(borrow, default)]
    annotations: Option<Vec<&'a RawValue>>,
    #[serde(borrow, default)]
    relations: Option<Vec<&'a RawValue>>,
    #[serde(borrow, default)]
    tokens: Option<Vec<&'a RawValue>>,
}

fn raw_part(line: &str, part: Part) -> Option<&RawValue> {
    let parts: Parts<'_> = serde_json::from_str(line).ok()?;
    let (list, nth) = match part {
        Part::Line => return None,
        Part::Annotation(nth) => (parts.annotations, nth),
        Part::Relation(nth) => (parts.relations, nth),
        Part::Token(nth) => (parts.tokens, nth),
    };
    list?.get(nth).copied()
}

/// What serde refused, in our words.
pub(super) fn of_json(line: &str, error: &serde_json::Error) -> Fault {
    let shown = error.to_string();
    let reason = shown.rsplit_once(" at line ").map_or(shown.as_str(), |(reason, _)| reason);
    let byte_at = line.floor_char_boundary(error.column().saturating_sub(1));
    let column = line[..byte_at].chars().count() as u64 + 1;
    Fault::at(0, column, mended(reason))
}

fn mended(reason: &str) -> String {
    if let Some(rest) = reason.strip_prefix("unknown field ") {
        let key = rest.split(',').next().unwrap_or(rest);
        let home = ["metadata", "attributes"].into_iter().find(|home| rest.contains(&format!("`{home}`")));
        let allowed = rest.split_once("expected one of ").map_or("", |(_, allowed)| allowed);
        return match home {
            Some(home) => format!("unknown key {key}; put it into `{home}`. Known here: {allowed}"),
            None => format!("unknown key {key}. Known here: {allowed}"),
        };
    }
    if let Some(key) = reason.strip_prefix("missing field ") {
        return format!("{key} is missing");
    }
    if let Some(key) = reason.strip_prefix("duplicate field ") {
        return format!("{key} stands twice");
    }
    if reason.starts_with("EOF") {
        return "the line ends within its JSON; each text stands on one line".to_owned();
    }
    reason.to_owned()
}
