//! Who is there: workers that come and go, jobs with their rows, and what a run adds up to.

use super::*;

/// A job, as the database and the model know it.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) head: JobHead,
    pub(super) partitions: u32,
    /// Transactions that want its row; the first has it.
    pub(super) ops: VecDeque<Op>,
    pub(super) row_since: f64,
    pub(super) row_seconds: f64,
    pub(super) planned_at: f64,
    pub(super) encoded_at: f64,
    pub(super) ended_at: f64,
}

/// A task and who works on it.
#[derive(Debug)]
pub(super) struct Unit {
    pub(super) job: usize,
    pub(super) annotations: f64,
    pub(super) task: Task,
    /// The worker and which of its lives.
    pub(super) held_by: (usize, u64),
    pub(super) parts_left: u32,
}

/// A place for a process; each process in it is another life.
#[derive(Clone, Copy, Debug)]
pub(super) struct Worker {
    pub(super) life: u64,
}

/// Seconds at work.
#[derive(Debug, Default)]
pub(super) struct Busy {
    pub(super) stations: Vec<f64>,
    pub(super) rows: Vec<f64>,
}

/// A transaction that holds its job's row.
#[derive(Clone, Copy, Debug)]
pub(super) enum Op {
    Claim(usize, usize, u64),
    Beat,
    Commit(usize, u64),
    Sweep(usize, u64),
}

/// The database is the first station, or the machine that everything shares.
pub(super) const DATABASE: usize = 0;

/// The store, as a job's prefix has it. Behind these stand the workers' cores.
pub(super) fn store(job: usize) -> usize {
    1 + job
}

