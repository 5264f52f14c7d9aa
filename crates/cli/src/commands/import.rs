//! `spanfleet import`: corpora into the database.

use serde_json::json;
use spanfleet_core::{Filter, Include, options::Partitions};
use spanfleet_source::{Cut, Selection, load::LoadReport};

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
    for (number, bounds) in plan.partitions.iter().enumerate() {
        let mut documents = input.source.read(&selection, bounds).await?;
        while let Some(first) = documents.recv().await {
            let mut batch = first?;
            for _ in 1..BATCHES_AT_ONCE {
                let Some(next) = documents.recv().await else { break };
                batch.extend(next?);
            }
            total.add(loader.load(project.id, batch).await?);
            let texts = total.texts_new + total.texts_unchanged + total.texts_updated;
            progress.show(
                number as u64,
                plan.partitions.len() as u64,
                &format!("{texts} texts, {} annotations", total.annotations),
            );
        }
    }
    progress.end();
    report(args, project.id.0, &total, input.rejected())
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
