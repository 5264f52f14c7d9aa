//! Every command with its flags. A flag's variable is `SPANFLEET_` and its name.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use spanfleet_import::ConllColumns;
use uuid::Uuid;

use crate::settings::{HINTS_PER_USER, LEASE_SECONDS, ServeSettings, Settings, WorkerSettings};

/// Turns annotation databases into training data, on a laptop or at fleet scale.
#[derive(Debug, Parser)]
#[command(name = "spanfleet", version, propagate_version = true, max_term_width = 100)]
pub(crate) struct Args {
    /// Where the embedded database, artifacts and token live
    #[arg(
        long,
        global = true,
        env = "SPANFLEET_DATA_DIR",
        default_value = "./spanfleet-data",
        value_name = "DIR"
    )]
    pub(crate) data_dir: PathBuf,
    /// What to log, as a tracing filter such as `info` or `spanfleet_worker=debug`
    #[arg(long, global = true, env = "SPANFLEET_LOG", value_name = "FILTER")]
    pub(crate) log: Option<String>,
    /// How to log
    #[arg(long, global = true, env = "SPANFLEET_LOG_FORMAT", default_value = "text")]
    pub(crate) log_format: LogFormat,
    /// No progress, only results and errors
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    #[command(flatten)]
    pub(crate) settings: Settings,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// How to log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people
    Text,
    /// For machines
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Export corpora at once: no server, no account
    Export(ExportArgs),
    /// The first records of an export, at once, without a job
    Preview(PreviewArgs),
    /// API, web page, relay and workers in one process
    Serve(ServeArgs),
    /// The API of a fleet
    Dispatcher(ServeSettings),
    /// A worker of a fleet
    Worker(WorkerSettings),
    /// Load corpora into the database
    Import(ImportArgs),
    /// Jobs of a server
    #[command(subcommand)]
    Jobs(JobsCommand),
    /// What can be exported
    Formats(FormatsArgs),
    /// Formats with parameters and a loader for each framework and task
    Templates(TemplatesArgs),
    /// Bring the database to this version
    Migrate,
    /// Access tokens
    #[command(subcommand)]
    Token(TokenCommand),
    /// Check every connection
    Doctor(JsonArgs),
    /// Check that what the database promises stands in the store
    Fsck(FsckArgs),
    /// Whether a server is alive: what a container asks
    Health(HealthArgs),
    /// Check artifacts against their manifest
    Verify(VerifyArgs),
    /// How long work would take on a fleet, where it stops scaling, what it would cost
    Simulate(SimulateArgs),
    /// Shell completions
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

impl Command {
    /// What runs until it is stopped, by its name.
    pub(crate) fn role(&self) -> Option<&'static str> {
        match self {
            Command::Serve(_) => Some("serve"),
            Command::Dispatcher(_) => Some("dispatcher"),
            Command::Worker(_) => Some("worker"),
            _ => None,
        }
    }
}

/// A fleet that is not there, and its work.
#[derive(Debug, clap::Args)]
pub(crate) struct SimulateArgs {
    /// Annotations of each job, such as `10e9`
    #[arg(long, value_name = "N", default_value_t = 10e9, value_parser = at_least::<1>)]
    pub(crate) annotations: f64,
    /// Jobs at the same moment, each of a user of its own
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) jobs: u32,
    /// Partitions of each job; as the planner cuts if left out
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) partitions: Option<u32>,
    /// Sizes of the fleet to look at
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "1,4,16,64,256,1024", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) workers: Vec<u32>,
    /// Partitions at once in each worker
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub(crate) slots: u32,
    /// How long a task is held without a sign of life
    #[arg(long, value_name = "SECONDS", default_value_t = LEASE_SECONDS, value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub(crate) lease_seconds: u32,
    /// Cores of each worker; as many as slots if left out
    #[arg(long, value_name = "N", value_parser = at_least::<0>)]
    pub(crate) worker_cores: Option<f64>,
    /// Cores of the database
    #[arg(long, value_name = "N", default_value_t = 8.0, value_parser = at_least::<0>)]
    pub(crate) database_cores: f64,
    /// Everything on one machine with so many cores, instead
    #[arg(long, value_name = "N", conflicts_with_all = ["worker_cores", "database_cores"], value_parser = at_least::<0>)]
    pub(crate) shared_cores: Option<f64>,
    /// Dispatchers
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) dispatchers: u32,
    /// Hints that one user may have out at once
    #[arg(long, value_name = "N", default_value_t = HINTS_PER_USER, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) hints_per_user: u32,
    /// Writing requests that the store takes a second under one prefix
    #[arg(long, value_name = "N", default_value_t = 3500.0, value_parser = at_least::<0>)]
    pub(crate) store_requests: f64,
    /// How often a worker is lost in a day
    #[arg(long, value_name = "N", default_value_t = 0.0, value_parser = at_least::<0>)]
    pub(crate) losses_per_day: f64,
    /// Seconds until another stands in its place
    #[arg(long, value_name = "SECONDS", default_value_t = 60.0, value_parser = at_least::<0>)]
    pub(crate) replaced_after: f64,
    /// Makes chance the same each time
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Measured costs; those of this version if left out
    #[arg(long, value_name = "FILE")]
    pub(crate) costs: Option<PathBuf>,
    /// Price of a core for an hour
    #[arg(long, value_name = "PRICE", default_value_t = 0.04, value_parser = at_least::<0>)]
    pub(crate) price_core_hour: f64,
    /// Price of a gigabyte stored for a month
    #[arg(long, value_name = "PRICE", default_value_t = 0.023, value_parser = at_least::<0>)]
    pub(crate) price_gigabyte_month: f64,
    /// Price of a million writing requests
    #[arg(long, value_name = "PRICE", default_value_t = 5.0, value_parser = at_least::<0>)]
    pub(crate) price_million_requests: f64,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
}

