use proptest::prelude::*;

use super::*;
use crate::testing::document;

fn tokens_of(kind: options::Tokenizer, document: &Document) -> (Vec<String>, Origin) {
    let chars = CharIndex::new(&document.text);
    let mut tokenizer = Tokenizer::new(kind);
    let (tokens, origin) = tokenizer.tokenize(document, &chars);
    for token in tokens {
        assert_eq!(chars.slice(&document.text, token.start, token.end), Some(token.text(&document.text)));
    }
    (tokens.iter().map(|token| token.text(&document.text).to_owned()).collect(), origin)
}

fn check(text: &str, expected: &[&str]) {
    let document = Document { text: text.to_owned(), ..Document::default() };
    assert_eq!(tokens_of(options::Tokenizer::Words, &document).0, expected, "{text:?}");
}

#[test]
fn words_stand_apart_from_punctuation() {
    check("Ada's 3.5% (approx.)", &["Ada's", "3.5", "%", "(", "approx", ".", ")"]);
    check("", &[]);
    check(" \t\r\n\u{a0}", &[]);
    check("naïve café-au-lait", &["naïve", "café", "-", "au", "-", "lait"]);
    check("東京 2020", &["東", "京", "2020"]);
    check("a👩‍👩‍👧b 🇩🇪🇫🇷", &["a", "👩‍👩‍👧", "b", "🇩🇪", "🇫🇷"]);
    check("مرحبا بالعالم", &["مرحبا", "بالعالم"]);
    check("e\u{301}tude \u{301}x", &["e\u{301}tude", "\u{301}", "x"]);
    check("a\0b", &["a", "\0", "b"]);
}

#[test]
fn every_space_of_python_splits() {
    let spaces = [
        '\t', '\n', '\x0b', '\x0c', '\r', '\x1c', '\x1d', '\x1e', '\x1f', ' ', '\u{85}', '\u{a0}', '\u{1680}',
    ];
    let wide = ('\u{2000}'..='\u{200a}').chain(['\u{2028}', '\u{2029}', '\u{202f}', '\u{205f}', '\u{3000}']);
    for space in spaces.into_iter().chain(wide) {
        check(&format!("a{space}b{space}\u{301}c"), &["a", "b", "\u{301}", "c"]);
    }
    for other in ['\u{200b}', '\u{200d}', '\u{feff}', '\u{ad}', '\u{180e}'] {
        assert!(!is_space(other), "{other:?}");
    }
}

#[test]
fn line_breaks_are_seen_between_tokens() {
    let document = Document { text: "a b\n\nc\r\nd e\rf".to_owned(), ..Document::default() };
    let chars = CharIndex::new(&document.text);
    let mut tokenizer = Tokenizer::new(options::Tokenizer::Words);
    let breaks: Vec<_> = tokenizer.tokenize(&document, &chars).0.iter().map(|t| t.after_line_break).collect();
    assert_eq!(breaks, [false, false, true, true, false, false]);
}

#[test]
fn whitespace_keeps_runs_whole() {
    let document = Document { text: "Ada's 3.5%\u{2003}(é)".to_owned(), ..Document::default() };
    assert_eq!(tokens_of(options::Tokenizer::Whitespace, &document).0, ["Ada's", "3.5%", "(é)"]);
}

#[test]
fn gold_tokens_may_be_empty_hold_spaces_and_leave_gaps() {
    let gold = document(
        r#"{"text":"😳 a\nbc","tokens":[{"start":0,"end":2},{"start":2,"end":2},{"start":4,"end":5},{"start":5,"end":6}]}"#,
    );
    let expected = ["😳 ", "", "b", "c"].map(str::to_owned).to_vec();
    assert_eq!(tokens_of(options::Tokenizer::Gold, &gold), (expected, Origin::Gold));
    let words = ["😳", "a", "bc"].map(str::to_owned).to_vec();
    assert_eq!(tokens_of(options::Tokenizer::Words, &gold), (words, Origin::Rule));
}

#[test]
fn broken_gold_tokens_fall_back_to_words() {
    for tokens in [
        r#"[{"start":0,"end":9}]"#,
        r#"[{"start":2,"end":1}]"#,
        r#"[{"start":0,"end":2},{"start":1,"end":3}]"#,
    ] {
        let broken = document(&format!(r#"{{"text":"ab c","tokens":{tokens}}}"#));
        let words = vec!["ab".to_owned(), "c".to_owned()];
        assert_eq!(tokens_of(options::Tokenizer::Gold, &broken), (words, Origin::BrokenGold), "{tokens}");
    }
    let none = document(r#"{"text":"ab c"}"#);
    assert_eq!(tokens_of(options::Tokenizer::Gold, &none).1, Origin::Rule);
}

proptest! {
    /// The short way for ASCII finds what the way for any text does.
    #[test]
    fn ascii_runs_are_runs(text in "[\\x00-\\x7f]{0,60}") {
        let (mut short, mut long) = (Vec::new(), Vec::new());
        for_each_ascii_run(text.as_bytes(), |run| short.push(run));
        for_each_unicode_run(&text, |run| long.push(run));
        prop_assert_eq!(short, long);
    }

    /// The short way for ASCII cuts where Unicode's tables do.
    #[test]
    fn ascii_words_are_unicode_words(text in "[ -~\\t\\n]{0,40}") {
        let bounds = |run: &str| run.split_word_bounds().map(str::to_owned).collect::<Vec<_>>();
        let expected: Vec<String> = text.split(is_space).flat_map(bounds).collect();
        let document = Document { text, ..Document::default() };
        prop_assert_eq!(tokens_of(options::Tokenizer::Words, &document).0, expected);
    }

    #[test]
    fn every_character_but_white_space_is_in_one_token(text in "\\PC{0,30}[\\s\\S]{0,10}") {
        let document = Document { text, ..Document::default() };
        let joined = tokens_of(options::Tokenizer::Words, &document).0.concat();
        let expected: String = document.text.chars().filter(|character| !is_space(*character)).collect();
        prop_assert_eq!(joined, expected);
    }
}
