//! What carries spans to their receiver: the HTTP client that the program has anyway.

use std::time::Duration;

use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};

/// A blocking client: the exporter calls it on a thread of its own.
#[derive(Debug)]
pub(crate) struct Client(ureq::Agent);

impl Client {
    pub(crate) fn new(timeout: Duration) -> Client {
        // What an error status means, and whether to send again, is the exporter's business.
        let config = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(timeout));
        Client(config.build().into())
    }
}

#[async_trait::async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (head, body) = request.into_parts();
        let (head, mut body) = self.0.run(Request::from_parts(head, &body[..]))?.into_parts();
        Ok(Response::from_parts(head, body.read_to_vec()?.into()))
    }
}
