//! `spanfleet export`: a whole job in one process, on the same ports as the fleet.

use std::{fmt::Write as _, path::Path, sync::Arc, time::Duration};

use spanfleet_core::{
    Filter, Order, ProjectId,
    job::Phase,
    losses::{Entry, Kind, Ledger},
    report::Manifest,
};
use spanfleet_dispatcher::Sweeper;
use spanfleet_metastore::{JobRow, Key, Metastore, NewJob, Submitted};
use spanfleet_queue::InProcessQueue;
use spanfleet_relay::Relay;
use spanfleet_source::{Effort, Selection, SelectionCount};
use spanfleet_storage::Storage;
use spanfleet_worker::{Metrics, Ports, Root, Worker};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{order::Asked, stop_signal};
use crate::{
    args::ExportArgs,
    failure::Failure,
    progress::Progress,
    settings,
    wire::{Input, Wire},
};

/// How often the job is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// A laptop's process does not lose its lease to a slow network.
const LEASE_SECONDS: u32 = 600;
/// The artifacts of a one-shot export are the user's own; the job is forgotten with the process.
const EXPIRES_IN_SECONDS: i64 = 7 * 24 * 60 * 60;

pub(super) async fn export(wire: &Wire, args: &ExportArgs, is_quiet: bool) -> Result<(), Failure> {
    let asked = Asked::read(&args.order)?;
    let order = asked.check()?;
    let storage = wire.storage_at(&args.out).await?;
    let input = wire.input(&args.input, args.skip_invalid.as_deref()).await?;
    storage.check().await?;
    input.source.check().await?;
    if !is_quiet {
        tell_selected(&input, &order).await?;
    }
    clear_earlier(storage.as_ref()).await?;

    let one_shot = OneShot::start(wire, &input, storage.clone(), args.jobs).await?;
    let job = one_shot.submit(&asked, &order, input.project).await?;
    let mut progress = Progress::new("export", is_quiet);
    let ended = one_shot.follow(job, &mut progress).await;
    progress.end();
    one_shot.stop().await;
    let row = ended?;
    if row.head.phase != Phase::Succeeded {
        discard(storage.as_ref()).await;
        return Err(Failure::new(
            row.error_message.unwrap_or_else(|| "stopped; nothing was written".to_owned()),
        ));
    }
    let manifest: Manifest =
        serde_json::from_slice(&storage.read("manifest.json", 0, u64::from(u32::MAX)).await?)?;
    print(&manifest, args, &storage.address(), input.rejected())?;
    check_losses(&manifest, args.strict)
}

/// What a filter matches, told before anything is written. Files are read once more for it.
async fn tell_selected(input: &Input, order: &Order) -> Result<(), Failure> {
    if order.filter == Filter::default() {
        return Ok(());
    }
    let project = input.project.unwrap_or(ProjectId(0));
    let selection = Selection { project, filter: order.filter.clone(), include: order.include };
    let count = input.source.count(&selection, Effort::Whole).await?;
    if let Some(SelectionCount { texts, annotations }) = count {
        eprintln!("the filter matches {texts} texts, {annotations} annotations");
    }
    Ok(())
}

/// Everything that a job needs, running.
struct OneShot {
    metastore: Arc<dyn Metastore>,
    relay: Arc<Relay>,
    stop: CancellationToken,
    asked_to_stop: CancellationToken,
    worker: tokio::task::JoinHandle<Result<(), spanfleet_queue::QueueError>>,
}

