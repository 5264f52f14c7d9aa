//! Cuts the selection into partitions, and finds what has to be known of all texts before the first is encoded.

use std::{collections::BTreeMap, time::Duration};

use spanfleet_core::{
    Filter, Split,
    card::Stratification,
    job::ErrorClass,
    options::{Duplicates, Partitions, Step},
    split::Stratifier,
};
use spanfleet_formats::support::duplicates::SeenTexts;
use spanfleet_metastore::{Assignment, PlanReport};
use spanfleet_source::{Bounds, Cut, DocumentStream, Effort, Selection};

use super::{order_of, selection};
use crate::{StepError, worker::Ports};

/// A count that takes longer keeps nobody waiting for what the manifest will tell anyway.
const COUNT_LIMIT: Duration = Duration::from_secs(1);

/// Asks the source for partitions; nothing is read but what the cut needs.
pub(crate) async fn plan(ports: &Ports, assignment: &Assignment) -> Result<PlanReport, StepError> {
    let order = order_of(&assignment.job)?;
    let format = spanfleet_formats::open(&order)?;
    let cut = Cut {
        partitions: order.options.partitions,
        needs_labels: format.info().needs_labels,
        at_blocks: super::has_blocks(&order, format.info()),
    };
    let selection = selection(assignment.job.project, &order);
    let mut plan = ports.source.plan(&selection, &cut).await?;
    let wanted = order.options.preprocessing.iter().find_map(|step| match step {
        Step::Deduplicate(kind) => Some(*kind),
        _ => None,
    });
    if let Some(kind) = wanted {
        plan.schema.duplicates = duplicates(ports, &selection, &plan.partitions, kind).await?;
    }
    if let Split::Shares(shares) = &order.options.split
        && let Some(stratifier) = Stratifier::new(shares)
    {
        let (moved, stratification) = stratify(ports, &selection, stratifier).await?;
        (plan.schema.moved, plan.schema.stratification) = (moved, Some(stratification));
    }
    plan.schema.selected = match plan.schema.selected {
        None => ports.source.count(&selection, Effort::Quick(COUNT_LIMIT)).await?,
        known => known,
    };
    Ok(PlanReport {
        partitions: plan.partitions.into_iter().map(|bounds| bounds.0).collect(),
        schema: plan.schema,
        taken_at: plan.taken_at,
    })
}

/// Reads the whole project once, in order, whatever the filter: so a text stays in its split under every filter.
async fn stratify(
    ports: &Ports,
    selection: &Selection,
    mut stratifier: Stratifier,
) -> Result<(BTreeMap<String, String>, Stratification), StepError> {
    let everything = Selection { filter: Filter::default(), ..selection.clone() };
    let cut = Cut { partitions: Partitions::Auto, needs_labels: false, at_blocks: false };
    for bounds in ports.source.plan(&everything, &cut).await?.partitions {
        let mut documents = ports.source.read(&everything, &bounds).await?;
        let looked = tokio::task::spawn_blocking(move || {
            while let Some(batch) = documents.blocking_recv() {
                batch?.iter().for_each(|document| stratifier.add(document));
            }
            Ok::<_, StepError>(stratifier)
        });
        stratifier =
            looked.await.map_err(|panic| StepError::new(ErrorClass::Transient, panic.to_string()))??;
    }
    Ok(stratifier.finish())
}

/// Reads all texts once, in order: which of them is the first of its kind depends on every text before it.
async fn duplicates(
    ports: &Ports,
    selection: &Selection,
    partitions: &[Bounds],
    kind: Duplicates,
) -> Result<Vec<String>, StepError> {
    let (mut seen, mut found) = (SeenTexts::new(kind), Vec::new());
    for bounds in partitions {
        let documents = ports.source.read(selection, bounds).await?;
        let looked = tokio::task::spawn_blocking(move || {
            look_for_duplicates(documents, &mut seen, &mut found).map(|()| (seen, found))
        });
        (seen, found) =
            looked.await.map_err(|panic| StepError::new(ErrorClass::Transient, panic.to_string()))??;
    }
    found.sort_unstable();
    Ok(found)
}

fn look_for_duplicates(
    mut documents: DocumentStream,
    seen: &mut SeenTexts,
    found: &mut Vec<String>,
) -> Result<(), StepError> {
    while let Some(batch) = documents.blocking_recv() {
        for document in batch? {
            if seen.is_duplicate(&document.text) {
                found.push(document.id.into());
            }
        }
    }
    Ok(())
}
