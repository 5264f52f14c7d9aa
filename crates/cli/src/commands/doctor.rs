//! `spanfleet doctor`: every connection, and the mend for each failure.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::{args::HealthArgs, failure::Failure, wire::Wire};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) async fn doctor(wire: &Wire, as_json: bool) -> Result<(), Failure> {
    let checks = [
        ("database", check_database(wire).await),
        ("queue", check_queue(wire).await),
        ("artifacts", check_storage(wire).await),
    ];
    let shown: Map<String, Value> = checks
        .iter()
        .map(|(name, check)| match check {
            Ok(address) => ((*name).to_owned(), serde_json::json!({"ok": true, "address": address})),
            Err(failure) => {
                ((*name).to_owned(), serde_json::json!({"ok": false, "reason": failure.to_string()}))
            }
        })
        .collect();
    if as_json {
        outln!("{}", serde_json::to_string_pretty(&shown)?);
    } else {
        for (name, check) in &checks {
            match check {
                Ok(address) => outln!("ok    {name:<10} {address}"),
                Err(failure) => outln!("wrong {name:<10} {failure}"),
            }
        }
    }
    let wrong = checks.iter().filter(|(_, check)| check.is_err()).count();
    if wrong == 0 {
        Ok(())
    } else {
        Err(Failure::new(format!("{wrong} of {} connections don't work", checks.len())))
    }
}

async fn check_database(wire: &Wire) -> Result<String, Failure> {
    let metastore = wire.ready_metastore().await?;
    wire.source()?.check().await?;
    Ok(metastore.address())
}

async fn check_queue(wire: &Wire) -> Result<String, Failure> {
    let queue = wire.queue().await?;
    queue.check().await?;
    Ok(queue.address())
}

async fn check_storage(wire: &Wire) -> Result<String, Failure> {
    let storage = wire.storage().await?;
    storage.check().await?;
    Ok(storage.address())
}

/// Asks a server whether it is alive.
pub(super) fn health(args: &HealthArgs) -> Result<(), Failure> {
    let agent: ureq::Agent = ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).build().into();
    let mut reasons = Vec::new();
    for url in &args.url {
        let address = format!("{}/healthz", url.trim_end_matches('/'));
        match agent.get(&address).call() {
            Ok(_) => return Ok(()),
            Err(error) => reasons.push(format!("`{address}`: {error}")),
        }
    }
    Err(Failure::new(reasons.join("; ")))
}