impl<'m> Model<'m> {
    pub(super) fn new(scenario: &'m Scenario, rules: &'m Rules, costs: &'m Costs) -> Model<'m> {
        let (jobs, workers) = (scenario.jobs as usize, scenario.workers as usize);
        let (database, worker) = match scenario.cores {
            Cores::Apart { worker, database } => (database, worker),
            Cores::Shared(cores) => (cores, cores),
        };
        // Every process asks the outbox again and again, whatever there is to do.
        let looks = f64::from(rules.dispatchers) / rules.dispatcher_looks_seconds
            + f64::from(scenario.workers) / rules.worker_looks_seconds;
        let looking = looks * costs.metastore.look_ms / 1e3;
        let mut stations = vec![Station::new((database - looking).max(database * LEAST_LEFT))];
        stations.extend((0..jobs).map(|_| Station::new(1.0)));
        stations.extend((0..workers).map(|_| Station::new(worker)));
        let partitions = partitions(scenario, costs);
        Model {
            scenario,
            rules,
            costs,
            now: 0.0,
            agenda: BinaryHeap::new(),
            wakes: Vec::new(),
            stations,
            jobs: (0..jobs).map(|_| Job::accepted(partitions)).collect(),
            desks: vec![Desk::default(); jobs],
            tasks: Vec::new(),
            workers: vec![Worker { life: 0 }; workers],
            idle: VecDeque::new(),
            queue: VecDeque::new(),
            relay_is_coming: false,
            chance: StdRng::seed_from_u64(scenario.seed),
            refused_claims: 0,
            expired_leases: 0,
            planned: Busy::default(),
            encoded: Busy::default(),
        }
    }

    /// A shared machine is one station, whoever computes.
    pub(super) fn cores_of(&self, worker: usize) -> usize {
        match self.scenario.cores {
            Cores::Apart { .. } => 1 + self.jobs.len() + worker,
            Cores::Shared(_) => DATABASE,
        }
    }

    pub(super) fn begin(&mut self) {
        for worker in 0..self.workers.len() {
            self.arrive(worker);
        }
        for job in 0..self.jobs.len() {
            self.open(job, TaskKind::Plan, self.scenario.annotations as f64);
        }
        self.look(0.0);
    }

    /// Half of the time between two looks of anybody.
    pub(super) fn until_a_look(&self) -> f64 {
        let looks = f64::from(self.rules.dispatchers) / self.rules.dispatcher_looks_seconds
            + f64::from(self.scenario.workers) / self.rules.worker_looks_seconds;
        0.5 / looks
    }

    /// A process begins its life, and its end is drawn.
    pub(super) fn arrive(&mut self, worker: usize) {
        let life = self.workers[worker].life;
        self.idle.extend((0..self.scenario.slots).map(|_| (worker, life)));
        self.hand_out();
        let per_second = self.scenario.losses_per_worker_day / 86_400.0;
        if per_second > 0.0 {
            let until = -(1.0 - self.chance.random::<f64>()).ln() / per_second;
            self.at(until, Wake::Lost(worker));
        }
    }

    /// Nothing is told to anybody: the leases run out, the broker gives the hints to others.
    pub(super) fn lose(&mut self, worker: usize) {
        let life = self.workers[worker].life;
        self.workers[worker].life += 1;
        for task in 0..self.tasks.len() {
            if self.tasks[task].held_by == (worker, life) && self.tasks[task].task.state == TaskState::Leased
            {
                self.queue.push_back(task);
                self.will_expire(task);
            }
        }
        self.hand_out();
        self.at(self.scenario.replaced_after_seconds, Wake::Back(worker));
    }

    /// The last heartbeat was at some time before, the next sweep is at some time after.
    pub(super) fn will_expire(&mut self, task: usize) {
        let since = self.chance.random::<f64>() * self.rules.heartbeat_seconds;
        let after = self.chance.random::<f64>() * self.rules.sweep_seconds;
        let fence = self.tasks[task].task.fence;
        self.at(self.rules.lease_seconds - since + after, Wake::Sweep(task, fence));
    }

    /// Slots take hints in turn, as the broker hands them out.
    pub(super) fn hand_out(&mut self) {
        while !self.queue.is_empty() {
            let Some((worker, life)) = self.idle.pop_front() else { break };
            if self.workers[worker].life != life {
                continue;
            }
            if let Some(task) = self.queue.pop_front() {
                self.ask(self.tasks[task].job, Op::Claim(task, worker, life));
            }
        }
    }

    pub(super) fn free(&mut self, worker: usize, life: u64) {
        self.idle.push_back((worker, life));
        self.hand_out();
    }

    pub(super) fn is_worked_on(&self, task: usize, fence: u64) -> bool {
        let Unit { held_by: (worker, life), task, .. } = &self.tasks[task];
        task.fence == fence && task.state == TaskState::Leased && self.workers[*worker].life == *life
    }

    pub(super) fn busy(&mut self) -> Busy {
        let now = self.now;
        Busy {
            stations: self.stations.iter_mut().map(|station| station.busy(now)).collect(),
            rows: self.jobs.iter().map(|job| job.row_seconds).collect(),
        }
    }

    pub(super) fn outcome(&self) -> Outcome {
        let latest = |of: fn(&Job) -> f64| self.jobs.iter().map(of).fold(0.0, f64::max);
        let (planned, encoded) = (latest(|job| job.planned_at), latest(|job| job.encoded_at));
        let seconds = latest(|job| job.ended_at);
        let between = (encoded - planned).max(f64::MIN_POSITIVE);
        let share = |of: fn(&Busy) -> &[f64], place: usize| {
            let at = |busy| of(busy).get(place).copied().unwrap_or(0.0);
            (at(&self.encoded) - at(&self.planned)) / between
        };
        let station = |place| share(|busy| &busy.stations, place);
        let (first_worker, all) = (store(self.jobs.len()), self.stations.len());
        let workers = match self.scenario.cores {
            Cores::Apart { .. } => {
                (first_worker..all).map(station).sum::<f64>() / (all - first_worker) as f64
            }
            Cores::Shared(_) => station(DATABASE),
        };
        let busiest = |shares: &mut dyn Iterator<Item = f64>| shares.fold(0.0, f64::max);
        let mut outcome = Outcome {
            workers: self.scenario.workers,
            partitions: self.jobs.iter().map(|job| u64::from(job.partitions)).sum(),
            seconds,
            plan_seconds: planned,
            seal_seconds: seconds - encoded,
            failed_jobs: self.jobs.iter().filter(|job| job.head.phase == Phase::Failed).count() as u32,
            refused_claims: self.refused_claims,
            expired_leases: self.expired_leases,
            shares: Shares {
                workers,
                database: station(DATABASE),
                job_row: busiest(&mut (0..self.jobs.len()).map(|job| share(|busy| &busy.rows, job))),
                store: busiest(&mut (store(0)..first_worker).map(station)),
            },
            limit: crate::scenario::Limit::Hints,
        };
        outcome.limit = outcome.limit();
        outcome
    }
}

/// However busy the database is with looks, somebody gets through.
const LEAST_LEFT: f64 = 0.02;

/// As the planner cuts.
fn partitions(scenario: &Scenario, costs: &Costs) -> u32 {
    let share = scenario.annotations as f64 / costs.corpus.annotations as f64;
    let (texts, bytes) = (costs.corpus.texts as f64 * share, costs.corpus.planned_bytes as f64 * share);
    let planned = spanfleet_source::load::cut::parts(texts as u64, bytes as u128);
    scenario.partitions.unwrap_or_else(|| u32::try_from(planned).unwrap_or(u32::MAX))
}

impl Job {
    fn accepted(partitions: u32) -> Job {
        let head = JobHead { phase: Phase::Accepted, parts_total: 0, parts_done: 0, parts_failed: 0 };
        Job {
            head,
            partitions,
            ops: VecDeque::new(),
            row_since: 0.0,
            row_seconds: 0.0,
            planned_at: 0.0,
            encoded_at: 0.0,
            ended_at: 0.0,
        }
    }
}
