//! The CPU half of a partition: shapes, encodes, compresses and hashes, one object per split.

use std::collections::BTreeMap;

use bytes::Bytes;
use sha2::{Digest, Sha256};
use spanfleet_core::{
    Document, Ledger, Options, Order, Schema, Split, begins_block,
    card::CardCounts,
    job::ErrorClass,
    options::Compression,
    report::{BlockNotes, PartFile},
};
use spanfleet_formats::{
    Format, PartEncoder, PartSummary, Shaper,
    support::{
        compress::{self, Compressor},
        sketch,
    },
};
use tokio::sync::mpsc;

use super::{Message, card::CardWriter, sketches::Sketches};
use crate::{StepError, keys, steps::has_blocks};

/// Encoded bytes that are compressed at once.
const ENCODED_BYTES: usize = 64 * 1024;
/// Compressed bytes that travel together.
const PIECE_BYTES: usize = 1024 * 1024;
/// Room for a piece and what may be compressed at once behind it.
const READY_BYTES: usize = PIECE_BYTES + compress::MEMBER_BYTES;
/// Splits of one job: each holds buffers and an upload open.
const MOST_SPLITS: usize = 64;

/// What a partition came to.
pub(super) struct Part {
    /// Its objects, by split.
    pub(super) files: Vec<PartFile>,
    pub(super) ledger: Ledger,
    /// The labels that it wrote.
    pub(super) labels: Vec<String>,
    pub(super) card: CardCounts,
    /// Sketches of its texts, where there may be several splits.
    pub(super) sketches: Option<Vec<u8>>,
    pub(super) sketched_texts: u64,
}

/// Writes the documents of one partition.
pub(super) struct PartWriter {
    kit: Kit,
    shaper: Shaper,
    attempt: String,
    ledger: Ledger,
    card: CardWriter,
    sketches: Option<Sketches>,
    moved: BTreeMap<String, String>,
    objects: Vec<ObjectWriter>,
    messages: mpsc::Sender<Message>,
    /// What came of the document at hand.
    shaped: Vec<Document>,
}

impl PartWriter {
    pub(super) fn new(
        order: &Order,
        schema: &Schema,
        attempt: String,
        messages: mpsc::Sender<Message>,
    ) -> Result<PartWriter, StepError> {
        let shaper = Shaper::new(order, schema);
        let format = spanfleet_formats::open(order)?;
        let has_blocks = has_blocks(order, format.info());
        let compression = format.info().around(order.options.compression);
        let (planned, schema, options) = (schema, shaper.schema(), order.options.clone());
        Ok(PartWriter {
            kit: Kit { format, schema, options, compression, has_blocks },
            shaper,
            attempt,
            ledger: Ledger::default().telling(),
            card: CardWriter::new(&order.options),
            sketches: (order.options.split != Split::None).then(Sketches::default),
            moved: planned.moved.clone(),
            objects: Vec::new(),
            messages,
            shaped: Vec::new(),
        })
    }

    pub(super) fn push(&mut self, document: Document) -> Result<(), StepError> {
        if self.kit.has_blocks && begins_block(&document.id) {
            for object in &mut self.objects {
                object.end_block(&self.kit)?;
            }
        }
        let object = self.object_for(&document)?;
        self.card.select(&document);
        let keys = self.sketches.is_some().then(|| sketch::keys(&document.text)).flatten();
        let texts_before = self.ledger.counts.texts;
        self.shaper.shape(document, &mut self.ledger, &mut self.shaped);
        self.ledger.take_lost();
        for document in self.shaped.drain(..) {
            let before = self.ledger.counts.texts;
            self.objects[object].push(&document, &mut self.ledger, &self.kit)?;
            let lost = self.ledger.take_lost();
            if self.ledger.counts.texts > before {
                self.card.write(object, &document, &lost);
            }
        }
        if let Some(sketches) = self.sketches.as_mut().filter(|_| self.ledger.counts.texts > texts_before) {
            sketches.add(object, keys);
        }
        Ok(())
    }

    /// The place of the object that takes a document, begun when its split is new.
    fn object_for(&mut self, document: &Document) -> Result<usize, StepError> {
        let split = split_of(&self.kit.options.split, document, &self.moved)?;
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
        self.card.begin_split(&split);
        self.objects.push(ObjectWriter {
            block: self.kit.block()?,
            compressor: Compressor::new(self.kit.compression, self.kit.options.compression_level)?,
            encoded: Vec::with_capacity(2 * ENCODED_BYTES),
            pieces: Pieces::new(place, self.messages.clone()),
            file: PartFile { split, key, ..PartFile::default() },
        });
        Ok(place)
    }

