//! The model: what happens when, over the stations. What it does to a job is [`decide`]'s word, as in the fleet.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use spanfleet_core::job::{
    Effect, Event, JobHead, Phase, Task, TaskKind, TaskState, backoff_seconds, decide,
};

use crate::{
    admission::{Desk, admit},
    costs::Costs,
    scenario::{Cores, Outcome, Rules, Scenario, Shares},
    station::{Moment, Station},
};

mod fleet;
use fleet::{Busy, DATABASE, Job, Op, Unit, Worker, store};

/// What a station has done.
#[derive(Debug)]
enum Done {
    /// The transaction that holds a job's row.
    Op(usize),
    /// One of the things that a claimed task asks for.
    Part(usize, u64),
    /// Hints are taken from the outbox, to be sent.
    Taken(Vec<usize>),
}

/// What the clock brings.
#[derive(Debug)]
enum Wake {
    /// Somebody may leave a station, unless others have come since.
    Station(usize, u64),
    Part(usize, u64),
    Relay,
    Sent(Vec<usize>),
    Due(usize),
    Beat(usize, u64),
    Sweep(usize, u64),
    Lost(usize),
    Back(usize),
}

/// A run of the model.
pub(crate) struct Model<'m> {
    scenario: &'m Scenario,
    rules: &'m Rules,
    costs: &'m Costs,
    now: f64,
    agenda: BinaryHeap<Reverse<(Moment, u64)>>,
    wakes: Vec<Option<Wake>>,
    stations: Vec<Station<Done>>,
    jobs: Vec<Job>,
    desks: Vec<Desk<usize>>,
    tasks: Vec<Unit>,
    workers: Vec<Worker>,
    idle: VecDeque<(usize, u64)>,
    queue: VecDeque<usize>,
    relay_is_coming: bool,
    chance: StdRng,
    /// How long stations and rows had been at work when the last plan stood, and when the last partition did.
    planned: Busy,
    encoded: Busy,
    refused_claims: u64,
    expired_leases: u64,
}

impl<'m> Model<'m> {
    /// Runs until every job has ended.
    pub(crate) fn run(scenario: &'m Scenario, rules: &'m Rules, costs: &'m Costs) -> Outcome {
        let mut model = Model::new(scenario, rules, costs);
        model.begin();
        while model.jobs.iter().any(|job| job.head.phase.is_open()) {
            let Some(Reverse((Moment(now), number))) = model.agenda.pop() else { break };
            model.now = now;
            if let Some(wake) = model.wakes[number as usize].take() {
                model.wake(wake);
            }
        }
        model.outcome()
    }

    fn at(&mut self, seconds: f64, wake: Wake) {
        self.agenda.push(Reverse((Moment(self.now + seconds), self.wakes.len() as u64)));
        self.wakes.push(Some(wake));
    }

    fn visit(&mut self, station: usize, seconds: f64, what: Done) {
        self.stations[station].arrive(self.now, seconds, what);
        self.announce(station);
    }

    fn announce(&mut self, station: usize) {
        if let Some(end) = self.stations[station].next_end() {
            let generation = self.stations[station].generation;
            self.at(end - self.now, Wake::Station(station, generation));
        }
    }

    fn wake(&mut self, wake: Wake) {
        match wake {
            Wake::Station(station, generation) => {
                if self.stations[station].generation == generation {
                    while let Some(done) = self.stations[station].leave(self.now) {
                        self.done(done);
                    }
                    self.announce(station);
                }
            }
            Wake::Part(task, fence) => self.done(Done::Part(task, fence)),
            Wake::Relay => self.relay(),
            Wake::Sent(hints) => {
                self.queue.extend(hints);
                self.hand_out();
                self.look(0.0);
            }
            Wake::Due(task) => {
                self.tasks[task].task.is_due = true;
                self.hint(task);
                self.look(self.until_a_look());
            }
            Wake::Beat(task, fence) => {
                if self.is_worked_on(task, fence) {
                    self.ask(self.tasks[task].job, Op::Beat);
                    self.at(self.rules.heartbeat_seconds, Wake::Beat(task, fence));
                }
            }
            Wake::Sweep(task, fence) => self.ask(self.tasks[task].job, Op::Sweep(task, fence)),
            Wake::Lost(worker) => self.lose(worker),
            Wake::Back(worker) => self.arrive(worker),
        }
    }

