//! The API as the `jobs` commands call it.

use std::{
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, Read, Seek, SeekFrom, Write},
    path::{Component, Path, PathBuf},
    time::Duration,
};

use serde::{Serialize, de::DeserializeOwned};
use spanfleet_api::{Artifact, Problem};
use ureq::{Agent, Body, http::Response};

use crate::{args::ClientArgs, failure::Failure};

/// Tries of one file before a download is given up; each goes on where the last one ended.
const DOWNLOAD_TRIES: u32 = 5;
/// Bytes that are written at once.
const BUFFER_BYTES: usize = 256 * 1024;

/// A caller of one API.
pub(crate) struct Client {
    agent: Agent,
    url: String,
    token: String,
}

impl Client {
    /// Finds the token in the arguments or the data directory.
    pub(crate) fn new(args: &ClientArgs, data_dir: &Path) -> Result<Client, Failure> {
        let file = data_dir.join("token");
        let token = match &args.token {
            Some(token) => token.clone(),
            None => std::fs::read_to_string(&file).map_err(|_| {
                let advice = "set SPANFLEET_TOKEN; `spanfleet token create` makes a token";
                Failure::usage(format!("there is no access token in `{}`; {advice}", file.display()))
            })?,
        };
        let config = Agent::config_builder()
            .http_status_as_error(false)
            // A redirect leads to the store, which must never see our token.
            .max_redirects(0)
            .timeout_connect(Some(Duration::from_secs(10)))
            .build();
        Ok(Client {
            agent: config.into(),
            url: args.url.trim_end_matches('/').to_owned(),
            token: token.trim().to_owned(),
        })
    }

    pub(crate) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        let request = self.agent.get(format!("{}{path}", self.url)).header("authorization", self.bearer());
        read(request.call().map_err(|error| self.unreachable(&error))?)
    }

    /// What each Server-Sent Event carries, until the stream ends or breaks.
    pub(crate) fn events<T: DeserializeOwned>(
        &self,
        path: &str,
    ) -> Result<impl Iterator<Item = Result<T, Failure>>, Failure> {
        let request = self.agent.get(format!("{}{path}", self.url)).header("authorization", self.bearer());
        let response = request.call().map_err(|error| self.unreachable(&error))?;
        if !response.status().is_success() {
            return Err(problem(response));
        }
        let lines = BufReader::new(response.into_body().into_reader()).lines();
        // The data of our events is one line of JSON.
        Ok(lines.map_while(Result::ok).filter_map(|line| {
            let data = line.strip_prefix("data:")?;
            Some(serde_json::from_str(data).map_err(|error| unreadable(&error)))
        }))
    }

    pub(crate) fn post<B: Serialize, T: DeserializeOwned>(
        &self,
        path: &str,
        key: Option<&str>,
        body: &B,
    ) -> Result<T, Failure> {
        let mut request =
            self.agent.post(format!("{}{path}", self.url)).header("authorization", self.bearer());
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        read(request.send_json(body).map_err(|error| self.unreachable(&error))?)
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }

    fn unreachable(&self, error: &ureq::Error) -> Failure {
        Failure::new(format!(
            "can't reach `{}`: {error}; is `spanfleet serve` running there, or set SPANFLEET_URL",
            self.url
        ))
    }

    /// Fetches an artifact into a directory, going on where an earlier try ended.
    pub(crate) fn fetch(&self, artifact: &Artifact, dir: &Path) -> Result<(), Failure> {
        let path = inside(dir, &artifact.path)?;
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        let mut partial = path.clone().into_os_string();
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        let mut last = Failure::new("not tried");
        for _ in 0..DOWNLOAD_TRIES {
            match self.fetch_rest(artifact, &partial) {
                Ok(()) => return Ok(std::fs::rename(&partial, &path)?),
                Err(failure) => last = failure,
            }
        }
        Err(last)
    }

    fn fetch_rest(&self, artifact: &Artifact, partial: &Path) -> Result<(), Failure> {
        let mut file = OpenOptions::new().create(true).append(true).open(partial)?;
        let have = file.seek(SeekFrom::End(0))?;
        if have >= artifact.bytes {
            return if have == artifact.bytes { Ok(()) } else { start_over(&file, artifact) };
        }
        let response =
            self.agent.get(self.address_of(artifact)?).header("range", format!("bytes={have}-")).call();
        let mut response =
            response.map_err(|error| Failure::new(format!("can't fetch `{}`: {error}", artifact.path)))?;
        match response.status().as_u16() {
            206 => {}
            200 => file.set_len(0)?,
            status => {
                return Err(Failure::new(format!(
                    "can't fetch `{}`: the store answered {status}",
                    artifact.path
                )));
            }
        }
        copy(&mut response.body_mut().as_reader(), &mut file)?;
        let have = file.metadata()?.len();
        if have == artifact.bytes {
            Ok(())
        } else {
            Err(Failure::new(format!("`{}` ended after {have} of {} bytes", artifact.path, artifact.bytes)))
        }
    }

    /// The address that the API redirects to.
    fn address_of(&self, artifact: &Artifact) -> Result<String, Failure> {
        let request =
            self.agent.get(format!("{}{}", self.url, artifact.link)).header("authorization", self.bearer());
        let response = request.call().map_err(|error| self.unreachable(&error))?;
        let location =
            response.headers().get("location").and_then(|value| value.to_str().ok()).map(str::to_owned);
        match location {
            Some(path) if path.starts_with('/') => Ok(format!("{}{path}", self.url)),
            Some(address) => Ok(address),
            None => Err(problem(response)),
        }
    }
}

fn start_over(file: &File, artifact: &Artifact) -> Result<(), Failure> {
    file.set_len(0)?;
    Err(Failure::new(format!("what was there of `{}` was not its beginning; starting over", artifact.path)))
}

fn copy(from: &mut impl Read, to: &mut impl Write) -> Result<(), Failure> {
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let read = from.read(&mut buffer)?;
        if read == 0 {
            return Ok(to.flush()?);
        }
        to.write_all(&buffer[..read])?;
    }
}

/// A path below a directory, whatever the server says.
fn inside(dir: &Path, path: &str) -> Result<PathBuf, Failure> {
    let is_plain = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
    if is_plain {
        Ok(dir.join(path))
    } else {
        Err(Failure::new(format!("the server named the file `{path}`, which lies outside")))
    }
}

fn read<T: DeserializeOwned>(mut response: Response<Body>) -> Result<T, Failure> {
    if !response.status().is_success() {
        return Err(problem(response));
    }
    let body = response.body_mut().with_config().limit(u64::MAX).read_json();
    body.map_err(|error| unreadable(&error))
}

fn unreadable(error: &dyn std::error::Error) -> Failure {
    Failure::new(format!("the server's answer can't be read: {error}"))
}

fn problem(mut response: Response<Body>) -> Failure {
    let status = response.status().as_u16();
    let message = match response.body_mut().read_json::<Problem>() {
        Ok(problem) => match problem.field {
            Some(field) => format!("{} ({status}, `{field}`)", problem.detail),
            None => format!("{} ({status})", problem.detail),
        },
        Err(_) => format!("the server answered {status}"),
    };
    // What the API refuses is the caller's to mend, as on the command line.
    if status == 422 { Failure::usage(message) } else { Failure::new(message) }
}
