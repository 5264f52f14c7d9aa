//! Token tags and the schemes in which they mark spans.

/// One tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tag<'a> {
    /// `O`.
    Outside,
    /// `B-X`.
    Begin(&'a str),
    /// `I-X`.
    Inside(&'a str),
    /// `L-X` or `E-X`.
    Last(&'a str),
    /// `U-X` or `S-X`.
    Unit(&'a str),
}

impl<'a> Tag<'a> {
    /// Reads a tag; `None` for anything else.
    pub(crate) fn of(cell: &'a str) -> Option<Tag<'a>> {
        if cell == "O" {
            return Some(Tag::Outside);
        }
        let (prefix, label) = cell.split_once('-').filter(|(_, label)| !label.is_empty())?;
        match prefix {
            "B" => Some(Tag::Begin(label)),
            "I" => Some(Tag::Inside(label)),
            "L" | "E" => Some(Tag::Last(label)),
            "U" | "S" => Some(Tag::Unit(label)),
            _ => None,
        }
    }

    /// The label of a span that the next token may continue.
    pub(crate) fn open_label(self) -> Option<&'a str> {
        match self {
            Tag::Begin(label) | Tag::Inside(label) => Some(label),
            Tag::Outside | Tag::Last(_) | Tag::Unit(_) => None,
        }
    }
}

/// How the tags of a file mark spans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Every span begins with `B-`.
    Bio,
    /// A span begins with `I-`; `B-` only parts it from one of the same label just before. IO is a case of it.
    Iob1,
    /// Spans also end: BILOU or IOBES.
    Closed,
}

/// What the tags of a file tell about its scheme.
#[derive(Debug, Default)]
pub(crate) struct Evidence {
    has_closing: bool,
    has_orphan: bool,
    has_free_begin: bool,
    /// The label that the next tag may continue; empty for none, as no label is empty.
    open: String,
}

impl Evidence {
    pub(crate) fn end_sentence(&mut self) {
        self.open.clear();
    }

    pub(crate) fn add(&mut self, tag: Tag<'_>) {
        let continues = |label: &str| self.open == label;
        match tag {
            Tag::Last(_) | Tag::Unit(_) => self.has_closing = true,
            Tag::Inside(label) => self.has_orphan |= !continues(label),
            Tag::Begin(label) => self.has_free_begin |= !continues(label),
            Tag::Outside => {}
        }
        tag.open_label().unwrap_or_default().clone_into(&mut self.open);
    }

    /// A file of BIO may hold stray `I-`; one of IOB1 holds no `B-` but between neighbours of one label.
    pub(crate) fn scheme(&self) -> Scheme {
        match self {
            Evidence { has_closing: true, .. } => Scheme::Closed,
            Evidence { has_orphan: true, has_free_begin: false, .. } => Scheme::Iob1,
            _ => Scheme::Bio,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(tags: &str, expected: Scheme) {
        let mut evidence = Evidence::default();
        for tag in tags.split(' ') {
            match Tag::of(tag) {
                Some(tag) => evidence.add(tag),
                None => evidence.end_sentence(),
            }
        }
        assert_eq!(evidence.scheme(), expected, "{tags}");
    }

    #[test]
    fn the_whole_file_tells_the_scheme() {
        check("B-A I-A O B-B", Scheme::Bio);
        check("B-A O I-A O", Scheme::Bio);
        check("I-A I-A B-A O I-B", Scheme::Iob1);
        check("I-A I-A B-B", Scheme::Bio);
        check("I-A | B-A", Scheme::Bio);
        check("O U-A O", Scheme::Closed);
        check("B-A E-A O", Scheme::Closed);
        check("O O", Scheme::Bio);
    }

    #[test]
    fn what_is_no_tag_is_refused() {
        for cell in ["B", "", "-", "_", "B-", "X-PER", "o", "NN"] {
            assert_eq!(Tag::of(cell), None, "{cell}");
        }
        assert_eq!(Tag::of("B-creative-work"), Some(Tag::Begin("creative-work")));
    }
}
