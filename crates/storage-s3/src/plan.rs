//! How pieces become parts. Stores want parts of 5 MiB to 5 GiB (the last may be smaller), at most 10,000.
//! Small pieces are carried through this process and borrow bytes from the next object until they make a legal
//! part; the rest of that object is copied inside the store.

use std::ops::Range;

use spanfleet_storage::Piece;

pub(crate) const PART_BYTES_MIN: u64 = 5 << 20;
const PART_BYTES_MAX: u64 = 5 << 30;
const PARTS_MAX: u64 = 10_000;

/// A part of the object to compose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// A range of one piece, an object, copied inside the store.
    Copy(Slice),
    /// Ranges of several pieces, carried through this process.
    Carry(Vec<Slice>),
}

/// A range of a piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Slice {
    /// The piece, by its place.
    pub(crate) piece: usize,
    /// The bytes of it.
    pub(crate) range: Range<u64>,
}

/// The parts that make one object of these pieces.
pub(crate) fn plan_compose(pieces: &[Piece]) -> Vec<Part> {
    let whole_bytes: u64 = pieces.iter().map(piece_bytes).sum();
    // Every part but the last has at least this many bytes, so there are never too many of them.
    let part_bytes_min = PART_BYTES_MIN.max(whole_bytes.div_ceil(PARTS_MAX - 1));
    let mut plan = Plan { part_bytes_min, parts: Vec::new(), carried: Vec::new(), carried_bytes: 0 };
    let last = pieces.iter().rposition(|piece| piece_bytes(piece) > 0);
    for (place, piece) in pieces.iter().enumerate().filter(|(_, piece)| piece_bytes(piece) > 0) {
        match piece {
            Piece::Inline(inline) => plan.carry(place, 0..inline.len() as u64),
            Piece::Object { bytes, .. } => plan.object(place, *bytes, Some(place) == last),
        }
    }
    plan.flush();
    plan.parts
}

pub(crate) fn piece_bytes(piece: &Piece) -> u64 {
    match piece {
        Piece::Inline(inline) => inline.len() as u64,
        Piece::Object { bytes, .. } => *bytes,
    }
}

struct Plan {
    part_bytes_min: u64,
    parts: Vec<Part>,
    carried: Vec<Slice>,
    carried_bytes: u64,
}

impl Plan {
    fn object(&mut self, piece: usize, bytes: u64, is_last: bool) {
        let borrowed_bytes = match self.carried_bytes {
            0 => 0,
            carried_bytes => (self.part_bytes_min - carried_bytes).min(bytes),
        };
        let left_bytes = bytes - borrowed_bytes;
        // A small last part is legal; it is worth a copy only where others are copied, since what is carried whole need
        // not be read back.
        let has_copies = || self.parts.iter().any(|part| matches!(part, Part::Copy(_)));
        let is_last_copy = is_last && left_bytes > 0 && has_copies();
        if left_bytes >= self.part_bytes_min || is_last_copy {
            self.carry(piece, 0..borrowed_bytes);
            self.copy(piece, borrowed_bytes..bytes);
        } else {
            self.carry(piece, 0..bytes);
        }
    }

    /// What is carried is sent as soon as it makes a legal part.
    fn carry(&mut self, piece: usize, range: Range<u64>) {
        if range.is_empty() {
            return;
        }
        self.carried_bytes += range.end - range.start;
        self.carried.push(Slice { piece, range });
        if self.carried_bytes >= self.part_bytes_min {
            self.flush();
        }
    }

    fn flush(&mut self) {
        if !self.carried.is_empty() {
            self.parts.push(Part::Carry(std::mem::take(&mut self.carried)));
            self.carried_bytes = 0;
        }
    }

    fn copy(&mut self, piece: usize, range: Range<u64>) {
        let bytes = range.end - range.start;
        let copies = bytes.div_ceil(PART_BYTES_MAX);
        // Of equal size, so that none is too small.
        for copy in 0..copies {
            let cut = |number: u64| {
                range.start + (u128::from(bytes) * u128::from(number) / u128::from(copies)) as u64
            };
            self.parts.push(Part::Copy(Slice { piece, range: cut(copy)..cut(copy + 1) }));
        }
    }
}

#[cfg(test)]
mod tests;
