//! A JSON Schema that every record has to satisfy.

use boon::{CompileError, Compiler, SchemaIndex, Schemas, UrlLoader, ValidationError};
use serde_json::{Map, Value};
use spanfleet_core::{OptionError, chain};

/// The name under which the compiler knows the schema; it is no address.
const NAME: &str = "urn:spanfleet:record";

/// A compiled schema, drafts 4 to 2020-12.
pub struct RecordSchema {
    schemas: Schemas,
    index: SchemaIndex,
}

/// A schema stands for itself: what it refers to elsewhere would have to be fetched.
struct NoOther;

impl UrlLoader for NoOther {
    fn load(&self, url: &str) -> Result<Value, Box<dyn std::error::Error>> {
        Err(format!("`{url}` is not in the schema; put it into `$defs`").into())
    }
}

impl RecordSchema {
    /// Compiles a schema; refuses what is none.
    pub fn new(schema: &Map<String, Value>) -> Result<RecordSchema, OptionError> {
        let schema = Value::from(schema.clone());
        let refuse = |error: CompileError| {
            let reason = chain(&error).replace('\n', " ");
            OptionError::value("option", "record_schema", &schema, format!("a JSON Schema ({reason})"))
        };
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.use_loader(Box::new(NoOther));
        compiler.add_resource(NAME, schema.clone()).map_err(refuse)?;
        let index = compiler.compile(NAME, &mut schemas).map_err(refuse)?;
        Ok(RecordSchema { schemas, index })
    }

    /// Fails with the place in the record and the reason.
    pub fn check(&self, record: &[u8]) -> Result<(), String> {
        let record: Value = serde_json::from_slice(record).map_err(|error| error.to_string())?;
        self.schemas.validate(&record, self.index).map_err(|error| explain(&error))
    }
}

/// The first reason that has no reason of its own: the others only say that there is one.
fn explain(error: &ValidationError<'_, '_>) -> String {
    match error.causes.first() {
        Some(cause) => explain(cause),
        None => format!("at `{}`: {}", error.instance_location, error.kind),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn schema(value: &Value) -> Result<RecordSchema, String> {
        RecordSchema::new(value.as_object().unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_record_that_does_not_fit_is_told_with_its_place() {
        let schema =
            schema(&json!({"type": "object", "properties": {"a": {"items": {"type": "integer"}}}})).unwrap();
        assert_eq!(schema.check(br#"{"a":[1,2]}"#), Ok(()));
        let reason = schema.check(br#"{"a":[1,"x"]}"#).unwrap_err();
        assert!(reason.starts_with("at `/a/1`: ") && reason.contains("integer"), "{reason}");
    }

    #[test]
    fn what_is_no_schema_or_leads_elsewhere_is_refused() {
        let refused = |value| schema(&value).err().unwrap();
        assert!(refused(json!({"type": "whole"})).contains("option `record_schema` can't be"));
        for elsewhere in ["file:///etc/hostname", "https://example.org/schema.json"] {
            let reason = refused(json!({"$ref": elsewhere}));
            assert!(reason.contains(elsewhere) && reason.contains("`$defs`"), "{reason}");
        }
    }
}
