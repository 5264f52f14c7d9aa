//! Joins pieces: small ones through this process, the rest inside the store.

use aws_sdk_s3::types::CompletedPart;
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, TryStreamExt, stream};
use spanfleet_storage::{Composed, Hasher, Piece, StorageError, StorageErrorKind, Upload};
use tokio::sync::Semaphore;

use crate::bucket::Bucket;
use crate::multipart::{Multipart, Target};
use crate::plan::{PART_BYTES_MIN, Part, Slice, piece_bytes, plan_compose};
use crate::upload::S3Upload;

/// Copies inside the store cost us nothing. Parts that are carried cost their size in memory: of these there is
/// one at a time, whatever the number of parts.
const COPIES_AT_ONCE: usize = 4;

/// Small objects are fetched ahead of their turn; each is less than a part.
const READS_AT_ONCE: usize = 2;

pub(crate) async fn compose(
    bucket: &Bucket,
    key: &str,
    media_type: &str,
    pieces: &[Piece],
) -> Result<Composed, StorageError> {
    let parts = plan_compose(pieces);
    if parts.iter().all(|part| matches!(part, Part::Carry(_))) {
        return carry_all(bucket, key, media_type, pieces).await;
    }
    let whole_bytes = pieces.iter().map(piece_bytes).sum();
    let multipart = Multipart::create(bucket, key, media_type).await?;
    match send_parts(bucket, &multipart.target, pieces, parts).await {
        Ok(parts) => {
            multipart.complete(parts, whole_bytes).await?;
            Ok(Composed { bytes: whole_bytes, sha256: None })
        }
        Err(error) => {
            // The first failure is the one to tell; what cannot be aborted is found by the sweep.
            let _ = multipart.abort().await;
            Err(error)
        }
    }
}

/// Where nothing is copied, all bytes are seen on their way: while some are sent, the next are read and hashed. In
/// memory are two reads of a part's size, two parts that are sent, and what waits to become one.
async fn carry_all(
    bucket: &Bucket,
    key: &str,
    media_type: &str,
    pieces: &[Piece],
) -> Result<Composed, StorageError> {
    let mut upload = Box::new(S3Upload::compared(bucket.clone(), key, media_type));
    let hasher = match write_all(bucket, key, pieces, &mut upload).await {
        Ok(hasher) => hasher,
        Err(error) => {
            let _ = upload.abort().await;
            return Err(error);
        }
    };
    let is_same = upload.complete().await?;
    let sha256 = if is_same { Some(hasher.finish().await?) } else { None };
    Ok(Composed { bytes: pieces.iter().map(piece_bytes).sum(), sha256 })
}

async fn write_all(
    bucket: &Bucket,
    key: &str,
    pieces: &[Piece],
    upload: &mut S3Upload,
) -> Result<Hasher, StorageError> {
    let mut hasher = Hasher::new(key);
    let reads = part_slices(pieces).map(|slice| read(bucket, &pieces[slice.piece], slice));
    let mut fetched = stream::iter(reads).buffered(READS_AT_ONCE);
    while let Some(bytes) = fetched.try_next().await? {
        hasher.add(bytes.clone()).await?;
        upload.write(bytes).await?;
    }
    Ok(hasher)
}

/// All bytes of the pieces, in slices of at most the smallest part's size.
fn part_slices(pieces: &[Piece]) -> impl Iterator<Item = Slice> {
    pieces.iter().enumerate().flat_map(|(piece, found)| {
        let end = piece_bytes(found);
        let starts = (0..end).step_by(PART_BYTES_MIN as usize);
        starts.map(move |start| Slice { piece, range: start..end.min(start + PART_BYTES_MIN) })
    })
}

async fn send_parts(
    bucket: &Bucket,
    target: &Target,
    pieces: &[Piece],
    parts: Vec<Part>,
) -> Result<Vec<CompletedPart>, StorageError> {
    let turn = Semaphore::new(1);
    let numbered = (1..).zip(parts);
    let sent = numbered.map(|(number, part)| send_part(bucket, target, pieces, number, part, &turn));
    stream::iter(sent).buffer_unordered(COPIES_AT_ONCE).try_collect().await
}

async fn send_part(
    bucket: &Bucket,
    target: &Target,
    pieces: &[Piece],
    number: i32,
    part: Part,
    turn: &Semaphore,
) -> Result<CompletedPart, StorageError> {
    match part {
        Part::Carry(slices) => {
            // Never closed: an error would mean nothing.
            let _turn = turn.acquire().await;
            target.send(number, carry(bucket, pieces, slices).await?).await
        }
        Part::Copy(slice) => match &pieces[slice.piece] {
            Piece::Object { key, .. } => target.copy(number, key, slice.range).await,
            Piece::Inline(inline) => target.send(number, inline.clone()).await,
        },
    }
}

/// The bytes of slices, one behind the other.
async fn carry(bucket: &Bucket, pieces: &[Piece], slices: Vec<Slice>) -> Result<Bytes, StorageError> {
    let whole_bytes: u64 = slices.iter().map(|slice| slice.range.end - slice.range.start).sum();
    let read = slices.into_iter().map(|slice| read(bucket, &pieces[slice.piece], slice));
    let mut fetched = stream::iter(read).buffered(READS_AT_ONCE);
    let mut carried = BytesMut::with_capacity(whole_bytes as usize);
    while let Some(bytes) = fetched.try_next().await? {
        carried.extend_from_slice(&bytes);
    }
    Ok(carried.freeze())
}

/// Exactly the bytes of a slice: an object that has fewer would be missing in a whole that nobody reads back.
async fn read(bucket: &Bucket, piece: &Piece, slice: Slice) -> Result<Bytes, StorageError> {
    let range = slice.range;
    let key = match piece {
        Piece::Inline(inline) => return Ok(inline.slice(range.start as usize..range.end as usize)),
        Piece::Object { key, .. } => key,
    };
    let bytes = bucket.read(key, range.start, range.end - range.start).await?;
    if range.start + bytes.len() as u64 == range.end {
        return Ok(bytes);
    }
    let name = bucket.name();
    let message = format!("`{key}` in bucket `{name}` ends before byte {}, which it should have", range.end);
    Err(StorageError::new(StorageErrorKind::Transient, message))
}
