//! Requests that name the field they are wrong in.

use axum::{
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
    http::request::Parts,
};
use bytes::BytesMut;
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::{Api, Failure};

/// A request's body may be this large: filters with many ids are, nothing else is.
const MOST_BODY_BYTES: usize = 8 * 1024 * 1024;
/// So much of a larger one is read and thrown away.
const MOST_DRAINED_BYTES: usize = 8 * MOST_BODY_BYTES;

/// A JSON body.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Api> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &Api) -> Result<Body<T>, Failure> {
        let body = read_body(request).await?;
        let mut json = serde_json::Deserializer::from_slice(&body);
        serde_path_to_error::deserialize(&mut json).map(Body).map_err(|error| {
            let status = if error.inner().is_data() { 422 } else { 400 };
            let (path, reason) = (error.path().to_string(), error.into_inner().to_string());
            Failure::new(status, format!("the body is not as expected: {reason}")).about(path)
        })
    }
}

/// Reads a body to its end even where it is too large, so that whoever sends it gets to read the answer; but not
/// for ever.
async fn read_body(request: Request) -> Result<BytesMut, Failure> {
    let (mut pieces, mut body, mut read_bytes) = (request.into_body().into_data_stream(), BytesMut::new(), 0);
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|_| Failure::new(400, "the body was cut off"))?;
        read_bytes += piece.len();
        if read_bytes <= MOST_BODY_BYTES {
            body.extend_from_slice(&piece);
        } else if read_bytes > MOST_DRAINED_BYTES {
            break;
        }
    }
    if read_bytes > MOST_BODY_BYTES {
        return Err(Failure::new(413, "the body is too large; it may have 8 MiB"));
    }
    Ok(body)
}

/// The query string.
pub(super) struct Params<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequestParts<Api> for Params<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Params<T>, Failure> {
        let query = Query::<T>::from_request_parts(parts, api).await;
        query.map(|Query(query)| Params(query)).map_err(|rejection| Failure::new(422, rejection.body_text()))
    }
}

/// The job that a path names.
pub(super) struct JobId(pub(super) Uuid);

impl FromRequestParts<Api> for JobId {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<JobId, Failure> {
        let path = Path::<String>::from_request_parts(parts, api).await;
        let id = path.ok().and_then(|Path(text)| text.parse().ok());
        id.map(JobId).ok_or_else(Failure::no_job)
    }
}
