//! Cuts the selection into partitions.

use spanfleet_metastore::{Assignment, PlanReport};
use spanfleet_source::Cut;

use super::{order_of, selection_of};
use crate::{StepError, worker::Ports};

/// Asks the source for partitions; nothing is read but what the cut needs.
pub(crate) async fn plan(ports: &Ports, assignment: &Assignment) -> Result<PlanReport, StepError> {
    let order = order_of(&assignment.job)?;
    let format = spanfleet_formats::open(&order)?;
    let cut = Cut {
        partitions: order.options.partitions,
        needs_labels: format.info().needs_labels,
        at_blocks: super::has_blocks(&order, format.info()),
    };
    let plan = ports.source.plan(&selection_of(&assignment.job, &order), &cut).await?;
    Ok(PlanReport {
        partitions: plan.partitions.into_iter().map(|bounds| bounds.0).collect(),
        schema: plan.schema,
        taken_at: plan.taken_at,
    })
}
