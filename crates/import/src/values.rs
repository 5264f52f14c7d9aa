//! JSON values as records: the elements of an array, or values one after another, without reading what they mean.
//!
//! A value is known by its brackets and quotes alone, so that a file of any size is framed in the memory of its
//! largest value and can be cut between any two.

use std::io::{self, BufRead};

use memchr::{memchr_iter, memrchr};

use crate::records::{BYTE_ORDER_MARK, Position, Record, Records};

/// How far into a value the bytes have come.
#[derive(Debug, Default)]
struct Scan {
    depth: u32,
    in_string: bool,
    is_escaped: bool,
    has_begun: bool,
}

impl Scan {
    /// Feeds bytes; how many belong to the value, and whether it ends with them.
    fn feed(&mut self, bytes: &[u8]) -> (usize, bool) {
        for (at, byte) in bytes.iter().enumerate() {
            if self.in_string {
                self.in_string = self.is_escaped || *byte != b'"';
                self.is_escaped = !self.is_escaped && *byte == b'\\';
                if !self.in_string && self.depth == 0 {
                    return (at + 1, true);
                }
                continue;
            }
            let is_free = self.depth == 0 && self.has_begun;
            match byte {
                b'"' | b'{' | b'[' | b'}' | b']' | b',' | b':' if is_free => return (at, true),
                byte if is_free && byte.is_ascii_whitespace() => return (at, true),
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' if self.depth > 1 => self.depth -= 1,
                b'}' | b']' => return (at + 1, true),
                _ => {}
            }
            self.has_begun = true;
        }
        (bytes.len(), false)
    }
}

impl<R: BufRead> Records<R> {
    /// The next value; `None` at the end.
    pub(crate) fn next_value(&mut self, under: Option<&str>) -> io::Result<Option<Record<'_>>> {
        self.clear();
        if self.position.byte == 0 {
            self.skip_mark()?;
        }
        // Wherever the first value begins: whoever reads on from there frames it alike.
        if self.position.text == 0
            && !self.position.is_inside
            && let Some(key) = under
            && self.peek_solid()? == Some(b'{')
        {
            let at = self.position;
            if !self.enter(key)? {
                // Whoever asked for the key sees what stands there instead.
                return Ok(Some(self.ended_value(at)));
            }
        }
        loop {
            match self.peek_between()? {
                None => return Ok(None),
                Some(b']') if self.position.is_inside => {
                    self.skip(1);
                    self.position.is_inside = false;
                    if under.is_some() {
                        self.drain()?;
                        return Ok(None);
                    }
                }
                Some(b'[') if !self.position.is_inside => {
                    let at = self.position;
                    self.take(1);
                    if matches!(self.peek_solid()?, Some(b'[' | b'{' | b']')) {
                        self.clear();
                        self.position.is_inside = true;
                        continue;
                    }
                    self.append_value(Scan { depth: 1, has_begun: true, ..Scan::default() })?;
                    return Ok(Some(self.ended_value(at)));
                }
                Some(_) => {
                    let at = self.position;
                    self.append_value(Scan::default())?;
                    return Ok(Some(self.ended_value(at)));
                }
            }
        }
    }

    fn ended_value(&mut self, at: Position) -> Record<'_> {
        self.position.text += 1;
        self.record(at, at.document)
    }

    /// Goes into the array under a key of the object that begins here; false when there is none, and then the
    /// buffer holds the object.
    fn enter(&mut self, key: &str) -> io::Result<bool> {
        self.take(1);
        while let Some(next) = self.peek_between()? {
            if next == b'}' {
                self.take(1);
                return Ok(false);
            }
            let name_at = self.buffer.len();
            self.append_value(Scan::default())?;
            let name = serde_json::from_slice::<String>(&self.buffer[name_at..]).unwrap_or_default();
            if self.peek_solid()? == Some(b':') {
                self.take(1);
            }
            if self.peek_solid()? == Some(b'[') && name == key {
                self.skip(1);
                self.clear();
                self.position.is_inside = true;
                return Ok(true);
            }
            if self.peek_solid()?.is_some() {
                self.append_value(Scan::default())?;
            }
        }
        Ok(false)
    }

    fn append_value(&mut self, mut scan: Scan) -> io::Result<()> {
        loop {
            let available = fill(&mut self.input)?;
            if available.is_empty() {
                return Ok(());
            }
            let (used, has_ended) = scan.feed(available);
            self.take(used);
            if has_ended {
                return Ok(());
            }
        }
    }

    /// The next byte that is no white space and no comma; it is not taken.
    fn peek_between(&mut self) -> io::Result<Option<u8>> {
        self.peek(|byte| byte.is_ascii_whitespace() || byte == b',')
    }

    fn peek_solid(&mut self) -> io::Result<Option<u8>> {
        self.peek(|byte| byte.is_ascii_whitespace())
    }

    fn peek(&mut self, is_passed: impl Fn(u8) -> bool) -> io::Result<Option<u8>> {
        loop {
            let available = fill(&mut self.input)?;
            if available.is_empty() {
                return Ok(None);
            }
            let found = available.iter().position(|byte| !is_passed(*byte));
            let next = found.map(|at| available[at]);
            let passed = found.unwrap_or(available.len());
            self.skip(passed);
            if next.is_some() {
                return Ok(next);
            }
        }
    }

    fn skip_mark(&mut self) -> io::Result<()> {
        if fill(&mut self.input)?.starts_with(BYTE_ORDER_MARK) {
            self.input.consume(BYTE_ORDER_MARK.len());
            self.position.byte = BYTE_ORDER_MARK.len() as u64;
        }
        Ok(())
    }

    fn drain(&mut self) -> io::Result<()> {
        loop {
            let left = fill(&mut self.input)?.len();
            if left == 0 {
                return Ok(());
            }
            self.skip(left);
        }
    }

    /// Takes bytes that were seen into the buffer, as far as the limit allows.
    fn take(&mut self, count: usize) {
        let room = self.limit_bytes.saturating_sub(self.buffer.len());
        self.oversized |= count > room;
        if let Ok(available) = self.input.fill_buf() {
            self.buffer.extend_from_slice(&available[..count.min(room)]);
        }
        self.skip(count);
    }

    fn skip(&mut self, count: usize) {
        if let Ok(available) = self.input.fill_buf() {
            self.position.pass(&available[..count]);
        }
        self.input.consume(count);
    }
}

