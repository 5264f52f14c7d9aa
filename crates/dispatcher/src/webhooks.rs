//! Calls whoever wants to know that a job has ended: at least once, signed, over https, never into the private
//! network. What is to be told follows from the job's row, so nothing is lost between the two.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;
use spanfleet_metastore::{Metastore, WebhookRow};
use tokio_util::sync::CancellationToken;
use ureq::{
    Agent,
    config::Config,
    http::Uri,
    unversioned::{
        resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver},
        transport::{DefaultConnector, NextTimeout},
    },
};
use url::{Host, Url};

use crate::{http::view, sweeper::wait};

/// Webhooks called in one round, side by side.
const WEBHOOKS_PER_ROUND: u32 = 16;
/// How often ended jobs are looked for.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long one call may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Tries before somebody who does not answer is given up: most of a day.
const MOST_TRIES: u32 = 24;

/// How webhooks are called.
#[derive(Clone)]
pub struct WebhookSettings {
    /// Signs what is sent; without one nobody is called.
    pub secret: Option<String>,
    /// Whether http and private addresses may be called: a receiver beside the fleet, or a test.
    pub allows_private: bool,
}

impl std::fmt::Debug for WebhookSettings {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Not the secret.
        out.debug_struct("WebhookSettings")
            .field("allows_private", &self.allows_private)
            .finish_non_exhaustive()
    }
}

impl WebhookSettings {
    /// Why an address may not be called; the words say what to do instead.
    pub fn refuse(&self, address: &str) -> Option<&'static str> {
        if self.secret.is_none() {
            return Some(
                "this server signs no webhooks; set SPANFLEET_WEBHOOK_SECRET, or follow the job's events",
            );
        }
        let Ok(url) = Url::parse(address) else {
            return Some("this is no address; write `https://host/path`");
        };
        let is_private = match url.host() {
            Some(Host::Ipv4(ip)) => is_private(ip.into()),
            Some(Host::Ipv6(ip)) => is_private(ip.into()),
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            None => return Some("this is no address; write `https://host/path`"),
        };
        match url.scheme() {
            "https" if !is_private || self.allows_private => None,
            "http" if self.allows_private => None,
            "https" => Some("a private address is not called; name a public one"),
            _ => Some("only https is called"),
        }
    }
}

/// Calls webhooks.
pub struct Webhooks {
    metastore: Arc<dyn Metastore>,
    settings: WebhookSettings,
    agent: Agent,
}

impl Webhooks {
    /// One that has called nobody yet.
    pub fn new(metastore: Arc<dyn Metastore>, settings: WebhookSettings) -> Arc<Webhooks> {
        let config = Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            // Somebody else's redirect could lead anywhere.
            .max_redirects(0)
            .user_agent(concat!("spanfleet/", env!("CARGO_PKG_VERSION")))
            .build();
        let resolver =
            PublicResolver { allows_private: settings.allows_private, ..PublicResolver::default() };
        let agent = Agent::with_parts(config, DefaultConnector::default(), resolver);
        Arc::new(Webhooks { metastore, settings, agent })
    }

    /// Calls until told to stop.
    pub async fn run(self: Arc<Webhooks>, stop: CancellationToken) {
        while wait(&stop, LOOK_EVERY).await {
            match self.metastore.take_webhooks(WEBHOOKS_PER_ROUND).await {
                Ok(due) => {
                    let calls = due.into_iter().map(|webhook| self.clone().call(webhook));
                    futures_util::future::join_all(calls).await;
                }
                Err(error) => tracing::warn!(%error, "can't look for webhooks; trying again"),
            }
        }
    }

    async fn call(self: Arc<Webhooks>, webhook: WebhookRow) {
        let (job, job_id, attempt) = (webhook.job.job_uuid, webhook.job.id, webhook.attempt);
        let caller = self.clone();
        let called = tokio::task::spawn_blocking(move || caller.post(webhook)).await;
        let problem = match called {
            Ok(Ok(())) => None,
            Ok(Err(reason)) => Some(reason),
            Err(panic) => Some(panic.to_string()),
        };
        match &problem {
            None => tracing::info!(%job, attempt, "told of a job's end"),
            // Not the address: a secret may be in it.
            Some(reason) => tracing::warn!(%job, attempt, reason, "can't tell of a job's end"),
        }
        if (problem.is_none() || attempt >= MOST_TRIES)
            && let Err(error) = self.metastore.finish_webhook(job_id).await
        {
            tracing::warn!(%job, %error, "a webhook will be called again");
        }
    }

