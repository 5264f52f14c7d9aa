//! Workers that stall, stop, or have the wrong time; disks that are full; texts that nobody can export; a user with
//! very many partitions.

use std::fs;

use rustix::process::Signal;
use serde_json::json;
use spanfleet_tests::{Fleet, Site, command::spanfleet, shared, wait_until};

use super::{PATIENCE, SHORT, Trial};

/// Its lease ends, another does its work, and when it comes back its report is refused.
#[test]
fn a_worker_stalled_past_its_lease_comes_back_late() {
    let site = Site::start();
    let trial = Trial::start_on(&site);
    let late = trial.fleet.worker("late", "1");
    // Slow enough to be met at work.
    site.to_store.slow();
    let uuid = trial.ask();
    let held = |state: &str| {
        let query =
            format!("SELECT id, fence FROM export_partitions WHERE kind = 'encode' AND state = '{state}'");
        site.ask(&query)
    };
    wait_until("it encodes", PATIENCE, || !held("leased").is_empty());
    late.signal(Signal::STOP);
    site.to_store.mend();
    let stalled = held("leased");
    let _worker = trial.fleet.worker("worker", "1");
    trial.fleet.api.wait_for(&uuid, "completed", PATIENCE);
    late.signal(Signal::CONT);
    trial.ends_well(&uuid);
    for (task, fence) in stalled {
        let done = held("done");
        let (_, by) = done.iter().find(|(id, _)| *id == task).unwrap();
        assert!(*by > fence, "task {task} was done under fence {by}, after one that stalled under {fence}");
    }
    // What it wrote late is collected.
    trial.leaves_only(2);
}

/// Each time a worker is asked to stop it ends well, and what it gives back is no failed attempt.
#[test]
fn sigterm_in_each_phase() {
    let trial = Trial::start();
    let uuid = trial.ask();
    for round in 0..6 {
        let mut worker = trial.fleet.worker(&format!("stopped-{round}"), "1");
        worker.wait_for_line("begin", PATIENCE);
        worker.signal(Signal::TERM);
        assert!(worker.wait_for_end(PATIENCE).success(), "{}", worker.output());
        if trial.fleet.api.job(&uuid)["status"] == "completed" {
            break;
        }
    }
    let _worker = trial.fleet.worker("worker", "1");
    trial.ends_well(&uuid);
}

/// Cancelled before a worker came, while it works, and after the end.
#[test]
fn cancel_in_each_phase() {
    let trial = Trial::start();
    let cancel = |uuid: &str| trial.fleet.api.post(&format!("/export/jobs/{uuid}/cancel"), &json!({}));
    let waiting = trial.ask();
    assert_eq!(cancel(&waiting).json()["status"], "cancelled");
    for point in ["worker-claimed", "worker-plan-committed", "worker-part-written", "worker-manifest-written"]
    {
        let uuid = trial.ask();
        let mut victim = trial.fleet.worker_with(point, "1", &[("SPANFLEET_CRASH_AT", point)]);
        victim.wait_for_end(PATIENCE);
        assert_eq!(cancel(&uuid).json()["status"], "cancelled", "{point}");
    }
    let _worker = trial.fleet.worker("worker", "1");
    trial.leaves_only(0);
    let uuid = trial.ask();
    trial.ends_well(&uuid);
    cancel(&uuid).is_problem(409, "completed");
}

