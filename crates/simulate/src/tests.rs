//! What must be true of any model of the fleet, whatever things cost.

use crate::{
    Cores, Costs, Limit, Rules, Scenario,
    admission::{Desk, admit},
    costs::Seal,
    simulate,
};

const RULES: Rules = Rules {
    lease_seconds: 60.0,
    heartbeat_seconds: 12.0,
    sweep_seconds: 1.0,
    dispatcher_looks_seconds: 0.1,
    worker_looks_seconds: 2.0,
    hints_per_user: 64,
    hints_per_round: 200,
    dispatchers: 2,
};

fn scenario(workers: u32) -> Scenario {
    Scenario {
        annotations: 100_000_000,
        jobs: 1,
        partitions: Some(1000),
        workers,
        slots: 1,
        cores: Cores::Apart { worker: 1.0, database: 64.0 },
        store_requests_per_second: 3500.0,
        losses_per_worker_day: 0.0,
        replaced_after_seconds: 60.0,
        seed: 1,
    }
}

/// Those shipped, with a plan and a seal that are over soon: what is measured anew changes no test.
fn costs() -> Costs {
    let mut costs = Costs::shipped().unwrap();
    costs.plan_seconds = 0.01;
    costs.seal = Seal { each: 0.001, copied_per_gigabyte: 1.0, carried_per_gigabyte: 1.0 };
    costs
}

#[test]
fn the_same_seed_is_the_same_run() {
    let scenario = Scenario { losses_per_worker_day: 50.0, ..scenario(8) };
    let (one, other) = (simulate(&scenario, &RULES, &costs()), simulate(&scenario, &RULES, &costs()));
    assert_eq!(one, other);
    let different = simulate(&Scenario { seed: 2, ..scenario }, &RULES, &costs());
    assert_ne!(one.seconds.to_bits(), different.seconds.to_bits());
}

#[test]
fn few_workers_share_the_work_evenly() {
    let between = |workers| {
        let outcome = simulate(&scenario(workers), &RULES, &costs());
        assert_eq!((outcome.partitions, outcome.failed_jobs, outcome.refused_claims), (1000, 0, 0));
        outcome.seconds - outcome.plan_seconds - outcome.seal_seconds
    };
    let (one, four) = (between(1), between(4));
    assert!((one / four - 4.0).abs() < 0.2, "{one} {four}");
}

/// One transaction at a time holds a job's row, whatever the number of cores.
#[test]
fn the_row_of_a_job_is_a_limit() {
    let mut costs = costs();
    costs.metastore.claim_ms = 50.0;
    costs.metastore.commit_ms = 50.0;
    let outcome = simulate(&scenario(1000), &RULES, &costs);
    assert!(outcome.seconds > 1000.0 * 0.1, "{outcome:#?}");
    assert_eq!(outcome.limit, Limit::JobRow, "{outcome:#?}");
}

#[test]
fn one_machine_is_shared_by_all() {
    let on_two_cores = |workers| {
        let scenario = Scenario { cores: Cores::Shared(2.0), ..scenario(workers) };
        simulate(&scenario, &RULES, &costs()).seconds
    };
    assert!(on_two_cores(8) > on_two_cores(2) * 0.9);
}

/// Lost workers cost time and no job, unless they are lost faster than a partition takes.
#[test]
fn lost_workers_cost_time() {
    let calm = simulate(&scenario(8), &RULES, &costs());
    let stormy = simulate(&Scenario { losses_per_worker_day: 400.0, ..scenario(8) }, &RULES, &costs());
    assert!(stormy.expired_leases > 0 && stormy.failed_jobs == 0, "{stormy:#?}");
    assert!(stormy.refused_claims > 0, "the broker gives the hints of the lost to others: {stormy:#?}");
    assert!(stormy.seconds > calm.seconds, "{stormy:#?}");
}

#[test]
fn users_take_turns() {
    let mut desks =
        [Desk { waiting: (0..10).collect(), out: 2 }, Desk { waiting: (10..12).collect(), out: 0 }];
    assert_eq!(admit(&mut desks, 3, 4), [10, 11, 0]);
    assert_eq!(admit(&mut desks, 9, 4), [1]);
    assert_eq!((desks[0].out, desks[1].out), (4, 2));
}
