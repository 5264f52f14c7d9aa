//! The only file that names a driver: URLs to ports.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use spanfleet_core::ProjectId;
use spanfleet_import::{FormatOptions, InputFormat};
use spanfleet_metastore::Metastore;
use spanfleet_metastore_sqlite::SqliteMetastore;
use spanfleet_queue::{InProcessQueue, Queue};
use spanfleet_source::{
    CorpusSource, Source,
    corpus::{InputChoice, InvalidRecords},
    load::Loader,
};
use spanfleet_source_sqlite::{SqliteLoader, SqliteSource};
use spanfleet_storage::{LocalStorage, Storage};

use crate::{args::InputArgs, failure::Failure, settings::Settings};

/// Makes drivers as the three URLs ask.
pub(crate) struct Wire {
    settings: Settings,
    data_dir: PathBuf,
}

/// Documents to read, and the project they are in when they come from a database.
pub(crate) struct Input {
    pub(crate) source: Arc<dyn Source>,
    pub(crate) project: Option<ProjectId>,
    corpus: Option<Arc<CorpusSource>>,
}

impl Input {
    /// Records that were set aside so far.
    pub(crate) fn rejected(&self) -> u64 {
        self.corpus.as_ref().map_or(0, |corpus| corpus.rejected())
    }
}

impl Wire {
    pub(crate) fn new(settings: Settings, data_dir: PathBuf) -> Wire {
        Wire { settings, data_dir }
    }

    pub(crate) fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// A role of a fleet needs a broker: hints inside one process reach nobody.
    pub(crate) fn expect_broker(&self, role: &str) -> Result<(), Failure> {
        if self.settings.amqp_url().is_some() {
            return Ok(());
        }
        Err(Failure::usage(format!(
            "a {role} needs AMQP_URL; `spanfleet serve` runs everything in one process"
        )))
    }

    /// The metastore. A file of our own is brought to this version on opening; a server's tables wait for
    /// `spanfleet migrate`.
    pub(crate) async fn metastore(&self) -> Result<Arc<dyn Metastore>, Failure> {
        let url = self.settings.database_url(&self.data_dir);
        match scheme(&url) {
            "sqlite" => {
                let metastore = SqliteMetastore::open(&url).await?;
                metastore.migrate().await?;
                Ok(Arc::new(metastore))
            }
            #[cfg(feature = "postgres")]
            "postgres" | "postgresql" => {
                let connections = self.settings.database_connections;
                Ok(Arc::new(
                    spanfleet_metastore_postgres::PostgresMetastore::connect(&url, connections).await?,
                ))
            }
            other => Err(unknown("DATABASE_URL", other, "sqlite, postgres")),
        }
    }

    /// The metastore, with its tables there and the catalogue stored.
    pub(crate) async fn ready_metastore(&self) -> Result<Arc<dyn Metastore>, Failure> {
        let metastore = self.metastore().await?;
        metastore.check().await?;
        spanfleet_dispatcher::catalogue::sync(metastore.as_ref()).await?;
        Ok(metastore)
    }

    /// A metastore that lives as long as the process.
    pub(crate) async fn passing_metastore(&self) -> Result<Arc<dyn Metastore>, Failure> {
        let metastore = SqliteMetastore::open("sqlite::memory:").await?;
        metastore.migrate().await?;
        spanfleet_dispatcher::catalogue::sync(&metastore).await?;
        Ok(Arc::new(metastore))
    }

    pub(crate) async fn queue(&self) -> Result<Arc<dyn Queue>, Failure> {
        let Some(url) = self.settings.amqp_url() else { return Ok(Arc::new(InProcessQueue::new())) };
        match scheme(url) {
            #[cfg(feature = "rabbitmq")]
            "amqp" | "amqps" => {
                let mut settings = spanfleet_queue_rabbitmq::RabbitSettings::new(url);
                settings.queue.clone_from(&self.settings.queue);
                Ok(Arc::new(spanfleet_queue_rabbitmq::RabbitQueue::connect(settings).await?))
            }
            other => Err(unknown("AMQP_URL", other, "amqp, amqps")),
        }
    }

    pub(crate) async fn storage(&self) -> Result<Arc<dyn Storage>, Failure> {
        self.storage_at(&self.settings.artifacts_url(&self.data_dir)).await
    }

    /// The store at a URL, or in a directory of the user's own, who exports again after a power cut.
    pub(crate) async fn storage_at(&self, place: &str) -> Result<Arc<dyn Storage>, Failure> {
        match place.split_once("://") {
            None => Ok(Arc::new(LocalStorage::new(PathBuf::from(place)).without_sync())),
            Some(("file", path)) => Ok(Arc::new(LocalStorage::new(PathBuf::from(path)))),
            #[cfg(feature = "s3")]
            Some(("s3", _)) => self.s3(place).await,
            Some((other, _)) => Err(unknown("ARTIFACTS_URL", other, "file, s3")),
        }
    }

