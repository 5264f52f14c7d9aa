use bytes::Bytes;
use proptest::prelude::*;

use super::*;

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

fn object(bytes: u64) -> Piece {
    Piece::Object { key: "part".to_owned(), bytes }
}

fn inline(bytes: usize) -> Piece {
    Piece::Inline(Bytes::from(vec![0; bytes]))
}

fn copy(piece: usize, range: Range<u64>) -> Part {
    Part::Copy(Slice { piece, range })
}

fn carry<const N: usize>(slices: [(usize, Range<u64>); N]) -> Part {
    Part::Carry(slices.into_iter().map(|(piece, range)| Slice { piece, range }).collect())
}

fn slices(part: &Part) -> &[Slice] {
    match part {
        Part::Copy(slice) => std::slice::from_ref(slice),
        Part::Carry(slices) => slices,
    }
}

fn part_bytes(part: &Part) -> u64 {
    slices(part).iter().map(|slice| slice.range.end - slice.range.start).sum()
}

#[test]
fn a_head_borrows_from_the_object_behind_it() {
    let plan = plan_compose(&[inline(10), object(20 * MIB), inline(7)]);
    let borrowed = 5 * MIB - 10;
    assert_eq!(
        plan,
        [carry([(0, 0..10), (1, 0..borrowed)]), copy(1, borrowed..20 * MIB), carry([(2, 0..7)])]
    );
}

#[test]
fn large_objects_alone_are_only_copied() {
    assert_eq!(plan_compose(&[object(6 * MIB), object(5 * MIB)]), [copy(0, 0..6 * MIB), copy(1, 0..5 * MIB)]);
}

#[test]
fn the_last_object_may_be_small() {
    assert_eq!(plan_compose(&[object(6 * MIB), object(1)]), [copy(0, 0..6 * MIB), copy(1, 0..1)]);
    assert_eq!(plan_compose(&[object(6 * MIB), object(1), inline(0)]).len(), 2);
}

#[test]
fn a_small_last_object_is_no_reason_to_copy() {
    let pieces = [object(3 * MIB), object(3 * MIB), object(3 * MIB)];
    assert_eq!(plan_compose(&pieces), [carry([(0, 0..3 * MIB), (1, 0..3 * MIB)]), carry([(2, 0..3 * MIB)])]);
}

#[test]
fn an_object_that_would_leave_too_little_is_carried_whole() {
    let plan = plan_compose(&[inline(10), object(6 * MIB), object(9 * MIB)]);
    assert_eq!(plan, [carry([(0, 0..10), (1, 0..6 * MIB)]), copy(2, 0..9 * MIB)]);
}

#[test]
fn a_huge_object_is_copied_in_equal_ranges() {
    let plan = plan_compose(&[object(11 * GIB)]);
    assert_eq!(plan.len(), 3);
    assert!(plan.iter().all(|part| part_bytes(part) < 4 * GIB));
}

#[test]
fn twenty_thousand_objects_make_no_more_than_ten_thousand_parts() {
    let pieces = vec![object(6 * MIB); 20_000];
    assert!(plan_compose(&pieces).len() as u64 <= PARTS_MAX);
}

fn any_piece() -> impl Strategy<Value = Piece> {
    prop_oneof![
        3 => (0_usize..200).prop_map(inline),
        1 => (0_usize..12 << 20).prop_map(inline),
        3 => (0..2000_u64).prop_map(object),
        3 => (0..12 * MIB).prop_map(object),
        1 => (4 * MIB..6 * MIB).prop_map(object),
        1 => (0..30 * GIB).prop_map(object),
        1 => (0..400 * GIB).prop_map(object),
    ]
}

proptest! {
    #[test]
    fn every_plan_is_legal_and_complete(pieces in prop::collection::vec(any_piece(), 0..40)) {
        let plan = plan_compose(&pieces);
        prop_assert!(plan.len() as u64 <= PARTS_MAX);
        for (number, part) in plan.iter().enumerate() {
            prop_assert!(part_bytes(part) <= PART_BYTES_MAX);
            prop_assert!(part_bytes(part) >= PART_BYTES_MIN || number + 1 == plan.len());
            if let Part::Copy(slice) = part {
                prop_assert!(matches!(&pieces[slice.piece], Piece::Object { .. }), "only objects can be copied");
            }
        }
        // The slices, one behind the other, are the pieces, one behind the other.
        let mut found = plan.iter().flat_map(slices).peekable();
        for (place, piece) in pieces.iter().enumerate() {
            let mut at = 0;
            while at < piece_bytes(piece) {
                let slice = found.next().expect("the piece is covered");
                prop_assert_eq!((slice.piece, slice.range.start), (place, at));
                prop_assert!(!slice.range.is_empty());
                at = slice.range.end;
            }
            prop_assert_eq!(at, piece_bytes(piece));
        }
        prop_assert!(found.peek().is_none());
    }
}
