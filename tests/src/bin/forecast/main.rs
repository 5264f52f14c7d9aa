//! Measures what the model needs to know, and holds the model against real runs:
//! `forecast [TEXTS] [COSTS.json]`, on the servers that `with-servers` started.
//!
//! | file | what it is |
//! | --- | --- |
//! | `runs` | jobs on real workers, and what they took |
//! | `transactions` | the metastore and the broker, one call at a time |

mod runs;
mod transactions;

use spanfleet_simulate::{Cores, Costs, Rules, Scenario, simulate};

use runs::{Run, Stand};

/// Enough for the larger cut to have partitions of the usual size.
const TEXTS: usize = 100_000;
/// So few that the store copies the parts when they are sealed.
const LARGE: u32 = 2;
/// The same texts, cut twice: what a partition costs of itself is the difference.
const FEW: u32 = 16;
const MANY: u32 = 160;
/// What the runs are compared over.
const COMPARED: u32 = 48;

/// As the processes of these runs have them.
const RULES: Rules = Rules {
    lease_seconds: 60.0,
    heartbeat_seconds: 12.0,
    sweep_seconds: 1.0,
    dispatcher_looks_seconds: 0.1,
    worker_looks_seconds: 2.0,
    hints_per_user: 64,
    hints_per_round: spanfleet_relay::HINTS_PER_ROUND as usize,
    dispatchers: 1,
};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let texts = arguments.next().map_or(TEXTS, |texts| texts.parse().expect("TEXTS is a number"));
    let stand = Stand::start(texts);
    // The first run fills the caches of everybody.
    stand.run(1, FEW);
    let costs = costs(&stand.run(1, LARGE), &stand.run(1, FEW), &stand.run(1, MANY));
    if let Some(file) = arguments.next() {
        let json = serde_json::to_string_pretty(&costs).expect("numbers are JSON");
        std::fs::write(&file, json + "\n").expect("the costs can be written");
    }
    println!(
        "| workers | slots | partitions | measured s | predicted s | off | plan: measured, predicted s | seal: measured, predicted s |"
    );
    println!("| --: | --: | --: | --: | --: | --: | --: | --: |");
    for workers in [1, 2, 4] {
        let run = stand.run(workers, COMPARED);
        let scenario = scenario(&run, workers);
        let outcome = simulate(&scenario, &RULES, &costs);
        println!(
            "| {workers} | 1 | {} | {:.1} | {:.1} | {:+.0} % | {:.1}, {:.1} | {:.1}, {:.1} |",
            run.partitions,
            run.seconds,
            outcome.seconds,
            (outcome.seconds / run.seconds - 1.0) * 100.0,
            run.plan_seconds,
            outcome.plan_seconds,
            run.seal_seconds,
            outcome.seal_seconds
        );
    }
}

/// Workers and servers share this machine's cores.
fn scenario(run: &Run, workers: u32) -> Scenario {
    Scenario {
        annotations: run.corpus.annotations,
        jobs: 1,
        partitions: Some(run.partitions),
        workers,
        slots: 1,
        cores: Cores::Shared(runs::cores()),
        store_requests_per_second: 3500.0,
        losses_per_worker_day: 0.0,
        replaced_after_seconds: 60.0,
        seed: 1,
    }
}

fn costs(large: &Run, few: &Run, many: &Run) -> Costs {
    use spanfleet_simulate::costs::{Cost, Encode, Seal};

    let corpus = few.corpus;
    let through = |of: fn(&Run) -> f64| {
        Cost::through(
            (u64::from(few.partitions), of(few)),
            (u64::from(many.partitions), of(many)),
            corpus.annotations,
        )
    };
    let (worker, database) = (through(|run| run.worker_cpu), through(|run| run.database_cpu));
    let store = through(|run| run.store_cpu);
    let each = f64::from(many.partitions);
    let slowest = many.worker_cpu.max(many.database_cpu).max(many.store_cpu);
    let seal = through(|run| run.seal_seconds);
    let copied = large.seal_seconds - seal.each * f64::from(large.partitions);
    let gigabytes = corpus.artifact_bytes as f64 / 1e9;
    let (metastore, publish_ms) = transactions::measure();
    Costs {
        measured: runs::measured(),
        format: runs::format(),
        corpus,
        encode: Encode {
            worker,
            database,
            store,
            wait: ((many.encode_seconds - slowest) / each).max(0.0),
            requests: many.requests,
        },
        metastore,
        publish_ms,
        plan_seconds: f64::midpoint(few.plan_seconds, many.plan_seconds) / (corpus.texts as f64 / 1e6),
        seal: Seal {
            each: seal.each,
            copied_per_gigabyte: copied.max(0.0) / gigabytes,
            carried_per_gigabyte: seal.per_million * corpus.annotations as f64 / 1e6 / gigabytes,
        },
    }
}
