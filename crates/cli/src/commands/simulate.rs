//! `spanfleet simulate`: how long work would take, where it stops scaling, and what it would cost.

use std::fmt::Write as _;

use serde_json::json;
use spanfleet_simulate::{Bill, Cores, Costs, Outcome, Prices, Rules, Scenario, simulate};

use super::fleet::{RELAY_EVERY, WORKER_RELAY_EVERY};
use crate::{args::SimulateArgs, failure::Failure};

pub(super) fn run(args: &SimulateArgs) -> Result<(), Failure> {
    let costs = costs(args)?;
    let rules = rules(args);
    let prices = Prices {
        core_hour: args.price_core_hour,
        gigabyte_month: args.price_gigabyte_month,
        million_requests: args.price_million_requests,
    };
    let rows: Vec<(Outcome, Bill)> = args
        .workers
        .iter()
        .map(|workers| {
            let scenario = scenario(args, *workers);
            let outcome = simulate(&scenario, &rules, &costs);
            let bill = Bill::of(&outcome, &scenario, &costs, &prices);
            (outcome, bill)
        })
        .collect();
    if args.json.json {
        let rows: Vec<_> =
            rows.iter().map(|(outcome, bill)| json!({"outcome": outcome, "bill": bill})).collect();
        outln!("{}", serde_json::to_string_pretty(&json!({"costs": costs, "runs": rows}))?);
    } else {
        out!("{}", table(args, &costs, &rows));
    }
    Ok(())
}

fn costs(args: &SimulateArgs) -> Result<Costs, Failure> {
    let Some(file) = &args.costs else { return Costs::shipped().map_err(Failure::new) };
    let read = std::fs::read_to_string(file).map_err(|error| error.to_string());
    read.and_then(|json| Costs::parse(&json)).map_err(|error| {
        Failure::usage(format!(
            "`{}` holds no costs: {error}; `make simulate-check` writes such a file",
            file.display()
        ))
    })
}

/// The constants of the processes themselves.
fn rules(args: &SimulateArgs) -> Rules {
    Rules {
        lease_seconds: f64::from(args.lease_seconds),
        heartbeat_seconds: spanfleet_worker::heartbeat_every(args.lease_seconds).as_secs_f64(),
        sweep_seconds: spanfleet_dispatcher::Settings::default().sweep_every.as_secs_f64(),
        dispatcher_looks_seconds: RELAY_EVERY.as_secs_f64(),
        worker_looks_seconds: WORKER_RELAY_EVERY.as_secs_f64(),
        hints_per_user: args.hints_per_user,
        hints_per_round: spanfleet_relay::HINTS_PER_ROUND as usize,
        dispatchers: args.dispatchers,
    }
}

fn scenario(args: &SimulateArgs, workers: u32) -> Scenario {
    let apart = Cores::Apart {
        worker: args.worker_cores.unwrap_or_else(|| f64::from(args.slots)),
        database: args.database_cores,
    };
    Scenario {
        annotations: args.annotations as u64,
        jobs: args.jobs,
        partitions: args.partitions,
        workers,
        slots: args.slots,
        cores: args.shared_cores.map_or(apart, Cores::Shared),
        store_requests_per_second: args.store_requests,
        losses_per_worker_day: args.losses_per_day,
        replaced_after_seconds: args.replaced_after,
        seed: args.seed,
    }
}

fn table(args: &SimulateArgs, costs: &Costs, rows: &[(Outcome, Bill)]) -> String {
    let mut out = format!(
        "{} jobs of {} annotations, {}; costs measured {}\n\n",
        args.jobs, args.annotations, costs.format, costs.measured
    );
    let _ = writeln!(
        out,
        "{:>8} {:>11} {:>12} {:>9} {:>9} {:>8} {:>8} {:>8} {:>8}  {:<9} {:>12}",
        "workers",
        "partitions",
        "time",
        "plan",
        "seal",
        "workers",
        "database",
        "job row",
        "store",
        "limit",
        "cost"
    );
    for (outcome, bill) in rows {
        let percent = |share: f64| format!("{:.0} %", share * 100.0);
        let _ = writeln!(
            out,
            "{:>8} {:>11} {:>12} {:>9} {:>9} {:>8} {:>8} {:>8} {:>8}  {:<9} {:>12.2}",
            outcome.workers,
            outcome.partitions,
            duration(outcome.seconds),
            duration(outcome.plan_seconds),
            duration(outcome.seal_seconds),
            percent(outcome.shares.workers),
            percent(outcome.shares.database),
            percent(outcome.shares.job_row),
            percent(outcome.shares.store),
            outcome.limit.as_str(),
            bill.total()
        );
        if outcome.failed_jobs + outcome.expired_leases as u32 > 0 {
            let (leases, jobs) = (outcome.expired_leases, outcome.failed_jobs);
            let _ = writeln!(out, "{:>8} {leases} leases ran out, {jobs} jobs failed", "");
        }
    }
    out
}

fn duration(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match whole {
        0..60 => format!("{seconds:.1} s"),
        60..3600 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3600, whole % 3600 / 60),
    }
}