    fn done(&mut self, done: Done) {
        match done {
            Done::Op(job) => {
                let ended = self.jobs[job].ops.pop_front();
                self.jobs[job].row_seconds += self.now - self.jobs[job].row_since;
                if let Some(op) = ended {
                    self.apply(op);
                }
                self.next_op(job);
            }
            Done::Part(task, fence) => {
                if self.is_worked_on(task, fence) {
                    self.tasks[task].parts_left -= 1;
                    if self.tasks[task].parts_left == 0 {
                        self.ask(self.tasks[task].job, Op::Commit(task, fence));
                    }
                }
            }
            Done::Taken(hints) => {
                let seconds = self.costs.publish_ms / 1e3 * hints.len() as f64;
                self.at(seconds, Wake::Sent(hints));
            }
        }
    }

    /// Everything that changes a task holds its job's row first.
    fn ask(&mut self, job: usize, op: Op) {
        self.jobs[job].ops.push_back(op);
        if self.jobs[job].ops.len() == 1 {
            self.next_op(job);
        }
    }

    fn next_op(&mut self, job: usize) {
        let Some(&op) = self.jobs[job].ops.front() else { return };
        let cost = &self.costs.metastore;
        let milliseconds = match op {
            Op::Claim(..) => cost.claim_ms,
            Op::Beat => cost.heartbeat_ms,
            Op::Commit(task, _) if self.tasks[task].task.kind == TaskKind::Plan => {
                cost.commit_ms + cost.plan_row_ms * f64::from(self.jobs[job].partitions)
            }
            Op::Commit(..) | Op::Sweep(..) => cost.commit_ms,
        };
        self.jobs[job].row_since = self.now;
        self.visit(DATABASE, milliseconds / 1e3, Done::Op(job));
    }

    fn apply(&mut self, op: Op) {
        match op {
            Op::Claim(task, worker, life) => self.claim(task, worker, life),
            Op::Commit(task, fence) => self.commit(task, fence),
            Op::Sweep(task, fence) => self.sweep(task, fence),
            Op::Beat => {}
        }
    }

    fn claim(&mut self, task: usize, worker: usize, life: u64) {
        let job = self.tasks[task].job;
        let Ok(step) = decide(&self.jobs[job].head, &self.tasks[task].task, Event::Claim) else {
            self.refused_claims += 1;
            self.free(worker, life);
            return;
        };
        (self.jobs[job].head, self.tasks[task].task) = (step.job, step.task);
        self.desks[job].out = self.desks[job].out.saturating_sub(1);
        self.look(self.until_a_look());
        self.tasks[task].held_by = (worker, life);
        if self.workers[worker].life == life {
            self.begin_task(task);
        } else {
            self.will_expire(task);
        }
    }

    /// What a claimed task asks for. All of it goes on at once.
    fn begin_task(&mut self, task: usize) {
        let Unit { job, annotations, held_by: (worker, _), .. } = self.tasks[task];
        let (kind, fence) = (self.tasks[task].task.kind, self.tasks[task].task.fence);
        let part = || Done::Part(task, fence);
        let cores = self.cores_of(worker);
        self.tasks[task].parts_left = 1;
        match kind {
            TaskKind::Plan => {
                let texts =
                    annotations * self.costs.corpus.texts as f64 / self.costs.corpus.annotations as f64;
                self.visit(DATABASE, self.costs.plan_seconds * texts / 1e6, part());
            }
            TaskKind::Encode => {
                let encode = self.costs.encode;
                self.tasks[task].parts_left = 4;
                self.visit(cores, encode.worker.of(annotations), part());
                self.visit(DATABASE, encode.database.of(annotations), part());
                let requests = encode.requests / self.scenario.store_requests_per_second;
                self.visit(store(job), requests, part());
                self.at(encode.wait, Wake::Part(task, fence));
                if let Cores::Shared(_) = self.scenario.cores {
                    self.tasks[task].parts_left += 1;
                    self.visit(cores, encode.store.of(annotations), part());
                }
            }
            TaskKind::Finalize => {
                let (seal, corpus) = (self.costs.seal, self.costs.corpus);
                let bytes = annotations / corpus.annotations as f64 * corpus.artifact_bytes as f64;
                let parts = f64::from(self.jobs[job].partitions);
                self.visit(cores, seal.of(parts, bytes), part());
            }
        }
        self.at(self.rules.heartbeat_seconds, Wake::Beat(task, fence));
    }

