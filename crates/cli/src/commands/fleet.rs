//! `spanfleet serve`, `dispatcher` and `worker`: what runs until it is stopped.

use std::{
    future::Future, net::SocketAddr, os::unix::fs::OpenOptionsExt, path::Path, pin::Pin, sync::Arc,
    time::Duration,
};

use axum::serve::ListenerExt;
use prometheus::Registry;
use spanfleet_core::chain;
use spanfleet_dispatcher::{Api, Sweeper, Webhooks, probes, probes::Probes, router, tokens};
use spanfleet_metastore::{Metastore, MetastoreErrorKind};
use spanfleet_queue::Queue;
use spanfleet_relay::Relay;
use spanfleet_storage::Storage;
use spanfleet_worker::{Metrics as WorkerMetrics, Ports, Worker};
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;

use super::{preview::SourcePreviewer, stop_signal, token};
use crate::{
    args::ServeArgs,
    failure::Failure,
    settings::{HINTS_PER_USER, ServeSettings, WorkerSettings},
    wire::Wire,
};

/// How often a dispatcher looks at the outbox for hints of other processes.
pub(super) const RELAY_EVERY: Duration = Duration::from_millis(100);
/// How often a worker does. What it wrote itself it sends at once; a thousand that look as often as dispatchers would
/// keep the database busy with nothing else.
pub(super) const WORKER_RELAY_EVERY: Duration = Duration::from_secs(2);

/// Everything in one process.
pub(super) async fn serve(wire: &Wire, args: &ServeArgs) -> Result<(), Failure> {
    let listener = listen(args.serve.listen).await?;
    let node = Node::open(wire, args.serve.hints_per_user, RELAY_EVERY).await?;
    let address = listener.local_addr()?;
    let token = first_token(node.metastore.as_ref(), wire.data_dir()).await?;
    let mut parts = JoinSet::new();
    let worker = node.start_worker(wire, &args.worker, &mut parts)?;
    node.start_dispatcher(wire, &args.serve, Some(worker), listener, &mut parts)?;
    eprintln!("spanfleet serves http://{address}/#token={token}");
    run_until_stopped(&node.stop, parts).await
}

/// The API, the relay and the sweeper of a fleet.
pub(super) async fn dispatcher(wire: &Wire, args: &ServeSettings) -> Result<(), Failure> {
    wire.expect_broker("dispatcher")?;
    let listener = listen(args.listen).await?;
    let node = Node::open(wire, args.hints_per_user, RELAY_EVERY).await?;
    let mut parts = JoinSet::new();
    node.start_dispatcher(wire, args, None, listener, &mut parts)?;
    run_until_stopped(&node.stop, parts).await
}

/// A worker of a fleet, with its metrics and probes.
pub(super) async fn worker(wire: &Wire, args: &WorkerSettings) -> Result<(), Failure> {
    wire.expect_broker("worker")?;
    let listener = listen(args.metrics_listen).await?;
    let node = Node::open(wire, HINTS_PER_USER, WORKER_RELAY_EVERY).await?;
    let mut parts = JoinSet::new();
    let worker = node.start_worker(wire, args, &mut parts)?;
    tracing::info!(listen = %listener.local_addr()?, "worker is up");
    parts.spawn(serve_http(listener, probes::router(node.probes(Some(worker), None)), node.stop.clone()));
    run_until_stopped(&node.stop, parts).await
}

async fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    let advice = "name a free one with `--listen` or, for a worker, `--metrics-listen`";
    TcpListener::bind(address)
        .await
        .map_err(|error| Failure::new(format!("can't listen on `{address}`: {error}; {advice}")))
}

/// What every process of a fleet holds.
struct Node {
    metastore: Arc<dyn Metastore>,
    queue: Arc<dyn Queue>,
    storage: Arc<dyn Storage>,
    relay: Arc<Relay>,
    registry: Registry,
    stop: CancellationToken,
}

impl Node {
    /// Opens the ports. A wrong set-up ends the process with one line; a server that does not answer yet is
    /// waited for, with readiness off.
    async fn open(wire: &Wire, hints_per_user: u32, relay_every: Duration) -> Result<Node, Failure> {
        let metastore = wire.metastore().await?;
        let checked = match metastore.check().await {
            // A server that goes away between the two is waited for as well.
            Ok(()) => spanfleet_dispatcher::catalogue::sync(metastore.as_ref()).await,
            Err(error) => Err(error),
        };
        match checked {
            Err(error) if error.kind == MetastoreErrorKind::Transient => {
                tracing::warn!(error = chain(&error), "the database does not answer yet");
            }
            checked => checked?,
        }
        let queue = wire.queue().await?;
        let relay = Relay::new(metastore.clone(), queue.clone(), hints_per_user, relay_every);
        Ok(Node {
            metastore,
            queue,
            storage: wire.storage().await?,
            relay,
            // Drivers count here too.
            registry: prometheus::default_registry().clone(),
            stop: stop_signal()?,
        })
    }

    fn start_worker(
        &self,
        wire: &Wire,
        args: &WorkerSettings,
        parts: &mut Parts,
    ) -> Result<Arc<Worker>, Failure> {
        let ports = Ports {
            metastore: self.metastore.clone(),
            queue: self.queue.clone(),
            source: wire.source()?,
            storage: self.storage.clone(),
            relay: self.relay.clone(),
        };
        let worker = Worker::new(ports, args.worker(), Arc::new(WorkerMetrics::register(&self.registry)?));
        let (working, stop) = (worker.clone(), self.stop.clone());
        parts.spawn(async move { Ok(working.run(stop).await?) });
        let (relay, stop) = (self.relay.clone(), self.stop.clone());
        parts.spawn(async move {
            relay.run(stop).await;
            Ok(())
        });
        Ok(worker)
    }

