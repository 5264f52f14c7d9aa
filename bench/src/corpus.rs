//! The corpus that everything is measured on: texts of about 1,500 characters, 20 spans on each.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// Spans on each text.
pub(crate) const SPANS: usize = 20;
/// Characters that a text has at least.
const TEXT_CHARS: usize = 1_500;
/// Different words; their frequencies fall as 1/rank (Zipf).
const WORDS: usize = 20_000;
const SYLLABLES: &[&str] = &[
    "ba", "con", "de", "el", "fi", "gra", "he", "in", "jo", "ka", "lo", "mer", "no", "o", "pre", "qui", "ra",
    "sta", "tion", "ur", "ver", "wa", "ex", "ly", "zo", "ing",
];
const LABELS: &[&str] = &[
    "PERSON", "ORG", "PLACE", "DATE", "PRODUCT", "EVENT", "LAW", "WORK", "LANGUAGE", "QUANTITY", "ROLE",
    "URL",
];

/// Writes so many texts as corpus JSONL; the same for the same number.
pub(crate) fn generate(folder: &Path, texts: usize) -> io::Result<PathBuf> {
    let path = folder.join(format!("corpus-{texts}.jsonl"));
    let mut out = BufWriter::with_capacity(1 << 20, File::create(&path)?);
    let mut random = StdRng::seed_from_u64(7);
    let words = lexicon(&mut random);
    for number in 0..texts {
        out.write_all(text(number, &words, &mut random).as_bytes())?;
    }
    out.flush()?;
    Ok(path)
}

fn lexicon(random: &mut StdRng) -> Vec<String> {
    let word = |random: &mut StdRng, rank: usize| {
        // Frequent words are short.
        let syllables = 1 + random.random_range(0..=1) + usize::from(rank > 100) + usize::from(rank > 3_000);
        (0..syllables).map(|_| SYLLABLES[random.random_range(0..SYLLABLES.len())]).collect()
    };
    (0..WORDS).map(|rank| word(random, rank)).collect()
}

/// A rank from 0, with the probability of 1/(rank + 1).
fn zipf(random: &mut StdRng) -> usize {
    let uniform: f64 = random.random();
    ((WORDS as f64).powf(uniform) - 1.0) as usize
}

fn text(number: usize, words: &[String], random: &mut StdRng) -> String {
    let (mut content, mut starts) = (String::with_capacity(TEXT_CHARS + 64), Vec::new());
    let mut left_in_sentence = 0;
    while content.len() < TEXT_CHARS {
        let begins_sentence = left_in_sentence == 0;
        if begins_sentence {
            left_in_sentence = random.random_range(8..=24);
            content.push_str(match starts.len() {
                0 => "",
                _ if random.random_bool(0.15) => ".\n",
                _ => ". ",
            });
        } else {
            content.push_str(if random.random_bool(0.06) { ", " } else { " " });
        }
        let word = &words[zipf(random)];
        let start = content.len();
        starts.push((start, start + word.len()));
        content.push_str(word);
        if begins_sentence {
            content[start..=start].make_ascii_uppercase();
        }
        left_in_sentence -= 1;
    }
    content.push('.');
    line(number, &content, &starts, random)
}

/// A record with one span of up to three words in each of the text's twenty stretches.
fn line(number: usize, content: &str, words: &[(usize, usize)], random: &mut StdRng) -> String {
    let text = serde_json::Value::from(content);
    let mut out = format!(
        "{{\"id\":\"doc-{number:07}\",\"text\":{text},\"metadata\":{{\"source\":\"wire-{}\",\"lang\":\"en\"}},\"annotations\":[",
        number % 17
    );
    let stretch = words.len() / SPANS;
    for nth in 0..SPANS {
        let first = nth * stretch + random.random_range(0..stretch - 3);
        let last = first + random.random_range(0..3);
        let (comma, label) = (if nth == 0 { "" } else { "," }, LABELS[random.random_range(0..LABELS.len())]);
        let (start, end) = (words[first].0, words[last].1);
        let (person, confidence) = (random.random_range(1..=8), random.random_range(500..1_000));
        let second = random.random_range(0..60);
        // Writing to a string does not fail.
        let _ = write!(
            out,
            "{comma}{{\"id\":\"a{nth}\",\"start\":{start},\"end\":{end},\"label\":\"{label}\",\"annotator\":\"person-{person}\",\
             \"confidence\":0.{confidence},\"created_at\":\"2026-03-0{person}T10:{second:02}:00Z\"}}"
        );
    }
    out.push_str("]}\n");
    out
}
