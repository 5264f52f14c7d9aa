//! An API under test, called as any program would.

use std::time::Duration;

use serde_json::Value;

use crate::wait_until;

/// An answer that has not come by then will not come.
const PATIENCE: Duration = Duration::from_mins(1);

/// An API and whom we call it as.
#[derive(Clone, Debug)]
pub struct Client {
    /// Where the API is.
    pub url: String,
    /// The access token; empty for none.
    pub token: String,
}

/// What the API said.
#[derive(Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: ureq::http::HeaderMap,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Reply {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("no JSON: {}", String::from_utf8_lossy(&self.body)))
    }

    /// A header that has to be there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name}: {self:?}")).to_str().unwrap()
    }

    /// Panics unless it is a problem of this status that holds these words.
    pub fn is_problem(&self, status: u16, words: &str) {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["status"], status);
        assert!(problem.to_string().contains(words), "expected `{words}` in {problem}");
    }
}

impl Client {
    /// A GET.
    pub fn get(&self, path: &str) -> Reply {
        self.call("GET", path, None, &[])
    }

    /// A POST with a JSON body.
    pub fn post(&self, path: &str, body: &Value) -> Reply {
        self.call("POST", path, Some(body.to_string()), &[])
    }

    /// Any request; a path of the API carries the token, another address does not.
    pub fn call(&self, method: &str, path: &str, body: Option<String>, headers: &[(&str, &str)]) -> Reply {
        self.ask(method, path, body, headers).unwrap()
    }

    /// The same; `None` when no answer comes within some seconds.
    pub fn try_call(
        &self,
        method: &str,
        path: &str,
        body: Option<String>,
        headers: &[(&str, &str)],
    ) -> Option<Reply> {
        self.ask(method, path, body, headers).ok()
    }

    fn ask(
        &self,
        method: &str,
        path: &str,
        body: Option<String>,
        headers: &[(&str, &str)],
    ) -> Result<Reply, ureq::Error> {
        let address = if path.starts_with('/') { format!("{}{path}", self.url) } else { path.to_owned() };
        let mut request = ureq::http::Request::builder().method(method).uri(address);
        if path.starts_with('/') && !self.token.is_empty() {
            request = request.header("authorization", format!("Bearer {}", self.token));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .allow_non_standard_methods(true)
            .timeout_global(Some(PATIENCE))
            .build();
        let agent: ureq::Agent = config.into();
        let mut response = agent.run(request.body(body.unwrap_or_default()).unwrap())?;
        let body = response.body_mut().with_config().limit(u64::MAX).read_to_vec()?;
        Ok(Reply { status: response.status().as_u16(), headers: response.headers().clone(), body })
    }

    /// Asks for an export and returns the job's UUID.
    pub fn create(&self, request: &Value) -> String {
        let reply = self.post("/export/create-job", request);
        assert_eq!(reply.status, 201, "{}", String::from_utf8_lossy(&reply.body));
        let uuid = reply.json()["job_uuid"].as_str().unwrap().to_owned();
        assert_eq!(reply.header("location"), format!("/export/jobs/{uuid}"));
        uuid
    }

    /// One job.
    pub fn job(&self, uuid: &str) -> Value {
        self.get(&format!("/export/jobs/{uuid}")).json()
    }

    /// Waits until the job ends, and expects this status.
    pub fn wait_for(&self, uuid: &str, status: &str, patience: Duration) -> Value {
        wait_until(&format!("{uuid} has ended"), patience, || {
            !["pending", "processing"].contains(&self.job(uuid)["status"].as_str().unwrap())
        });
        let job = self.job(uuid);
        assert_eq!(job["status"], status, "{job:#}");
        job
    }
}
