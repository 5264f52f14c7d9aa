//! An object being written. What fits into one part is one request; the rest goes in parts, two of them on
//! their way while the caller makes the next.

use std::collections::VecDeque;

use async_trait::async_trait;
use aws_sdk_s3::types::CompletedPart;
use bytes::{Bytes, BytesMut};
use spanfleet_storage::{StorageError, StorageErrorKind, Upload};
use tokio::task::JoinSet;

use crate::bucket::Bucket;
use crate::multipart::Multipart;
use crate::plan::PART_BYTES_MIN;
use crate::sums;

/// One on its way hides the time it takes; the second hides the moment between two.
const PARTS_IN_FLIGHT_MAX: usize = 2;

/// After so many parts their size doubles: 10,000 parts of 8 MiB and more hold 8 TiB, beyond any store's limit.
const PARTS_PER_SIZE: usize = 1000;

pub(crate) struct S3Upload {
    bucket: Bucket,
    key: String,
    media_type: String,
    /// Bytes that are in no part yet.
    waiting: Waiting,
    written_bytes: u64,
    part_bytes: usize,
    is_compared: bool,
    parts: Option<Parts>,
}

struct Parts {
    multipart: Multipart,
    in_flight: JoinSet<Result<(CompletedPart, bool), StorageError>>,
    done: Vec<CompletedPart>,
    begun: usize,
    /// Whether the store's own sums are held against what was sent.
    is_compared: bool,
    /// Whether they are the same for all that is done; never where they aren't compared.
    are_same: bool,
}

impl S3Upload {
    pub(crate) fn new(bucket: Bucket, key: &str, media_type: &str) -> S3Upload {
        S3Upload {
            key: key.to_owned(),
            media_type: media_type.to_owned(),
            waiting: Waiting::default(),
            written_bytes: 0,
            part_bytes: bucket.settings.part_bytes,
            is_compared: false,
            parts: None,
            bucket,
        }
    }

    /// One whose parts are held against the store's sums of them. Its parts are the smallest: it stands in memory beside
    /// what is read for it.
    pub(crate) fn compared(bucket: Bucket, key: &str, media_type: &str) -> S3Upload {
        let part_bytes = PART_BYTES_MIN as usize;
        S3Upload { part_bytes, is_compared: true, ..S3Upload::new(bucket, key, media_type) }
    }

    /// Finishes, and says whether the store has told by sums of its own that it holds what was sent.
    pub(crate) async fn complete(mut self) -> Result<bool, StorageError> {
        let Some(mut parts) = self.parts.take() else {
            let is_same = self.bucket.put(&self.key, &self.media_type, self.waiting.take_all()).await?;
            if !is_same {
                self.bucket.expect_bytes(&self.key, self.written_bytes).await?;
            }
            return Ok(is_same);
        };
        while let Some(part) = self.waiting.take(parts.next_bytes(self.part_bytes)) {
            parts.send(part).await?;
        }
        if self.waiting.bytes > 0 {
            parts.send(self.waiting.take_all()).await?;
        }
        parts.finish(self.written_bytes).await
    }
}

#[async_trait]
impl Upload for S3Upload {
    fn id(&self) -> Option<&str> {
        self.parts.as_ref().map(|parts| parts.multipart.id())
    }

    async fn write(&mut self, piece: Bytes) -> Result<(), StorageError> {
        self.written_bytes += piece.len() as u64;
        self.waiting.push(piece);
        let Some(parts) = &mut self.parts else {
            if self.waiting.bytes >= self.part_bytes {
                // The caller can note the id down now: no part is sent before the next call.
                let begun = Parts::begin(&self.bucket, &self.key, &self.media_type, self.is_compared);
                self.parts = Some(begun.await?);
            }
            return Ok(());
        };
        while let Some(part) = self.waiting.take(parts.next_bytes(self.part_bytes)) {
            parts.send(part).await?;
        }
        Ok(())
    }

    async fn finish(self: Box<Self>) -> Result<u64, StorageError> {
        let written_bytes = self.written_bytes;
        self.complete().await?;
        Ok(written_bytes)
    }

    async fn abort(mut self: Box<Self>) -> Result<(), StorageError> {
        match self.parts.take() {
            Some(parts) => parts.abort().await,
            None => Ok(()),
        }
    }
}

