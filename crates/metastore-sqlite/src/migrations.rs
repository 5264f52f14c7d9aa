//! The tables, brought to this version.

use spanfleet_metastore::{MetastoreError, MetastoreErrorKind};
use sqlx::{
    SqlSafeStr, SqlitePool,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
};

use crate::{Result, error};

/// Every migration, in order. A new one goes to the end; one that has been released is never changed.
const MIGRATIONS: [(i64, &str, &str); 4] = [
    (1, "platform", include_str!("../../../migrations/sqlite/0001_platform.sql")),
    (2, "export", include_str!("../../../migrations/sqlite/0002_export.sql")),
    (3, "webhooks", include_str!("../../../migrations/sqlite/0003_webhooks.sql")),
    (4, "traces", include_str!("../../../migrations/sqlite/0004_traces.sql")),
];

/// Runs what is missing, in one transaction that makes other processes wait.
pub(crate) async fn run(pool: &SqlitePool, address: &str) -> Result<()> {
    let explain = |cause| error::explain(cause, address);
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await.map_err(explain)?;
    // `run` asks for a connection of any lifetime, which a borrowed one is not.
    migrator().run_direct(None, &mut *transaction, false).await.map_err(|failure| match failure {
        MigrateError::Execute(cause) => error::explain(cause, address),
        failure => MetastoreError::new(
            MetastoreErrorKind::Configuration,
            format!("the tables of `{address}` can't be brought to this version: {failure}"),
        )
        .because(failure),
    })?;
    transaction.commit().await.map_err(explain)
}

/// Whether every migration of this version was run.
pub(crate) async fn check(pool: &SqlitePool, address: &str) -> Result<()> {
    let query = "SELECT count(*) FROM _sqlx_migrations WHERE success AND version <= $1";
    let done: i64 = sqlx::query_scalar(query)
        .bind(MIGRATIONS.len() as i64)
        .fetch_one(pool)
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
