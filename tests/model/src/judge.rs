//! What must always hold. Rows are judged by the product's `promises`; here is what needs objects and history.

use spanfleet_core::{
    job::{Phase, TaskState},
    promises::broken,
};
use stateright::Property;

use crate::{Fleet, Guard, World, world::Hint};

pub(crate) fn properties() -> Vec<Property<Fleet>> {
    vec![
        Property::always("I1: a downloadable export has the bytes of its manifest", |_, world: &World| {
            world.head.phase != Phase::Succeeded
                || (world.artifact.is_some() && world.artifact == world.manifest)
        }),
        Property::always("I2: a finished partition's object holds its own fence's bytes", parts_stand),
        Property::always("I3: a job is sealed at most once", |_, world: &World| {
            world.successes <= 1 && rows_keep(world, "I3")
        }),
        Property::always("I4: a cancelled job never succeeds", |_, world: &World| {
            !(world.was_cancelled && world.successes > 0) && rows_keep(world, "I4")
        }),
        Property::always("I5: whoever waits has a hint", |_, world: &World| rows_keep(world, "I5")),
        Property::always("I6: fences only grow", |_, world: &World| {
            !world.fence_fell && rows_keep(world, "I6")
        }),
        Property::always("I7: the partitions are counted rightly", |_, world: &World| rows_keep(world, "I7")),
        Property::always("L1: every job goes on", goes_on),
        Property::sometimes("a job completes", |_, world: &World| world.head.phase == Phase::Succeeded),
    ]
}

fn rows_keep(world: &World, invariant: &str) -> bool {
    let artifacts = usize::from(world.manifest.is_some() && world.successes > 0);
    broken(&world.head, artifacts, &world.facts()).iter().all(|(name, _)| *name != invariant)
}

/// While the job may still be sealed from them.
fn parts_stand(fleet: &Fleet, world: &World) -> bool {
    if !matches!(world.head.phase, Phase::Running | Phase::Finalizing | Phase::Failed) {
        return true;
    }
    let stands = |row: &crate::world::Row| {
        let key = if fleet.has(Guard::AttemptScopedKey) { row.reported.unwrap_or(0) } else { 0 };
        row.task.state != TaskState::Done || world.objects.get(&(row.number, key)) == Some(&row.task.fence)
    };
    world.parts().all(stands) && rows_keep(world, "I2")
}

/// Whatever is not done has something that will bring it on: a hint that waits, a message, a lease that will end,
/// or the sweeper.
fn goes_on(fleet: &Fleet, world: &World) -> bool {
    if !world.head.phase.is_open() {
        return true;
    }
    world.rows.iter().any(|row| match row.task.state {
        TaskState::Leased => true,
        TaskState::Ready => row.messages > 0 || row.hint == Hint::Waiting || fleet.has(Guard::ReHint),
        TaskState::Done | TaskState::Failed => false,
    })
}
