//! What the columns of a file hold, chosen by the user or found by content.

use super::tags::Tag;
use crate::records::{BYTE_ORDER_MARK, is_blank, is_document_start};

/// What one column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The number of the word in its sentence, as in CoNLL-U.
    Id,
    /// The token.
    Token,
    /// A label; the second and further ones are nested layers.
    Label,
    /// Part of speech.
    Pos,
    /// Lemma.
    Lemma,
    /// Chunk tag.
    Chunk,
    /// `KEY=value|…` of CoNLL-U, which may hold `NER=` and `SpaceAfter=No`.
    Misc,
    /// Nothing that is read.
    Skip,
}

const WORDS: &[(&str, Role)] = &[
    ("id", Role::Id),
    ("token", Role::Token),
    ("label", Role::Label),
    ("pos", Role::Pos),
    ("lemma", Role::Lemma),
    ("chunk", Role::Chunk),
    ("misc", Role::Misc),
    ("_", Role::Skip),
];

/// What every column of a file holds, from the left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConllColumns(Vec<Role>);

impl ConllColumns {
    /// Columns of roles.
    pub fn new(roles: Vec<Role>) -> ConllColumns {
        ConllColumns(roles)
    }

    /// Reads a list such as `token,pos,chunk,label`; `_` skips a column.
    pub fn parse(list: &str) -> Result<ConllColumns, String> {
        let role = |word: &str| WORDS.iter().find(|(known, _)| *known == word).map(|(_, role)| *role);
        let allowed = || WORDS.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
        let roles = list.split(',').map(|word| {
            let word = word.trim();
            role(word).ok_or_else(|| format!("unknown column `{word}`; allowed: {}", allowed()))
        });
        let roles = roles.collect::<Result<Vec<_>, _>>()?;
        match roles.iter().filter(|role| **role == Role::Token).count() {
            1 => Ok(ConllColumns(roles)),
            _ => Err(format!("the columns `{list}` need `token` exactly once")),
        }
    }

    /// The roles, from the left.
    pub fn roles(&self) -> &[Role] {
        &self.0
    }

    /// Whether lines that begin with `#` are comments: only where each word line begins with a number.
    pub fn has_comments(&self) -> bool {
        self.0.first() == Some(&Role::Id)
    }

    /// Where the labels are.
    pub fn labels(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().enumerate().filter(|(_, role)| **role == Role::Label).map(|(at, _)| at)
    }

    /// Finds the columns by the beginning of a file. Where a word number comes first, every column after the
    /// token that looks like tags is taken for a label; [`super::survey`] drops those that turn out not to be.
    pub fn detect(head: &[u8]) -> Option<ConllColumns> {
        let lines = Sample::of(head);
        if let Some(columns) = lines.global_columns() {
            return Some(columns);
        }
        let rows: Vec<Vec<&str>> = lines.rows().collect();
        let count = rows.first()?.len();
        let numbered = count >= 3 && rows.iter().all(|row| is_word_id(row[0]));
        let tags = |at: usize| {
            rows.iter().filter(|row| row.get(at).is_some_and(|cell| Tag::of(cell).is_some())).count()
        };
        let is_tags = |at: &usize| tags(*at) * 2 >= rows.len();
        match (numbered, count) {
            (true, 10) => Some(ConllColumns(CONLL_U.to_vec())),
            (true, _) => numbered_columns(count, (2..count).filter(is_tags)),
            (false, 0 | 1) => None,
            (false, _) => is_tags(&(count - 1)).then(|| ConllColumns(plain_columns(count))),
        }
    }
}

const CONLL_U: [Role; 10] = [
    Role::Id,
    Role::Token,
    Role::Lemma,
    Role::Pos,
    Role::Skip,
    Role::Skip,
    Role::Skip,
    Role::Skip,
    Role::Skip,
    Role::Misc,
];

fn numbered_columns(count: usize, labels: impl Iterator<Item = usize>) -> Option<ConllColumns> {
    let mut roles = vec![Role::Skip; count];
    (roles[0], roles[1]) = (Role::Id, Role::Token);
    labels.for_each(|at| roles[at] = Role::Label);
    roles.contains(&Role::Label).then_some(ConllColumns(roles))
}

