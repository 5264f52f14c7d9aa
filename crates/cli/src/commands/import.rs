//! `spanfleet import`: corpora into the database.

use serde_json::json;
use spanfleet_core::{Document, Filter, Include, options::Partitions};
use spanfleet_source::{Bounds, Cut, DocumentStream, Selection, Source, SourceError, load::LoadReport};

use crate::{args::ImportArgs, failure::Failure, progress::Progress, wire::Wire};

/// Everything: an import leaves nothing out.
const ALL: Include = Include { metadata: true, relations: true, hierarchies: true };

/// Batches of the reader that are loaded in one transaction: about 2 MiB, so that the disk's waits are few.
const BATCHES_AT_ONCE: usize = 16;

pub(super) async fn import(wire: &Wire, args: &ImportArgs, is_quiet: bool) -> Result<(), Failure> {
    let input = wire.input(&args.input, args.skip_invalid.as_deref()).await?;
    let metastore = wire.ready_metastore().await?;
    let project = metastore.ensure_project(&args.project).await?;
    let mut loader = wire.loader()?;
    let selection = Selection { project: project.id, filter: Filter::default(), include: ALL };
    let cut = Cut { partitions: Partitions::Auto, needs_labels: false, at_blocks: false };
    let plan = input.source.plan(&selection, &cut).await?;
    let mut progress = Progress::new("import", is_quiet);
    let mut total = LoadReport::default();
    let mut batches = Batches::new(&*input.source, &selection, &plan.partitions);
    let mut waiting = batches.next().await?;
    while let Some(batch) = waiting {
        let (loaded, next) = tokio::join!(loader.load(project.id, batch), batches.next());
        total.add(loaded?);
        let texts = total.texts_new + total.texts_unchanged + total.texts_updated;
        progress.show(
            (plan.partitions.len() - batches.bounds.len()) as u64,
            plan.partitions.len() as u64,
            &format!("{texts} texts, {} annotations", total.annotations),
        );
        waiting = next?;
    }
    progress.end();
    report(args, project.id.0, &total, input.rejected())
}

/// What an input holds, read on while the batch before is loaded.
struct Batches<'i> {
    source: &'i dyn Source,
    selection: &'i Selection,
    /// What was not begun.
    bounds: std::slice::Iter<'i, Bounds>,
    documents: Option<DocumentStream>,
}

impl<'i> Batches<'i> {
    fn new(source: &'i dyn Source, selection: &'i Selection, bounds: &'i [Bounds]) -> Batches<'i> {
        Batches { source, selection, bounds: bounds.iter(), documents: None }
    }

    /// As many documents as are loaded at once; none at the end.
    async fn next(&mut self) -> Result<Option<Vec<Document>>, SourceError> {
        let Some(mut batch) = self.receive().await? else { return Ok(None) };
        for _ in 1..BATCHES_AT_ONCE {
            let Some(more) = self.receive().await? else { break };
            batch.extend(more);
        }
        Ok(Some(batch))
    }

    async fn receive(&mut self) -> Result<Option<Vec<Document>>, SourceError> {
        loop {
            if let Some(documents) = &mut self.documents
                && let Some(batch) = documents.recv().await
            {
                return batch.map(Some);
            }
            let Some(bounds) = self.bounds.next() else { return Ok(None) };
            self.documents = Some(self.source.read(self.selection, bounds).await?);
        }
    }
}

fn report(args: &ImportArgs, project_id: i32, total: &LoadReport, unreadable: u64) -> Result<(), Failure> {
    if args.json.json {
        outln!(
            "{}",
            json!({
                "project": args.project, "project_id": project_id,
                "texts": total.texts_new + total.texts_updated + total.texts_unchanged,
                "texts_new": total.texts_new, "texts_updated": total.texts_updated, "texts_unchanged": total.texts_unchanged,
                "annotations": total.annotations, "relations": total.relations,
                "rejected": unreadable + total.rejected.len() as u64,
            })
        );
    } else {
        outln!("project {} ({project_id})", args.project);
        outln!(
            "  texts        {} new, {} updated, {} unchanged",
            total.texts_new,
            total.texts_updated,
            total.texts_unchanged
        );
        outln!("  annotations  {}", total.annotations);
        outln!("  relations    {}", total.relations);
    }
    if let Some(file) = args.skip_invalid.as_deref().filter(|_| unreadable > 0) {
        eprintln!(
            "{unreadable} records, annotations or relations could not be read; they stand in `{}` with their reasons",
            file.display()
        );
    }
    let refused =
        total.rejected.iter().map(|rejected| format!("text `{}`: {}", rejected.id, rejected.reason));
    let refused: Vec<String> = refused.collect();
    if refused.is_empty() { Ok(()) } else { Err(Failure::new(refused.join("\nerror: "))) }
}
