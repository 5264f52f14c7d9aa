//! Processes that die at named steps: each step, each time.

use rustix::process::Signal;
use serde_json::json;
use spanfleet_crash::POINTS;
use spanfleet_tests::wait_until;

use super::{PATIENCE, Trial};

fn points(of: &str) -> impl Iterator<Item = &'static str> {
    POINTS.into_iter().filter(move |point| point.starts_with(of))
}

/// A worker dies; another ends its work.
fn worker_dies_at(trial: &Trial, point: &'static str) {
    let uuid = trial.ask();
    let mut victim =
        trial.fleet.worker_with(&format!("victim-{point}"), "1", &[("SPANFLEET_CRASH_AT", point)]);
    let end = victim.wait_for_end(PATIENCE);
    assert!(!end.success() && victim.output().contains(point), "{point}: {}", victim.output());
    let _worker = trial.fleet.worker(&format!("after-{point}"), "1");
    trial.ends_well(&uuid);
}

#[test]
fn kill_of_a_worker_while_it_encodes() {
    let trial = Trial::start();
    for point in ["worker-claimed", "worker-part-written", "worker-part-committed"] {
        worker_dies_at(&trial, point);
    }
}

#[test]
fn kill_of_a_worker_while_it_seals() {
    let trial = Trial::start();
    for point in ["worker-manifest-written", "worker-final-committed"] {
        worker_dies_at(&trial, point);
    }
    trial.leaves_only(4);
}

#[test]
#[ignore = "takes minutes: `make faults`"]
fn kill_of_a_worker_at_every_step() {
    let trial = Trial::start();
    for point in points("worker-") {
        worker_dies_at(&trial, point);
    }
}

/// A worker stalls at a step until another has done its work, and then goes on as if nothing had been: its report is
/// refused, and whatever it still writes changes nothing that stands.
fn worker_stalls_at(trial: &Trial, point: &'static str) {
    let uuid = trial.ask();
    let mut late = trial.fleet.worker_with(&format!("late-{point}"), "1", &[("SPANFLEET_STALL_AT", point)]);
    late.wait_for_line(point, PATIENCE);
    let mut worker = trial.fleet.worker(&format!("instead-{point}"), "1");
    trial.ends_well(&uuid);
    late.signal(Signal::CONT);
    late.wait_for_line("end outcome", PATIENCE);
    trial.ends_well(&uuid);
    for process in [&mut late, &mut worker] {
        process.signal(Signal::TERM);
        assert!(process.wait_for_end(PATIENCE).success(), "{}", process.output());
    }
    trial.is_sound();
}

/// The one that comes back seals what is sealed already.
#[test]
fn two_finalizers_at_once() {
    let trial = Trial::start();
    for point in ["worker-files-sealed", "worker-final-reported"] {
        worker_stalls_at(&trial, point);
    }
    trial.leaves_only(4);
}

#[test]
fn a_worker_comes_back_late_with_a_part() {
    let trial = Trial::start();
    for point in ["worker-attempt-noted", "worker-part-reported"] {
        worker_stalls_at(&trial, point);
    }
}

#[test]
#[ignore = "takes minutes: `make faults`"]
fn a_worker_comes_back_late_at_every_step() {
    let trial = Trial::start();
    for point in points("worker-").filter(|point| !["worker-done", "worker-parts-deleted"].contains(point)) {
        worker_stalls_at(&trial, point);
    }
}

