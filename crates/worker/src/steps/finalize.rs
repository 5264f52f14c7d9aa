//! Seals the parts into files, writes `losses.jsonl` and the manifest.
//!
//! Everything comes from the metastore's reports, never from a listing. Two finalizers at once write the same
//! bytes: parts and reports don't change any more.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Value, json};
use spanfleet_core::{
    Ledger, Order, Schema,
    card::{Card, CardCounts},
    job::ErrorClass,
    losses::EXAMPLES_SHOWN,
    options::Bundle,
    report::{Manifest, ManifestFile, ManifestFormat, PartFile, PartReport, Snapshot},
    split::LONE_SPLIT,
};
use spanfleet_crash::crash_point;
use spanfleet_formats::{Format, Outcome, SealedFile, Shaper, templates::find_template};
use spanfleet_metastore::{Assignment, FinalReport, JobRow};
use spanfleet_storage::{Composed, Storage};

use super::{
    encode::{ExampleLine, Examples, put},
    order_of,
};
use crate::{StepError, worker::Ports};

mod assemble;
mod leakage;
mod unbundle;
use assemble::{Assembled, assemble};
use unbundle::unbundle;

/// Reports read from the metastore at once: each has the card of its part, kilobytes for every split.
const REPORTS_AT_ONCE: u32 = 32;

/// What a finalizer did, and what can be deleted once that is stored.
pub(crate) struct Finalized {
    pub(crate) report: FinalReport,
    pub(crate) part_keys: Vec<String>,
}

/// Seals a job whose partitions are all done.
pub(crate) async fn finalize(
    ports: &Ports,
    assignment: &Assignment,
    prefix: &str,
) -> Result<Finalized, StepError> {
    let job = &assignment.job;
    let order = order_of(job)?;
    let format = spanfleet_formats::open(&order)?;
    let parts = Parts::load(ports, job).await?;
    parts.check()?;
    let storage = ports.storage.as_ref();
    let schema = Shaper::new(&order, &job.schema).schema();
    let sealed = seal_files(storage, format.as_ref(), &order, &schema, &parts, prefix).await?;
    crash_point("worker-files-sealed");
    let Sealed { files, mut beside, facts } = sealed;
    let mut card = parts.card.card();
    card.stratification.clone_from(&job.schema.stratification);
    card.leakage = leakage::leakage(storage, format.as_ref(), &parts.reports).await?;
    let outcome = Outcome { files: facts, labels: &parts.labels, ledger: &parts.ledger, card: &card };
    let mut more = format.beside(&schema, &outcome);
    if let Some(template) = &order.options.template {
        let script = find_template(template)?.script().as_bytes().to_vec();
        more.push(("load.py".to_owned(), script));
    }
    for (path, content) in more {
        beside.push(write_beside(storage, prefix, path, content).await?);
    }
    if let Some(losses) = write_losses(storage, &parts, prefix).await? {
        beside.push(losses);
    }
    let manifest = Manifest { card, ..manifest(job, &order, format.as_ref(), &parts, files, beside) };
    let report = write_manifest(storage, &manifest, &order, prefix).await?;
    crash_point("worker-manifest-written");
    Ok(Finalized { report, part_keys: parts.keys() })
}

/// The reports of all partitions, added up.
#[derive(Default)]
struct Parts {
    reports: Vec<PartReport>,
    ledger: Ledger,
    labels: Vec<String>,
    card: CardCounts,
}

impl Parts {
    async fn load(ports: &Ports, job: &JobRow) -> Result<Parts, StepError> {
        let mut parts = Parts::default();
        while parts.reports.len() < job.head.parts_total as usize {
            let from = parts.reports.len() as u32;
            let reports = ports.metastore.reports(job.id, from, REPORTS_AT_ONCE).await?;
            if reports.is_empty() {
                break;
            }
            for (number, mut report) in reports {
                if number as usize != parts.reports.len() {
                    return Err(corrupt(&format!(
                        "the report of partition {} is missing",
                        parts.reports.len()
                    )));
                }
                parts.ledger.merge(&report.ledger());
                // Cards are large, and wanted only as their sum.
                parts.card.merge(&std::mem::take(&mut report.card));
                parts.labels.extend(report.labels.iter().cloned());
                parts.reports.push(report);
            }
        }
        if parts.reports.len() != job.head.parts_total as usize {
            return Err(corrupt(&format!(
                "{} of {} reports are there",
                parts.reports.len(),
                job.head.parts_total
            )));
        }
        parts.labels.sort_unstable();
        parts.labels.dedup();
        Ok(parts)
    }