    fn commit(&mut self, task: usize, fence: u64) {
        let (job, (worker, life)) = (self.tasks[task].job, self.tasks[task].held_by);
        let parts = self.jobs[job].partitions;
        if let Ok(step) = decide(&self.jobs[job].head, &self.tasks[task].task, Event::Commit { fence, parts })
        {
            (self.jobs[job].head, self.tasks[task].task) = (step.job, step.task);
            self.follow(job, task, step.effect);
            // Who has committed wakes its own relay.
            self.look(0.0);
        }
        self.free(worker, life);
    }

    fn sweep(&mut self, task: usize, fence: u64) {
        let job = self.tasks[task].job;
        if self.tasks[task].task.fence != fence {
            return;
        }
        self.tasks[task].task.is_lease_over = true;
        if let Ok(step) = decide(&self.jobs[job].head, &self.tasks[task].task, Event::Sweep) {
            self.expired_leases += 1;
            (self.jobs[job].head, self.tasks[task].task) = (step.job, step.task);
            self.follow(job, task, step.effect);
        }
    }

    fn follow(&mut self, job: usize, task: usize, effect: Effect) {
        match effect {
            Effect::None => {}
            Effect::OpenParts => {
                self.jobs[job].planned_at = self.now;
                self.planned = self.busy();
                let share = self.tasks[task].annotations / f64::from(self.jobs[job].partitions);
                for _ in 0..self.jobs[job].partitions {
                    self.open(job, TaskKind::Encode, share);
                }
            }
            Effect::OpenFinalize => {
                self.jobs[job].encoded_at = self.now;
                self.encoded = self.busy();
                self.open(job, TaskKind::Finalize, self.scenario.annotations as f64);
            }
            Effect::Retry { class } => {
                let attempts = self.tasks[task].task.attempts;
                let seconds = backoff_seconds(class, attempts, self.chance.random());
                self.at(seconds, Wake::Due(task));
            }
            Effect::Requeue => self.at(0.0, Wake::Due(task)),
        }
        if !self.jobs[job].head.phase.is_open() {
            self.jobs[job].ended_at = self.now;
        }
    }

    fn open(&mut self, job: usize, kind: TaskKind, annotations: f64) {
        let task = Task {
            kind,
            state: TaskState::Ready,
            fence: 0,
            attempts: 0,
            crashes: 0,
            is_due: true,
            is_lease_over: false,
        };
        self.tasks.push(Unit { job, annotations, task, held_by: (0, 0), parts_left: 0 });
        self.hint(self.tasks.len() - 1);
    }

    fn hint(&mut self, task: usize) {
        self.desks[self.tasks[task].job].waiting.push_back(task);
    }

    /// Somebody will look at the outbox.
    fn look(&mut self, seconds: f64) {
        if !self.relay_is_coming && self.desks.iter().any(|desk| !desk.waiting.is_empty()) {
            self.relay_is_coming = true;
            self.at(seconds, Wake::Relay);
        }
    }

    fn relay(&mut self) {
        self.relay_is_coming = false;
        let hints = admit(&mut self.desks, self.rules.hints_per_round, self.rules.hints_per_user);
        if !hints.is_empty() {
            let seconds = self.costs.metastore.hint_ms / 1e3 * hints.len() as f64;
            self.visit(DATABASE, seconds, Done::Taken(hints));
        }
    }
}