fn plain_columns(count: usize) -> Vec<Role> {
    match count {
        2 => vec![Role::Token, Role::Label],
        3 => vec![Role::Token, Role::Pos, Role::Label],
        4 => vec![Role::Token, Role::Pos, Role::Chunk, Role::Label],
        // The German files of CoNLL-2003.
        5 => vec![Role::Token, Role::Lemma, Role::Pos, Role::Chunk, Role::Label],
        _ => {
            let mut roles = vec![Role::Skip; count];
            (roles[0], roles[count - 1]) = (Role::Token, Role::Label);
            roles
        }
    }
}

/// Whether the beginning of a file looks like columns with tags.
pub(super) fn recognises(head: &[u8]) -> bool {
    ConllColumns::detect(head).is_some()
}

/// A word number of CoNLL-U: `3`, the range `3-4` of a contraction, or the empty node `3.1`.
pub(super) fn is_word_id(cell: &str) -> bool {
    let number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    cell.split_once(['-', '.'])
        .map_or_else(|| number(cell), |(first, second)| number(first) && number(second))
}

/// The columns of a line: by TAB if it has one, else by runs of spaces.
pub(super) fn cells(line: &str) -> impl Iterator<Item = &str> {
    let has_tab = line.as_bytes().contains(&b'\t');
    let parting = if has_tab { b'\t' } else { b' ' };
    // Lines are short: going byte by byte beats starting a search for every cell.
    let mut rest = Some(line);
    let all = std::iter::from_fn(move || {
        let line = rest?;
        let end = line.bytes().position(|byte| byte == parting);
        rest = end.map(|end| &line[end + 1..]);
        Some(&line[..end.unwrap_or(line.len())])
    });
    all.filter(move |cell| has_tab || !cell.is_empty())
}

/// Lines that are looked at to tell the columns.
const SAMPLED: usize = 40;

/// The first lines of a file.
struct Sample<'h>(Vec<&'h str>);

impl<'h> Sample<'h> {
    fn of(head: &'h [u8]) -> Sample<'h> {
        let head = head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(head);
        let mut lines: Vec<&[u8]> = head.split(|byte| *byte == b'\n').collect();
        if lines.len() > 1 {
            // Cut in the middle, or empty after the last newline.
            lines.pop();
        }
        let words = lines.into_iter().filter(|line| !is_blank(line) && !is_document_start(line));
        let words = words.filter_map(|line| std::str::from_utf8(line).ok());
        Sample(words.map(|line| line.trim_end_matches('\r')).take(SAMPLED).collect())
    }

    fn rows(&self) -> impl Iterator<Item = Vec<&'h str>> + '_ {
        // A comment of CoNLL-U: no token line of a tagged file begins with `# `, a sharp sign and a space.
        let is_comment = |line: &str| line.starts_with("# ");
        self.0.iter().filter(move |line| !is_comment(line)).map(|line| cells(line).collect())
    }

    /// CoNLL-U Plus names its columns in the first line.
    fn global_columns(&self) -> Option<ConllColumns> {
        let names = self.0.first()?.strip_prefix('#')?.trim_start().strip_prefix("global.columns")?;
        let names: Vec<&str> = names.trim_start().strip_prefix('=')?.split_whitespace().collect();
        let has_upos = names.contains(&"UPOS");
        let roles = names.iter().map(|name| match *name {
            "ID" => Role::Id,
            "FORM" => Role::Token,
            "LEMMA" => Role::Lemma,
            "UPOS" => Role::Pos,
            "XPOS" if !has_upos => Role::Pos,
            "MISC" => Role::Misc,
            name if ["NER", "TAG", "LABEL", "ENTITY"]
                .iter()
                .any(|word| name.to_uppercase().contains(word)) =>
            {
                Role::Label
            }
            _ => Role::Skip,
        });
        let roles: Vec<Role> = roles.collect();
        roles.contains(&Role::Token).then_some(ConllColumns(roles))
    }
}
