//! BIO and its kin: the tag of each token.

use spanfleet_core::options::LabelScheme;

use crate::support::labels::Run;

/// What stands before the label in a tag.
pub const fn prefix(scheme: LabelScheme, is_first: bool, is_last: bool, touches: bool) -> &'static str {
    match (scheme, is_first, is_last) {
        (LabelScheme::Bilou, true, true) => "U-",
        (LabelScheme::Iobes, true, true) => "S-",
        (LabelScheme::Bio, true, _) | (LabelScheme::Bilou | LabelScheme::Iobes, true, false) => "B-",
        (LabelScheme::Bilou, false, true) => "L-",
        (LabelScheme::Iobes, false, true) => "E-",
        (LabelScheme::Iob1, true, _) if touches => "B-",
        _ => "I-",
    }
}

/// Everything that can stand before a label under a scheme.
pub const fn prefixes(scheme: LabelScheme) -> &'static [&'static str] {
    match scheme {
        LabelScheme::Bio | LabelScheme::Iob1 => &["B-", "I-"],
        LabelScheme::Bilou => &["B-", "I-", "L-", "U-"],
        LabelScheme::Iobes => &["B-", "I-", "E-", "S-"],
        LabelScheme::Io => &["I-"],
    }
}

/// Walks along the runs of one text, token by token.
pub struct Tagger<'r> {
    scheme: LabelScheme,
    runs: &'r [Run],
}

/// The tag of a token inside a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag<'r> {
    /// What stands before the label.
    pub prefix: &'static str,
    /// The run.
    pub run: &'r Run,
    /// Whether this is the run's first token.
    pub is_first: bool,
}

impl<'r> Tagger<'r> {
    /// Along ascending runs.
    pub fn new(scheme: LabelScheme, runs: &'r [Run]) -> Tagger<'r> {
        Tagger { scheme, runs }
    }

    /// The tag of a token, `None` outside all runs. Tokens are asked for in ascending order.
    pub fn tag(&mut self, token: usize) -> Option<Tag<'r>> {
        let token = token as u32;
        let run = self.runs.first()?;
        if token < run.first {
            return None;
        }
        let (is_first, is_last) = (token == run.first, token == run.last);
        if is_last {
            self.runs = &self.runs[1..];
        }
        Some(Tag { prefix: prefix(self.scheme, is_first, is_last, run.touches), run, is_first })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(scheme: LabelScheme, expected: &str) {
        let run = |first, last, touches| Run { first, last, annotation: 0, touches };
        let runs = [run(1, 1, false), run(2, 4, true), run(6, 7, false)];
        let mut tagger = Tagger::new(scheme, &runs);
        let tags: Vec<_> =
            (0..9).map(|token| tagger.tag(token).map_or("O", |tag| &tag.prefix[..1])).collect();
        assert_eq!(tags.concat(), expected, "{}", scheme.as_str());
    }

    #[test]
    fn every_scheme_has_its_tags() {
        check(LabelScheme::Bio, "OBBIIOBIO");
        check(LabelScheme::Bilou, "OUBILOBLO");
        check(LabelScheme::Iobes, "OSBIEOBEO");
        check(LabelScheme::Iob1, "OIBIIOIIO");
        check(LabelScheme::Io, "OIIIIOIIO");
    }
}
