//! What a queue carries: a task that may have work, and the trace that its job belongs to.

use std::fmt;

use crate::TaskId;

/// A hint: this task may have work. Losing one costs time, doubling one costs a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Hint {
    /// The task.
    pub task: TaskId,
    /// Where its job's trace goes on; `None` where nobody traces, or an older version wrote the hint.
    pub traceparent: Option<TraceParent>,
}

impl From<TaskId> for Hint {
    /// A hint outside any trace.
    fn from(task: TaskId) -> Hint {
        Hint { task, traceparent: None }
    }
}

/// A place in a trace, as W3C Trace Context writes it: `00-<trace id>-<span id>-<flags>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceParent {
    /// The trace; never zero.
    pub trace_id: u128,
    /// The span that goes before; never zero.
    pub span_id: u64,
    /// Bit 0: whether it is recorded.
    pub flags: u8,
}

impl TraceParent {
    /// Reads the header. `None` for anything that is no place in a trace: it is ignored, as the standard asks.
    pub fn parse(header: &str) -> Option<TraceParent> {
        let mut fields = header.split('-');
        let (version, trace, span, flags) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
        let is_of_version = match version {
            "ff" => false,
            "00" => fields.next().is_none(),
            // A later version may say more behind what this one knows.
            later => hexadecimal(later, 2).is_some(),
        };
        let trace_id = hexadecimal(trace, 32)?;
        let span_id = u64::try_from(hexadecimal(span, 16)?).ok()?;
        let flags = u8::try_from(hexadecimal(flags, 2)?).ok()?;
        (is_of_version && trace_id != 0 && span_id != 0).then_some(TraceParent { trace_id, span_id, flags })
    }
}

/// So many digits, small ones only.
fn hexadecimal(text: &str, digits: usize) -> Option<u128> {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let fits = text.len() == digits && text.bytes().all(is_digit);
    if fits { u128::from_str_radix(text, 16).ok() } else { None }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "00-{:032x}-{:016x}-{:02x}", self.trace_id, self.span_id, self.flags)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01";

    #[test]
    fn what_is_written_is_read() {
        let place = TraceParent::parse(HEADER).unwrap();
        assert_eq!((place.span_id, place.flags), (0x00f0_67aa_0ba9_02b7, 1));
        assert_eq!(place.to_string(), HEADER);
        let later = HEADER.replacen("00", "01", 1) + "-more";
        assert_eq!(TraceParent::parse(&later), Some(place));
    }

    #[test]
    fn what_is_no_place_is_ignored() {
        let wrong = [
            "",
            "00",
            "00-1-2-01",
            "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7",
            "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01-more",
            "ff-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01",
            "00-0AF7651916CD43DD8448EB211C80319C-00f067aa0ba902b7-01",
            "00-+af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-é1",
        ];
        for header in wrong {
            assert_eq!(TraceParent::parse(header), None, "{header}");
        }
    }
}