impl OneShot {
    async fn start(
        wire: &Wire,
        input: &Input,
        storage: Arc<dyn Storage>,
        jobs: Option<u16>,
    ) -> Result<OneShot, Failure> {
        let metastore = wire.passing_metastore().await?;
        let queue = Arc::new(InProcessQueue::new());
        let relay = Relay::new(metastore.clone(), queue.clone(), u32::MAX, Duration::from_millis(100));
        let registry = prometheus::Registry::new();
        let sweeper = Sweeper::new(
            metastore.clone(),
            storage.clone(),
            relay.clone(),
            Arc::new(spanfleet_dispatcher::Metrics::register(&registry)?),
            spanfleet_dispatcher::Settings::default(),
        );
        let settings = spanfleet_worker::Settings {
            slots: jobs.unwrap_or_else(settings::cores).max(1),
            lease_seconds: LEASE_SECONDS,
            owner: settings::owner(),
            stop_grace: Duration::ZERO,
            root: Root::Whole,
            fails_on_configuration: true,
        };
        let ports = Ports {
            metastore: metastore.clone(),
            queue,
            source: input.source.clone(),
            storage,
            relay: relay.clone(),
        };
        let worker = Worker::new(ports, settings, Arc::new(Metrics::register(&registry)?));
        let stop = CancellationToken::new();
        let (relaying, relay_stop, sweep_stop) = (relay.clone(), stop.clone(), stop.clone());
        tokio::spawn(async move { relaying.run(relay_stop).await });
        tokio::spawn(async move { sweeper.sweep_tasks(sweep_stop).await });
        let worker = tokio::spawn(worker.run(stop.clone()));
        Ok(OneShot { metastore, relay, stop, asked_to_stop: stop_signal()?, worker })
    }

    async fn submit(
        &self,
        asked: &Asked,
        order: &Order,
        project: Option<ProjectId>,
    ) -> Result<Uuid, Failure> {
        let user = self.metastore.ensure_user("local", false).await?;
        let local = self.metastore.ensure_project("local").await?;
        if let Some(row) = &asked.custom {
            self.metastore.sync_formats(std::slice::from_ref(row)).await?;
        }
        let name = asked.custom.as_ref().map_or(order.format.as_str(), |row| row.format_name.as_str());
        let format = self.metastore.format(Key::Name(name)).await?;
        let format = format.ok_or_else(|| Failure::new(format!("format `{name}` is not stored")))?;
        let job = NewJob {
            job_uuid: Uuid::new_v4(),
            project: project.unwrap_or(local.id),
            requested_by: user,
            export_format_id: format.id,
            export_parameters: asked.parameters.clone(),
            options: order.options.to_json().clone(),
            filter_criteria: asked.filter.clone(),
            include: order.include,
            expires_in_seconds: EXPIRES_IN_SECONDS,
            idempotency_key: None,
            traceparent: None,
            template_id: None,
            webhook_url: None,
        };
        match self.metastore.submit(&job).await? {
            Submitted::New(row) | Submitted::Same(row) => {
                self.relay.wake();
                Ok(row.job_uuid)
            }
            Submitted::Conflict => Err(Failure::new("the job was refused")),
        }
    }

