//! Carries an artifact's bytes, for stores that have no addresses of their own. The signed link is the
//! permission. Ranges are honoured, so that downloads resume.

use axum::{
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use serde::Deserialize;

use super::{
    Api, Failure,
    files::{file_name, media_type},
    query::Params,
};

/// Bytes that are read from the store at once.
const PIECE_BYTES: u64 = 1024 * 1024;

#[derive(Deserialize)]
pub(super) struct Signature {
    expires: u64,
    signature: String,
}

pub(super) async fn carry(
    State(api): State<Api>,
    Path((job, path)): Path<(String, String)>,
    Params(signature): Params<Signature>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let key = format!("{job}/{path}");
    if !api.signer.allows(&key, signature.expires, &signature.signature) {
        return Err(Failure::new(403, "this link is not valid any more; ask for a new one"));
    }
    let object = api.storage.head(&key).await?.ok_or_else(|| Failure::new(410, "the artifact is gone"))?;
    let range = headers.get(header::RANGE).and_then(|range| range.to_str().ok());
    let Some((from, to)) = range.map_or(Some((0, object.bytes)), |range| read_range(range, object.bytes))
    else {
        let whole = [(header::CONTENT_RANGE, format!("bytes */{}", object.bytes))];
        return Ok((StatusCode::RANGE_NOT_SATISFIABLE, whole).into_response());
    };
    let mut response = (
        [
            (header::CONTENT_TYPE, media_type(&path).to_owned()),
            (header::CONTENT_LENGTH, (to - from).to_string()),
            (header::ACCEPT_RANGES, "bytes".to_owned()),
            (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", file_name(&job, &path))),
        ],
        body(api, key, from, to),
    )
        .into_response();
    if range.is_some()
        && let Ok(value) = format!("bytes {from}-{}/{}", to - 1, object.bytes).parse()
    {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        response.headers_mut().insert(header::CONTENT_RANGE, value);
    }
    Ok(response)
}

/// `bytes=FROM-` or `bytes=FROM-TO` as a half-open range; `None` when it lies outside.
fn read_range(range: &str, bytes: u64) -> Option<(u64, u64)> {
    let (from, to) = range.strip_prefix("bytes=")?.split_once('-')?;
    let from: u64 = from.parse().ok()?;
    let to = if to.is_empty() { bytes } else { to.parse::<u64>().ok()?.checked_add(1)?.min(bytes) };
    (from < to).then_some((from, to))
}

fn body(api: Api, key: String, from: u64, to: u64) -> Body {
    Body::from_stream(stream::try_unfold(from, move |offset| {
        let (api, key) = (api.clone(), key.clone());
        async move {
            if offset >= to {
                return Ok::<_, spanfleet_storage::StorageError>(None);
            }
            let piece = api.storage.read(&key, offset, PIECE_BYTES.min(to - offset)).await?;
            let next = if piece.is_empty() { to } else { offset + piece.len() as u64 };
            Ok(Some((piece, next)))
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        assert_eq!(read_range("bytes=0-", 10), Some((0, 10)));
        assert_eq!(read_range("bytes=3-4", 10), Some((3, 5)));
        assert_eq!(read_range("bytes=3-400", 10), Some((3, 10)));
        assert_eq!(read_range("bytes=10-", 10), None);
        assert_eq!(read_range("lines=1-2", 10), None);
    }
}
