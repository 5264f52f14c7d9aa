//! The first documents of an order, encoded at once: no job, no store, nothing compressed.

use std::{collections::BTreeSet, time::Duration};

use spanfleet_core::{Document, Ledger, Order, ProjectId, Schema, job::ErrorClass};
use spanfleet_formats::{PartSummary, Shaper, support::framing::assemble};
use spanfleet_source::{Effort, Selection, SelectionCount, Source, SourceError};

use crate::{StepError, steps::selection};

/// What an export would begin with.
#[derive(Clone, Debug)]
pub struct Preview {
    /// A whole small file of the format.
    pub content: Vec<u8>,
    /// Its media type.
    pub media_type: &'static str,
    /// What of these documents was written, lost and changed.
    pub ledger: Ledger,
    /// What the whole order matches; `None` where counting takes long.
    pub selected: Option<SelectionCount>,
}

/// A count that takes longer would keep the preview waiting.
const COUNT_LIMIT: Duration = Duration::from_millis(300);

/// Encodes the first `texts` documents of a selection. The labels are those of these documents, and duplicates are
/// not looked for: the rest of the selection is not read.
pub async fn preview(
    source: &dyn Source,
    project: ProjectId,
    order: Order,
    texts: usize,
) -> Result<Preview, StepError> {
    let selection = selection(project, &order);
    let counting = source.count(&selection, Effort::Quick(COUNT_LIMIT));
    let (selected, documents) = tokio::try_join!(counting, first_documents(source, &selection, texts))?;
    let encoded = tokio::task::spawn_blocking(move || encode(order, documents));
    let encoded = encoded.await.map_err(|panic| StepError::new(ErrorClass::Transient, panic.to_string()))?;
    encoded.map(|shown| Preview { selected, ..shown })
}

/// What an order of a project matches, where it can be told at once.
pub async fn count(
    source: &dyn Source,
    project: ProjectId,
    order: &Order,
) -> Result<Option<SelectionCount>, StepError> {
    Ok(source.count(&selection(project, order), Effort::Quick(COUNT_LIMIT)).await?)
}

async fn first_documents(
    source: &dyn Source,
    selection: &Selection,
    texts: usize,
) -> Result<Vec<Document>, SourceError> {
    let mut documents = Vec::new();
    let Some(bounds) = source.first(selection, texts).await? else { return Ok(documents) };
    let mut batches = source.read(selection, &bounds).await?;
    while documents.len() < texts
        && let Some(batch) = batches.recv().await
    {
        documents.extend(batch?);
    }
    documents.truncate(texts);
    Ok(documents)
}

fn encode(mut order: Order, documents: Vec<Document>) -> Result<Preview, StepError> {
    let read = order.options.read_files(|path| std::fs::read(path));
    read.map_err(|message| StepError::new(ErrorClass::Poison, message))?;
    let format = spanfleet_formats::open(&order)?;
    let mut shaper = Shaper::new(&order, &schema_of(&documents));
    let schema = shaper.schema();
    let mut encoder = format.start(&schema)?;
    let (mut ledger, mut bytes, mut shaped) = (Ledger::default(), Vec::new(), Vec::new());
    for document in documents {
        shaper.shape(document, &mut ledger, &mut shaped);
        for document in shaped.drain(..) {
            encoder.push(&document, &mut bytes, &mut ledger)?;
        }
    }
    let part = PartSummary { texts: ledger.counts.texts, notes: encoder.finish(&mut bytes)? };
    let content = assemble(format.as_ref(), &schema, &[(part, bytes)])?;
    Ok(Preview { content, media_type: format.info().media_type, ledger, selected: None })
}

fn schema_of(documents: &[Document]) -> Schema {
    let labels: BTreeSet<String> = documents
        .iter()
        .flat_map(|document| &document.annotations)
        .map(|annotation| annotation.label.to_string())
        .collect();
    let relation_types: BTreeSet<String> = documents
        .iter()
        .flat_map(|document| &document.relations)
        .map(|relation| relation.kind.to_string())
        .collect();
    Schema {
        labels: labels.into_iter().collect(),
        relation_types: relation_types.into_iter().collect(),
        is_multi_label: documents.iter().any(Document::has_several_labels),
        ..Schema::default()
    }
}
