//! What a task does, one file a kind.

pub(crate) mod encode;
pub(crate) mod finalize;
pub(crate) mod plan;

use spanfleet_core::{Order, ProjectId, options::Compression};
use spanfleet_formats::{FormatInfo, Layout, catalogue::base_of};
use spanfleet_metastore::JobRow;
use spanfleet_source::Selection;

use crate::StepError;

/// The order of a stored job, checked again: another version may have stored it.
fn order_of(job: &JobRow) -> Result<Order, StepError> {
    let base = base_of(&job.format_name, &job.format_type);
    Ok(Order::new(base, &[&job.options], &job.filter_criteria, job.include)?)
}

/// A split by metadata reads it, whether it is exported or not: the shaper leaves it out of what is encoded.
pub(crate) fn selection(project: ProjectId, order: &Order) -> Selection {
    let mut include = order.include;
    include.metadata |= order.options.split.needs_metadata();
    Selection { project, filter: order.filter.clone(), include }
}

/// Whether files are made of compressed blocks: then their bytes don't depend on the cut only if parts begin
/// where blocks do.
fn has_blocks(order: &Order, info: &FormatInfo) -> bool {
    info.layout == Layout::OneFile && order.options.compression != Compression::None
}
