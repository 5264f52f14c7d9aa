//! What goes wrong, and how long it takes until work goes on.

use std::time::{Duration, Instant};

use rand::{RngExt as _, rngs::StdRng};
use rustix::process::Signal;
use spanfleet_crash::POINTS;
use spanfleet_tests::{Process, Proxy, wait::wait_for};

use crate::{WORKERS, World};

/// Work goes on within this after a fault, or the promise L1 is broken.
const PATIENCE: Duration = Duration::from_mins(2);
/// Tasks of open jobs, with their fences.
const OPEN_TASKS: &str = "SELECT p.id, p.fence FROM export_partitions p JOIN export_jobs j ON j.id = p.job_id \
     WHERE j.phase IN ('accepted', 'planning', 'running', 'finalizing')";
/// Longer than a lease.
const STALL: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Server {
    Database,
    Broker,
    Store,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Lie {
    Cut,
    Stall,
    Reset,
    Slow,
    Deaf,
}

/// Everything that the soak does to a fleet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    WorkerKilled,
    WorkerStalled,
    WorkerStopped,
    WorkerDiesAt(&'static str),
    DispatcherKilled,
    DispatcherDiesAt(&'static str),
    ServerKilled(Server),
    Wire(Server, Lie),
    StoreCorrupts,
    StoreRefuses(u16),
    MessagesLost,
}

impl Fault {
    pub(crate) fn choose(rng: &mut StdRng) -> Fault {
        let server = [Server::Database, Server::Broker, Server::Store][rng.random_range(0..3)];
        let lie = [Lie::Cut, Lie::Stall, Lie::Reset, Lie::Slow, Lie::Deaf][rng.random_range(0..5)];
        let point = POINTS[rng.random_range(0..POINTS.len())];
        match rng.random_range(0..13) {
            0 | 1 => Fault::WorkerKilled,
            2 => Fault::WorkerStalled,
            3 => Fault::WorkerStopped,
            4 | 5 if point.starts_with("dispatcher") => Fault::DispatcherDiesAt(point),
            4 | 5 => Fault::WorkerDiesAt(point),
            6 => Fault::DispatcherKilled,
            7 => Fault::ServerKilled(server),
            8..=10 => Fault::Wire(server, lie),
            11 if lie == Lie::Cut => Fault::StoreRefuses(500),
            11 if lie == Lie::Slow => Fault::StoreRefuses(503),
            11 => Fault::StoreCorrupts,
            _ => Fault::MessagesLost,
        }
    }

    /// Its kind, in words.
    pub(crate) fn name(self) -> String {
        match self {
            Fault::WorkerKilled => "worker killed".to_owned(),
            Fault::WorkerStalled => "worker stalled past its lease".to_owned(),
            Fault::WorkerStopped => "worker stopped by SIGTERM".to_owned(),
            Fault::WorkerDiesAt(_) => "worker dies at a named step".to_owned(),
            Fault::DispatcherKilled => "dispatcher killed".to_owned(),
            Fault::DispatcherDiesAt(_) => "dispatcher dies at a named step".to_owned(),
            Fault::ServerKilled(server) => format!("{server:?} killed and restarted").to_lowercase(),
            Fault::Wire(server, lie) => format!("wire to the {server:?}: {lie:?}").to_lowercase(),
            Fault::StoreCorrupts => "store gets changed bytes".to_owned(),
            Fault::StoreRefuses(status) => format!("store answers {status}"),
            Fault::MessagesLost => "all messages lost".to_owned(),
        }
    }

    /// Does it, mends it, and waits until work goes on. Returns the time from the mend to the next finished
    /// task; for a worker that is gone, from its end until each of its tasks is another's.
    pub(crate) fn inject(self, world: &mut World, rng: &mut StdRng) -> Option<Duration> {
        let at = rng.random_range(0..WORKERS);
        let hold = Duration::from_millis(rng.random_range(1_000..7_000));
        match self {
            Fault::WorkerKilled => world.lose(at, Process::kill9),
            Fault::WorkerStalled => {
                world.workers[at].signal(Signal::STOP);
                let recovery = world.goes_on_without(at, Instant::now());
                pause(STALL);
                world.workers[at].signal(Signal::CONT);
                recovery
            }
            Fault::WorkerStopped => world.lose(at, |worker| {
                worker.signal(Signal::TERM);
                _ = worker.wait_for_end(PATIENCE);
            }),
            Fault::WorkerDiesAt(point) => {
                world.workers[at].signal(Signal::TERM);
                world.workers[at].wait_for_end(PATIENCE);
                world.workers[at] = world.new_worker(&[("SPANFLEET_CRASH_AT", point)]);
                // Not every step comes by in time.
                _ = wait_for(STALL, || (!world.workers[at].is_running()).then_some(()));
                world.lose(at, Process::kill9)
            }
            Fault::DispatcherKilled => {
                world.fleet.restart_dispatcher(&[]);
                world.goes_on()
            }
            Fault::DispatcherDiesAt(point) => {
                world.fleet.restart_dispatcher(&[("SPANFLEET_CRASH_AT", point)]);
                _ = wait_for(STALL, || (!world.fleet.dispatcher.is_running()).then_some(()));
                world.fleet.restart_dispatcher(&[]);
                world.goes_on()
            }
            Fault::ServerKilled(server) => {
                world.kill(server, hold);
                world.goes_on()
            }
            Fault::Wire(server, lie) => {
                world.wire(server).lie(lie);
                pause(hold);
                world.wire(server).mend();
                world.goes_on()
            }
            Fault::StoreCorrupts => world.store_lies(hold, Proxy::corrupt),
            Fault::StoreRefuses(status) => world.store_lies(hold, |wire| wire.refuse(status)),
            Fault::MessagesLost => {
                world.site.rabbit.access().delete("queues/%2f/spanfleet.tasks/contents");
                world.goes_on()
            }
        }
    }
}

/// A fault lasts a while: this is no wait for anything.
fn pause(time: Duration) {
    _ = wait_for(time, || None::<()>);
}

trait Lies {
    fn lie(&self, lie: Lie);
}

impl Lies for Proxy {
    fn lie(&self, lie: Lie) {
        match lie {
            Lie::Cut => self.cut(),
            Lie::Stall => self.stall(),
            Lie::Reset => self.reset(),
            Lie::Slow => self.slow(),
            Lie::Deaf => self.deafen(),
        }
    }
}

impl World {
    fn wire(&self, server: Server) -> &Proxy {
        match server {
            Server::Database => &self.site.to_database,
            Server::Broker => &self.site.to_broker,
            Server::Store => &self.site.to_store,
        }
    }

    fn kill(&mut self, server: Server, hold: Duration) {
        match server {
            Server::Database => {
                self.site.postgres.kill9();
                pause(hold);
                self.site.postgres.restart();
            }
            Server::Broker => {
                self.site.rabbit.kill9();
                pause(hold);
                self.site.rabbit.restart();
            }
            Server::Store => {
                self.site.s3.kill9();
                pause(hold);
                self.site.s3.restart();
            }
        }
    }

    fn store_lies(&mut self, hold: Duration, lie: impl Fn(&Proxy)) -> Option<Duration> {
        lie(&self.site.to_store);
        pause(hold);
        // Connections that were lied to are not trusted any more.
        self.site.to_store.reset();
        self.goes_on()
    }

    /// Ends a worker, measures until its tasks are others', and puts a new one in its place.
    fn lose(&mut self, at: usize, end: impl Fn(&mut Process)) -> Option<Duration> {
        let held = self.held_by(at);
        end(&mut self.workers[at]);
        let recovery = self.until_taken(&held, Instant::now());
        self.replace(at);
        recovery
    }

    fn goes_on_without(&self, at: usize, since: Instant) -> Option<Duration> {
        self.until_taken(&self.held_by(at), since)
    }

    /// The tasks that a worker holds, with their fences.
    fn held_by(&self, at: usize) -> Vec<(i64, i64)> {
        let pid = self.workers[at].pid();
        self.site.ask(&format!("{OPEN_TASKS} AND p.state = 'leased' AND p.lease_owner LIKE '%/{pid}'"))
    }

    /// Until each was claimed again, or its job ended without it.
    fn until_taken(&self, held: &[(i64, i64)], since: Instant) -> Option<Duration> {
        if held.is_empty() {
            return None;
        }
        let taken = wait_for(PATIENCE, || {
            let still = self.site.ask(&format!("{OPEN_TASKS} AND p.state IN ('leased', 'ready')"));
            (!held.iter().any(|task| still.contains(task))).then_some(())
        });
        taken.map(|()| since.elapsed()).or(Some(PATIENCE))
    }

    /// Until one more task is done than now.
    fn goes_on(&self) -> Option<Duration> {
        let since = Instant::now();
        let done = || self.site.ask("SELECT count(*), 0::bigint FROM export_partitions WHERE state = 'done'");
        let before = done();
        let progress = wait_for(PATIENCE, || (done() > before || !self.has_work()).then_some(()));
        progress.map(|()| since.elapsed()).or(Some(PATIENCE))
    }

    fn has_work(&self) -> bool {
        !self.site.ask(OPEN_TASKS).is_empty()
    }
}
