//! The tags of one sentence to spans of its rows.

use super::tags::{Scheme, Tag};

/// One span over rows `first..=last`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RowSpan<'a> {
    pub(crate) first: usize,
    pub(crate) last: usize,
    pub(crate) label: &'a str,
    /// The tag that breaks the scheme, as it stands in the file.
    pub(crate) irregular: Option<&'a str>,
}

/// Reads the tags of a sentence, given with their text. Every tag but `O` ends up in a span.
pub(crate) fn spans<'a>(tags: impl Iterator<Item = (Tag<'a>, &'a str)>, scheme: Scheme) -> Vec<RowSpan<'a>> {
    let mut builder = Builder { scheme, done: Vec::new(), open: None };
    for (row, (tag, text)) in tags.enumerate() {
        builder.add(row, tag, text);
    }
    builder.close();
    builder.done
}

struct Builder<'a> {
    scheme: Scheme,
    done: Vec<RowSpan<'a>>,
    /// The span that may go on, with the tag of its last row.
    open: Option<(RowSpan<'a>, &'a str)>,
}

impl<'a> Builder<'a> {
    fn add(&mut self, row: usize, tag: Tag<'a>, text: &'a str) {
        match tag {
            Tag::Outside => self.close(),
            Tag::Begin(label) => self.begin(row, label, text, None),
            Tag::Unit(label) => {
                self.begin(row, label, text, None);
                self.end();
            }
            Tag::Inside(label) if self.continues(label) => self.extend(row, text),
            Tag::Inside(label) => {
                let irregular = (self.scheme != Scheme::Iob1).then_some(text);
                self.begin(row, label, text, irregular);
            }
            Tag::Last(label) if self.continues(label) => {
                self.extend(row, text);
                self.end();
            }
            Tag::Last(label) => {
                self.begin(row, label, text, Some(text));
                self.end();
            }
        }
    }

    fn continues(&self, label: &str) -> bool {
        self.open.as_ref().is_some_and(|(span, _)| span.label == label)
    }

    fn begin(&mut self, row: usize, label: &'a str, text: &'a str, irregular: Option<&'a str>) {
        self.close();
        self.open = Some((RowSpan { first: row, last: row, label, irregular }, text));
    }

    fn extend(&mut self, row: usize, text: &'a str) {
        if let Some((span, last_tag)) = &mut self.open {
            (span.last, *last_tag) = (row, text);
        }
    }

    /// The open span ends as its scheme wants it.
    fn end(&mut self) {
        self.done.extend(self.open.take().map(|(span, _)| span));
    }

    /// The open span ends because the next tag is none of its own.
    fn close(&mut self) {
        if let Some((span, last_tag)) = &mut self.open
            && self.scheme == Scheme::Closed
        {
            span.irregular = span.irregular.or(Some(last_tag));
        }
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(tags: &str, scheme: Scheme, expected: &[(usize, usize, &str, Option<&str>)]) {
        let tags: Vec<_> = tags.split(' ').map(|text| (Tag::of(text).unwrap(), text)).collect();
        let found = spans(tags.into_iter(), scheme);
        let found: Vec<_> =
            found.iter().map(|span| (span.first, span.last, span.label, span.irregular)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn every_scheme_is_read() {
        check("B-A I-A B-A O B-B", Scheme::Bio, &[(0, 1, "A", None), (2, 2, "A", None), (4, 4, "B", None)]);
        check("I-A I-A B-A I-B", Scheme::Iob1, &[(0, 1, "A", None), (2, 2, "A", None), (3, 3, "B", None)]);
        check(
            "B-A L-A U-B B-A I-A E-A",
            Scheme::Closed,
            &[(0, 1, "A", None), (2, 2, "B", None), (3, 5, "A", None)],
        );
    }

    #[test]
    fn tags_that_break_the_scheme_are_kept() {
        check(
            "O I-A I-A B-B I-A",
            Scheme::Bio,
            &[(1, 2, "A", Some("I-A")), (3, 3, "B", None), (4, 4, "A", Some("I-A"))],
        );
        check("L-A B-A I-A O", Scheme::Closed, &[(0, 0, "A", Some("L-A")), (1, 2, "A", Some("I-A"))]);
    }
}