    /// The law of the product, and its sums.
    fn check(&self) -> Result<(), StepError> {
        if !self.ledger.balances() {
            return Err(corrupt(&format!("selected is not written + losses: {:?}", self.ledger.counts)));
        }
        let in_files: u64 = self.reports.iter().flat_map(|report| &report.files).map(|file| file.texts).sum();
        if in_files != self.ledger.counts.texts {
            return Err(corrupt(&format!(
                "the files hold {in_files} texts, the reports {}",
                self.ledger.counts.texts
            )));
        }
        Ok(())
    }

    fn keys(&self) -> Vec<String> {
        self.reports.iter().flat_map(|report| report.objects().map(|(key, _)| key.to_owned())).collect()
    }
}

fn corrupt(message: &str) -> StepError {
    StepError::new(ErrorClass::Poison, format!("the job's reports don't add up: {message}"))
}

/// What stands in the store once every file is sealed.
#[derive(Default)]
struct Sealed {
    files: Vec<ManifestFile>,
    beside: Vec<ManifestFile>,
    /// The same files, for the format.
    facts: Vec<SealedFile>,
}

impl Sealed {
    /// Adds the single files of a split; to its format they are one.
    fn add_unbundled(&mut self, split: &str, files: Vec<ManifestFile>, notes: Vec<Value>) {
        self.facts.push(SealedFile {
            path: split.to_owned(),
            split: split.to_owned(),
            bytes: files.iter().map(|file| file.bytes).sum(),
            texts: files.iter().map(|file| file.texts).sum(),
            annotations: files.iter().map(|file| file.annotations).sum(),
            notes,
        });
        self.files.extend(files);
    }
}

/// The sealed files of every split, and what the format puts beside each.
async fn seal_files(
    storage: &dyn Storage,
    format: &dyn Format,
    order: &Order,
    schema: &Schema,
    parts: &Parts,
    prefix: &str,
) -> Result<Sealed, StepError> {
    let mut sealed = Sealed::default();
    for (split, of_split) in by_split(parts, format) {
        for file in assemble(format, order, schema, split, &of_split)? {
            // What was sealed has told that the names in it are apart.
            if order.options.bundle == Bundle::None {
                let files = unbundle(storage, format, prefix, split, &of_split).await?;
                if !files.is_empty() {
                    sealed.add_unbundled(split, files, file.notes);
                    continue;
                }
            }
            let composed = compose(storage, prefix, &file, split).await?;
            sealed.facts.push(SealedFile {
                path: composed.path.clone(),
                split: split.to_owned(),
                bytes: composed.bytes,
                texts: composed.texts,
                annotations: composed.annotations,
                notes: file.notes,
            });
            sealed.files.push(composed);
            for (path, content) in file.beside {
                // Every split's seal brings the same label lists; they stand once.
                if sealed.beside.iter().any(|known| known.path == path) {
                    continue;
                }
                sealed.beside.push(write_beside(storage, prefix, path, content).await?);
            }
        }
    }
    Ok(sealed)
}

/// Non-empty parts by split, in order of partitions. Without any text there is one empty split, so that the
/// export is a valid empty file and not nothing.
fn by_split<'p>(parts: &'p Parts, format: &dyn Format) -> BTreeMap<&'p str, Vec<&'p PartFile>> {
    let mut splits: BTreeMap<&str, Vec<&PartFile>> = BTreeMap::new();
    for file in parts.reports.iter().flat_map(|report| &report.files).filter(|file| file.texts > 0) {
        splits.entry(format.split_name(&file.split)).or_default().push(file);
    }
    if splits.is_empty() {
        splits.insert(LONE_SPLIT, Vec::new());
    }
    splits
}