/// A number that is not too small and not endless.
fn at_least<const LEAST: u32>(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| "give a number, such as `10e9` or `0.5`".to_owned())?;
    if number.is_finite() && number >= f64::from(LEAST) {
        return Ok(number);
    }
    Err(format!("give a number from {LEAST} on"))
}

/// What is read, and how.
#[derive(Debug, clap::Args)]
pub(crate) struct InputArgs {
    /// Files, directories, `-` for standard input, or `postgres://…/db#project-name`
    #[arg(required = true)]
    pub(crate) inputs: Vec<String>,
    /// How the inputs are read
    #[arg(long, default_value = "auto", value_name = "NAME")]
    pub(crate) input_format: String,
    /// What the columns of CoNLL files hold, such as `token,pos,chunk,label`; told by content if left out
    #[arg(long, value_name = "LIST", value_parser = ConllColumns::parse)]
    pub(crate) conll_columns: Option<ConllColumns>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    pub(crate) input: InputArgs,
    /// A directory, or `s3://bucket/prefix`
    #[arg(short, long, value_name = "DIR|s3://…")]
    pub(crate) out: String,
    #[command(flatten)]
    pub(crate) order: OrderArgs,
    /// Set records that can't be read aside into FILE instead of stopping
    #[arg(long, value_name = "FILE")]
    pub(crate) skip_invalid: Option<PathBuf>,
    /// Partitions at once; the cores if left out
    #[arg(short, long, value_name = "N")]
    pub(crate) jobs: Option<u16>,
    /// Exit with 3 if anything was lost
    #[arg(long)]
    pub(crate) strict: bool,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct PreviewArgs {
    #[command(flatten)]
    pub(crate) input: InputArgs,
    #[command(flatten)]
    pub(crate) order: OrderArgs,
    /// How many texts
    #[arg(short = 'n', long, default_value_t = 5, value_name = "N")]
    pub(crate) texts: usize,
}

#[derive(Debug, clap::Args)]
pub(crate) struct FsckArgs {
    /// Read every byte of every artifact too
    #[arg(long)]
    pub(crate) deep: bool,
    /// Look for objects that belong to nothing instead; a dry run without `--delete`
    #[arg(long, conflicts_with = "deep")]
    pub(crate) orphans: bool,
    /// Leave objects alone that are younger
    #[arg(long, default_value_t = 86_400, value_name = "SECONDS", requires = "orphans")]
    pub(crate) older_than: u64,
    /// Delete them
    #[arg(long, requires = "orphans")]
    pub(crate) delete: bool,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct HealthArgs {
    /// Addresses of a dispatcher, of `serve`, or of a worker's metrics; one that is alive is enough
    #[arg(long, default_values = ["http://127.0.0.1:8080", "http://127.0.0.1:9090"], value_name = "URL")]
    pub(crate) url: Vec<String>,
}

/// What to export, and how.
#[derive(Debug, clap::Args)]
pub(crate) struct OrderArgs {
    /// The format; `spanfleet formats` lists them. `export` and `preview` also take the FILE.json of a user-defined one
    #[arg(short, long, value_name = "NAME", required_unless_present = "template")]
    pub(crate) format: Option<String>,
    /// A framework's template in place of a format, such as `huggingface/token_classification`
    #[arg(long, value_name = "FRAMEWORK/TASK", conflicts_with = "format")]
    pub(crate) template: Option<String>,
    /// An export parameter; `spanfleet formats` lists them
    #[arg(short, long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
    /// Which texts and annotations: text_ids (or text_ids=@FILE), label_ids, annotator_ids, date_from, date_to,
    /// labels, min_agreement, has_annotations, metadata.FIELD
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) filter: Vec<String>,
    /// Shares such as `train=0.8,dev=0.1,test=0.1`, or `metadata.FIELD`
    #[arg(long, value_name = "SPLIT")]
    pub(crate) split: Option<String>,
    /// none, gzip or zstd
    #[arg(long, value_name = "NAME")]
    pub(crate) compression: Option<String>,
    /// Export relations too
    #[arg(long)]
    pub(crate) include_relations: bool,
    /// Export the full path of hierarchical labels too
    #[arg(long)]
    pub(crate) include_hierarchies: bool,
    /// Leave out text metadata and annotation attributes
    #[arg(long)]
    pub(crate) no_metadata: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(crate) serve: ServeSettings,
    #[command(flatten)]
    pub(crate) worker: WorkerSettings,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ImportArgs {
    #[command(flatten)]
    pub(crate) input: InputArgs,
    /// The project, made when it is new
    #[arg(short, long, value_name = "NAME")]
    pub(crate) project: String,
    /// Set records that can't be read aside into FILE instead of stopping
    #[arg(long, value_name = "FILE")]
    pub(crate) skip_invalid: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
}

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct FormatsArgs {
    #[command(subcommand)]
    pub(crate) command: Option<FormatsCommand>,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum FormatsCommand {
    /// Add a user-defined format to the database, or replace the one of its name
    Add {
        /// JSON: format_name, format_type, and as wanted transformation_rules, output_structure, format_schema
        file: PathBuf,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct TemplatesArgs {
    /// Only one framework's
    #[arg(long, value_name = "NAME")]
    pub(crate) framework: Option<String>,
    /// Only one task's
    #[arg(long, value_name = "NAME")]
    pub(crate) task_type: Option<String>,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
}

#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct JsonArgs {
    /// Print JSON for machines
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct VerifyArgs {
    /// Where `manifest.json` stands
    pub(crate) dir: PathBuf,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a token and print it, once
    Create {
        /// Its owner, made when new
        #[arg(long, value_name = "NAME")]
        user: String,
        /// Projects that the owner may use
        #[arg(long, value_name = "NAME")]
        project: Vec<String>,
        /// The owner may use every project
        #[arg(long)]
        admin: bool,
        /// How long it lives; for ever if left out
        #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(i64).range(1..))]
        expires_in: Option<i64>,
    },
    /// List tokens
    List(JsonArgs),
    /// Take a token back
    Revoke {
        /// Its number, as listed
        id: i64,
    },
}

/// Where the API is.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ClientArgs {
    /// Where the API is
    #[arg(long, env = "SPANFLEET_URL", default_value = "http://127.0.0.1:8080", value_name = "URL")]
    pub(crate) url: String,
    /// The access token; read from the data directory if left out
    #[arg(long, env = "SPANFLEET_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub(crate) token: Option<String>,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum JobsCommand {
    /// Ask for an export; prints the job's UUID
    Create {
        /// The project's name
        #[arg(short, long, value_name = "NAME")]
        project: String,
        #[command(flatten)]
        order: Box<OrderArgs>,
        /// Seconds until the artifacts go
        #[arg(long, value_name = "SECONDS")]
        expires_in: Option<i64>,
        /// Makes a repeat return the first job
        #[arg(long, value_name = "KEY")]
        idempotency_key: Option<String>,
        /// Wait until it is done
        #[arg(long)]
        wait: bool,
        #[command(flatten)]
        client: ClientArgs,
    },
    /// List own jobs, newest first
    List {
        /// Only jobs with this status
        #[arg(long)]
        status: Option<String>,
        /// At most so many
        #[arg(long, default_value_t = 50)]
        limit: u32,
        #[command(flatten)]
        client: ClientArgs,
    },
    /// Show one job
    Show {
        /// The job
        job: Uuid,
        #[command(flatten)]
        client: ClientArgs,
    },
    /// Follow a job until it ends
    Watch {
        /// The job
        job: Uuid,
        #[command(flatten)]
        client: ClientArgs,
    },
    /// Stop a job
    Cancel {
        /// The job
        job: Uuid,
        #[command(flatten)]
        client: ClientArgs,
    },
    /// Run a failed job again, from its finished partitions
    Retry {
        /// The job
        job: Uuid,
        #[command(flatten)]
        client: ClientArgs,
    },
    /// Fetch and verify every file of a job
    Download {
        /// The job
        job: Uuid,
        /// Where to
        #[arg(short, long, value_name = "DIR")]
        out: PathBuf,
        #[command(flatten)]
        client: ClientArgs,
    },
}
