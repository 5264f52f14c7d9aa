//! Carries a plan out: small parts through this process, the rest inside the store.

use aws_sdk_s3::types::CompletedPart;
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, TryStreamExt, stream};
use spanfleet_storage::{Piece, StorageError};

use crate::bucket::Bucket;
use crate::multipart::{Multipart, Target};
use crate::plan::{PART_BYTES_MIN, Part, Slice, piece_bytes, plan_compose};

/// A copy inside the store costs us nothing; a part that is carried costs its size in memory.
const PARTS_AT_ONCE: usize = 2;

/// Small objects are fetched side by side; each is less than a part.
const READS_AT_ONCE: usize = 8;

pub(crate) async fn compose(
    bucket: &Bucket,
    key: &str,
    media_type: &str,
    pieces: &[Piece],
) -> Result<u64, StorageError> {
    let whole_bytes = pieces.iter().map(piece_bytes).sum();
    if whole_bytes < PART_BYTES_MIN {
        let slices =
            pieces.iter().enumerate().map(|(piece, found)| Slice { piece, range: 0..piece_bytes(found) });
        let whole = carry(bucket, pieces, slices.collect()).await?;
        return bucket.put(key, media_type, whole).await;
    }
    let multipart = Multipart::create(bucket, key, media_type).await?;
    match send_parts(bucket, &multipart.target, pieces).await {
        Ok(parts) => multipart.complete(parts, whole_bytes).await,
        Err(error) => {
            // The first failure is the one to tell; what cannot be aborted is found by the sweep.
            let _ = multipart.abort().await;
            Err(error)
        }
    }
}

async fn send_parts(
    bucket: &Bucket,
    target: &Target,
    pieces: &[Piece],
) -> Result<Vec<CompletedPart>, StorageError> {
    let numbered = (1..).zip(plan_compose(pieces));
    let sent = numbered.map(|(number, part)| send_part(bucket, target, pieces, number, part));
    stream::iter(sent).buffer_unordered(PARTS_AT_ONCE).try_collect().await
}

async fn send_part(
    bucket: &Bucket,
    target: &Target,
    pieces: &[Piece],
    number: i32,
    part: Part,
) -> Result<CompletedPart, StorageError> {
    match part {
        Part::Carry(slices) => target.send(number, carry(bucket, pieces, slices).await?).await,
        Part::Copy(slice) => match &pieces[slice.piece] {
            Piece::Object { key, .. } => target.copy(number, key, slice.range).await,
            Piece::Inline(inline) => target.send(number, inline.clone()).await,
        },
    }
}

/// The bytes of slices, one behind the other.
async fn carry(bucket: &Bucket, pieces: &[Piece], slices: Vec<Slice>) -> Result<Bytes, StorageError> {
    let read = slices.into_iter().map(|slice| read(bucket, &pieces[slice.piece], slice));
    let mut fetched = stream::iter(read).buffered(READS_AT_ONCE);
    let mut carried = BytesMut::new();
    while let Some(bytes) = fetched.try_next().await? {
        carried.extend_from_slice(&bytes);
    }
    Ok(carried.freeze())
}

async fn read(bucket: &Bucket, piece: &Piece, slice: Slice) -> Result<Bytes, StorageError> {
    let range = slice.range;
    match piece {
        Piece::Inline(inline) => Ok(inline.slice(range.start as usize..range.end as usize)),
        Piece::Object { key, .. } => bucket.read(key, range.start, range.end - range.start).await,
    }
}
