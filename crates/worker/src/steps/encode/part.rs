//! The CPU half of a partition: shapes, encodes, compresses and hashes, one object per split.

use bytes::Bytes;
use sha2::{Digest, Sha256};
use spanfleet_core::{Document, Ledger, Order, Schema, Split, job::ErrorClass, report::PartFile};
use spanfleet_formats::{Format, PartEncoder, Shaper, support::compress::Compressor};
use tokio::sync::mpsc;

use super::Message;
use crate::{StepError, keys};

/// Encoded bytes that are compressed at once.
const ENCODED_BYTES: usize = 64 * 1024;
/// Compressed bytes that travel together.
const PIECE_BYTES: usize = 1024 * 1024;
/// Splits of one job: each holds buffers and an upload open.
const MOST_SPLITS: usize = 64;

/// What a partition came to: its objects, its ledger, the labels it wrote.
pub(super) type Part = (Vec<PartFile>, Ledger, Vec<String>);

/// Writes the documents of one partition.
pub(super) struct PartWriter {
    format: Box<dyn Format>,
    shaper: Shaper,
    order: Order,
    schema: Schema,
    attempt: String,
    ledger: Ledger,
    objects: Vec<ObjectWriter>,
    messages: mpsc::Sender<Message>,
}

impl PartWriter {
    pub(super) fn new(
        order: &Order,
        schema: &Schema,
        attempt: String,
        messages: mpsc::Sender<Message>,
    ) -> Result<PartWriter, StepError> {
        let shaper = Shaper::new(order);
        Ok(PartWriter {
            format: spanfleet_formats::open(order)?,
            schema: shaper.schema(schema),
            shaper,
            order: order.clone(),
            attempt,
            ledger: Ledger::default(),
            objects: Vec::new(),
            messages,
        })
    }

    pub(super) fn push(&mut self, document: &mut Document) -> Result<(), StepError> {
        let object = self.object_for(document)?;
        self.shaper.shape(document, &mut self.ledger);
        self.objects[object].push(document, &mut self.ledger)
    }

    /// The place of the object that takes a document, begun when its split is new.
    fn object_for(&mut self, document: &Document) -> Result<usize, StepError> {
        let split = split_of(&self.order.options.split, document)?;
        if let Some(known) = self.objects.iter().position(|object| object.file.split == split) {
            return Ok(known);
        }
        let place = self.objects.len();
        if place == MOST_SPLITS {
            let message = format!(
                "text `{}`: more than {MOST_SPLITS} splits; `split` by a field with fewer values",
                document.id
            );
            return Err(StepError::new(ErrorClass::Poison, message));
        }
        let key = keys::part(&self.attempt, &split);
        send(&self.messages, Message::Begin(key.clone()))?;
        let options = &self.order.options;
        self.objects.push(ObjectWriter {
            encoder: self.format.start(&self.schema)?,
            compressor: Compressor::new(options.compression, options.compression_level)?,
            encoded: Vec::with_capacity(2 * ENCODED_BYTES),
            pieces: Pieces::new(place, self.messages.clone()),
            file: PartFile { split, key, ..PartFile::default() },
        });
        Ok(place)
    }

    pub(super) fn finish(self) -> Result<Part, StepError> {
        let mut files = Vec::with_capacity(self.objects.len());
        for object in self.objects {
            files.push(object.finish()?);
        }
        files.sort_by(|one, other| one.split.cmp(&other.split));
        Ok((files, self.ledger, self.shaper.labels()))
    }
}

fn split_of(split: &Split, document: &Document) -> Result<String, StepError> {
    split.of(document).map_err(|value| {
        let message =
            format!("text `{}`: `{value}` is no split name; use letters, digits and `_`", document.id);
        StepError::new(ErrorClass::Poison, message)
    })
}

/// One split of the partition.
struct ObjectWriter {
    encoder: Box<dyn PartEncoder>,
    compressor: Compressor,
    encoded: Vec<u8>,
    pieces: Pieces,
    file: PartFile,
}

impl ObjectWriter {
    fn push(&mut self, document: &Document, ledger: &mut Ledger) -> Result<(), StepError> {
        let before = ledger.counts;
        self.encoder.push(document, &mut self.encoded, ledger)?;
        self.file.texts += ledger.counts.texts - before.texts;
        self.file.annotations += ledger.counts.annotations_written - before.annotations_written;
        if self.encoded.len() >= ENCODED_BYTES {
            self.compressor.write(&self.encoded, &mut self.pieces.ready)?;
            self.encoded.clear();
            self.pieces.send(PIECE_BYTES)?;
        }
        Ok(())
    }

    fn finish(self) -> Result<PartFile, StepError> {
        let ObjectWriter { encoder, mut compressor, mut encoded, mut pieces, mut file } = self;
        file.notes = encoder.finish(&mut encoded)?;
        compressor.write(&encoded, &mut pieces.ready)?;
        compressor.finish(&mut pieces.ready)?;
        pieces.send(1)?;
        file.bytes = pieces.sent_bytes;
        file.sha256 = hex::encode(pieces.hash.finalize());
        Ok(file)
    }
}

/// Compressed bytes on their way to one object.
struct Pieces {
    object: usize,
    ready: Vec<u8>,
    hash: Sha256,
    sent_bytes: u64,
    messages: mpsc::Sender<Message>,
}

impl Pieces {
    fn new(object: usize, messages: mpsc::Sender<Message>) -> Pieces {
        Pieces {
            object,
            ready: Vec::with_capacity(PIECE_BYTES),
            hash: Sha256::new(),
            sent_bytes: 0,
            messages,
        }
    }

    /// Sends what is ready if it is at least `least` bytes, in pieces of bounded size.
    fn send(&mut self, least: usize) -> Result<(), StepError> {
        if self.ready.len() < least {
            return Ok(());
        }
        self.hash.update(&self.ready);
        self.sent_bytes += self.ready.len() as u64;
        let mut ready = Bytes::from(std::mem::replace(&mut self.ready, Vec::with_capacity(PIECE_BYTES)));
        while !ready.is_empty() {
            let piece = ready.split_to(ready.len().min(PIECE_BYTES));
            send(&self.messages, Message::Piece(self.object, piece))?;
        }
        Ok(())
    }
}

/// A receiver that is gone means that the store failed or the task is lost; that end knows why.
fn send(messages: &mpsc::Sender<Message>, message: Message) -> Result<(), StepError> {
    messages.blocking_send(message).map_err(|_| StepError::Lost)
}
