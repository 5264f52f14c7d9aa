//! Buckets on an S3 server.

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};

use super::fresh_name;

/// How to reach an S3 server.
#[derive(Clone, Debug)]
pub struct S3Access {
    /// Its address.
    pub endpoint: String,
    /// The access key id.
    pub access_key: String,
    /// The secret key.
    pub secret_key: String,
}

/// A bucket that only one test uses.
#[derive(Clone, Debug)]
pub struct Bucket {
    /// The server.
    pub server: S3Access,
    /// The bucket's name.
    pub name: String,
}

impl S3Access {
    /// The keys that every server of the harness knows.
    pub fn new(endpoint: impl Into<String>) -> S3Access {
        let (access_key, secret_key) = ("AKTEST0001".to_owned(), "secretsecretsecret".to_owned());
        S3Access { endpoint: endpoint.into(), access_key, secret_key }
    }

    /// A new bucket.
    pub fn fresh_bucket(&self) -> Bucket {
        let bucket = Bucket { server: self.clone(), name: fresh_name("test") };
        let (client, name) = (self.client(), bucket.name.clone());
        block_on(
            async move { client.create_bucket().bucket(name).send().await.expect("a bucket can be made") },
        );
        bucket
    }

    fn client(&self) -> Client {
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .endpoint_url(&self.endpoint)
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new(&self.access_key, &self.secret_key, None, None, "tests"))
            .force_path_style(true)
            .build();
        Client::from_conf(config)
    }
}

impl Bucket {
    /// What `ARTIFACTS_URL` is set to.
    pub fn url(&self) -> String {
        format!("s3://{}/exports", self.name)
    }

    /// What a process needs in its environment to use it.
    pub fn env(&self) -> Vec<(String, String)> {
        let pairs = [
            ("AWS_ENDPOINT_URL_S3", self.server.endpoint.as_str()),
            ("AWS_ACCESS_KEY_ID", &self.server.access_key),
            ("AWS_SECRET_ACCESS_KEY", &self.server.secret_key),
            ("AWS_REGION", "us-east-1"),
            ("SPANFLEET_S3_PATH_STYLE", "true"),
        ];
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }

    /// The keys in it.
    pub fn keys(&self) -> Vec<String> {
        let (client, name) = (self.server.client(), self.name.clone());
        block_on(async move {
            let listed = client.list_objects_v2().bucket(name).send().await.expect("a bucket can be listed");
            listed.contents().iter().filter_map(|object| object.key().map(str::to_owned)).collect()
        })
    }

    /// How many uploads were begun in it and neither finished nor aborted. Not every server can tell.
    pub fn unfinished_uploads(&self) -> Option<usize> {
        let (client, name) = (self.server.client(), self.name.clone());
        block_on(async move {
            let listed = client.list_multipart_uploads().bucket(name).send().await.ok()?;
            Some(listed.uploads().len())
        })
    }
}

/// Runs a request from a test, whether it has a runtime or not.
fn block_on<T: Send + 'static>(request: impl Future<Output = T> + Send + 'static) -> T {
    let work = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime can be built").block_on(request)
    };
    std::thread::spawn(work).join().expect("the request does not panic")
}