/// Puts a file together in the store. What the manifest says is what stands: unless the store has checked the bytes
/// that it was given, they are read back once and hashed.
async fn compose(
    storage: &dyn Storage,
    prefix: &str,
    file: &Assembled,
    split: &str,
) -> Result<ManifestFile, StepError> {
    let key = format!("{prefix}{}", file.path);
    let Composed { bytes, sha256 } = storage.compose(&key, file.media_type, &file.pieces).await?;
    if bytes != file.bytes() {
        let message =
            format!("the store composed {bytes} bytes under `{key}`, where the parts have {}", file.bytes());
        return Err(StepError::new(ErrorClass::Transient, message));
    }
    let sha256 = match sha256 {
        Some(told) => told,
        None => spanfleet_storage::sha256(storage, &key, bytes).await?.ok_or_else(|| {
            StepError::new(ErrorClass::Transient, format!("`{key}` ends before its {bytes} bytes"))
        })?,
    };
    Ok(ManifestFile {
        path: file.path.clone(),
        split: Some(split.to_owned()),
        bytes,
        sha256,
        texts: file.texts,
        annotations: file.annotations,
    })
}

async fn write_beside(
    storage: &dyn Storage,
    prefix: &str,
    path: String,
    content: Vec<u8>,
) -> Result<ManifestFile, StepError> {
    let sha256 = assemble::hash(&content);
    let bytes = put(storage, &format!("{prefix}{path}"), media_type_of(&path), Bytes::from(content)).await?;
    Ok(ManifestFile { path, split: None, bytes, sha256, texts: 0, annotations: 0 })
}

fn media_type_of(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("json") => "application/json",
        Some("jsonl") => "application/jsonl",
        Some("md") => "text/markdown; charset=utf-8",
        _ => "text/plain; charset=utf-8",
    }
}

/// `losses.jsonl`: the first examples of each reason, where there are any.
async fn write_losses(
    storage: &dyn Storage,
    parts: &Parts,
    prefix: &str,
) -> Result<Option<ManifestFile>, StepError> {
    let mut examples = Examples::default();
    for report in &parts.reports {
        let Some(key) = &report.examples_key else { continue };
        let lines = storage.read(key, 0, report.examples_bytes).await?;
        for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let line: ExampleLine =
                serde_json::from_slice(line).map_err(|error| corrupt(&format!("`{key}`: {error}")))?;
            examples.add(line);
        }
    }
    let content = examples.to_jsonl();
    if content.is_empty() {
        return Ok(None);
    }
    write_beside(storage, prefix, "losses.jsonl".to_owned(), content).await.map(Some)
}

fn manifest(
    job: &JobRow,
    order: &Order,
    format: &dyn Format,
    parts: &Parts,
    files: Vec<ManifestFile>,
    beside: Vec<ManifestFile>,
) -> Manifest {
    let info = format.info();
    Manifest {
        spanfleet_version: env!("CARGO_PKG_VERSION").to_owned(),
        job_uuid: job.job_uuid.to_string(),
        format: ManifestFormat {
            name: job.format_name.clone(),
            kind: info.kind.to_owned(),
            version: info.version.to_owned(),
        },
        options: order.options.to_json().clone(),
        filter: order.filter.to_json(),
        include: order.include,
        snapshot: Snapshot { taken_at: job.as_of.unwrap_or(job.created_at) },
        labels: parts.labels.clone(),
        counts: parts.ledger.counts,
        losses: parts.ledger.losses(EXAMPLES_SHOWN),
        changes: parts.ledger.changes(EXAMPLES_SHOWN),
        card: Card::default(),
        files,
        beside,
    }
}

/// Writes the manifest last: where it stands, everything that it names stands.
async fn write_manifest(
    storage: &dyn Storage,
    manifest: &Manifest,
    order: &Order,
    prefix: &str,
) -> Result<FinalReport, StepError> {
    let mut content = serde_json::to_vec_pretty(manifest).map_err(|error| corrupt(&error.to_string()))?;
    content.push(b'\n');
    let manifest_file = write_beside(storage, prefix, "manifest.json".to_owned(), content).await?;
    let open_first = match manifest.files.as_slice() {
        [only] => only.path.clone(),
        _ => manifest_file.path.clone(),
    };
    let files: Vec<ManifestFile> =
        manifest.files.iter().chain(&manifest.beside).cloned().chain([manifest_file]).collect();
    Ok(FinalReport {
        output_file_path: format!("{prefix}{open_first}"),
        output_file_size: files.iter().map(|file| file.bytes).sum(),
        output_format_version: manifest.format.version.clone(),
        compression_used: order.options.compression.as_str().to_owned(),
        summary: json!({"counts": manifest.counts, "losses": manifest.losses, "changes": manifest.changes, "labels": manifest.labels}),
        files,
    })
}
