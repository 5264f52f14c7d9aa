//! The lines of a file: its layers, its text, its rows.

use super::cells::unescape;
use crate::{place::Fault, records::BYTE_ORDER_MARK};

/// What a layer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    Spans,
    Relations,
    Chains,
}

/// A layer with its columns.
#[derive(Debug)]
pub(super) struct Layer<'f> {
    pub(super) holds: Holds,
    /// The full name of its type.
    pub(super) name: &'f str,
    pub(super) features: Vec<&'f str>,
    /// The column of its first feature, counted after the word.
    pub(super) column: usize,
}

impl Layer<'_> {
    /// The last part of its name.
    pub(super) fn short(&self) -> &str {
        self.name.rsplit('.').next().unwrap_or(self.name)
    }
}

/// A row with a word, or a part of one.
#[derive(Debug)]
pub(super) struct Row<'f> {
    /// From 0.
    pub(super) line: u64,
    pub(super) id: &'f str,
    /// UTF-16 units.
    pub(super) begin: u64,
    pub(super) end: u64,
    pub(super) cells: Vec<&'f str>,
}

/// A file, taken apart.
#[derive(Debug, Default)]
pub(super) struct File<'f> {
    pub(super) layers: Vec<Layer<'f>>,
    pub(super) rows: Vec<Row<'f>>,
    pub(super) text: String,
    /// UTF-16 units of the text.
    units: u64,
    /// Where the last sentence begins, in bytes and in UTF-16 units: rows are about it.
    last: (usize, u64),
    /// The lines of the sentence that is being read.
    sentence: Option<String>,
}

impl<'f> File<'f> {
    pub(super) fn read(content: &'f str) -> Result<File<'f>, Fault> {
        let mut file = File::default();
        let mark = std::str::from_utf8(BYTE_ORDER_MARK).unwrap_or_default();
        for (number, line) in content.trim_start_matches(mark).split('\n').enumerate() {
            let line = line.strip_suffix('\r').unwrap_or(line);
            file.add(number as u64, line).map_err(|reason| Fault::at(number as u64, 1, reason))?;
        }
        file.end_sentence();
        Ok(file)
    }

    fn add(&mut self, number: u64, line: &'f str) -> Result<(), String> {
        if let Some(text) = line.strip_prefix("#Text=") {
            self.add_text(&unescape(text));
        } else if let Some(layer) = layer(line) {
            let column = self.layers.last().map_or(0, |layer| layer.column + layer.features.len());
            self.layers.push(Layer { column, ..layer });
        } else if line.is_empty() {
            self.end_sentence();
        } else if !line.starts_with('#') {
            self.add_row(number, line)?;
        }
        Ok(())
    }

    /// A sentence over several lines has a line of text for each.
    fn add_text(&mut self, line: &str) {
        match &mut self.sentence {
            Some(text) => {
                text.push('\n');
                text.push_str(line);
            }
            None => self.sentence = Some(line.to_owned()),
        }
    }

    /// A sentence without rows has no place of its own; it follows the one before.
    fn end_sentence(&mut self) {
        if let Some(text) = self.sentence.take() {
            self.units += units(&text);
            self.text.push_str(&text);
        }
    }

    fn add_row(&mut self, number: u64, line: &'f str) -> Result<(), String> {
        let mut cells: Vec<&str> = line.split('\t').collect();
        // Every line ends in a TAB.
        if cells.last() == Some(&"") {
            cells.pop();
        }
        let form = "a row is `1-1 TAB 0-3 TAB word TAB …`";
        if cells.len() < 2 {
            return Err(format!("no row that is known; {form}"));
        }
        let place =
            cells[1].split_once('-').and_then(|(begin, end)| Some((begin.parse().ok()?, end.parse().ok()?)));
        let (begin, end) = place.ok_or_else(|| format!("`{}` are no offsets; {form}", cells[1]))?;
        let word = unescape(cells.get(2).copied().unwrap_or_default());
        if let Some(sentence) = self.sentence.take() {
            self.place_sentence(&sentence, begin, &word)?;
        }
        self.check(begin, end, &word)?;
        let id = cells[0];
        let cells = cells.into_iter().skip(3).collect();
        self.rows.push(Row { line: number, id, begin, end, cells });
        Ok(())
    }

    /// Lays a sentence down where its first word has to lie.
    fn place_sentence(&mut self, sentence: &str, begin: u64, word: &str) -> Result<(), String> {
        let before = sentence.find(word).map_or(0, |at| units(&sentence[..at]));
        let gap = begin.checked_sub(before).and_then(|start| start.checked_sub(self.units));
        let gap =
            gap.ok_or_else(|| format!("the sentence begins at {begin}, before the one before it ends"))?;
        if gap > MOST_GAP {
            return Err(format!("{gap} characters before this sentence are not in the file"));
        }
        for nth in 0..gap {
            self.text.push(if nth == 0 && self.units > 0 { '\n' } else { ' ' });
        }
        self.last = (self.text.len(), self.units + gap);
        self.text.push_str(sentence);
        self.units += gap + units(sentence);
        Ok(())
    }

    /// Whether the text has a word at its offsets.
    fn check(&self, begin: u64, end: u64, word: &str) -> Result<(), String> {
        let (sentence, first) = (&self.text[self.last.0..], self.last.1);
        let at = |unit: u64| byte_of(sentence, unit.checked_sub(first)?);
        let covered = at(begin).zip(at(end)).and_then(|(begin, end)| sentence.get(begin..end));
        match covered {
            Some(covered) if covered == word => Ok(()),
            Some(covered) => {
                Err(format!("covers `{covered}` but states `{word}`; offsets count UTF-16 units"))
            }
            None => Err(format!("{begin}-{end} lies outside of the text; offsets count UTF-16 units")),
        }
    }
}

/// Characters between two sentences that are made up, at most.
const MOST_GAP: u64 = 1024 * 1024;

fn units(text: &str) -> u64 {
    text.chars().map(char::len_utf16).sum::<usize>() as u64
}

/// The byte at which a UTF-16 unit of a text begins.
fn byte_of(text: &str, unit: u64) -> Option<usize> {
    let mut units = 0;
    for (byte, character) in text.char_indices() {
        if units == unit {
            return Some(byte);
        }
        units += character.len_utf16() as u64;
    }
    (units == unit).then_some(text.len())
}

fn layer(line: &str) -> Option<Layer<'_>> {
    let (holds, rest) = [("#T_SP=", Holds::Spans), ("#T_RL=", Holds::Relations), ("#T_CH=", Holds::Chains)]
        .into_iter()
        .find_map(|(begin, holds)| Some((holds, line.strip_prefix(begin)?)))?;
    let (name, features) = rest.split_once('|').unwrap_or((rest, ""));
    Some(Layer { holds, name, features: features.split('|').collect(), column: 0 })
}
