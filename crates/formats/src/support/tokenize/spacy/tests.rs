use proptest::prelude::*;

use super::*;

/// Our own words, split by spaCy 3.8: a line each, its tokens with a space between.
const SAMPLE: &str = include_str!("sample.txt");

fn split(run: &str) -> Vec<String> {
    let mut begin = 0;
    let mut rules = SpacyRules::default();
    let piece = |end: &u32| {
        let piece = run[begin..*end as usize].to_owned();
        begin = *end as usize;
        piece
    };
    rules.split(run).iter().map(piece).collect()
}

#[test]
fn words_are_split_as_spacy_splits_them() {
    for line in SAMPLE.lines().filter(|line| !line.is_empty()) {
        let run = line.replace(' ', "");
        assert_eq!(split(&run).join(" "), line);
    }
}

proptest! {
    #[test]
    fn every_character_is_in_one_token(run in "[a-zA-Z0-9.,:;!?'()/@%°$+-]{1,24}|\\PC{1,24}") {
        let tokens = split(&run);
        prop_assert!(tokens.iter().all(|token| !token.is_empty()));
        prop_assert_eq!(tokens.concat(), run);
    }
}
