//! Against the server of `SPANFLEET_TEST_POSTGRES_URL`, each test in a database of its own.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use spanfleet_metastore::{Metastore, MetastoreErrorKind};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::PostgresMetastore;

/// The address of a new database, or `None` where there is no server.
async fn new_database() -> Option<String> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let admin = std::env::var("SPANFLEET_TEST_POSTGRES_URL").ok()?;
    let name = format!("meta_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let mut connection = PgConnection::connect(&admin).await.unwrap();
    sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut connection).await.unwrap();
    let (server, _) = admin.rsplit_once('/').unwrap();
    Some(format!("{server}/{name}"))
}

mod contract {
    use super::*;

    async fn make() -> Option<Arc<dyn Metastore>> {
        Some(Arc::new(PostgresMetastore::connect(&new_database().await?, 8).await.unwrap()))
    }

    spanfleet_metastore::contract_tests!(make);
}

#[tokio::test]
async fn no_connection_stays_inside_a_transaction() {
    let Some(url) = new_database().await else { return println!("skipped: no server") };
    let store = PostgresMetastore::connect(&url, 4).await.unwrap();
    store.migrate().await.unwrap();
    let user = store.ensure_user("ada", false).await.unwrap();
    for number in 0..200 {
        let call = store.record_download(uuid::Uuid::new_v4(), user, "x");
        tokio::select! {
            biased;
            _ = call => {}
            () = yield_times(number % 20) => {}
        }
    }
    let mut other = PgConnection::connect(&url).await.unwrap();
    let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND xact_start IS NOT NULL \
                AND pid <> pg_backend_pid()";
    while sqlx::query_scalar::<_, i64>(open).fetch_one(&mut other).await.unwrap() > 0 {
        tokio::task::yield_now().await;
    }
    for number in 0..8 {
        store.ensure_project(&format!("p{number}")).await.unwrap();
    }
    let seen: i64 = sqlx::query_scalar("SELECT count(*) FROM projects").fetch_one(&mut other).await.unwrap();
    assert_eq!(seen, 8, "every acknowledged write is seen by others");
}

async fn yield_times(times: u32) {
    for _ in 0..times {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn tells_the_mend_and_no_password() {
    let Some(url) = new_database().await else { return println!("skipped: no server") };
    let (server, _) = url.rsplit_once('/').unwrap();
    let host = server.rsplit_once('@').map_or("127.0.0.1", |(_, host)| host);
    let unknown = format!("{server}/no_such_database");
    check_failure(&unknown, MetastoreErrorKind::Configuration, "create the database").await;
    let stranger = format!("postgres://stranger:hunter2@{host}/postgres");
    check_failure(&stranger, MetastoreErrorKind::Configuration, "mend `DATABASE_URL`").await;
    check_failure("postgres://ada:hunter2@127.0.0.1:1/db", MetastoreErrorKind::Transient, "can't be reached")
        .await;
    check_failure(&url, MetastoreErrorKind::Configuration, "spanfleet migrate").await;

    let failure = PostgresMetastore::connect("postgres://ada:hunter2@host:port/db", 1).await.unwrap_err();
    assert!(
        failure.message.contains("DATABASE_URL") && !format!("{failure:?}").contains("hunter2"),
        "{failure:?}"
    );
}

async fn check_failure(url: &str, kind: MetastoreErrorKind, mend: &str) {
    let store = PostgresMetastore::connect(url, 1).await.unwrap();
    let failure = store.check().await.unwrap_err();
    assert_eq!(failure.kind, kind, "{failure}");
    assert!(failure.message.contains(mend), "{failure}");
    let all = format!("{failure:?} {store:?} {}", store.address());
    assert!(!all.contains("hunter2"), "{all}");
}
