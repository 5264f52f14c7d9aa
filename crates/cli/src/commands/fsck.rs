//! `spanfleet fsck`: the promises of the protocol, checked over database and store.

use spanfleet_dispatcher::fsck::{Depth, fsck};

use crate::{args::FsckArgs, failure::Failure, wire::Wire};

pub(super) async fn check(wire: &Wire, args: &FsckArgs) -> Result<(), Failure> {
    let metastore = wire.ready_metastore().await?;
    let storage = wire.storage().await?;
    let depth = if args.deep { Depth::Bytes } else { Depth::Sizes };
    let checked = fsck(metastore.as_ref(), storage.as_ref(), depth).await;
    let report = checked.map_err(|error| Failure::new(error.to_string()))?;
    if args.json.json {
        outln!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        for violation in &report.violations {
            outln!("{:<4} {} {}", violation.invariant, violation.job, violation.what);
        }
        outln!("{} jobs, {} violations", report.jobs, report.violations.len());
    }
    if report.violations.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!("{} promises do not hold", report.violations.len())))
}
