//! Small jobs: how soon one is done, how many can be asked for, what each costs.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use spanfleet_tests::{Fleet, shared};

use crate::corpus;
use crate::report::Section;
use crate::stage::{Figures, listen, timed};

/// Texts of a small job.
const TEXTS: usize = 10;
/// One after the other, to an idle fleet.
const ALONE: usize = 50;
/// Asked for at once.
const MANY: usize = 10_000;
/// Clients that ask.
const CLIENTS: usize = 16;
const PATIENCE: Duration = Duration::from_mins(20);

/// Measures them.
pub(crate) fn measure() -> Section {
    let mut section = Section::new("Small jobs");
    let folder = tempfile::tempdir().expect("a folder can be made");
    let corpus = corpus::generate(folder.path(), TEXTS).expect("the corpus can be written");
    let settings = [("SPANFLEET_LOG", "warn"), ("SPANFLEET_LEASE_SECONDS", "60")];
    let fleet = Fleet::start_with(shared().fresh_bucket(), &corpus.to_string_lossy(), &settings);
    let rows = [alone(&fleet), submissions(&fleet), drain(&fleet)];
    section.say(format!(
        "Exports of {TEXTS} texts; the broker, the database and the store on the same machine as one dispatcher and one \
         worker of two slots."
    ));
    section.table(&["what", "figure"], &rows.concat());
    section
}

fn order() -> Value {
    json!({"project": "news", "format": "conll"})
}

fn alone(fleet: &Fleet) -> Vec<Vec<String>> {
    let _worker = fleet.worker("alone", "2");
    let mut took = Figures::default();
    for nth in 0..ALONE + 5 {
        let begun = Instant::now();
        let uuid = fleet.api.create(&order());
        // What the answer to `events` ends with is the job's end.
        let events = fleet.api.get(&format!("/export/jobs/{uuid}/events"));
        assert!(String::from_utf8_lossy(&events.body).contains("completed"), "the job did not complete");
        let link = fleet.api.get(&format!("/export/jobs/{uuid}/files"));
        assert_eq!(link.status, 200);
        // The first warm connections.
        if nth >= 5 {
            took.push(begun.elapsed().as_secs_f64() * 1e3);
        }
    }
    vec![vec!["one job on an idle fleet, asked for to downloadable, ms".to_owned(), took.show()]]
}

fn submissions(fleet: &Fleet) -> Vec<Vec<String>> {
    let left = AtomicUsize::new(MANY);
    let begun = Instant::now();
    let (run, ()) = timed(|| {
        std::thread::scope(|scope| {
            for _ in 0..CLIENTS {
                scope.spawn(|| {
                    let agent = ureq::agent();
                    while left
                        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |it| it.checked_sub(1))
                        .is_ok()
                    {
                        ask(&agent, fleet);
                    }
                });
            }
        });
    });
    let per_second = MANY as f64 / begun.elapsed().as_secs_f64();
    let each = |seconds: f64| format!("{:.2}", seconds * 1e3 / MANY as f64);
    vec![
        vec![
            format!("{MANY} jobs asked for by {CLIENTS} clients, each a second"),
            format!("{per_second:.0}"),
        ],
        vec!["CPU ms of each: dispatcher".to_owned(), each(run.cpu.of("spanfleet dispatcher"))],
        vec!["CPU ms of each: PostgreSQL".to_owned(), each(run.cpu.of("postgres"))],
        vec!["CPU ms of each: RabbitMQ".to_owned(), each(run.cpu.of("beam.smp"))],
    ]
}

/// Over a connection that stays open, as a client library has it.
fn ask(agent: &ureq::Agent, fleet: &Fleet) {
    let request = agent.post(format!("{}/export/create-job", fleet.api.url));
    let request = request.header("authorization", format!("Bearer {}", fleet.api.token));
    let mut answer =
        request.content_type("application/json").send(order().to_string()).expect("the job is taken");
    answer.body_mut().read_to_vec().expect("the answer can be read");
}

fn drain(fleet: &Fleet) -> Vec<Vec<String>> {
    let begun = Instant::now();
    let (run, _worker) = timed(|| {
        let worker = fleet.worker("drain", "2");
        let deadline = begun + PATIENCE;
        while let Some(uuid) = open_job(fleet) {
            assert!(Instant::now() < deadline, "the jobs do not end");
            listen(fleet, &uuid);
        }
        worker
    });
    let per_second = MANY as f64 / begun.elapsed().as_secs_f64();
    let each = |seconds: f64| format!("{:.2}", seconds * 1e3 / MANY as f64);
    vec![
        vec![
            format!("{MANY} queued jobs done by one worker of two slots, each a second"),
            format!("{per_second:.0}"),
        ],
        vec!["CPU ms of each: worker".to_owned(), each(run.cpu.of("spanfleet worker"))],
        vec!["CPU ms of each: dispatcher".to_owned(), each(run.cpu.of("spanfleet dispatcher"))],
        vec!["CPU ms of each: PostgreSQL".to_owned(), each(run.cpu.of("postgres"))],
        vec!["CPU ms of each: RabbitMQ".to_owned(), each(run.cpu.of("beam.smp"))],
        vec!["CPU ms of each: the S3 server".to_owned(), each(run.cpu.of("s3-server"))],
    ]
}

/// The newest job that has not ended. Jobs of one user go forward side by side, so that it is among the last.
fn open_job(fleet: &Fleet) -> Option<String> {
    ["processing", "pending"].iter().find_map(|status| {
        let jobs = fleet.api.get(&format!("/export/jobs?status={status}&limit=1")).json();
        jobs["jobs"][0]["job_uuid"].as_str().map(str::to_owned)
    })
}
