//! A jq filter over the neutral record: any structure of one's own.
//!
//! Filters are pure here: what asks for the time, the place or the environment fails, so that the same record
//! gives the same bytes, and what would end the process fails too.

use std::sync::Arc;

use jaq_core::{
    Compiler, Ctx, Filter, Vars, data,
    load::{Arena, File, Loader},
    unwrap_valr,
};
use jaq_json::{Val, read, write};
use serde_json::Value;
use spanfleet_core::{Document, Ledger, Loss, OptionError, Order};

use crate::EncodeError;
use crate::support::record::{RecordWriter, count};

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
    /// The filter of an order, if it has one.
    pub fn of(order: &Order) -> Result<Option<Arc<Jq>>, OptionError> {
        order.options.jq.as_deref().map(|code| Jq::new(code).map(Arc::new)).transpose()
    }

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

    /// Hands each value that a record becomes to `found`, as compact JSON. Fails with the filter's own words.
    pub fn run(&self, record: &[u8], mut found: impl FnMut(&[u8])) -> Result<(), String> {
        let input = read::parse_single(record).map_err(|error| error.to_string())?;
        let context = Ctx::<Data>::new(&self.filter.lut, Vars::new([]));
        let mut bytes = Vec::new();
        for (at, output) in self.filter.id.run((context, input)).map(unwrap_valr).enumerate() {
            if at == MOST_VALUES {
                return Err(format!("more than {MOST_VALUES} values of one record"));
            }
            bytes.clear();
            let output = output.map_err(|error| error.to_string())?;
            write::write(&mut bytes, &write::Pp::default(), 0, &output).map_err(|error| error.to_string())?;
            found(&bytes);
        }
        Ok(())
    }
}

/// Records as an order's filter makes them.
pub struct FilteredRecords {
    records: RecordWriter,
    jq: Arc<Jq>,
    record: Vec<u8>,
}

impl FilteredRecords {
    /// Under an order's labels.
    pub fn new(order: &Order, jq: Arc<Jq>) -> FilteredRecords {
        FilteredRecords { records: RecordWriter::new(order), jq, record: Vec::new() }
    }

    /// Hands each value of a document to `found`. A document without any is lost whole.
    pub fn write(
        &mut self,
        document: &Document,
        ledger: &mut Ledger,
        mut found: impl FnMut(&[u8]),
    ) -> Result<(), EncodeError> {
        self.record.clear();
        self.records.write(document, &mut self.record, &mut Ledger::default());
        let mut is_empty = true;
        let ran = self.jq.run(&self.record, |value| {
            is_empty = false;
            found(value);
        });
        ran.map_err(|reason| EncodeError::about(&document.id, format!("the jq filter fails: {reason}")))?;
        if is_empty {
            ledger.lose_document(Loss::Adjudicated, document);
        } else {
            count(document, ledger);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(code: &str, record: &str) -> Result<Vec<String>, String> {
        let mut out = Vec::new();
        let found = |bytes: &[u8]| out.push(String::from_utf8_lossy(bytes).into_owned());
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
