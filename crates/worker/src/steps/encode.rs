//! One partition: documents ⇒ encoder ⇒ compressor ⇒ store.
//!
//! Documents stream one way, through a bounded channel into a CPU thread, and pieces of bytes through another
//! into the uploads; nothing returns but the report.

use bytes::Bytes;
use spanfleet_core::{job::ErrorClass, losses::EXAMPLES_SHOWN, report::PartReport};
use spanfleet_crash::crash_point;
use spanfleet_metastore::Assignment;
use spanfleet_source::{Bounds, DocumentStream};
use spanfleet_storage::{Storage, Upload};
use spanfleet_trace::span;
use tokio::sync::mpsc;
use tracing::Instrument as _;

use super::{order_of, selection};
use crate::{StepError, keys, worker::Ports};

mod card;
mod examples;
mod part;
pub(crate) mod sketches;

pub(crate) use examples::{ExampleLine, Examples};
use part::{Part, PartWriter};

/// What the CPU thread tells the uploads.
enum Message {
    /// The next object begins; messages name it by its place in the order of beginning.
    Begin(String),
    /// Bytes for an object.
    Piece(usize, Bytes),
}

/// Pieces that wait for the store.
const PIECES_WAITING: usize = 2;

/// Encodes a partition into one object per split.
pub(crate) async fn encode(
    ports: &Ports,
    assignment: &Assignment,
    parts_prefix: &str,
) -> Result<PartReport, StepError> {
    let mut order = order_of(&assignment.job)?;
    let selection = selection(assignment.job.project, &order);
    let documents = ports.source.read(&selection, &Bounds(assignment.bounds.clone())).await?;
    let attempt = keys::attempt(parts_prefix, assignment.number, assignment.fence);
    let (send, receive) = mpsc::channel(PIECES_WAITING);
    let schema = assignment.job.schema.clone();
    let stem = attempt.clone();
    let (encode, uploading) = (span!("encode"), span!("upload"));
    let encoding = tokio::task::spawn_blocking(move || {
        let _encode = encode.entered();
        order
            .options
            .read_files(|path| std::fs::read(path))
            .map_err(|message| StepError::new(ErrorClass::Poison, message))?;
        let mut writer = PartWriter::new(&order, &schema, stem, send)?;
        write_documents(&mut writer, documents)?;
        writer.finish()
    });
    // When the store fails, the encoder finds its channel closed: the store's error is the cause.
    let uploads = upload(ports.storage.as_ref(), receive).instrument(uploading.clone()).await;
    let encoded = encoding.await.map_err(|panic| StepError::new(ErrorClass::Transient, panic.to_string()));
    let uploads = uploads?;
    let part = match encoded.and_then(|encoded| encoded) {
        Ok(part) => part,
        Err(error) => {
            abandon(uploads).await;
            return Err(error);
        }
    };
    finish(uploads).instrument(uploading).await?;
    crash_point("worker-part-written");
    report(ports.storage.as_ref(), &attempt, part).await
}

fn write_documents(writer: &mut PartWriter, mut documents: DocumentStream) -> Result<(), StepError> {
    while let Some(batch) = documents.blocking_recv() {
        for document in batch? {
            writer.push(document)?;
        }
    }
    Ok(())
}

/// Carries pieces to the store until the CPU thread has hung up.
async fn upload(
    storage: &dyn Storage,
    mut messages: mpsc::Receiver<Message>,
) -> Result<Vec<Box<dyn Upload>>, StepError> {
    let mut uploads: Vec<Box<dyn Upload>> = Vec::new();
    while let Some(message) = messages.recv().await {
        let sent = match message {
            Message::Begin(key) => {
                storage.begin(&key, "application/octet-stream").await.map(|upload| uploads.push(upload))
            }
            Message::Piece(object, piece) => uploads[object].write(piece).await,
        };
        crash_point("worker-part-begun");
        if let Err(error) = sent {
            abandon(uploads).await;
            return Err(error.into());
        }
    }
    Ok(uploads)
}

/// What was written must be there, whole, before anybody is told: the store makes sure of it.
async fn finish(uploads: Vec<Box<dyn Upload>>) -> Result<(), StepError> {
    for upload in uploads {
        upload.finish().await?;
    }
    Ok(())
}

async fn abandon(uploads: Vec<Box<dyn Upload>>) {
    for upload in uploads {
        if let Err(error) = upload.abort().await {
            tracing::warn!(%error, "can't abort an upload; the sweeper will");
        }
    }
}

async fn report(storage: &dyn Storage, attempt: &str, part: Part) -> Result<PartReport, StepError> {
    let Part { files, ledger, labels, card, sketches, sketched_texts } = part;
    let mut report = PartReport {
        counts: ledger.counts,
        losses: ledger.losses(EXAMPLES_SHOWN),
        changes: ledger.changes(EXAMPLES_SHOWN),
        labels,
        files,
        card,
        sketched_texts,
        ..PartReport::default()
    };
    if let Some(sketches) = sketches {
        let key = keys::sketches(attempt);
        report.sketches_bytes = put(storage, &key, "application/octet-stream", sketches.into()).await?;
        report.sketches_key = Some(key);
    }
    let examples = Examples::of(&ledger).to_jsonl();
    if !examples.is_empty() {
        let key = keys::examples(attempt);
        report.examples_bytes = put(storage, &key, "application/jsonl", examples.into()).await?;
        report.examples_key = Some(key);
    }
    Ok(report)
}

/// Writes a small object.
pub(crate) async fn put(
    storage: &dyn Storage,
    key: &str,
    media_type: &str,
    content: Bytes,
) -> Result<u64, StepError> {
    let mut upload = storage.begin(key, media_type).await?;
    upload.write(content).await?;
    Ok(upload.finish().await?)
}
