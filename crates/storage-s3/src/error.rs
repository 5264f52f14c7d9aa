//! What an answer means, and how to mend it.

use std::error::Error;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use spanfleet_storage::{StorageError, StorageErrorKind};

/// What the store said, where it said anything.
pub(crate) struct Answer {
    /// The status of HTTP; 0 when there was no answer.
    pub(crate) status: u16,
    /// S3's word for the error; empty when there was none.
    pub(crate) code: String,
    /// The rest, for people.
    reason: String,
}

impl Answer {
    pub(crate) fn of<E>(error: &SdkError<E>) -> Answer
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let status = error.raw_response().map_or(0, |raw| raw.status().as_u16());
        let code = error.code().unwrap_or_default().to_owned();
        let reason = error.message().map_or_else(|| chain(error), str::to_owned);
        Answer { status, code, reason }
    }

    /// An error for people: what was tried, why it failed and, where we know, what to do.
    pub(crate) fn explain(self, action: &str, key: &str, bucket: &str) -> StorageError {
        let kind = self.kind();
        let mend = match kind {
            StorageErrorKind::Configuration => self.mend(bucket),
            _ => String::new(),
        };
        let code = if self.code.is_empty() { String::new() } else { format!("{}: ", self.code) };
        let reason = &self.reason;
        let place = if key.is_empty() { String::new() } else { format!(" `{key}`") };
        StorageError::new(kind, format!("cannot {action}{place} in bucket `{bucket}`: {code}{reason}{mend}"))
    }

    fn kind(&self) -> StorageErrorKind {
        match (self.code.as_str(), self.status) {
            ("NoSuchKey" | "NotFound", _) => StorageErrorKind::NotFound,
            ("SlowDown" | "TooManyRequests" | "ServiceUnavailable", _) | (_, 429 | 503) => {
                StorageErrorKind::Throttled
            }
            ("NoSuchBucket" | "InvalidBucketName" | "AuthorizationHeaderMalformed", _)
            | (_, 301 | 401 | 403) => StorageErrorKind::Configuration,
            _ => StorageErrorKind::Transient,
        }
    }

    fn mend(&self, bucket: &str) -> String {
        match self.code.as_str() {
            "NoSuchBucket" => format!("; there is no bucket `{bucket}`: create it or set ARTIFACTS_URL"),
            "InvalidBucketName" => "; choose another bucket in ARTIFACTS_URL".to_owned(),
            "InvalidAccessKeyId" => "; check AWS_ACCESS_KEY_ID and AWS_ENDPOINT_URL_S3".to_owned(),
            "SignatureDoesNotMatch" => "; check AWS_SECRET_ACCESS_KEY".to_owned(),
            "RequestTimeTooSkewed" => "; set this machine's clock".to_owned(),
            "AuthorizationHeaderMalformed" | "PermanentRedirect" => {
                format!("; set AWS_REGION to the region of bucket `{bucket}`")
            }
            _ => format!(
                "; check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and let them read, write, list and delete in bucket `{bucket}`"
            ),
        }
    }
}

/// Every message of an error and its causes. Their debug form would show whole answers.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let words = inner.to_string();
        if !text.ends_with(&words) {
            text = format!("{text}: {words}");
        }
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(status: u16, code: &str) -> StorageError {
        let answer = Answer { status, code: code.to_owned(), reason: "said the store".to_owned() };
        answer.explain("write", "job/parts/1.1", "corpora")
    }

    #[test]
    fn the_kind_says_what_to_do_next() {
        use StorageErrorKind::{Configuration, NotFound, Throttled, Transient};
        let cases = [
            (404, "NoSuchKey", NotFound),
            (404, "NoSuchBucket", Configuration),
            (403, "AccessDenied", Configuration),
            (403, "", Configuration),
            (301, "PermanentRedirect", Configuration),
            (503, "SlowDown", Throttled),
            (429, "", Throttled),
            (500, "InternalError", Transient),
            (400, "RequestTimeout", Transient),
            (0, "", Transient),
        ];
        for (status, code, kind) in cases {
            assert_eq!(explained(status, code).kind, kind, "{status} {code}");
        }
    }

    #[test]
    fn the_message_names_the_mend() {
        let check = |code, text: &str| assert!(explained(403, code).message.contains(text), "{code}");
        check("NoSuchBucket", "there is no bucket `corpora`: create it or set ARTIFACTS_URL");
        check("InvalidAccessKeyId", "check AWS_ACCESS_KEY_ID");
        check("SignatureDoesNotMatch", "check AWS_SECRET_ACCESS_KEY");
        check("AccessDenied", "cannot write `job/parts/1.1` in bucket `corpora`");
    }
}
