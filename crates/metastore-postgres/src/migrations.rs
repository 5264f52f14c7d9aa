//! The tables, brought to this version.

use spanfleet_metastore::{MetastoreError, MetastoreErrorKind};
use sqlx::{
    PgConnection, SqlSafeStr,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
};

use crate::{Result, error};

/// Every migration, in order. A new one goes to the end; one that has been released is never changed.
const MIGRATIONS: [(i64, &str, &str); 4] = [
    (1, "platform", include_str!("../../../migrations/postgres/0001_platform.sql")),
    (2, "export", include_str!("../../../migrations/postgres/0002_export.sql")),
    (3, "webhooks", include_str!("../../../migrations/postgres/0003_webhooks.sql")),
    (4, "traces", include_str!("../../../migrations/postgres/0004_traces.sql")),
];

/// Runs what is missing. An advisory lock makes other processes wait.
pub(crate) async fn run(connection: &mut PgConnection, address: &str) -> Result<()> {
    // `run` asks for a connection of any lifetime, which a borrowed one is not.
    migrator().run_direct(None, connection, false).await.map_err(|failure| match failure {
        MigrateError::Execute(cause) => error::explain(cause, address),
        failure => MetastoreError::new(
            MetastoreErrorKind::Configuration,
            format!("the tables of `{address}` can't be brought to this version: {failure}"),
        )
        .because(failure),
    })
}

/// Whether every migration of this version was run.
pub(crate) async fn check(connection: &mut PgConnection, address: &str) -> Result<()> {
    let query = "SELECT count(*) FROM _sqlx_migrations WHERE success AND version <= $1";
    let done: i64 = sqlx::query_scalar(query)
        .bind(MIGRATIONS.len() as i64)
        .fetch_one(connection)
        .await
        .map_err(|cause| error::explain(cause, address))?;
    if done < MIGRATIONS.len() as i64 {
        return Err(error::tables_missing(address));
    }
    Ok(())
}

fn migrator() -> Migrator {
    let migration = |(version, name, sql): (i64, &'static str, &'static str)| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    let mut migrator = Migrator::with_migrations(MIGRATIONS.into_iter().map(migration).collect());
    // An older program beside a newer one finds migrations that it does not know, which are made to suit both.
    migrator.set_ignore_missing(true);
    migrator
}
