//! Artifacts: listed, linked, counted.

use std::time::Duration;

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use spanfleet_api::{Artifact, DownloadQuery, Files};
use spanfleet_core::{job::Phase, keys::job_prefix, report::ManifestFile};
use spanfleet_metastore::{Caller, JobRow};
use spanfleet_storage::{Link, LinkOptions};
use uuid::Uuid;

use super::{
    Api, Failure,
    auth::Authenticated,
    jobs::own_job,
    query::{JobId, Params},
};

/// The manifest's own path.
const MANIFEST: &str = "manifest.json";
/// A manifest larger than this is fetched like any file.
const MOST_MANIFEST_BYTES: u64 = 64 * 1024 * 1024;

pub(super) async fn files(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    JobId(job): JobId,
) -> Result<Json<Files>, Failure> {
    let row = finished_job(&api, &caller, job).await?;
    let artifact = |file: &ManifestFile| Artifact {
        link: format!("/export/jobs/{job}/download?file={}", file.path),
        path: file.path.clone(),
        split: file.split.clone(),
        bytes: file.bytes,
        sha256: file.sha256.clone(),
        texts: file.texts,
        annotations: file.annotations,
    };
    Ok(Json(Files { files: row.files.iter().map(artifact).collect() }))
}

pub(super) async fn manifest(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    JobId(job): JobId,
) -> Result<Response, Failure> {
    finished_job(&api, &caller, job).await?;
    let key = format!("{}{MANIFEST}", job_prefix(job));
    let content = api.storage.read(&key, 0, MOST_MANIFEST_BYTES).await?;
    Ok(([(header::CONTENT_TYPE, "application/json")], content).into_response())
}

pub(super) async fn download(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    JobId(job): JobId,
    Params(query): Params<DownloadQuery>,
) -> Result<Response, Failure> {
    let row = finished_job(&api, &caller, job).await?;
    let file = choose(&row, query.file.as_deref())?;
    if !api.metastore.record_download(job, caller.user, &file.path).await? {
        return Err(gone());
    }
    api.metrics.downloads_total.inc();
    let address = link(&api, &row, file).await?;
    Ok((StatusCode::FOUND, [(header::LOCATION, address), (header::CACHE_CONTROL, "no-store".to_owned())])
        .into_response())
}

/// The job, if its artifacts stand.
async fn finished_job(api: &Api, caller: &Caller, job: Uuid) -> Result<JobRow, Failure> {
    let row = own_job(api, caller, job).await?;
    match row.head.phase {
        Phase::Succeeded if row.expires_at <= api.metastore.now().await? => Err(gone()),
        Phase::Succeeded => Ok(row),
        Phase::Expiring | Phase::Expired => Err(gone()),
        phase => Err(Failure::new(409, format!("the job is {}; there are no artifacts", phase.status()))),
    }
}

fn gone() -> Failure {
    Failure::new(410, "the export has expired and its artifacts are gone; create the job again")
}

fn choose<'r>(row: &'r JobRow, path: Option<&str>) -> Result<&'r ManifestFile, Failure> {
    if let Some(path) = path {
        let found = row.files.iter().find(|file| file.path == path);
        return found.ok_or_else(|| {
            Failure::new(404, "the job has no such file; `…/files` lists them").about("file")
        });
    }
    let data: Vec<&ManifestFile> = row.files.iter().filter(|file| file.split.is_some()).collect();
    if let [only] = data.as_slice() {
        Ok(only)
    } else {
        let mut failure = Failure::new(409, "the job has several files; name one with `file=`").about("file");
        failure.0.files = row.files.iter().map(|file| file.path.clone()).collect();
        Err(failure)
    }
}

/// An address that lives for minutes and never past the job's expiry. A secret: not logged, not stored.
async fn link(api: &Api, row: &JobRow, file: &ManifestFile) -> Result<String, Failure> {
    let left_micros = row.expires_at.micros() - api.metastore.now().await?.micros();
    let left_seconds = u64::try_from(left_micros / 1_000_000).unwrap_or(0).max(1);
    let lives = Duration::from_secs(api.settings.link_seconds.min(left_seconds));
    let key = format!("{}{}", job_prefix(row.job_uuid), file.path);
    let options = LinkOptions {
        lives,
        file_name: file_name(&row.job_uuid.to_string(), &file.path),
        media_type: media_type(&file.path).to_owned(),
    };
    match api.storage.link(&key, &options).await? {
        Link::Presigned(address) => Ok(address),
        Link::Carried => Ok(format!("/artifacts/{key}?{}", api.signer.query(&key, lives))),
    }
}

/// What a browser saves the file as: short, and different for every job.
pub(super) fn file_name(job: &str, path: &str) -> String {
    let beginning: String = job.chars().take(8).collect();
    format!("{beginning}-{}", path.replace('/', "-"))
}

/// By the name's ending; compressed files are what they are, so that nobody unpacks them on the way.
pub(super) fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("gz") => "application/gzip",
        Some("zst") => "application/zstd",
        Some("json") => "application/json",
        Some("jsonl") => "application/jsonl",
        Some("csv") => "text/csv; charset=utf-8",
        Some("conll" | "txt" | "md") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
