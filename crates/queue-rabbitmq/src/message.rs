//! The body of a message: `{"v":1,"task":123}`. Fields that we do not know are passed over. Where the job's trace
//! goes on stands in the header `traceparent`, as of any program that traces; without it the hint is as good.

use lapin::message::Delivery;
use lapin::types::{AMQPValue, FieldTable};
use serde::Deserialize;
use spanfleet_core::{Hint, TaskId, TraceParent};

const VERSION: u32 = 1;

#[derive(Deserialize)]
struct Body {
    v: u32,
    task: TaskId,
}

const TRACEPARENT: &str = "traceparent";

/// The hint of a message; else why nobody can read it.
pub(crate) fn read(message: &Delivery) -> Result<Hint, String> {
    let headers = message.properties.headers().as_ref();
    Ok(Hint { task: decode(&message.data)?, traceparent: headers.and_then(traceparent) })
}

fn traceparent(headers: &FieldTable) -> Option<TraceParent> {
    let text = headers.inner().get(TRACEPARENT)?.as_long_string()?;
    TraceParent::parse(&text.to_string())
}

pub(crate) fn headers(hint: Hint) -> FieldTable {
    let mut headers = FieldTable::default();
    if let Some(place) = hint.traceparent {
        headers.insert(TRACEPARENT.into(), AMQPValue::LongString(place.to_string().into()));
    }
    headers
}

pub(crate) fn encode(task: TaskId) -> Vec<u8> {
    format!(r#"{{"v":{VERSION},"task":{task}}}"#).into_bytes()
}

/// The task; else why nobody can read this.
fn decode(body: &[u8]) -> Result<TaskId, String> {
    let body: Body = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    if body.v == VERSION { Ok(body.task) } else { Err(format!("its version is {}", body.v)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for task in [1, i64::MAX] {
            assert_eq!(decode(&encode(TaskId(task))), Ok(TaskId(task)));
        }
        assert_eq!(String::from_utf8(encode(TaskId(7))).unwrap(), r#"{"v":1,"task":7}"#);
    }

    #[test]
    fn more_fields_are_passed_over_and_other_versions_are_not_guessed() {
        assert_eq!(decode(br#"{"task":7,"v":1,"traceparent":"00-1"}"#), Ok(TaskId(7)));
        for body in ["", "7", "{}", r#"{"v":1}"#, r#"{"v":2,"task":7}"#, r#"{"v":1,"task":"7"}"#, "\u{0}"] {
            assert!(decode(body.as_bytes()).is_err(), "{body}");
        }
    }
}
