//! What may be asked of a metastore. Numbers choose among what there is, so that every sequence can be played.

use proptest::prelude::*;
use spanfleet_core::job::ErrorClass;

/// One request. `job` and `task` count among the life's own, `claim` among all claims ever made, late ones too.
#[derive(Clone, Debug)]
pub(super) enum Command {
    Submit { key: Option<u8>, is_other: bool },
    Claim { task: usize },
    Heartbeat { claim: usize },
    Commit { claim: usize, parts: u32 },
    Release { claim: usize },
    Fail { claim: usize, class: ErrorClass },
    Cancel { job: usize },
    Retry { job: usize },
    Expire { job: usize },
    Emptied { job: usize },
    Download { job: usize },
    TakeHints,
    LeasesEnd,
    BackoffsEnd,
    Sweep,
}

pub(super) fn command() -> impl Strategy<Value = Command> {
    let at = || 0..64_usize;
    let class = prop_oneof![
        3 => Just(ErrorClass::Transient),
        1 => Just(ErrorClass::Throttled),
        1 => Just(ErrorClass::Configuration),
        1 => Just(ErrorClass::Poison),
    ];
    prop_oneof![
        2 => (proptest::option::of(0..3_u8), any::<bool>()).prop_map(|(key, is_other)| Command::Submit { key, is_other }),
        10 => at().prop_map(|task| Command::Claim { task }),
        2 => at().prop_map(|claim| Command::Heartbeat { claim }),
        10 => (at(), 0..4_u32).prop_map(|(claim, parts)| Command::Commit { claim, parts }),
        2 => at().prop_map(|claim| Command::Release { claim }),
        3 => (at(), class).prop_map(|(claim, class)| Command::Fail { claim, class }),
        1 => at().prop_map(|job| Command::Cancel { job }),
        2 => at().prop_map(|job| Command::Retry { job }),
        1 => at().prop_map(|job| Command::Expire { job }),
        1 => at().prop_map(|job| Command::Emptied { job }),
        1 => at().prop_map(|job| Command::Download { job }),
        2 => Just(Command::TakeHints),
        2 => Just(Command::LeasesEnd),
        4 => Just(Command::BackoffsEnd),
        3 => Just(Command::Sweep),
    ]
}
