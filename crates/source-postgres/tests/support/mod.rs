//! A database of its own for each test, on the server of `SPANFLEET_TEST_POSTGRES_URL`.
#![allow(clippy::unwrap_used, reason = "test code: a failure is a panic")]
#![allow(dead_code, reason = "each test uses some of it")]

use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use spanfleet_core::ProjectId;
use spanfleet_source::load::Loader;
use spanfleet_source::load::contract::Stage;
use spanfleet_source_postgres::{PostgresLoader, PostgresSource};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

/// The variable that names a server where databases may be made.
const SERVER: &str = "SPANFLEET_TEST_POSTGRES_URL";
const SCHEMA: &str = include_str!("../../../../migrations/postgres/0001_platform.sql");

/// An empty database, removed in the end.
pub(crate) struct Database {
    server: PgConnectOptions,
    name: String,
}

static MADE: AtomicU32 = AtomicU32::new(0);

impl Database {
    pub(crate) async fn create() -> Option<Database> {
        let server = PgConnectOptions::from_str(&std::env::var(SERVER).ok()?).unwrap();
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let database = Database { server, name: format!("spanfleet_source_{}_{number}", std::process::id()) };
        let mut admin = database.server.connect().await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {}", database.name)))
            .execute(&mut admin)
            .await
            .unwrap();
        Some(database)
    }

    pub(crate) fn url(&self) -> String {
        self.server.clone().database(&self.name).to_url_lossy().to_string()
    }

    pub(crate) async fn connect(&self) -> PgConnection {
        PgConnection::connect(&self.url()).await.unwrap()
    }

    pub(crate) async fn run(&self, sql: &'static str) {
        sqlx::raw_sql(sql).execute(&mut self.connect().await).await.unwrap();
    }
}

impl Database {
    /// A user who may fill the tables and nothing else.
    pub(crate) async fn make_loader_role(&self) -> String {
        let name = format!("{}_loader", self.name);
        let sql = format!(
            "CREATE ROLE {name} LOGIN PASSWORD 'loader'; \
             GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {name}; \
             GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {name}"
        );
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut self.connect().await).await.unwrap();
        let options = self.server.clone().database(&self.name).username(&name).password("loader");
        options.to_url_lossy().to_string()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), &self.name);
        let drop =
            [format!("DROP DATABASE {name} WITH (FORCE)"), format!("DROP ROLE IF EXISTS {name}_loader")];
        let remove = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut admin = server.connect().await.unwrap();
                for sql in drop {
                    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut admin).await.unwrap();
                }
            });
        };
        // A runtime may not wait within another.
        std::thread::spawn(remove).join().unwrap();
    }
}

/// Two empty projects in tables of our own.
pub(crate) async fn stage() -> Option<Stage> {
    let database = Database::create().await?;
    database.run(SCHEMA).await;
    database.run("INSERT INTO projects (name) VALUES ('news'), ('other')").await;
    let url = database.url();
    Some(Stage {
        source: Arc::new(PostgresSource::connect(&url, 4).unwrap()),
        begin_import: Box::new(move || Box::new(PostgresLoader::new(&url).unwrap()) as Box<dyn Loader>),
        project: ProjectId(1),
        other_project: ProjectId(2),
        guard: Box::new(database),
    })
}