impl Position {
    fn pass(&mut self, bytes: &[u8]) {
        let chars = |bytes: &[u8]| bytes.iter().filter(|byte| !matches!(byte, 0x80..=0xbf)).count() as u64;
        self.byte += bytes.len() as u64;
        match memrchr(b'\n', bytes) {
            Some(last) => {
                self.line += memchr_iter(b'\n', bytes).count() as u64;
                self.column = chars(&bytes[last + 1..]);
            }
            None => self.column += chars(bytes),
        }
    }
}

fn fill<R: BufRead>(input: &mut R) -> io::Result<&[u8]> {
    loop {
        match input.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
            Ok(_) => break,
        }
    }
    input.fill_buf()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Framing;

    fn all(input: &str, under: Option<&'static str>) -> Vec<(String, Position)> {
        let framing = Framing::Values { under };
        // A buffer of a few bytes: values begin and end anywhere in it.
        let input = io::BufReader::with_capacity(3, input.as_bytes());
        let mut records = Records::new(input, framing, Position::default());
        let mut out = Vec::new();
        while let Some(record) = records.next_record().unwrap() {
            out.push((String::from_utf8_lossy(record.bytes).into_owned(), record.at));
        }
        out
    }

    fn check(input: &str, under: Option<&'static str>, expected: &[&str]) {
        let found = all(input, under);
        assert_eq!(found.iter().map(|(value, _)| value.as_str()).collect::<Vec<_>>(), expected, "{input}");
        for (nth, (_, at)) in found.iter().enumerate() {
            let rest = &input.as_bytes()[at.byte as usize..];
            let mut records = Records::new(rest, Framing::Values { under }, *at);
            for expected in &found[nth..] {
                assert_eq!(records.next_record().unwrap().unwrap().at, expected.1);
            }
        }
    }

    #[test]
    fn arrays_objects_and_lines_are_framed() {
        check("\u{feff}[{\"a\": \"]\\\"}\"}, {\"b\": [1]}\n]\n", None, &[r#"{"a": "]\"}"}"#, "{\"b\": [1]}"]);
        check("{\"a\":1}\n\n{\"b\":2}", None, &["{\"a\":1}", "{\"b\":2}"]);
        check("[[\"t\", {}], [\"u\", {}]]", None, &["[\"t\", {}]", "[\"u\", {}]"]);
        check("[\"t\", {}]\n[\"u\", {}]\n", None, &["[\"t\", {}]", "[\"u\", {}]"]);
        check("[]\n[{}][{}]", None, &["{}", "{}"]);
        check("", None, &[]);
    }

    #[test]
    fn one_array_of_an_object_is_framed() {
        check("{\"v\": [1], \"data\": [{\"a\":1},{}], \"w\": [{}]}", Some("data"), &["{\"a\":1}", "{}"]);
        check("{\"v\": \"data\"}", Some("data"), &["{\"v\":\"data\"}"]);
        check("[{\"a\":1}]", Some("data"), &["{\"a\":1}"]);
    }

    #[test]
    fn what_is_no_json_still_ends() {
        check("}{", None, &["}", "{"]);
        check("[{}, x y, \"", None, &["{}", "x", "y", "\""]);
        check("]\n{\"a\"", None, &["]", "{\"a\""]);
    }

    #[test]
    fn places_count_lines_and_code_points() {
        let found = all("[{\"a\":\n\"é\"}, {}]", None);
        let at = |nth: usize| (found[nth].1.line, found[nth].1.column);
        assert_eq!((at(0), at(1)), ((0, 1), (1, 6)));
    }
}
