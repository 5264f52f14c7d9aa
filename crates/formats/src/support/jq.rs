//! A jq filter over the neutral record: any structure of one's own.
//!
//! Filters are pure here: what asks for the time, the place or the environment fails, so that the same record
//! gives the same bytes, and what would end the process fails too.

use jaq_core::{
    Compiler, Ctx, Filter, Vars, data,
    load::{Arena, File, Loader},
    unwrap_valr,
};
use jaq_json::{Val, read, write};
use serde_json::Value;
use spanfleet_core::OptionError;

/// Hides what would make the same record give other bytes, or end the process.
const PURE: &str = r#"
def impure($name): error("`\($name)` is not allowed here: the same record has to give the same bytes");
def now: impure("now");
def env: impure("env");
def localtime: impure("localtime");
def strflocaltime(f): impure("strflocaltime");
def halt: impure("halt");
def halt($code): impure("halt");
def halt_error: impure("halt_error");
def halt_error($code): impure("halt_error");
"#;
/// Values that one record may become: a filter that never ends its output is told so.
const MOST_VALUES: usize = 100_000;

type Data = data::JustLut<Val>;

/// A compiled filter.
pub struct Jq {
    filter: Filter<Data>,
}

impl Jq {
    /// Compiles a filter; refuses what is no jq.
    pub fn new(code: &str) -> Result<Jq, OptionError> {
        let refuse = |reason: String| {
            OptionError::value(
                "option",
                "jq",
                &Value::from(code),
                format!("a jq filter over the record ({reason})"),
            )
        };
        let defs = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
        let funs = jaq_core::funs::<Data>().chain(jaq_std::funs()).chain(jaq_json::funs());
        let arena = Arena::default();
        let program = format!("{PURE}{code}");
        let modules = Loader::new(defs)
            .load(&arena, File { code: &*program, path: () })
            .map_err(|_| refuse("this can't be parsed".to_owned()))?;
        let compiled = Compiler::default().with_funs(funs).compile(modules);
        let filter = compiled.map_err(|errors| {
            let unknown =
                errors.iter().flat_map(|(_, errors)| errors.iter().map(|(name, _)| (*name).to_owned()));
            refuse(format!("unknown: {}", unknown.collect::<Vec<_>>().join(", ")))
        })?;
        Ok(Jq { filter })
    }

    /// Hands each value that a record becomes to `found`, as compact JSON. Fails with the filter's own words, or
    /// with those of `found`.
    pub fn run(
        &self,
        record: &[u8],
        mut found: impl FnMut(&[u8]) -> Result<(), String>,
    ) -> Result<(), String> {
        let fails = |reason: String| format!("the jq filter fails: {reason}");
        let input = read::parse_single(record).map_err(|error| fails(error.to_string()))?;
        let context = Ctx::<Data>::new(&self.filter.lut, Vars::new([]));
        let mut bytes = Vec::new();
        for (at, output) in self.filter.id.run((context, input)).map(unwrap_valr).enumerate() {
            if at == MOST_VALUES {
                return Err(fails(format!("more than {MOST_VALUES} values of one record")));
            }
            bytes.clear();
            let output = output.map_err(|error| fails(error.to_string()))?;
            let written = write::write(&mut bytes, &write::Pp::default(), 0, &output);
            written.map_err(|error| fails(error.to_string()))?;
            found(&bytes)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(code: &str, record: &str) -> Result<Vec<String>, String> {
        let mut out = Vec::new();
        let found = |bytes: &[u8]| {
            out.push(String::from_utf8_lossy(bytes).into_owned());
            Ok(())
        };
        Jq::new(code).map_err(|error| error.to_string())?.run(record.as_bytes(), found)?;
        Ok(out)
    }

    #[test]
    fn a_record_becomes_any_number_of_values() {
        let record = r#"{"id":"1","text":"é😀","annotations":[{"label":"A"},{"label":"B"}]}"#;
        assert_eq!(
            run("{t: .text, n: (.annotations | length)}", record),
            Ok(vec![r#"{"t":"é😀","n":2}"#.into()])
        );
        assert_eq!(run(".annotations[] | .label", record), Ok(vec!["\"A\"".into(), "\"B\"".into()]));
        assert_eq!(run("select(.id == \"2\")", record), Ok(vec![]));
        assert_eq!(run(".confidence // 0.5", record), Ok(vec!["0.5".into()]));
    }

    #[test]
    fn what_is_no_pure_jq_is_refused() {
        assert!(run("{", "{}").unwrap_err().contains("option `jq` can't be `{`"));
        assert!(run("shout", "{}").unwrap_err().contains("unknown: shout"));
        for impure in ["now", "env", "halt", "\"x\" | halt_error"] {
            assert!(run(impure, "{}").unwrap_err().contains("not allowed here"), "{impure}");
        }
        assert!(run("repeat(1)", "{}").unwrap_err().contains("100000 values"));
        assert!(run(".a + 1", r#"{"a":"x"}"#).is_err());
    }
}