    /// Waits until the job ends; a signal cancels it.
    async fn follow(&self, job: Uuid, progress: &mut Progress) -> Result<JobRow, Failure> {
        loop {
            let row = self.metastore.job(job).await?.ok_or_else(|| Failure::new("the job is gone"))?;
            if !row.head.phase.is_open() {
                return Ok(row);
            }
            let (done, total) = (u64::from(row.head.parts_done), u64::from(row.head.parts_total));
            progress.show(done, total, &format!("{done} of {total} partitions, {}", row.head.phase.as_str()));
            tokio::select! {
                () = self.asked_to_stop.cancelled() => drop(self.metastore.cancel(job).await?),
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    async fn stop(self) {
        self.stop.cancel();
        // A worker that panicked has failed its job already.
        drop(self.worker.await);
    }
}

/// Removes what an earlier export left here, so that nothing of it is taken for this one's.
async fn clear_earlier(storage: &dyn Storage) -> Result<(), Failure> {
    let Some(object) = storage.head("manifest.json").await? else { return Ok(()) };
    let text = storage.read("manifest.json", 0, object.bytes).await?;
    let Ok(earlier) = serde_json::from_slice::<Manifest>(&text) else {
        return Err(Failure::new(format!(
            "`{}` holds a `manifest.json` that is not ours; name another `--out`",
            storage.address()
        )));
    };
    let mut keys = vec!["manifest.json".to_owned()];
    keys.extend(earlier.files.into_iter().chain(earlier.beside).map(|file| file.path));
    Ok(storage.delete(&keys).await?)
}

/// Removes the parts of an export that did not come to its end.
async fn discard(storage: &dyn Storage) {
    let removed = async {
        storage.abort_unfinished("parts/").await?;
        let parts = storage.list("parts/").await?.into_iter().map(|object| object.key).collect::<Vec<_>>();
        storage.delete(&parts).await
    };
    if let Err(error) = removed.await {
        tracing::warn!(%error, "can't remove parts; they stand in `parts/`");
    }
}

fn print(manifest: &Manifest, args: &ExportArgs, address: &str, rejected: u64) -> Result<(), Failure> {
    if args.json.json {
        outln!("{}", serde_json::to_string_pretty(manifest)?);
    } else {
        out!("{}", summary(manifest, address));
    }
    if rejected > 0 {
        let file = args.skip_invalid.as_deref().unwrap_or_else(|| Path::new("-"));
        eprintln!(
            "{rejected} records, annotations or relations could not be read; they stand in `{}` with their reasons",
            file.display()
        );
    }
    Ok(())
}

/// What was written and what was lost, for people.
fn summary(manifest: &Manifest, address: &str) -> String {
    let mut out = String::new();
    // Writing to a string can't fail.
    let _ = writeln!(out, "{} → {address}", manifest.format.name);
    for file in &manifest.files {
        let _ = writeln!(
            out,
            "  {:<28} {:>12} bytes  {:>9} texts  {:>9} annotations",
            file.path, file.bytes, file.texts, file.annotations
        );
    }
    out.push_str(&tell_ledger(&Ledger::from_entries(
        manifest.counts,
        manifest.losses.clone(),
        manifest.changes.clone(),
    )));
    if !manifest.losses.is_empty() || !manifest.changes.is_empty() {
        let _ = writeln!(out, "  which ones   losses.jsonl");
    }
    out
}

/// Counts, losses and changes, for people.
pub(super) fn tell_ledger(ledger: &Ledger) -> String {
    let (mut out, counts) = (String::new(), &ledger.counts);
    // Writing to a string can't fail.
    let _ = writeln!(out, "  texts        {} of {}", counts.texts, counts.texts_selected);
    let _ = writeln!(out, "  annotations  {} of {}", counts.annotations_written, counts.annotations_selected);
    if counts.relations_selected > 0 {
        let _ = writeln!(out, "  relations    {} of {}", counts.relations_written, counts.relations_selected);
    }
    for Entry { reason, kind, count, .. } in ledger.losses(0) {
        let _ = writeln!(out, "  lost         {count} {}: {}", plural(kind, count), reason.as_str());
    }
    for Entry { reason, kind, count, .. } in ledger.changes(0) {
        let _ = writeln!(out, "  changed      {count} {}: {}", plural(kind, count), reason.as_str());
    }
    out
}

fn plural(kind: Kind, count: u64) -> &'static str {
    match (kind, count) {
        (Kind::Text, 1) => "text",
        (Kind::Text, _) => "texts",
        (Kind::Annotation, 1) => "annotation",
        (Kind::Annotation, _) => "annotations",
        (Kind::Relation, 1) => "relation",
        (Kind::Relation, _) => "relations",
    }
}

fn check_losses(manifest: &Manifest, is_strict: bool) -> Result<(), Failure> {
    let lost: u64 = manifest.losses.iter().map(|loss| loss.count).sum();
    if is_strict && lost > 0 {
        return Err(Failure::losses(format!("{lost} were lost, see `losses.jsonl`; `--strict` allows none")));
    }
    Ok(())
}
