//! The protocol, searched exhaustively: every order of steps of a small fleet under faults.
//!
//! The job is decided by the product's own `decide` and `decide_job`, judged by the product's own `promises`, and
//! its orphans are chosen by the product's own rule. What is modelled is the world around them: an outbox, a queue
//! that loses and doubles, workers that stall, die and come back late, clocks of which nobody knows anything
//! (a lease may end at any moment), a store in which late writes appear, people who cancel, retry and expire.
//!
//! A [`Guard`] that is dropped must break a promise: the tests drop each, one at a time.
//!
//! | file | what it is |
//! | --- | --- |
//! | `world` | the state: rows, queue, workers, objects |
//! | `steps` | what may happen next, and what comes of it |
//! | `judge` | what must always hold |

mod judge;
mod steps;
mod world;

use stateright::{Model, Property};

pub use steps::Action;
pub use world::World;

/// What the protocol holds its promises by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// A commit carries the fence of its claim.
    FenceOnCommit,
    /// An object's key has the fence in it.
    AttemptScopedKey,
    /// Sealing ends in an update that depends on the job's phase.
    FinalizeCondition,
    /// Hints are stored with what they are about, in one transaction.
    Outbox,
    /// A job is marked as expiring before its objects go.
    MarkBeforeDelete,
    /// A waiting task whose hint was lost gets another.
    ReHint,
    /// An object goes only if its attempt can never commit.
    OrphanRule,
}

impl Guard {
    /// Every guard.
    pub const ALL: [Guard; 7] = [
        Guard::FenceOnCommit,
        Guard::AttemptScopedKey,
        Guard::FinalizeCondition,
        Guard::Outbox,
        Guard::MarkBeforeDelete,
        Guard::ReHint,
        Guard::OrphanRule,
    ];
}

/// A fleet of a certain size, and how much may go wrong.
#[derive(Clone, Debug)]
pub struct Fleet {
    /// Partitions of its one job.
    pub parts: u32,
    /// Workers.
    pub workers: usize,
    /// Messages that are lost or doubled, workers that die, tasks that are given back or fail: so many in all.
    pub faults: u8,
    /// How often leases may end under their holders.
    pub lease_ends: u8,
    /// Whether somebody may cancel, retry or expire the job.
    pub has_people: bool,
    /// The guard that is missing.
    pub dropped: Option<Guard>,
}

impl Fleet {
    fn has(&self, guard: Guard) -> bool {
        self.dropped != Some(guard)
    }
}

impl Model for Fleet {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World::new(self)]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        steps::possible(self, world, actions);
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        steps::after(self, world, action)
    }

    fn properties(&self) -> Vec<Property<Fleet>> {
        judge::properties()
    }
}
