//! What is asked of the model, and what it answers.

use serde::Serialize;

use crate::costs::Costs;

/// A fleet, its servers, and the work.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// Annotations of each job.
    pub annotations: u64,
    /// Jobs that come at the same moment, each of a user of its own.
    pub jobs: u32,
    /// Partitions of each job; as the planner cuts if left out.
    pub partitions: Option<u32>,
    /// Worker processes.
    pub workers: u32,
    /// Partitions at once in each.
    pub slots: u32,
    /// Who has which cores.
    pub cores: Cores,
    /// Writing requests that the store takes a second under one prefix.
    pub store_requests_per_second: f64,
    /// How often a worker is lost in a day.
    pub losses_per_worker_day: f64,
    /// Seconds until another stands in its place.
    pub replaced_after_seconds: f64,
    /// Makes chance the same each time.
    pub seed: u64,
}

/// Who has which cores.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cores {
    /// Workers and servers each have their own.
    Apart {
        /// Of each worker.
        worker: f64,
        /// Of the database.
        database: f64,
    },
    /// Everything runs on one machine with so many.
    Shared(f64),
}

/// The constants of the protocol, as the processes have them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rules {
    /// How long a claim holds without a heartbeat.
    pub lease_seconds: f64,
    /// How often a heartbeat comes.
    pub heartbeat_seconds: f64,
    /// How often leases are looked at.
    pub sweep_seconds: f64,
    /// How often a dispatcher looks at the outbox unasked.
    pub dispatcher_looks_seconds: f64,
    /// How often a worker does.
    pub worker_looks_seconds: f64,
    /// Hints that one user may have out.
    pub hints_per_user: u32,
    /// Hints that a relay sends at once.
    pub hints_per_round: usize,
    /// Dispatchers.
    pub dispatchers: u32,
}

/// What comes of a scenario.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Outcome {
    /// Worker processes.
    pub workers: u32,
    /// Partitions of all jobs.
    pub partitions: u64,
    /// Until the last job has ended.
    pub seconds: f64,
    /// Of these, until the last plan stood.
    pub plan_seconds: f64,
    /// Of these, from the last partition to the end.
    pub seal_seconds: f64,
    /// Jobs that failed.
    pub failed_jobs: u32,
    /// Claims that were refused.
    pub refused_claims: u64,
    /// Leases that ran out.
    pub expired_leases: u64,
    /// What is at work for which share of the time between.
    pub shares: Shares,
    /// What holds back most.
    pub limit: Limit,
}

/// How much of its time each is at work while partitions are encoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Shares {
    /// The workers' cores.
    pub workers: f64,
    /// The database's cores.
    pub database: f64,
    /// The row of the busiest job, which every claim and report of it holds.
    pub job_row: f64,
    /// What the store takes under the busiest job's prefix.
    pub store: f64,
}

/// What holds back most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// Cores of workers: more of them help.
    Workers,
    /// Cores of the database.
    Database,
    /// The job's row: smaller jobs, or larger partitions, help.
    JobRow,
    /// The store's requests.
    Store,
    /// The plan, which one worker makes.
    Plan,
    /// The seal, which one worker makes.
    Seal,
    /// Fewer partitions than slots, or hints that come too slowly.
    Hints,
}

impl Limit {
    /// The word for people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Limit::Workers => "workers",
            Limit::Database => "database",
            Limit::JobRow => "job row",
            Limit::Store => "store",
            Limit::Plan => "plan",
            Limit::Seal => "seal",
            Limit::Hints => "hints",
        }
    }
}

impl Outcome {
    /// What holds back most: what takes half of the time alone, else what is at work most.
    pub(crate) fn limit(&self) -> Limit {
        if self.seal_seconds.max(self.plan_seconds) > self.seconds / 2.0 {
            return if self.seal_seconds > self.plan_seconds { Limit::Seal } else { Limit::Plan };
        }
        if self.shares.database > FULL {
            // Then a job's row is held for long because its transaction waits for the database.
            return Limit::Database;
        }
        let shares = [
            (self.shares.workers, Limit::Workers),
            (self.shares.database, Limit::Database),
            (self.shares.job_row, Limit::JobRow),
            (self.shares.store, Limit::Store),
        ];
        let busiest = shares.into_iter().max_by(|one, other| one.0.total_cmp(&other.0));
        busiest.filter(|(share, _)| *share > BUSY).map_or(Limit::Hints, |(_, limit)| limit)
    }
}

/// Whoever comes has to wait.
const FULL: f64 = 0.9;
/// What is at work for less of its time holds nobody back.
const BUSY: f64 = 0.6;

/// What things are sold for. The defaults are list prices of no one: give your own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prices {
    /// A core for an hour.
    pub core_hour: f64,
    /// A gigabyte stored for a month.
    pub gigabyte_month: f64,
    /// A million writing requests.
    pub million_requests: f64,
}

/// What a run costs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Bill {
    /// Cores of workers and database while it runs.
    pub cores: f64,
    /// The artifacts for a week, as long as they live.
    pub storage: f64,
    /// Writing requests.
    pub requests: f64,
}

impl Bill {
    /// All of it.
    pub fn total(&self) -> f64 {
        self.cores + self.storage + self.requests
    }

    /// What an outcome costs at these prices.
    pub fn of(outcome: &Outcome, scenario: &Scenario, costs: &Costs, prices: &Prices) -> Bill {
        let cores = match scenario.cores {
            Cores::Apart { worker, database } => worker * f64::from(scenario.workers) + database,
            Cores::Shared(cores) => cores,
        };
        let share = scenario.annotations as f64 / costs.corpus.annotations as f64 * f64::from(scenario.jobs);
        let gigabytes = costs.corpus.artifact_bytes as f64 * share / 1e9;
        Bill {
            cores: cores * outcome.seconds / 3600.0 * prices.core_hour,
            storage: gigabytes * prices.gigabyte_month * WEEK_OF_A_MONTH,
            requests: outcome.partitions as f64 * costs.encode.requests / 1e6 * prices.million_requests,
        }
    }
}

const WEEK_OF_A_MONTH: f64 = 7.0 / 30.0;