    fn start_dispatcher(
        &self,
        wire: &Wire,
        args: &ServeSettings,
        worker: Option<Arc<Worker>>,
        listener: TcpListener,
        parts: &mut Parts,
    ) -> Result<(), Failure> {
        let metrics = Arc::new(spanfleet_dispatcher::Metrics::register(&self.registry)?);
        let settings = args.dispatcher();
        let (metastore, storage, relay) = (self.metastore.clone(), self.storage.clone(), self.relay.clone());
        let sweeper = Sweeper::new(
            metastore.clone(),
            storage.clone(),
            relay.clone(),
            metrics.clone(),
            settings.clone(),
        );
        let previewer = Arc::new(SourcePreviewer(wire.source()?));
        let stop = self.stop.clone();
        let webhooks = Webhooks::new(metastore.clone(), settings.webhooks.clone());
        let api = Api::new(metastore, storage, relay.clone(), metrics.clone(), settings, previewer, stop);
        let relays_already = worker.is_some();
        let app = router(api, self.probes(worker, Some(metrics)));
        parts.spawn(serve_http(listener, app, self.stop.clone()));
        let (sweeping, stop) = (sweeper.clone(), self.stop.clone());
        parts.spawn(async move {
            tokio::join!(
                sweeping.sweep_tasks(stop.clone()),
                sweeper.remove_objects(stop.clone()),
                sweeper.check_promises(stop.clone()),
                sweeper.collect_orphans(stop.clone()),
                webhooks.run(stop)
            );
            Ok(())
        });
        if !relays_already {
            let stop = self.stop.clone();
            parts.spawn(async move {
                relay.run(stop).await;
                Ok(())
            });
        }
        Ok(())
    }

    /// Readiness by dependency; a stopping process is not ready.
    fn probes(
        &self,
        worker: Option<Arc<Worker>>,
        metrics: Option<Arc<spanfleet_dispatcher::Metrics>>,
    ) -> Probes {
        let (metastore, queue, storage, stop) =
            (self.metastore.clone(), self.queue.clone(), self.storage.clone(), self.stop.clone());
        let readiness: probes::Readiness = Arc::new(move || {
            let (metastore, queue, storage, stop, worker) =
                (metastore.clone(), queue.clone(), storage.clone(), stop.clone(), worker.clone());
            Box::pin(async move {
                let (database, broker, store) =
                    tokio::join!(timed(metastore.check()), timed(queue.check()), timed(storage.check()));
                let setup = worker.and_then(|worker| worker.wrong_setup()).map_or(Ok(()), Err);
                let running = if stop.is_cancelled() { Err("stopping".to_owned()) } else { Ok(()) };
                vec![
                    ("database", database),
                    ("queue", broker),
                    ("artifacts", store),
                    ("setup", setup),
                    ("running", running),
                ]
            })
        });
        let metastore = self.metastore.clone();
        let refresh: probes::Refresh = Arc::new(move || {
            let (metastore, metrics) = (metastore.clone(), metrics.clone());
            Box::pin(async move {
                let Some(metrics) = metrics else { return };
                match metastore.backlog().await {
                    Ok(backlog) => metrics.show(&backlog),
                    Err(error) => tracing::warn!(%error, "can't read the backlog"),
                }
            }) as Pin<Box<dyn Future<Output = ()> + Send>>
        });
        Probes { registry: self.registry.clone(), readiness, refresh }
    }
}

/// A check that answers in time.
async fn timed<E: std::error::Error>(check: impl Future<Output = Result<(), E>>) -> Result<(), String> {
    match tokio::time::timeout(Duration::from_secs(5), check).await {
        Ok(answer) => answer.map_err(|error| chain(&error)),
        Err(_) => Err("does not answer".to_owned()),
    }
}

type Parts = JoinSet<Result<(), Failure>>;

async fn serve_http(
    listener: TcpListener,
    app: axum::Router,
    stop: CancellationToken,
) -> Result<(), Failure> {
    // An event that follows another must not wait for the client's delayed acknowledgement.
    let listener = listener.tap_io(|connection| {
        if let Err(error) = connection.set_nodelay(true) {
            tracing::debug!(%error, "a connection stays without TCP_NODELAY");
        }
    });
    Ok(axum::serve(listener, app).with_graceful_shutdown(stop.cancelled_owned()).await?)
}

/// Waits for all parts; one that fails stops the others.
async fn run_until_stopped(stop: &CancellationToken, mut parts: Parts) -> Result<(), Failure> {
    let mut outcome = Ok(());
    while let Some(part) = parts.join_next().await {
        let part = part.unwrap_or_else(|panic| Err(Failure::new(panic.to_string())));
        stop.cancel();
        if outcome.is_ok() {
            outcome = part;
        }
    }
    outcome
}

/// The token of the data directory; made, with its owner, at the first start or when the database is new.
async fn first_token(metastore: &dyn Metastore, data_dir: &Path) -> Result<String, Failure> {
    let file = data_dir.join("token");
    if let Ok(known) = std::fs::read_to_string(&file)
        && metastore.caller(&tokens::hash(known.trim())).await?.is_some()
    {
        return Ok(known.trim().to_owned());
    }
    let token = token::create(metastore, "local", &[], true, None).await?;
    std::fs::create_dir_all(data_dir)?;
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&file)?;
    std::io::Write::write_all(&mut file, format!("{token}\n").as_bytes())?;
    Ok(token)
}
