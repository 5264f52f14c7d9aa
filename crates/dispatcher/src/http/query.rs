//! Requests that name the field they are wrong in.

use axum::{
    extract::{FromRequest, FromRequestParts, Path, Query, Request, rejection::BytesRejection},
    http::request::Parts,
};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::{Api, Failure};

/// A JSON body.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Api> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, api: &Api) -> Result<Body<T>, Failure> {
        let body = Bytes::from_request(request, api).await.map_err(|rejection: BytesRejection| {
            Failure::new(
                rejection.status().as_u16(),
                "the body is too large or was cut off; it may have 8 MiB",
            )
        })?;
        let mut json = serde_json::Deserializer::from_slice(&body);
        serde_path_to_error::deserialize(&mut json).map(Body).map_err(|error| {
            let status = if error.inner().is_data() { 422 } else { 400 };
            let (path, reason) = (error.path().to_string(), error.into_inner().to_string());
            Failure::new(status, format!("the body is not as expected: {reason}")).about(path)
        })
    }
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
