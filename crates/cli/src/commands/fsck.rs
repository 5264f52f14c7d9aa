//! `spanfleet fsck`: the promises of the protocol, checked over database and store.

use std::time::Duration;

use spanfleet_dispatcher::fsck::{Depth, fsck, orphans};

use crate::{args::FsckArgs, failure::Failure, wire::Wire};

pub(super) async fn check(wire: &Wire, args: &FsckArgs) -> Result<(), Failure> {
    if args.orphans {
        return collect(wire, args).await;
    }
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

/// A dry run unless told to delete.
async fn collect(wire: &Wire, args: &FsckArgs) -> Result<(), Failure> {
    let metastore = wire.ready_metastore().await?;
    let storage = wire.storage().await?;
    let search = orphans::Search { grace: Duration::from_secs(args.older_than), of_unknown_jobs: true };
    let refused = |error: spanfleet_dispatcher::fsck::FsckError| Failure::new(error.to_string());
    let mut hunt =
        orphans::Hunt::begin(metastore.as_ref(), storage.as_ref(), search).await.map_err(refused)?;
    let (mut count, mut bytes) = (0_u64, 0_u64);
    while let Some(found) = hunt.next().await.map_err(refused)? {
        if args.delete {
            hunt.delete(&found).await.map_err(refused)?;
        }
        for orphan in found {
            if args.json.json {
                let before = if count == 0 { "[" } else { "," };
                outln!("{before}{}", serde_json::to_string(&orphan)?);
            } else {
                outln!("{} {} bytes: {}", orphan.key, orphan.bytes, orphan.why);
            }
            (count, bytes) = (count + 1, bytes + orphan.bytes);
        }
    }
    if args.json.json {
        outln!("{}", if count == 0 { "[]" } else { "]" });
        return Ok(());
    }
    let what = if args.delete { "deleted" } else { "left where they are; `--delete` removes them" };
    outln!("{count} orphans of {bytes} bytes {what}");
    Ok(())
}
