//! The lines of an `.ann` file.

use std::collections::HashMap;
use std::fmt::Write;

use serde_json::{Map, Value, json};
use spanfleet_core::{Annotation, Json};

use super::kept::Kept;
use super::names::type_name;
use super::notes::Vocabulary;
use super::text::is_line_break;

/// Lines of one text. Ids count from 1 for every kind of line.
#[derive(Default)]
pub(super) struct Lines {
    pub(super) content: String,
    spans: u32,
    relations: u32,
    events: u32,
    attributes: u32,
    normalizations: u32,
    notes: u32,
}

impl Lines {
    /// Begins another text.
    pub(super) fn clear(&mut self) {
        let mut content = std::mem::take(&mut self.content);
        content.clear();
        *self = Lines { content, ..Lines::default() };
    }

    /// A span; returns its number.
    pub(super) fn span(&mut self, kind: &str, fragments: &[(u32, u32)], stated: &str) -> u32 {
        self.spans += 1;
        let offsets: Vec<_> = fragments.iter().map(|(start, end)| format!("{start} {end}")).collect();
        line(&mut self.content, format_args!("T{}\t{kind} {}\t{stated}", self.spans, offsets.join(";")));
        self.spans
    }

    /// A relation between spans or events; returns its number.
    pub(super) fn relation(&mut self, kind: &str, ends: &[(&str, String); 2]) -> u32 {
        self.relations += 1;
        let [(first, source), (second, target)] = ends;
        line(
            &mut self.content,
            format_args!("R{}\t{kind} {first}:{source} {second}:{target}\t", self.relations),
        );
        self.relations
    }

    /// An event with its trigger, and the roles that spans and other events have in it.
    pub(super) fn event(&mut self, kind: &str, trigger: u32, arguments: &[(&str, &str)]) {
        self.events += 1;
        let trigger = format!("{kind}:T{trigger}");
        let arguments = arguments.iter().map(|(role, target)| format!("{}:{target}", type_name(role)));
        let words: Vec<String> = std::iter::once(trigger).chain(arguments).collect();
        line(&mut self.content, format_args!("E{}\t{}", self.events, words.join(" ")));
    }

    /// What an original said of events and relations, where they are written.
    pub(super) fn about_others(
        &mut self,
        kept: &Kept,
        names: &HashMap<&str, String>,
        words: &mut Vocabulary,
    ) {
        for (target, name, value) in &kept.attributes {
            let value = if value.is_null() { &Value::Bool(true) } else { value };
            names.get(target.as_str()).map(|target| self.attribute(target, name, value, words));
        }
        for (target, item) in &kept.normalizations {
            names.get(target.as_str()).map(|target| self.normalization(target, item));
        }
        for (target, item) in &kept.notes {
            names.get(target.as_str()).map(|target| self.own_note(target, item));
        }
    }

    /// What else is known of a span. Attributes that brat can declare are `A` lines; `normalizations` and `notes`
    /// of the form that brat's own have are `N` and `#` lines; the rest is a note in JSON.
    pub(super) fn about_span(&mut self, span: u32, annotation: &Annotation, words: &mut Vocabulary) {
        let (mut rest, span) = (Map::new(), &*format!("T{span}"));
        if let Some(Value::Object(attributes)) = annotation.attributes.as_ref().map(Json::to_value) {
            let left =
                attributes.into_iter().filter(|(name, value)| !self.attribute(span, name, value, words));
            let left: Map<_, _> = left.collect();
            if !left.is_empty() {
                rest.insert("attributes".to_owned(), Value::Object(left));
            }
        }
        if let Some(annotator) = &annotation.annotator {
            rest.insert("annotator".to_owned(), json!(annotator));
        }
        if let Some(confidence) = annotation.confidence.filter(|confidence| confidence.is_finite()) {
            rest.insert("confidence".to_owned(), json!(confidence));
        }
        if !rest.is_empty() {
            self.note(span, "AnnotatorNotes", &one_line(&Value::Object(rest).to_string()));
        }
    }

    /// Writes an attribute, if brat has a line for it.
    fn attribute(&mut self, target: &str, name: &str, value: &Value, words: &mut Vocabulary) -> bool {
        match (name, value) {
            ("normalizations", Value::Array(items)) => {
                self.all(items, |lines, item| lines.normalization(target, item))
            }
            ("notes", Value::Array(items)) => self.all(items, |lines, item| lines.own_note(target, item)),
            ("", _) => false,
            (_, Value::Bool(true)) => {
                self.attribute_line(target, name, None, words);
                true
            }
            (_, Value::String(value)) if is_declarable(value) => {
                self.attribute_line(target, name, Some(value), words);
                true
            }
            _ => false,
        }
    }

    /// Writes all items or, when one has another form, none.
    fn all(&mut self, items: &[Value], mut write: impl FnMut(&mut Lines, &Value) -> Option<()>) -> bool {
        let before = (self.content.len(), self.normalizations, self.notes);
        let is_written = !items.is_empty() && items.iter().all(|item| write(self, item).is_some());
        if !is_written {
            self.content.truncate(before.0);
            (self.normalizations, self.notes) = (before.1, before.2);
        }
        is_written
    }

    fn attribute_line(&mut self, target: &str, name: &str, value: Option<&str>, words: &mut Vocabulary) {
        words.attribute(name, value);
        self.attributes += 1;
        let (separator, value) = value.map_or(("", ""), |value| (" ", value));
        line(
            &mut self.content,
            format_args!("A{}\t{} {target}{separator}{value}", self.attributes, type_name(name)),
        );
    }

    fn normalization(&mut self, target: &str, item: &Value) -> Option<()> {
        let [kind, entry, text] = strings(item)?;
        let (base, id) = entry.split_once(':')?;
        if [kind, base, id].iter().any(|word| word.is_empty() || word.contains(char::is_whitespace)) {
            return None;
        }
        let text = fits_line(text)?;
        self.normalizations += 1;
        line(&mut self.content, format_args!("N{}\t{kind} {target} {entry}\t{text}", self.normalizations));
        Some(())
    }

    fn own_note(&mut self, target: &str, item: &Value) -> Option<()> {
        let [kind, text] = strings(item)?;
        if kind.is_empty() || kind.contains(char::is_whitespace) {
            return None;
        }
        self.note(target, kind, fits_line(text)?);
        Some(())
    }

    fn note(&mut self, target: &str, kind: &str, text: &str) {
        self.notes += 1;
        line(&mut self.content, format_args!("#{}\t{kind} {target}\t{text}", self.notes));
    }
}

/// Appends a line.
pub(super) fn line(content: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing into memory can't fail.
    let _written = writeln!(content, "{line}");
}

/// Whether a value can stand in the list of values of `annotation.conf`.
fn is_declarable(value: &str) -> bool {
    let is_plain =
        |character: char| character.is_alphanumeric() || matches!(character, '_' | '-' | '.' | '+');
    !value.is_empty() && value.chars().all(is_plain)
}

fn fits_line(text: &str) -> Option<&str> {
    (!text.contains(is_line_break) && !text.contains('\t')).then_some(text)
}

fn strings<const N: usize>(item: &Value) -> Option<[&str; N]> {
    let items = item.as_array()?;
    let strings: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
    strings?.try_into().ok()
}

/// JSON without the line breaks that it may hold in strings as they are.
fn one_line(json: &str) -> String {
    json.replace('\u{85}', "\\u0085").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}