impl Parts {
    async fn begin(
        bucket: &Bucket,
        key: &str,
        media_type: &str,
        is_compared: bool,
    ) -> Result<Parts, StorageError> {
        let multipart = Multipart::create(bucket, key, media_type).await?;
        let (in_flight, done) = (JoinSet::new(), Vec::new());
        Ok(Parts { multipart, in_flight, done, begun: 0, is_compared, are_same: true })
    }

    /// The size of the next part.
    fn next_bytes(&self, part_bytes: usize) -> usize {
        part_bytes << (self.begun / PARTS_PER_SIZE)
    }

    async fn send(&mut self, bytes: Bytes) -> Result<(), StorageError> {
        while self.in_flight.len() >= PARTS_IN_FLIGHT_MAX {
            self.wait_for_one().await?;
        }
        self.begun += 1;
        let (target, number) = (self.multipart.target.clone(), self.begun as i32);
        let is_compared = self.is_compared;
        self.in_flight.spawn(async move {
            let part = target.send(number, bytes.clone()).await?;
            let is_same = is_compared && sums::is_part(&part, bytes).await;
            Ok((part, is_same))
        });
        Ok(())
    }

    async fn wait_for_one(&mut self) -> Result<(), StorageError> {
        match self.in_flight.join_next().await {
            Some(Ok(sent)) => {
                let (part, is_same) = sent?;
                self.done.push(part);
                self.are_same &= is_same;
            }
            Some(Err(error)) => {
                let message = "a part was cut short on its way to the store";
                return Err(StorageError::new(StorageErrorKind::Transient, message).because(error));
            }
            None => {}
        }
        Ok(())
    }

    async fn finish(mut self, whole_bytes: u64) -> Result<bool, StorageError> {
        while !self.in_flight.is_empty() {
            self.wait_for_one().await?;
        }
        let is_joined = self.multipart.complete(self.done, whole_bytes).await?;
        Ok(self.are_same && is_joined)
    }

    async fn abort(mut self) -> Result<(), StorageError> {
        // A part that arrives after the abort would stay.
        self.in_flight.shutdown().await;
        self.multipart.abort().await
    }
}

/// Pieces on their way to becoming parts.
#[derive(Default)]
struct Waiting {
    pieces: VecDeque<Bytes>,
    bytes: usize,
}

impl Waiting {
    fn push(&mut self, piece: Bytes) {
        self.bytes += piece.len();
        self.pieces.push_back(piece);
    }

    /// Exactly so many bytes, once there are so many.
    fn take(&mut self, bytes: usize) -> Option<Bytes> {
        if self.bytes < bytes {
            return None;
        }
        self.bytes -= bytes;
        match self.pieces.front_mut() {
            // The usual case, a piece of a part's size or more: no copy.
            Some(first) if first.len() >= bytes => Some(first.split_to(bytes)),
            _ => Some(self.gather(bytes)),
        }
    }

    fn take_all(&mut self) -> Bytes {
        self.take(self.bytes).unwrap_or_default()
    }

    fn gather(&mut self, bytes: usize) -> Bytes {
        let mut gathered = BytesMut::with_capacity(bytes);
        while let Some(mut piece) = self.pieces.pop_front() {
            let taken = piece.split_to(piece.len().min(bytes - gathered.len()));
            gathered.extend_from_slice(&taken);
            if gathered.len() == bytes {
                self.pieces.push_front(piece);
                break;
            }
        }
        gathered.freeze()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn pieces_come_out_as_they_went_in(sizes in prop::collection::vec(0_usize..40, 0..40), part in 1_usize..50) {
            let (mut waiting, mut written, mut read) = (Waiting::default(), Vec::new(), Vec::new());
            for (number, size) in sizes.into_iter().enumerate() {
                let piece = vec![number as u8; size];
                written.extend_from_slice(&piece);
                waiting.push(piece.into());
                while let Some(taken) = waiting.take(part) {
                    prop_assert_eq!(taken.len(), part);
                    read.extend_from_slice(&taken);
                }
            }
            read.extend_from_slice(&waiting.take_all());
            prop_assert_eq!(read, written);
            prop_assert_eq!(waiting.bytes, 0);
        }
    }
}