/// Texts that nobody can export fail the job with their id and the reason, at once and for good.
#[test]
fn a_poison_text_and_a_text_with_nul() {
    let work = tempfile::tempdir().unwrap();
    let corpus = work.path().join("poison.jsonl");
    let line = json!({"id": "with-nul", "text": "a\u{0}b and Ada", "annotations": [{"start": 8, "end": 11, "label": "PER"}]});
    fs::write(&corpus, format!("{line}\n")).unwrap();
    // A laptop's files may hold NUL; XML can't, and counts the loss.
    let args = ["-q", "export", corpus.to_str().unwrap(), "-f", "xml", "-o", "out", "--strict"];
    let said = spanfleet(work.path(), &args);
    assert!(matches!(said.status.code(), Some(0 | 3)), "{}", said.err);

    let trial = Trial::start();
    let _worker = trial.fleet.worker("worker", "1");
    let poison = trial.fleet.api.create(&json!({
        "project": "news", "format": "conll", "export_parameters": {"overlap": "error", "partitions": 4}
    }));
    let job = trial.fleet.api.wait_for(&poison, "failed", PATIENCE);
    assert!(job["error_message"].as_str().unwrap().contains("gazette-002"), "{job:#}");
    trial.ends_well(&trial.ask());
}

/// A worker whose clock is ten minutes off: times are the database's, so nothing comes of it.
#[test]
fn a_clock_that_is_ten_minutes_off() {
    let Some(fake) = faketime() else { return println!("skipped: libfaketime is not installed") };
    let trial = Trial::start();
    let env =
        |offset| [("LD_PRELOAD", fake.as_str()), ("FAKETIME", offset), ("FAKETIME_DONT_FAKE_MONOTONIC", "1")];
    let early = trial.fleet.worker_with("early", "1", &env("-10m"));
    let late = trial.fleet.worker_with("late", "1", &env("+10m"));
    for _ in 0..2 {
        trial.ends_well(&trial.ask());
    }
    let minute = |worker: &spanfleet_tests::Process| worker.output().chars().take(16).collect::<String>();
    assert_ne!(minute(&early), minute(&late), "the clocks are not off");
}

fn faketime() -> Option<String> {
    let folders = fs::read_dir("/usr/lib").unwrap().map(|entry| entry.unwrap().path());
    let library =
        folders.map(|folder| folder.join("faketime/libfaketime.so.1")).find(|path| path.exists())?;
    Some(library.to_str().unwrap().to_owned())
}

/// A store of files on a disk that is full: the export says so and leaves nothing half done.
#[test]
fn disk_full() {
    let work = tempfile::tempdir().unwrap();
    // A file can't grow past this: the disk of this process is full after 4 KiB.
    let script = "ulimit -f 4; trap '' XFSZ; exec \"$0\" -q export \"$1\" -f jsonl -o full";
    let program = spanfleet_tests::process::program_of_the_tests("spanfleet");
    let corpus = spanfleet_tests::corpora::repeated_corpus(work.path(), 500);
    let said = std::process::Command::new("bash")
        .current_dir(work.path())
        .args(["-c", script])
        .args([&program, &corpus])
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&said.stderr);
    assert_eq!(said.status.code(), Some(1), "{words}");
    assert!(!words.contains("panicked"), "{words}");
    assert!(!work.path().join("full/manifest.json").exists());
}

/// One user's very many partitions don't keep another's small export waiting.
#[test]
fn a_noisy_user() {
    let mut settings = SHORT.to_vec();
    settings.push(("SPANFLEET_HINTS_PER_USER", "8"));
    let corpus = tempfile::tempdir().unwrap();
    let texts = spanfleet_tests::corpora::repeated_corpus(corpus.path(), 2_000);
    let fleet = Fleet::start_with(shared().fresh_bucket(), texts.to_str().unwrap(), &settings);
    let token = fleet.run(&["token", "create", "--user", "bo", "--project", "news"]).ok().out;
    let quiet = spanfleet_tests::Client { url: fleet.api.url.clone(), token: token.trim().to_owned() };
    let _worker = fleet.worker("worker", "1");
    let order = |partitions: u32| json!({"project": "news", "format": "jsonl", "export_parameters": {"partitions": partitions}});
    let noisy = fleet.api.create(&order(500));
    wait_until("the noisy job runs", PATIENCE, || fleet.done(&noisy) >= 2);
    let small = quiet.create(&order(1));
    quiet.wait_for(&small, "completed", PATIENCE);
    let done = fleet.done(&noisy);
    assert!(done < 400, "the small export waited for {done} partitions of the large one");
}