/// Between insert and publish, between publish and mark: the repeated request is the same job, and it ends.
#[test]
fn kill_of_the_dispatcher_between_insert_and_publish_and_between_publish_and_mark() {
    let mut trial = Trial::start();
    for point in ["dispatcher-job-stored", "relay-hints-taken", "relay-hints-sent"] {
        trial.fleet.restart_dispatcher(&[("SPANFLEET_CRASH_AT", point)]);
        let ask = |trial: &Trial| {
            let body = Some(Trial::order().to_string());
            trial.fleet.api.try_call("POST", "/export/create-job", body, &[("idempotency-key", point)])
        };
        let first = ask(&trial).map(|reply| reply.json()["job_uuid"].clone());
        assert!(!trial.fleet.dispatcher.wait_for_end(PATIENCE).success(), "{point}");
        trial.fleet.restart_dispatcher(&[]);
        let second = ask(&trial).unwrap().json()["job_uuid"].clone();
        assert!(first.is_none_or(|first| first == second), "{point}: two jobs for one key");
        let _worker = trial.fleet.worker(&format!("after-{point}"), "1");
        trial.ends_well(second.as_str().unwrap());
    }
    let jobs = trial.fleet.api.get("/export/jobs").json();
    assert_eq!(jobs["jobs"].as_array().unwrap().len(), 3);
}

/// Expiry begins again after a crash at each of its deletions; a download is refused from the mark on.
#[test]
fn expiry_crashes_after_each_delete() {
    let mut trial = Trial::start();
    let _worker = trial.fleet.worker("worker", "1");
    for point in points("dispatcher-")
        .filter(|point| !["dispatcher-job-stored", "dispatcher-leftovers-removed"].contains(point))
    {
        let uuid = trial.ask();
        trial.ends_well(&uuid);
        trial.fleet.restart_dispatcher(&[("SPANFLEET_CRASH_AT", point)]);
        let removed = trial.fleet.api.try_call("DELETE", &format!("/export/jobs/{uuid}"), None, &[]);
        assert!(removed.is_none_or(|reply| reply.status == 200), "{point}");
        assert!(!trial.fleet.dispatcher.wait_for_end(PATIENCE).success(), "{point}");
        trial.fleet.restart_dispatcher(&[]);
        trial.fleet.api.get(&format!("/export/jobs/{uuid}/download")).is_problem(410, "expired");
        trial.leaves_only(0);
        trial.is_sound();
    }
}

#[test]
fn leftovers_are_removed_again_after_a_crash() {
    let mut trial = Trial::start();
    trial.fleet.restart_dispatcher(&[("SPANFLEET_CRASH_AT", "dispatcher-leftovers-removed")]);
    let uuid = trial.ask();
    // What this one leaves is known to nobody.
    let mut victim = trial.fleet.worker_with("victim", "1", &[("SPANFLEET_CRASH_AT", "worker-part-written")]);
    assert!(!victim.wait_for_end(PATIENCE).success());
    let _worker = trial.fleet.worker("worker", "1");
    assert!(!trial.fleet.dispatcher.wait_for_end(PATIENCE).success());
    trial.fleet.restart_dispatcher(&[]);
    trial.ends_well(&uuid);
}

/// A partition that takes its workers with it three times is set aside, the job says so, and a retry does only that.
#[test]
fn a_partition_that_kills_its_workers_is_quarantined() {
    let trial = Trial::start();
    let uuid = trial.ask();
    wait_until("the partition is quarantined", PATIENCE, || {
        let env = [("SPANFLEET_CRASH_AT", "worker-attempt-noted")];
        let mut victim = trial.fleet.worker_with("victim", "1", &env);
        wait_until("it dies, or the job has failed", PATIENCE, || {
            !victim.is_running() || trial.fleet.api.job(&uuid)["status"] == "failed"
        });
        trial.fleet.api.job(&uuid)["status"] == "failed"
    });
    let job = trial.fleet.api.job(&uuid);
    assert!(job["error_message"].as_str().unwrap().contains("lease ran out"), "{job:#}");
    trial.fleet.run(&["fsck", "--deep"]).ok();
    assert_eq!(trial.fleet.api.post(&format!("/export/jobs/{uuid}/retry"), &json!({})).status, 200);
    let _worker = trial.fleet.worker("worker", "1");
    trial.ends_well(&uuid);
}