    #[cfg(feature = "s3")]
    async fn s3(&self, place: &str) -> Result<Arc<dyn Storage>, Failure> {
        use spanfleet_storage_s3::{Checksum, S3Settings, S3Storage};

        use crate::settings::S3Checksum;

        let mut settings = S3Settings::from_address(place)?;
        settings.path_style = self.settings.s3_path_style;
        settings.checksum = match self.settings.s3_checksum {
            S3Checksum::WhenSupported => Checksum::WhenSupported,
            S3Checksum::WhenRequired => Checksum::WhenRequired,
        };
        Ok(Arc::new(S3Storage::connect(settings).await?))
    }

    /// The annotation database that jobs are made from: the metastore's own.
    pub(crate) fn source(&self) -> Result<Arc<dyn Source>, Failure> {
        let url = self.settings.database_url(&self.data_dir);
        match scheme(&url) {
            "sqlite" => Ok(Arc::new(SqliteSource::open(&url)?.limited(self.settings.text_limit()))),
            #[cfg(feature = "postgres")]
            "postgres" | "postgresql" => {
                let connections = self.settings.database_connections;
                let source = spanfleet_source_postgres::PostgresSource::connect(&url, connections)?;
                Ok(Arc::new(source.limited(self.settings.text_limit())))
            }
            other => Err(unknown("DATABASE_URL", other, "sqlite, postgres")),
        }
    }

    /// Loads documents into that database.
    pub(crate) fn loader(&self) -> Result<Box<dyn Loader>, Failure> {
        let url = self.settings.database_url(&self.data_dir);
        match scheme(&url) {
            "sqlite" => Ok(Box::new(SqliteLoader::new(&url)?)),
            #[cfg(feature = "postgres")]
            "postgres" | "postgresql" => Ok(Box::new(spanfleet_source_postgres::PostgresLoader::new(&url)?)),
            other => Err(unknown("DATABASE_URL", other, "sqlite, postgres")),
        }
    }

    /// The inputs of a command: corpus files, or one project of an annotation database.
    pub(crate) async fn input(&self, args: &InputArgs, rejects: Option<&Path>) -> Result<Input, Failure> {
        match args.inputs.as_slice() {
            [url] if matches!(scheme(url), "postgres" | "postgresql") => self.database_input(url).await,
            inputs => {
                expect_files(inputs)?;
                let options = FormatOptions { conll_columns: args.conll_columns.clone() };
                let text_limit = self.settings.text_limit();
                let choice = InputChoice { format: input_format(&args.input_format)?, options, text_limit };
                let invalid =
                    rejects.map_or(InvalidRecords::Stop, |file| InvalidRecords::SetAside(file.to_owned()));
                let paths: Vec<PathBuf> = inputs.iter().map(PathBuf::from).collect();
                // Standard input and compressed files are spooled here.
                let opened =
                    tokio::task::spawn_blocking(move || CorpusSource::open(&paths, &choice, &invalid));
                let corpus = opened.await.map_err(|panic| Failure::new(panic.to_string()))??;
                let corpus = Arc::new(corpus);
                Ok(Input { source: corpus.clone(), project: None, corpus: Some(corpus) })
            }
        }
    }

    #[cfg(feature = "postgres")]
    async fn database_input(&self, url: &str) -> Result<Input, Failure> {
        let Some((url, name)) = url.split_once('#').filter(|(_, name)| !name.is_empty()) else {
            return Err(Failure::usage(
                "name the project behind `#`, as in `postgres://host/database#project`",
            ));
        };
        let source =
            spanfleet_source_postgres::PostgresSource::connect(url, self.settings.database_connections)?
                .limited(self.settings.text_limit());
        let Some(project) = source.project(name).await? else {
            let known = source.project_names().await?.join("`, `");
            return Err(Failure::new(format!("there is no project `{name}`; there are `{known}`")));
        };
        Ok(Input { source: Arc::new(source), project: Some(project), corpus: None })
    }

    #[cfg(not(feature = "postgres"))]
    async fn database_input(&self, url: &str) -> Result<Input, Failure> {
        Err(unknown("an input", scheme(url), "files and directories"))
    }
}

/// The format of a name; `None` for `auto`.
fn input_format(name: &str) -> Result<Option<InputFormat>, Failure> {
    if name == "auto" {
        return Ok(None);
    }
    let found = InputFormat::parse(name);
    let known = || format!("--input-format can't be `{name}`; allowed: auto, {}", InputFormat::names());
    found.map(Some).ok_or_else(|| Failure::usage(known()))
}

/// An address among several inputs, or one that nothing here reads, is no file's name; it may hold a password.
fn expect_files(inputs: &[String]) -> Result<(), Failure> {
    let address = inputs.iter().find_map(|input| input.split_once("://"));
    address.map_or(Ok(()), |(scheme, _)| {
        let allowed = "files and directories, or one `postgres://…/database#project` alone";
        Err(Failure::usage(format!("an input can't be `{scheme}://…` here; allowed: {allowed}")))
    })
}

fn scheme(url: &str) -> &str {
    url.split_once(':').map_or("", |(scheme, _)| scheme)
}

/// A scheme that this build has no driver for.
fn unknown(setting: &str, scheme: &str, known: &str) -> Failure {
    let advice = match scheme {
        "postgres" | "postgresql" | "amqp" | "amqps" | "s3" => {
            "; this build has no drivers of the fleet, build it with its default features"
        }
        _ => "",
    };
    Failure::usage(format!("{setting} can't be `{scheme}://…`; allowed: {known}{advice}"))
}