    pub(super) fn finish(self) -> Result<Part, StepError> {
        let mut files = Vec::with_capacity(self.objects.len());
        for object in self.objects {
            files.push(object.finish(&self.kit)?);
        }
        let begun: Vec<String> = files.iter().map(|file: &PartFile| file.split.clone()).collect();
        files.sort_by(|one, other| one.split.cmp(&other.split));
        let number = |split: &String| files.iter().position(|file| file.split == *split).unwrap_or(0) as u8;
        let numbers: Vec<u8> = begun.iter().map(number).collect();
        let sketched_texts = self.sketches.as_ref().map_or(0, Sketches::texts);
        Ok(Part {
            files,
            ledger: self.ledger,
            labels: self.shaper.labels(),
            card: self.card.finish(),
            sketches: self.sketches.map(|sketches| sketches.into_bytes(&numbers)),
            sketched_texts,
        })
    }
}

fn split_of(
    split: &Split,
    document: &Document,
    moved: &BTreeMap<String, String>,
) -> Result<String, StepError> {
    split.of(document, moved).map_err(|value| {
        let message =
            format!("text `{}`: `{value}` is no split name; use letters, digits and `_`", document.id);
        StepError::new(ErrorClass::Poison, message)
    })
}

/// What every object of the partition is made with.
struct Kit {
    format: Box<dyn Format>,
    schema: Schema,
    options: Options,
    compression: Compression,
    has_blocks: bool,
}

impl Kit {
    fn block(&self) -> Result<Block, StepError> {
        Ok(Block { encoder: self.format.start(&self.schema)?, texts: 0 })
    }

    /// What stands between a block that has ended and one that begins with a document, compressed on its own.
    ///
    /// Glue depends on the last text of one part and the first of the next; a part of just that text tells it
    /// without waiting for the block's end.
    fn glue(&self, ended: &PartSummary, document: &Document) -> Result<Vec<u8>, StepError> {
        let mut first = self.format.start(&self.schema)?;
        let mut encoded = Vec::new();
        first.push(document, &mut encoded, &mut Ledger::default())?;
        let begun = PartSummary { texts: 1, notes: first.finish(&mut encoded)? };
        let envelope = self.format.seal(&self.schema, &[ended.clone(), begun])?;
        let glue = envelope.glue.first().map_or(&[][..], Vec::as_slice);
        Ok(compress::member(self.compression, self.options.compression_level, glue)?)
    }
}

/// Texts that are encoded and compressed as a part of their own.
struct Block {
    encoder: Box<dyn PartEncoder>,
    texts: u64,
}

/// One split of the partition: a row of blocks with glue between.
struct ObjectWriter {
    block: Block,
    compressor: Compressor,
    encoded: Vec<u8>,
    pieces: Pieces,
    file: PartFile,
}

impl ObjectWriter {
    fn push(&mut self, document: &Document, ledger: &mut Ledger, kit: &Kit) -> Result<(), StepError> {
        let before = ledger.counts;
        self.block.encoder.push(document, &mut self.encoded, ledger)?;
        let texts = ledger.counts.texts - before.texts;
        if texts > 0
            && self.block.texts == 0
            && let Some(ended) = self.file.blocks.last()
        {
            let ended = PartSummary { texts: ended.texts, notes: ended.notes.clone() };
            self.pieces.ready.extend(kit.glue(&ended, document)?);
        }
        self.block.texts += texts;
        self.file.annotations += ledger.counts.annotations_written - before.annotations_written;
        if self.encoded.len() >= ENCODED_BYTES {
            self.compress()?;
            self.pieces.send(PIECE_BYTES)?;
        }
        Ok(())
    }

    fn compress(&mut self) -> Result<(), StepError> {
        self.compressor.write(&self.encoded, &mut self.pieces.ready)?;
        self.encoded.clear();
        Ok(())
    }

    /// Ends the block, unless nothing is in it.
    fn end_block(&mut self, kit: &Kit) -> Result<(), StepError> {
        if self.block.texts == 0 {
            return Ok(());
        }
        let block = std::mem::replace(&mut self.block, kit.block()?);
        let notes = block.encoder.finish(&mut self.encoded)?;
        self.compressor.write(&self.encoded, &mut self.pieces.ready)?;
        self.compressor.finish(&mut self.pieces.ready)?;
        self.encoded.clear();
        self.file.texts += block.texts;
        // Sealing looks at a part's first and last block.
        self.file.blocks.truncate(1);
        self.file.blocks.push(BlockNotes { texts: block.texts, notes });
        self.pieces.send(PIECE_BYTES)
    }

    fn finish(mut self, kit: &Kit) -> Result<PartFile, StepError> {
        self.end_block(kit)?;
        let ObjectWriter { mut pieces, mut file, .. } = self;
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
            ready: Vec::with_capacity(READY_BYTES),
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
        let mut ready = Bytes::from(std::mem::replace(&mut self.ready, Vec::with_capacity(READY_BYTES)));
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
