//! The lines of an `.ann` file, each by itself.

use crate::place::Fault;

/// A line, taken apart. Ids are as they stand in the file.
#[derive(Debug, PartialEq)]
pub(super) enum Line<'a> {
    /// `T1 Type 0 3;5 9 text`
    Span { id: &'a str, kind: &'a str, pieces: Vec<(u32, u32)>, text: &'a str },
    /// `R1 Type Arg1:T1 Arg2:T2`
    Relation { id: &'a str, kind: &'a str, arguments: [(&'a str, &'a str); 2] },
    /// `E1 Type:T1 Role:T2 …`
    Event { id: &'a str, kind: &'a str, trigger: &'a str, arguments: Vec<(&'a str, &'a str)> },
    /// `* Type T1 T2 …`
    Chain { kind: &'a str, members: Vec<&'a str> },
    /// `A1 Name T1 Value`
    Attribute { id: &'a str, name: &'a str, target: &'a str, value: Option<&'a str> },
    /// `N1 Reference T1 DB:ID text`
    Normalization { id: &'a str, kind: &'a str, target: &'a str, entry: &'a str, text: &'a str },
    /// `#1 Type T1 text`
    Note { id: &'a str, kind: &'a str, target: &'a str, text: &'a str },
}

/// A line with its number, from 0.
pub(super) type Numbered<'a> = (u64, Line<'a>);

/// Takes the lines of a file apart; blank ones are passed over.
pub(super) fn parse(file: &str) -> Result<Vec<Numbered<'_>>, Fault> {
    let lines = file.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).enumerate();
    let lines = lines.filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(number, line)| {
            let number = number as u64;
            parse_line(line).map(|line| (number, line)).map_err(|reason| Fault::at(number, 1, reason))
        })
        .collect()
}

fn parse_line(line: &str) -> Result<Line<'_>, String> {
    let (id, rest) = line.split_once('\t').ok_or("no TAB after the id; columns are parted by TABs")?;
    let (words, text) = rest.split_once('\t').unwrap_or((rest, ""));
    let line = match id.as_bytes().first() {
        Some(b'T') => span(id, words, text),
        Some(b'R') => relation(id, words),
        Some(b'E') => event(id, words),
        Some(b'*') => chain(words),
        Some(b'A' | b'M') => attribute(id, words),
        Some(b'N') => normalization(id, words, text),
        Some(b'#') => note(id, words, text),
        _ => return Err(format!("`{id}` is no id of brat; ids begin with T, R, E, A, M, N, `*` or `#`")),
    };
    let form = form_of(id);
    line.ok_or_else(|| format!("`{id}` is malformed; its form is `{form}`"))
}

fn form_of(id: &str) -> &'static str {
    match id.as_bytes().first() {
        Some(b'T') => "T1 TAB Type START END TAB text",
        Some(b'R') => "R1 TAB Type Arg1:T1 Arg2:T2",
        Some(b'E') => "E1 TAB Type:T1 Role:T2",
        Some(b'*') => "* TAB Equiv T1 T2",
        Some(b'N') => "N1 TAB Reference T1 DB:ID TAB text",
        Some(b'#') => "#1 TAB AnnotatorNotes T1 TAB text",
        _ => "A1 TAB Name T1 [Value]",
    }
}

fn span<'a>(id: &'a str, words: &'a str, text: &'a str) -> Option<Line<'a>> {
    let (kind, places) = words.split_once(' ').filter(|(kind, _)| !kind.is_empty())?;
    let piece = |piece: &str| {
        let (start, end) = piece.trim().split_once(' ')?;
        Some((start.parse().ok()?, end.trim_start().parse().ok()?))
    };
    let pieces = places.split(';').map(piece).collect::<Option<Vec<(u32, u32)>>>()?;
    Some(Line::Span { id, kind, pieces, text })
}

fn relation<'a>(id: &'a str, words: &'a str) -> Option<Line<'a>> {
    let mut words = words.split_whitespace();
    let kind = words.next()?;
    let arguments = [words.next()?.split_once(':')?, words.next()?.split_once(':')?];
    words.next().is_none().then_some(Line::Relation { id, kind, arguments })
}

fn event<'a>(id: &'a str, words: &'a str) -> Option<Line<'a>> {
    let mut words = words.split_whitespace();
    let (kind, trigger) = words.next()?.split_once(':')?;
    let arguments = words.map(|word| word.split_once(':')).collect::<Option<Vec<_>>>()?;
    Some(Line::Event { id, kind, trigger, arguments })
}

fn chain(words: &str) -> Option<Line<'_>> {
    let mut words = words.split_whitespace();
    let kind = words.next()?;
    let members: Vec<&str> = words.collect();
    (members.len() > 1).then_some(Line::Chain { kind, members })
}

fn attribute<'a>(id: &'a str, words: &'a str) -> Option<Line<'a>> {
    let mut words = words.trim_end().splitn(3, ' ');
    let (name, target) = (words.next()?, words.next()?);
    Some(Line::Attribute { id, name, target, value: words.next() })
}

fn normalization<'a>(id: &'a str, words: &'a str, text: &'a str) -> Option<Line<'a>> {
    let mut words = words.splitn(3, ' ');
    let (kind, target, entry) = (words.next()?, words.next()?, words.next()?);
    Some(Line::Normalization { id, kind, target, entry, text })
}

fn note<'a>(id: &'a str, words: &'a str, text: &'a str) -> Option<Line<'a>> {
    let (kind, target) = words.trim_end().split_once(' ')?;
    Some(Line::Note { id, kind, target, text })
}
