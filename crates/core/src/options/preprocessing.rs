//! Steps that a document goes through before it is encoded, in the order asked for.

use serde_json::{Map, Value};

use super::OptionError;

/// One step. Offsets move along with the text, so that `text[start..end]` stays what was annotated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    /// Unicode normalization of the text.
    NormalizeUnicode(UnicodeForm),
    /// Every run of white space becomes one space; none is left at the ends.
    CollapseWhitespace,
    /// Unicode lower case.
    Lowercase,
    /// A text for each sentence (UAX 29); no cut inside a span.
    SplitSentences,
    /// A text for each window of at most so many tokens.
    Window(Window),
    /// Texts without any annotation are left out.
    DropUnannotated,
    /// Later texts that say the same as an earlier one are left out.
    Deduplicate(Duplicates),
    /// Annotations with a lower confidence are left out; those without one stay.
    MinConfidence(f64),
}

/// A normalization form of Unicode (UAX 15).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnicodeForm {
    /// Canonical composition.
    #[default]
    Nfc,
    /// Compatibility composition.
    Nfkc,
}

/// Windows over the tokens of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Tokens in a window at most.
    pub tokens: usize,
    /// Tokens that a window repeats of the one before, as `stride` means in Hugging Face tokenizers.
    pub stride: usize,
}

impl Default for Window {
    fn default() -> Window {
        Window { tokens: 256, stride: 0 }
    }
}

/// When two texts say the same.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Duplicates {
    /// The same characters.
    #[default]
    Exact,
    /// An estimated Jaccard similarity of their word 5-grams of at least this (MinHash).
    Near(f64),
}

/// What `preprocessing` may hold, for help and errors.
pub(super) const ALLOWED: &str = "[] of normalize_unicode or {\"normalize_unicode\": \"NFC\" or \"NFKC\"}, \
    collapse_whitespace, lowercase, split_sentences, window or {\"window\": {\"tokens\": n, \"stride\": m}}, \
    drop_unannotated, deduplicate or {\"deduplicate\": \"exact\" or {\"near\": 0.9}}, {\"min_confidence\": x}";

/// A list of steps, or the names with commas between.
pub(super) fn read(key: &str, value: &Value) -> Result<Vec<Step>, OptionError> {
    let refuse = |wrong: &Value| OptionError::value("option", key, wrong, ALLOWED);
    let steps: Vec<Value> = match value {
        Value::Array(steps) => steps.clone(),
        Value::String(names) if names.trim().is_empty() => Vec::new(),
        Value::String(names) => names.split(',').map(|name| Value::from(name.trim())).collect(),
        Value::Object(_) => vec![value.clone()],
        _ => return Err(refuse(value)),
    };
    steps.iter().map(|step| read_step(step).ok_or_else(|| refuse(step))).collect()
}

/// A name alone, or an object with the name as its only key.
fn read_step(step: &Value) -> Option<Step> {
    match step {
        Value::String(name) => with_setting(name, &Value::Null),
        Value::Object(map) if map.len() == 1 => {
            let (name, setting) = map.iter().next()?;
            with_setting(name, setting)
        }
        _ => None,
    }
}

fn with_setting(name: &str, setting: &Value) -> Option<Step> {
    let plain = |step: Step| matches!(setting, Value::Null | Value::Bool(true)).then_some(step);
    match name {
        "normalize_unicode" => unicode_form(setting).map(Step::NormalizeUnicode),
        "collapse_whitespace" => plain(Step::CollapseWhitespace),
        "lowercase" => plain(Step::Lowercase),
        "split_sentences" => plain(Step::SplitSentences),
        "window" => window(setting).map(Step::Window),
        "drop_unannotated" => plain(Step::DropUnannotated),
        "deduplicate" => duplicates(setting).map(Step::Deduplicate),
        "min_confidence" => setting.as_f64().filter(|least| least.is_finite()).map(Step::MinConfidence),
        _ => None,
    }
}

fn unicode_form(setting: &Value) -> Option<UnicodeForm> {
    match setting {
        Value::Null | Value::Bool(true) => Some(UnicodeForm::default()),
        Value::String(form) if form.eq_ignore_ascii_case("nfc") => Some(UnicodeForm::Nfc),
        Value::String(form) if form.eq_ignore_ascii_case("nfkc") => Some(UnicodeForm::Nfkc),
        _ => None,
    }
}

fn window(setting: &Value) -> Option<Window> {
    let whole = |value: &Value| value.as_u64().and_then(|number| usize::try_from(number).ok());
    let mut window = Window::default();
    match setting {
        Value::Null | Value::Bool(true) => {}
        Value::Number(_) => window.tokens = whole(setting)?,
        Value::Object(map) => read_window(map, &mut window)?,
        _ => return None,
    }
    (window.tokens > 0 && window.stride < window.tokens).then_some(window)
}

fn read_window(map: &Map<String, Value>, window: &mut Window) -> Option<()> {
    for (key, value) in map {
        let number = usize::try_from(value.as_u64()?).ok()?;
        match key.as_str() {
            "tokens" => window.tokens = number,
            "stride" => window.stride = number,
            _ => return None,
        }
    }
    Some(())
}

fn duplicates(setting: &Value) -> Option<Duplicates> {
    match setting {
        Value::Null | Value::Bool(true) => Some(Duplicates::Exact),
        Value::String(word) if word == "exact" => Some(Duplicates::Exact),
        Value::Object(map) if map.len() == 1 => {
            let least = map.get("near")?.as_f64()?;
            (0.5..=1.0).contains(&least).then_some(Duplicates::Near(least))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn steps_are_read_with_and_without_settings() {
        let steps = json!([
            "collapse_whitespace", {"normalize_unicode": "NFKC"}, "window",
            {"window": {"tokens": 8, "stride": 2}}, {"deduplicate": {"near": 0.9}}, {"min_confidence": 0.5}
        ]);
        let expected = vec![
            Step::CollapseWhitespace,
            Step::NormalizeUnicode(UnicodeForm::Nfkc),
            Step::Window(Window::default()),
            Step::Window(Window { tokens: 8, stride: 2 }),
            Step::Deduplicate(Duplicates::Near(0.9)),
            Step::MinConfidence(0.5),
        ];
        assert_eq!(read("preprocessing", &steps), Ok(expected));
        let names = json!("lowercase, drop_unannotated");
        assert_eq!(read("preprocessing", &names), Ok(vec![Step::Lowercase, Step::DropUnannotated]));
        assert_eq!(read("preprocessing", &json!([])), Ok(Vec::new()));
    }

    #[test]
    fn wrong_steps_are_refused_by_name() {
        for wrong in [
            json!(["uppercase"]),
            json!([{"window": {"tokens": 0}}]),
            json!([{"window": {"tokens": 4, "stride": 4}}]),
            json!(["min_confidence"]),
            json!([{"lowercase": 3}]),
            json!(7),
        ] {
            let error = read("preprocessing", &wrong).unwrap_err().to_string();
            assert!(error.contains("option `preprocessing` can't be"), "{error}");
            assert!(error.contains("split_sentences"), "{error}");
        }
    }
}
