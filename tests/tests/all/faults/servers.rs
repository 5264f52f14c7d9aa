//! Database, broker and store: killed, restarted, cut off, slowed, lying.

use spanfleet_tests::{Process, Proxy, Site, wait_until};

use super::{PATIENCE, Trial};

/// A site with two workers at work.
fn at_work() -> (Site, Trial, [Process; 2]) {
    let site = Site::start();
    let trial = Trial::start_on(&site);
    let workers = [trial.fleet.worker("worker-1", "1"), trial.fleet.worker("worker-2", "1")];
    (site, trial, workers)
}

/// While the wire is broken a job is asked for if the API can take it; in the end it is done.
fn survives(wire: fn(&Site) -> &Proxy, faults: &[fn(&Proxy)]) {
    let (site, trial, _workers) = at_work();
    trial.ends_well(&trial.ask());
    for fault in faults {
        let uuid = trial.ask();
        fault(wire(&site));
        let mut looks = 0;
        // Longer than a lease: each look takes 20 ms.
        wait_until("the fault has lasted", PATIENCE, || {
            looks += 1;
            looks > 200
        });
        wire(&site).reset();
        wait_until("the API answers again", PATIENCE, || {
            trial.fleet.api.try_call("GET", "/readyz", None, &[]).is_some_and(|reply| reply.status == 200)
        });
        trial.ends_well(&uuid);
    }
}

#[test]
fn a_worker_cut_off_from_the_store_that_is_slow_or_lies() {
    survives(|site| &site.to_store, &[Proxy::cut, Proxy::deafen, |wire| wire.refuse(503)]);
}

#[test]
#[ignore = "takes minutes: `make faults`"]
fn storage_500_stalls_slow_and_corrupt_parts() {
    survives(|site| &site.to_store, &[Proxy::stall, Proxy::slow, Proxy::corrupt, |wire| wire.refuse(500)]);
}

/// The set-up is wrong: nobody claims, no attempt is burnt, and work goes on when it is mended.
#[test]
fn storage_403_burns_no_attempt() {
    let (site, trial, _workers) = at_work();
    site.to_store.refuse(403);
    let uuid = trial.ask();
    wait_until("a worker has met it", PATIENCE, || {
        let query = "SELECT id, fence FROM export_partitions WHERE last_error_class = 'configuration'";
        !site.ask(query).is_empty()
    });
    let attempts = site.ask("SELECT id, attempts::bigint FROM export_partitions WHERE attempts > 0");
    assert!(attempts.is_empty(), "{attempts:?}");
    site.to_store.reset();
    trial.ends_well(&uuid);
}

#[test]
fn cut_off_from_the_broker() {
    survives(|site| &site.to_broker, &[Proxy::cut, Proxy::reset]);
}

#[test]
#[ignore = "takes minutes: `make faults`"]
fn a_broker_that_stalls_or_answers_nobody() {
    survives(|site| &site.to_broker, &[Proxy::stall, Proxy::slow, Proxy::deafen]);
}

#[test]
fn cut_off_from_the_database() {
    survives(|site| &site.to_database, &[Proxy::cut, Proxy::reset]);
}

/// Deaf: what was written stands, and nobody was told.
#[test]
#[ignore = "takes minutes: `make faults`"]
fn a_database_that_commits_and_disconnects_stalls_or_is_slow() {
    survives(|site| &site.to_database, &[Proxy::deafen, Proxy::stall, Proxy::slow]);
}

#[test]
fn database_and_store_are_killed_and_restarted() {
    survives_kills(&[
        |site| {
            site.postgres.kill9();
            site.postgres.restart();
        },
        |site| {
            site.s3.kill9();
            site.s3.restart();
        },
    ]);
}

/// RabbitMQ 3.10 does not always come back whole from `kill -9`: a queue without a leader is declared anew then.
#[test]
fn the_broker_is_killed_and_restarted() {
    survives_kills(&[|site| {
        site.rabbit.kill9();
        site.rabbit.restart();
    }]);
}

/// The same for certain: the broker answers, and its queue fails everybody with 541, for ever.
#[test]
fn a_queue_that_serves_nobody_is_declared_anew() {
    let (site, trial, _workers) = at_work();
    trial.ends_well(&trial.ask());
    let stop = "ra:stop_server(quorum_queues, {list_to_atom(\"%2F_spanfleet.tasks\"), node()}).";
    site.rabbit.control(&["eval", stop]);
    trial.ends_well(&trial.ask());
}

/// A broker that is short of memory or disk takes no hints: jobs are accepted, the dispatcher says why they wait, and
/// they end once there is room.
#[test]
fn a_broker_short_of_memory_or_disk() {
    let (site, trial, _workers) = at_work();
    let says = |line: &str| {
        let metrics = trial.fleet.api.get("/metrics").body;
        String::from_utf8_lossy(&metrics).lines().any(|found| found == line)
    };
    for (alarm, raise, mend) in [
        ("mem_alarm", ["set_vm_memory_high_watermark", "0"], ["set_vm_memory_high_watermark", "0.4"]),
        ("disk_free_alarm", ["set_disk_free_limit", "999000000000000"], ["set_disk_free_limit", "200MB"]),
    ] {
        site.rabbit.control(&raise);
        let rabbit = site.rabbit.access();
        wait_until("the broker has raised its alarm", PATIENCE, || rabbit.get("nodes")[0][alarm] == true);
        let uuid = trial.ask();
        wait_until("the dispatcher tells of it", PATIENCE, || says("spanfleet_broker_blocked 1"));
        assert_eq!(trial.fleet.api.job(&uuid)["status"], "pending");
        site.rabbit.control(&mend);
        trial.ends_well(&uuid);
        wait_until("the dispatcher tells of the mend", PATIENCE, || says("spanfleet_broker_blocked 0"));
    }
}

fn survives_kills(kills: &[fn(&mut Site)]) {
    let (mut site, trial, _workers) = at_work();
    // RabbitMQ 3.10 that dies in the midst of making a queue can't make it again: see docs/reliability.md.
    trial.ends_well(&trial.ask());
    for kill in kills {
        let uuid = trial.ask();
        kill(&mut site);
        wait_until("the API answers again", PATIENCE, || {
            trial.fleet.api.try_call("GET", "/readyz", None, &[]).is_some_and(|reply| reply.status == 200)
        });
        trial.ends_well(&uuid);
    }
}

/// The metastore is the truth: whatever becomes of the messages, the work is done.
#[test]
fn all_messages_lost_and_the_queue_deleted() {
    let site = Site::start();
    let trial = Trial::start_on(&site);
    let rabbit = site.rabbit.access();
    for loss in ["queues/%2f/spanfleet.tasks/contents", "queues/%2f/spanfleet.tasks"] {
        let uuid = trial.ask();
        wait_until("the hint is published", PATIENCE, || {
            let query = "SELECT count(*), 0::bigint FROM outbox WHERE published_at IS NOT NULL";
            site.ask(query).first().is_some_and(|(count, _)| *count > 0)
        });
        rabbit.delete(loss);
        let _worker = trial.fleet.worker(&format!("worker-{}", loss.len()), "1");
        trial.ends_well(&uuid);
    }
}
