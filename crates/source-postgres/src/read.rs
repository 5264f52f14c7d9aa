//! A partition as two or three COPY streams, merged by text into documents.
//!
//! Each stream has a connection and a task that gathers rows into chunks; one thread outside the runtime decodes
//! and merges them, since megabytes of rows would keep a runtime's thread from its heartbeats. Every hop is
//! bounded: a slow encoder stops the thread, the thread the tasks, and they stop the server.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use spanfleet_core::Document;
use spanfleet_source::load::batch::Batcher;
use spanfleet_source::load::names::Names;
use spanfleet_source::load::range::Range;
use spanfleet_source::{BATCHES_WAITING, Bounds, DocumentStream, Selection, SourceError, SourceErrorKind};
use sqlx::PgPool;
use sqlx::postgres::PgConnection;
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use crate::PostgresSource;
use crate::documents::Documents;
use crate::error::Place;
use crate::names;
use crate::slice::Slice;

/// Rows are handed over in chunks of this size, so that a hop between threads costs nothing per row.
const CHUNK_BYTES: usize = 128 * 1024;
/// Chunks that wait in each stream.
const CHUNKS_WAITING: usize = 2;

type Batches = mpsc::Sender<Result<Vec<Document>, SourceError>>;
type Chunks = mpsc::Sender<Result<Bytes, SourceError>>;

pub(crate) async fn read(
    source: &PostgresSource,
    selection: &Selection,
    bounds: &Bounds,
) -> Result<DocumentStream, SourceError> {
    let range = Range::from_bounds(bounds)?;
    let tables = source.tables().await?;
    let (slice, names) = prepare(source, selection, range).await?;
    let with_relations = selection.include.relations && tables.has_table("relations");
    let permits = source.permits(if with_relations { 3 } else { 2 }).await?;
    let (batches, documents) = mpsc::channel(BATCHES_WAITING);
    let open = |sql: String| {
        let stream = Stream {
            pool: source.pool.clone(),
            place: source.place.clone(),
            sql,
            batches: batches.clone(),
            _permits: Arc::clone(&permits),
        };
        stream.open()
    };
    let text_limit = source.text_limit;
    let texts = open(slice.copy_texts(&tables, text_limit));
    let annotations = open(slice.copy_annotations(&tables));
    let relations = with_relations.then(|| open(slice.copy_relations(&tables)));
    tokio::task::spawn_blocking(move || {
        let chunks = |mut chunks: mpsc::Receiver<_>| std::iter::from_fn(move || chunks.blocking_recv());
        let documents = Documents::new(chunks(texts), chunks(annotations), relations.map(chunks), names);
        hand_over(documents.limited(text_limit), &batches);
    });
    Ok(documents)
}

async fn prepare(
    source: &PostgresSource,
    selection: &Selection,
    range: Range,
) -> Result<(Slice, Names), SourceError> {
    let (tables, place) = (source.tables().await?, &source.place);
    let mut database = source.pool.acquire().await.map_err(|error| place.failure("connect", &error))?;
    let labels = names::labels(&mut database, &tables, selection.project, place).await?;
    let mut slice = Slice::resolve(&mut database, &tables, selection, &labels, range, place).await?;
    slice.look_for_others(&mut database, place).await?;
    let people = names::people(&mut database, place).await?;
    Ok((slice, Names::new(labels.into_paths(), people)))
}

impl PostgresSource {
    async fn permits(&self, streams: u32) -> Result<Arc<OwnedSemaphorePermit>, SourceError> {
        let permits = Arc::clone(&self.streams).acquire_many_owned(streams).await;
        permits
            .map(Arc::new)
            .map_err(|_| SourceError::new(SourceErrorKind::Transient, "the source is closed"))
    }
}

/// Merges on a thread of its own until the end, an error, or until nobody listens.
fn hand_over(mut documents: Documents<impl Iterator<Item = Result<Bytes, SourceError>>>, batches: &Batches) {
    let mut gathered = Batcher::default();
    loop {
        let sent = match documents.next() {
            Ok(Some((_, document))) => gathered.push(document).map(Ok),
            Ok(None) => break,
            Err(error) => {
                // The documents before the one that failed are good.
                let good = gathered.take().is_none_or(|batch| batches.blocking_send(Ok(batch)).is_ok());
                if good {
                    let _ = batches.blocking_send(Err(error));
                }
                return;
            }
        };
        if sent.is_some_and(|batch| batches.blocking_send(batch).is_err()) {
            return;
        }
    }
    if let Some(batch) = gathered.take() {
        let _ = batches.blocking_send(Ok(batch));
    }
}

/// One COPY on one connection.
struct Stream {
    pool: PgPool,
    place: Place,
    sql: String,
    /// Held to learn when nobody listens any more, even while the server is silent.
    batches: Batches,
    _permits: Arc<OwnedSemaphorePermit>,
}

impl Stream {
    fn open(self) -> mpsc::Receiver<Result<Bytes, SourceError>> {
        let (chunks, receiver) = mpsc::channel(CHUNKS_WAITING);
        tokio::spawn(async move { self.run(chunks).await });
        receiver
    }

    /// A connection whose COPY did not run to its end must not go back to the pool: the next user would read
    /// the rest of it. It is cut, which also ends the query.
    async fn run(self, chunks: Chunks) {
        let mut connection = match self.pool.acquire().await {
            Ok(connection) => connection,
            Err(error) => return drop(chunks.send(Err(self.place.failure("connect", &error))).await),
        };
        let outcome = tokio::select! {
            outcome = copy_out(&mut connection, &self.sql, &chunks) => outcome,
            () = self.batches.closed() => Ok(Outcome::Unheard),
        };
        match outcome {
            Ok(Outcome::Complete) => {}
            Ok(Outcome::Unheard) => drop(connection.detach()),
            Err(error) => {
                drop(connection.detach());
                let _ = chunks.send(Err(self.place.failure("read", &error))).await;
            }
        }
    }
}

enum Outcome {
    Complete,
    /// Nobody wants the rest.
    Unheard,
}

async fn copy_out(connection: &mut PgConnection, sql: &str, chunks: &Chunks) -> Result<Outcome, sqlx::Error> {
    let mut rows = connection.copy_out_raw(sql).await?;
    let mut gathered = BytesMut::with_capacity(CHUNK_BYTES);
    while let Some(row) = rows.next().await {
        let row = row?;
        if gathered.len() + row.len() > CHUNK_BYTES && !gathered.is_empty() {
            let chunk = std::mem::replace(&mut gathered, BytesMut::with_capacity(CHUNK_BYTES)).freeze();
            if chunks.send(Ok(chunk)).await.is_err() {
                return Ok(Outcome::Unheard);
            }
        }
        if row.len() < CHUNK_BYTES {
            gathered.extend_from_slice(&row);
        } else if chunks.send(Ok(row)).await.is_err() {
            return Ok(Outcome::Unheard);
        }
    }
    let _ = chunks.send(Ok(gathered.freeze())).await;
    Ok(Outcome::Complete)
}

/// All rows of a COPY that is known to be small.
pub(crate) async fn copy_out_whole(connection: &mut PgConnection, sql: &str) -> Result<Bytes, sqlx::Error> {
    let mut rows = connection.copy_out_raw(sql).await?;
    let mut gathered = BytesMut::new();
    while let Some(row) = rows.next().await {
        gathered.extend_from_slice(&row?);
    }
    Ok(gathered.freeze())
}
