//! What an operator sets, and the client made from it. Credentials, region and endpoint come from the
//! standard `AWS_*` variables and files; they never pass through our hands.

use std::time::Duration;

use crate::metrics::Timer;
use aws_config::BehaviorVersion;
use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{RequestChecksumCalculation, ResponseChecksumValidation, SharedCredentialsProvider};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use spanfleet_storage::{StorageError, StorageErrorKind, check_key};

/// Large enough that requests are few, small enough that a worker holds three of them for each upload.
const PART_BYTES: usize = 8 << 20;

/// A store that does not take a connection by then is away.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A store that has a request and says nothing for so long has forgotten it.
const READ_TIMEOUT: Duration = Duration::from_mins(1);

/// A part of 8 MiB over a line of 250 kbit/s.
const ATTEMPT_TIMEOUT: Duration = Duration::from_mins(5);

/// Stores pause: behind a balancer that moves, in a disk that is being replaced.
const STALL_GRACE: Duration = Duration::from_secs(30);

/// With the SDK's doubling wait between them: about seven seconds of trouble are ridden out.
const ATTEMPTS_MAX: u32 = 4;

/// Stores of other makes ignore the region, but a signature needs one.
const REGION_OF_OTHERS: &str = "us-east-1";

/// When requests carry a checksum of their own (CRC32), beside the signature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Checksum {
    /// Always: the store refuses what was damaged on the way.
    #[default]
    WhenSupported,
    /// Only where the protocol demands it: for stores that stumble over them.
    WhenRequired,
}

/// What an operator sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Settings {
    /// The bucket; it has to exist.
    pub bucket: String,
    /// What every key begins with, without slashes at its ends; may be empty.
    pub prefix: String,
    /// When requests carry a checksum.
    pub checksum: Checksum,
    /// Whether the bucket stands in the path of an address instead of its host name.
    pub path_style: bool,
    /// The size of a part, at least 5 MiB. It doubles after every thousand parts of one object, so that 10,000
    /// suffice for any.
    pub part_bytes: usize,
}

impl S3Settings {
    /// The usual settings for `s3://bucket/prefix`.
    pub fn from_address(address: &str) -> Result<S3Settings, StorageError> {
        let path = address.strip_prefix("s3://").unwrap_or_default();
        if path.contains('@') {
            // Not shown: what stands before it is a secret.
            let message = "the address of a store holds no keys: write it as `s3://bucket/prefix`, and the keys into \
                AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
            return Err(StorageError::new(StorageErrorKind::Configuration, message));
        }
        let (bucket, prefix) = path.split_once('/').unwrap_or((path, ""));
        let prefix = prefix.trim_end_matches('/');
        // What is no part of a key is no bucket's name either.
        if check_key(bucket).is_err() || (!prefix.is_empty() && check_key(prefix).is_err()) {
            let message = format!("`{address}` is no address of a store: write it as `s3://bucket/prefix`");
            return Err(StorageError::new(StorageErrorKind::Configuration, message));
        }
        Ok(S3Settings {
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
            checksum: Checksum::default(),
            path_style: false,
            part_bytes: PART_BYTES,
        })
    }

    /// The client, and where its credentials come from.
    pub(crate) async fn client(&self) -> (Client, Option<SharedCredentialsProvider>) {
        let region = RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
            .or_else(ProfileFileRegionProvider::new())
            .or_else(REGION_OF_OTHERS);
        let provider = Provider::Rustls(CryptoMode::Ring);
        let http = aws_smithy_http_client::Builder::new().tls_provider(provider).build_https();
        let shared = aws_config::defaults(BehaviorVersion::latest())
            .http_client(http)
            .region(region)
            .timeout_config(timeouts(READ_TIMEOUT, ATTEMPT_TIMEOUT))
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS_MAX))
            .stalled_stream_protection(
                StalledStreamProtectionConfig::enabled().grace_period(STALL_GRACE).build(),
            )
            .load()
            .await;
        let (calculation, validation) = match self.checksum {
            Checksum::WhenSupported => {
                (RequestChecksumCalculation::WhenSupported, ResponseChecksumValidation::WhenSupported)
            }
            Checksum::WhenRequired => {
                (RequestChecksumCalculation::WhenRequired, ResponseChecksumValidation::WhenRequired)
            }
        };
        let config = aws_sdk_s3::config::Builder::from(&shared)
            .force_path_style(self.path_style)
            .interceptor(Timer)
            .request_checksum_calculation(calculation)
            .response_checksum_validation(validation)
            .build();
        (Client::from_conf(config), shared.credentials_provider())
    }
}

/// Timeouts of one request.
pub(crate) fn timeouts(read: Duration, attempt: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(read)
        .operation_attempt_timeout(attempt)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_bucket_and_a_prefix() {
        let parts =
            |address: &str| S3Settings::from_address(address).map(|found| (found.bucket, found.prefix));
        let pair = |bucket: &str, prefix: &str| (bucket.to_owned(), prefix.to_owned());
        assert_eq!(parts("s3://corpora").unwrap(), pair("corpora", ""));
        assert_eq!(parts("s3://corpora/").unwrap(), pair("corpora", ""));
        assert_eq!(parts("s3://corpora/team/exports/").unwrap(), pair("corpora", "team/exports"));
        for bad in [
            "",
            "corpora",
            "s3://",
            "s3:///exports",
            "http://corpora",
            "s3://a//b",
            "s3://a/../b",
            "s3://a b",
        ] {
            assert_eq!(parts(bad).unwrap_err().kind, StorageErrorKind::Configuration, "{bad}");
        }
    }
}
