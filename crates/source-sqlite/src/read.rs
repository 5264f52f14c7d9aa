//! A partition, slice by slice.
//!
//! SQLite itself runs on a thread of the connection, so that the runtime's threads only turn a slice's rows into
//! documents. A slice is a few texts: a text that is read is held, so their sizes are asked first.

use spanfleet_core::{Document, TextLimit};
use spanfleet_source::load::batch::Batcher;
use spanfleet_source::load::names::Names;
use spanfleet_source::load::range::Range;
use spanfleet_source::{BATCH_BYTES, BATCHES_WAITING, Bounds, DocumentStream, Selection, SourceError};
use sqlx::pool::PoolConnection;
use sqlx::sqlite::Sqlite;
use tokio::sync::mpsc;

use crate::SqliteSource;
use crate::documents::Documents;
use crate::error::Place;
use crate::names;
use crate::slice::Slice;

/// Texts of a slice at most: so many small ones that asking for their sizes costs little.
const SLICE_TEXTS: usize = 256;

pub(crate) async fn read(
    source: &SqliteSource,
    selection: &Selection,
    bounds: &Bounds,
) -> Result<DocumentStream, SourceError> {
    let range = Range::from_bounds(bounds)?;
    let mut database = source.connection().await?;
    let labels = names::labels(&mut database, selection.project, &source.place).await?;
    let slice = Slice::resolve(&mut database, selection, &labels, range, &source.place).await?;
    let people = names::people(&mut database, &source.place).await?;
    let names = Names::new(labels.into_paths(), people);
    let (batches, documents) = mpsc::channel(BATCHES_WAITING);
    let (place, text_limit) = (source.place.clone(), source.text_limit);
    let reader = Reader { database, slice, names, place, text_limit, batches };
    tokio::spawn(reader.run());
    Ok(documents)
}

struct Reader {
    database: PoolConnection<Sqlite>,
    slice: Slice,
    names: Names,
    place: Place,
    text_limit: TextLimit,
    batches: mpsc::Sender<Result<Vec<Document>, SourceError>>,
}

/// Nobody listens any more.
struct Unheard;

impl Reader {
    async fn run(mut self) {
        let mut batcher = Batcher::default();
        let outcome = self.read(&mut batcher).await;
        let error = match outcome {
            Ok(Ok(())) => None,
            Ok(Err(Unheard)) => return,
            Err(error) => Some(error),
        };
        // The documents before one that failed are good.
        for last in batcher.take().map(Ok).into_iter().chain(error.map(Err)) {
            if self.batches.send(last).await.is_err() {
                return;
            }
        }
    }

    async fn read(&mut self, batcher: &mut Batcher) -> Result<Result<(), Unheard>, SourceError> {
        while let Some(slice) = self.next_slice().await? {
            let mut documents =
                Documents::open(&mut self.database, &slice, &mut self.names, &self.place).await?;
            while let Some((_, document)) = documents.next().await? {
                if let Some(batch) = batcher.push(document)
                    && self.batches.send(Ok(batch)).await.is_err()
                {
                    return Ok(Err(Unheard));
                }
            }
        }
        Ok(Ok(()))
    }

    /// The next few texts: as many as make a batch, at least one.
    async fn next_slice(&mut self) -> Result<Option<Slice>, SourceError> {
        let mut slice = self.slice.clone_without_texts();
        slice.texts = self.slice.some_texts_after(self.slice.range.after, SLICE_TEXTS).map(<[i64]>::to_vec);
        let sizes = slice.sizes_query(SLICE_TEXTS as i64).fetch_all(&mut *self.database).await;
        let sizes = sizes.map_err(|error| self.place.failure("read", &error))?;
        let Some(first) = sizes.first() else { return Ok(None) };
        // One that is longer than a batch is always the first of its slice.
        if let Some(refusal) = self.text_limit.refusal(first.1 as u64) {
            return Err(self.place.invalid(&format!("text {} {refusal}", first.0)));
        }
        let mut bytes = 0;
        let fitting = sizes.iter().take_while(|(_, size)| {
            bytes += *size as usize;
            bytes <= BATCH_BYTES
        });
        let last = fitting.last().unwrap_or(first).0;
        slice.range.through = last;
        self.slice.range.after = last;
        Ok(Some(slice))
    }
}

impl SqliteSource {
    pub(crate) async fn connection(&self) -> Result<PoolConnection<Sqlite>, SourceError> {
        self.pool.acquire().await.map_err(|error| self.place.failure("connect", &error))
    }
}