    fn post(&self, webhook: WebhookRow) -> Result<(), String> {
        let WebhookRow { url, attempt, job } = webhook;
        if let Some(reason) = self.settings.refuse(&url) {
            return Err(reason.to_owned());
        }
        let job = view(job);
        let event = format!("job.{}", job.status);
        let delivery = format!("{}-{attempt}", job.job_uuid);
        let body = json!({"event": event, "delivery": delivery, "job": job}).to_string();
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |age| age.as_secs());
        let request = self
            .agent
            .post(&url)
            .content_type("application/json")
            .header("x-spanfleet-event", event)
            .header("x-spanfleet-delivery", delivery)
            .header("x-spanfleet-signature", self.signature(seconds, &body));
        // The error's words may quote the address.
        let answer = request.send(&body).map_err(|error| error.to_string().replace(&url, "the address"))?;
        let status = answer.status();
        if status.is_success() { Ok(()) } else { Err(format!("the answer is {status}")) }
    }

    /// `t=SECONDS,v1=HEX`: HMAC-SHA256 of `SECONDS.BODY`, so that an old call can't be replayed as a new one.
    fn signature(&self, seconds: u64, body: &str) -> String {
        let secret = self.settings.secret.as_deref().unwrap_or_default();
        // A key of any length will do.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
        mac.update(format!("{seconds}.{body}").as_bytes());
        format!("t={seconds},v1={}", hex::encode(mac.finalize().into_bytes()))
    }
}

/// Finds addresses, and none that is private: a public name may lead to one.
#[derive(Debug, Default)]
struct PublicResolver {
    inner: DefaultResolver,
    allows_private: bool,
}

impl Resolver for PublicResolver {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.inner.resolve(uri, config, timeout)?;
        let mut allowed = self.empty();
        for address in found.iter().filter(|address| self.allows_private || !is_private(address.ip())) {
            allowed.push(*address);
        }
        if allowed.is_empty() { Err(ureq::Error::HostNotFound) } else { Ok(allowed) }
    }
}

/// Whether an address leads into the machine, the network around it, or nowhere.
fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_private_v4(ip),
        IpAddr::V6(ip) => ip.to_ipv4_mapped().map_or_else(|| is_private_v6(ip), is_private_v4),
    }
}

fn is_private_v4(ip: Ipv4Addr) -> bool {
    let [first, second, ..] = ip.octets();
    let is_shared = first == 100 && (64..128).contains(&second);
    ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_multicast()
        || ip.is_broadcast()
        || first == 0
        || is_shared
}

fn is_private_v6(ip: Ipv6Addr) -> bool {
    ip.is_loopback()
        || ip.is_unspecified()
        || ip.is_multicast()
        || ip.is_unique_local()
        || ip.is_unicast_link_local()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(address: &str, allows_private: bool) -> bool {
        let secret = Some("s".to_owned());
        WebhookSettings { secret, allows_private }.refuse(address).is_some()
    }

    #[test]
    fn only_public_https_is_called() {
        for private in [
            "https://127.0.0.1/x",
            "https://10.1.2.3/x",
            "https://169.254.169.254/latest",
            "https://[::1]/x",
            "https://[::ffff:192.168.0.1]/x",
            "https://[fd00::1]/x",
            "https://localhost/x",
            "https://100.64.0.1/",
            "http://example.org/x",
        ] {
            assert!(refused(private, false), "{private}");
            assert!(!refused(private, true), "{private}");
        }
        assert!(!refused("https://example.org/hook?key=1", false));
        for wrong in ["ftp://example.org", "example.org/x", "", "https://"] {
            assert!(refused(wrong, true), "{wrong}");
        }
        let unsigned = WebhookSettings { secret: None, allows_private: true };
        assert!(unsigned.refuse("https://example.org").unwrap().contains("SPANFLEET_WEBHOOK_SECRET"));
    }

    #[test]
    fn no_secret_in_debug() {
        let settings = WebhookSettings { secret: Some("hush".to_owned()), allows_private: false };
        assert!(!format!("{settings:?}").contains("hush"));
    }
}
