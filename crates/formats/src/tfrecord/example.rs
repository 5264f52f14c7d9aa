//! `tf.train.Example` in the wire format of Protocol Buffers, and the record around it.
//!
//! ```text
//! Example   { Features features = 1; }
//! Features  { map<string, Feature> feature = 1; }
//! Feature   { oneof { BytesList = 1; FloatList = 2; Int64List = 3; } }
//! …List     { repeated value = 1; }   numbers packed
//! ```

/// Every field here is of wire type 2: a length, then that many bytes.
const FIRST_FIELD: u8 = 1 << 3 | 2;
const SECOND_FIELD: u8 = 2 << 3 | 2;
const THIRD_FIELD: u8 = 3 << 3 | 2;

/// Bytes of one message, by the limit of Protocol Buffers.
const MOST_BYTES: usize = i32::MAX as usize;
/// Added to a rotated checksum, so that the checksum of data that holds checksums stays good.
const MASK: u32 = 0xa282_ead8;

/// Collects the features of one example, in memory that it keeps from text to text.
#[derive(Default)]
pub(super) struct Example {
    features: Vec<u8>,
    list: Vec<u8>,
    packed: Vec<u8>,
}

impl Example {
    /// Begins another example.
    pub(super) fn clear(&mut self) {
        self.features.clear();
    }

    pub(super) fn bytes<'v>(&mut self, key: &str, values: impl Iterator<Item = &'v str>) {
        self.list.clear();
        for value in values {
            field(FIRST_FIELD, value.as_bytes(), &mut self.list);
        }
        self.feature(key, FIRST_FIELD);
    }

    pub(super) fn floats(&mut self, key: &str, values: impl Iterator<Item = f32>) {
        self.packed.clear();
        self.packed.extend(values.flat_map(f32::to_le_bytes));
        self.packed_feature(key, SECOND_FIELD);
    }

    pub(super) fn integers(&mut self, key: &str, values: impl Iterator<Item = i64>) {
        self.packed.clear();
        for value in values {
            // Negative numbers take ten bytes; the shorter zigzag form would be read as another number.
            varint(value as u64, &mut self.packed);
        }
        self.packed_feature(key, THIRD_FIELD);
    }

    fn packed_feature(&mut self, key: &str, kind: u8) {
        self.list.clear();
        if !self.packed.is_empty() {
            field(FIRST_FIELD, &self.packed, &mut self.list);
        }
        self.feature(key, kind);
    }

    /// An entry of the map: the key, and a feature of the list.
    fn feature(&mut self, key: &str, kind: u8) {
        let feature_bytes = 1 + varint_bytes(self.list.len()) + self.list.len();
        let entry_bytes =
            1 + varint_bytes(key.len()) + key.len() + 1 + varint_bytes(feature_bytes) + feature_bytes;
        let out = &mut self.features;
        head(FIRST_FIELD, entry_bytes, out);
        field(FIRST_FIELD, key.as_bytes(), out);
        head(SECOND_FIELD, feature_bytes, out);
        field(kind, &self.list, out);
    }

    /// Appends the example as a record: length, data, and a checksum of each. `None` when it is too large.
    pub(super) fn write_record(&self, out: &mut Vec<u8>) -> Option<()> {
        let mut begin = Vec::with_capacity(8);
        head(FIRST_FIELD, self.features.len(), &mut begin);
        let data_bytes = begin.len() + self.features.len();
        if data_bytes > MOST_BYTES {
            return None;
        }
        let length = (data_bytes as u64).to_le_bytes();
        out.extend_from_slice(&length);
        out.extend_from_slice(&masked(crc32c::crc32c(&length)).to_le_bytes());
        out.extend_from_slice(&begin);
        out.extend_from_slice(&self.features);
        let checksum = crc32c::crc32c_append(crc32c::crc32c(&begin), &self.features);
        out.extend_from_slice(&masked(checksum).to_le_bytes());
        Some(())
    }
}

fn masked(checksum: u32) -> u32 {
    checksum.rotate_right(15).wrapping_add(MASK)
}

fn head(tag: u8, bytes: usize, out: &mut Vec<u8>) {
    out.push(tag);
    varint(bytes as u64, out);
}

fn field(tag: u8, content: &[u8], out: &mut Vec<u8>) {
    head(tag, content.len(), out);
    out.extend_from_slice(content);
}

fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn varint_bytes(value: usize) -> usize {
    (value.max(1).ilog2() as usize) / 7 + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_plain_varints_packed() {
        let mut example = Example::default();
        example.integers("labels", [1, 0, -100].into_iter());
        let mut out = Vec::new();
        example.write_record(&mut out).unwrap();
        let expected = b"\x0a\x1c\x0a\x1a\x0a\x06labels\x12\x10\x1a\x0e\x0a\x0c\x01\0\x9c\xff\xff\xff\xff\xff\xff\xff\xff\x01";
        assert_eq!(&out[12..out.len() - 4], expected);
        assert_eq!(out[..8], (expected.len() as u64).to_le_bytes());
    }

    #[test]
    fn checksums_are_masked() {
        for (bytes, expected) in [
            (&b""[..], 0xa282_ead8),
            (b"a", 0x28e4_6e78),
            (b"123456789", 0xc78a_b0e5),
            (b"hello world", 0x6dd8_7e00),
        ] {
            assert_eq!(masked(crc32c::crc32c(bytes)), expected);
        }
        assert_eq!(masked(crc32c::crc32c(&96_u64.to_le_bytes())), 0xdac6_2128);
    }

    #[test]
    fn lengths_of_lengths_are_known_before() {
        for value in [0, 1, 127, 128, 16_383, 16_384, usize::from(u16::MAX), 1 << 31, 1 << 40] {
            let mut out = Vec::new();
            varint(value as u64, &mut out);
            assert_eq!(varint_bytes(value), out.len(), "{value}");
        }
    }

    #[test]
    fn empty_lists_keep_their_kind() {
        let mut example = Example::default();
        example.floats("f", std::iter::empty());
        assert_eq!(example.features, b"\x0a\x07\x0a\x01f\x12\x02\x12\x00");
    }
}
