//! Every answer that is no success, as a problem.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use spanfleet_api::{Problem, problem::MEDIA_TYPE};
use spanfleet_core::OptionError;
use spanfleet_metastore::{MetastoreError, MetastoreErrorKind};
use spanfleet_storage::StorageError;

/// A problem on its way out.
#[derive(Debug)]
pub(super) struct Failure(pub(super) Box<Problem>);

impl Failure {
    pub(super) fn new(status: u16, detail: impl Into<String>) -> Failure {
        let title = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
        Failure(Box::new(Problem::new(status, title.unwrap_or("Error"), detail)))
    }

    pub(super) fn about(self, field: impl Into<String>) -> Failure {
        Failure(Box::new(self.0.about(field)))
    }

    /// An order that makes no sense: which field, which key, what is allowed.
    pub(super) fn option(field: &str, error: &OptionError) -> Failure {
        Failure::new(422, error.to_string()).about(format!("{field}.{}", error.key))
    }

    /// The same words whether the job is another's or nobody's.
    pub(super) fn no_job() -> Failure {
        Failure::new(404, "there is no such job among yours")
    }

    /// The same words whether the project exists or not.
    pub(super) fn no_access() -> Failure {
        Failure::new(403, "you have no access to this project").about("project_id")
    }
}

impl From<MetastoreError> for Failure {
    fn from(error: MetastoreError) -> Failure {
        tracing::error!(%error, source = ?error.source.as_ref().map(ToString::to_string), "metastore failed");
        match error.kind {
            MetastoreErrorKind::Transient => Failure::new(503, "the database does not answer; try again"),
            _ => Failure::new(500, "the database is not set up as this version needs it; see the log"),
        }
    }
}

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Failure {
        tracing::error!(%error, source = ?error.source.as_ref().map(ToString::to_string), "store failed");
        Failure::new(503, "the artifact store does not answer; try again")
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, axum::Json(*self.0)).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response
    }
}
