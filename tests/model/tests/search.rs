//! The search itself: everything holds with all guards, and something breaks without each.

#![allow(clippy::unwrap_used, missing_docs)]

use spanfleet_model::{Fleet, Guard};
use stateright::{Checker, HasDiscoveries, Model};

/// Large searches are `make model`.
fn is_large() -> bool {
    std::env::var_os("SPANFLEET_MODEL_LARGE").is_some()
}

fn fleet(parts: u32, workers: usize, faults: u8, lease_ends: u8, has_people: bool) -> Fleet {
    Fleet { parts, workers, faults, lease_ends, has_people, dropped: None }
}

fn search(name: &str, fleet: Fleet) {
    let checker = fleet.checker().threads(2).spawn_dfs().join();
    println!("{name}: {} states", checker.unique_state_count());
    checker.assert_properties();
}

#[test]
fn every_promise_holds_under_faults() {
    search("two workers", fleet(2, 2, 1, 1, false));
    search("one partition, more faults", fleet(1, 2, 2, 2, false));
    search("three partitions", fleet(3, 2, 1, 1, false));
    search("three workers", fleet(2, 3, 1, 2, false));
    search("an empty selection", fleet(0, 2, 2, 2, true));
    search("people", fleet(2, 2, 1, 2, true));
    if is_large() {
        search("two partitions, more faults", fleet(2, 2, 2, 2, true));
        search("three partitions, more faults", fleet(3, 2, 2, 1, false));
        search("three of each", fleet(3, 3, 1, 2, false));
    }
}

/// The promise that a dropped guard breaks, by the beginning of its name.
fn broken_without(guard: Guard) -> Vec<&'static str> {
    let fleet = Fleet { dropped: Some(guard), ..fleet(2, 2, 1, 2, true) };
    let checker = fleet.checker().threads(2).finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    let found = checker.discoveries();
    let mut names: Vec<&'static str> =
        found.keys().filter_map(|name| name.split_once(':')).map(|(invariant, _)| invariant).collect();
    names.sort_unstable();
    println!("without {guard:?}: {names:?} after {} states", checker.unique_state_count());
    names
}

#[test]
fn no_guard_can_be_dropped() {
    for guard in Guard::ALL {
        let expected = match guard {
            Guard::FenceOnCommit | Guard::AttemptScopedKey | Guard::OrphanRule => "I2",
            Guard::FinalizeCondition => "I4",
            Guard::Outbox => "I5",
            Guard::MarkBeforeDelete => "I1",
            Guard::ReHint => "L1",
        };
        let broken = broken_without(guard);
        assert!(!broken.is_empty(), "nothing breaks without {guard:?}: is it needed?");
        assert!(broken.contains(&expected), "without {guard:?}: {broken:?}");
    }
}
