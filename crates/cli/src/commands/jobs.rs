//! `spanfleet jobs`: client of the API.

use std::{
    path::Path,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use spanfleet_api::{Artifact, CreateJob, Files, Job, Jobs};
use uuid::Uuid;

use super::{order::Asked, verify};
use crate::{
    args::{ClientArgs, JobsCommand, OrderArgs},
    client::Client,
    failure::Failure,
    progress::Progress,
};

/// Files that are fetched at once.
const FETCHES: usize = 4;

pub(super) fn run(command: JobsCommand, data_dir: &Path, is_quiet: bool) -> Result<(), Failure> {
    let client_of = |args: &ClientArgs| Client::new(args, data_dir);
    match command {
        JobsCommand::Create { project, order, expires_in, idempotency_key, wait, client: args } => {
            let client = client_of(&args)?;
            let job = create(&client, project, &order, expires_in, idempotency_key.as_deref())?;
            if wait {
                watch(&client, job.job_uuid, is_quiet).and_then(|job| check_completed(&job))?;
            }
            if args.json.json {
                show(&client.get(&path(job.job_uuid))?, true)?;
            } else {
                outln!("{}", job.job_uuid);
            }
        }
        JobsCommand::List { status, limit, client: args } => {
            list(&client_of(&args)?, status, limit, args.json.json)?;
        }
        JobsCommand::Show { job, client: args } => show(&client_of(&args)?.get(&path(job))?, args.json.json)?,
        JobsCommand::Watch { job, client: args } => {
            let job = watch(&client_of(&args)?, job, is_quiet)?;
            show(&job, args.json.json)?;
            check_completed(&job)?;
        }
        JobsCommand::Cancel { job, client: args } => act(&client_of(&args)?, job, "cancel", args.json.json)?,
        JobsCommand::Retry { job, client: args } => act(&client_of(&args)?, job, "retry", args.json.json)?,
        JobsCommand::Download { job, out, client: args } => {
            download(&client_of(&args)?, job, &out, is_quiet)?;
        }
    }
    Ok(())
}

fn path(job: Uuid) -> String {
    format!("/export/jobs/{job}")
}

fn create(
    client: &Client,
    project: String,
    order: &OrderArgs,
    expires_in: Option<i64>,
    key: Option<&str>,
) -> Result<Job, Failure> {
    let asked = Asked::read(order)?;
    if let Some(row) = asked.custom {
        let name = row.format_name;
        return Err(Failure::usage(format!(
            "a job names a stored format: `spanfleet formats add FILE.json` first, then `--format {name}`"
        )));
    }
    let request = CreateJob {
        project_id: None,
        project: Some(project),
        export_format_id: None,
        format: asked.format,
        template: asked.template,
        export_parameters: Some(asked.parameters),
        filter_criteria: Some(asked.filter),
        include_metadata: asked.include.metadata,
        include_relations: asked.include.relations,
        include_hierarchies: asked.include.hierarchies,
        expires_in,
        webhook_url: None,
    };
    client.post("/export/create-job", key, &request)
}

fn list(client: &Client, status: Option<String>, limit: u32, as_json: bool) -> Result<(), Failure> {
    let status = status.map_or_else(String::new, |status| format!("&status={status}"));
    let page: Jobs = client.get(&format!("/export/jobs?limit={limit}{status}"))?;
    if as_json {
        outln!("{}", serde_json::to_string_pretty(&page.jobs)?);
        return Ok(());
    }
    for job in page.jobs {
        outln!(
            "{}  {:<10} {:>5.1} %  {:<12} {}",
            job.job_uuid,
            job.status,
            job.progress_percentage,
            job.format,
            job.created_at
        );
    }
    Ok(())
}

fn show(job: &Job, as_json: bool) -> Result<(), Failure> {
    let value = serde_json::to_value(job)?;
    if as_json {
        outln!("{}", serde_json::to_string_pretty(&value)?);
        return Ok(());
    }
    for (key, value) in value.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null()) {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        outln!("{key:<22} {text}");
    }
    Ok(())
}

fn watch(client: &Client, job: Uuid, is_quiet: bool) -> Result<Job, Failure> {
    let mut progress = Progress::new("job", is_quiet);
    // Whatever ends the events before the job ends, they are asked for again.
    loop {
        for now in client.events::<Job>(&format!("{}/events", path(job)))? {
            let now = now?;
            if !["pending", "processing"].contains(&now.status.as_str()) {
                progress.end();
                return Ok(now);
            }
            let parts = now.partitions;
            let words = format!("{} of {} partitions, {}", parts.done, parts.total, now.phase);
            progress.show(u64::from(parts.done), u64::from(parts.total), &words);
        }
    }
}

fn check_completed(job: &Job) -> Result<(), Failure> {
    if job.status == "completed" {
        return Ok(());
    }
    let reason = job.error_message.clone().map_or_else(String::new, |reason| format!(": {reason}"));
    Err(Failure::new(format!("job {} is {}{reason}", job.job_uuid, job.status)))
}

fn act(client: &Client, job: Uuid, verb: &str, as_json: bool) -> Result<(), Failure> {
    let job: Job = client.post(&format!("{}/{verb}", path(job)), None, &serde_json::json!({}))?;
    if as_json {
        show(&job, true)
    } else {
        outln!("{}", job.status);
        Ok(())
    }
}

fn download(client: &Client, job: Uuid, out: &Path, is_quiet: bool) -> Result<(), Failure> {
    let files: Files = client.get(&format!("{}/files", path(job)))?;
    fetch_all(client, &files.files, out, is_quiet)?;
    let manifest = verify::read_manifest(out)?;
    let faults: Vec<String> =
        manifest.files.iter().chain(&manifest.beside).filter_map(|file| verify::fault(out, file)).collect();
    if !faults.is_empty() {
        return Err(Failure::new(faults.join("\nerror: ")));
    }
    outln!("{} files in {}", files.files.len(), out.display());
    Ok(())
}

/// Fetches several files at once; the first failure ends it.
fn fetch_all(client: &Client, files: &[Artifact], out: &Path, is_quiet: bool) -> Result<(), Failure> {
    let waiting = Mutex::new(files.iter());
    let (done_bytes, all_bytes) = (AtomicU64::new(0), files.iter().map(|file| file.bytes).sum());
    let progress = Mutex::new(Progress::new("download", is_quiet));
    let fetch_some = || -> Result<(), Failure> {
        loop {
            let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some(file) = next else { return Ok(()) };
            client.fetch(file, out)?;
            let done = done_bytes.fetch_add(file.bytes, Ordering::Relaxed) + file.bytes;
            let words = format!("{done} of {all_bytes} bytes");
            progress.lock().unwrap_or_else(PoisonError::into_inner).show(done, all_bytes, &words);
        }
    };
    let outcome = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..FETCHES).map(|_| scope.spawn(fetch_some)).collect();
        threads.into_iter().try_for_each(|thread| {
            thread.join().unwrap_or_else(|_| Err(Failure::new("a download thread panicked")))
        })
    });
    progress.into_inner().unwrap_or_else(PoisonError::into_inner).end();
    outcome
}
