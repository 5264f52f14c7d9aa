//! Against the server of `SPANFLEET_TEST_POSTGRES_URL`, each test in a database of its own.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use spanfleet_metastore::{
    Metastore, MetastoreErrorKind,
    contract::{CONTRADICTIONS, Stage, drop_after},
};
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

/// A `begin` that is cancelled between its sending and its answer leaves a transaction that the pool does not
/// know of: the next write on that connection would be acknowledged and never committed.
#[tokio::test]
async fn no_connection_stays_inside_a_transaction() {
    let Some(url) = new_database().await else { return println!("skipped: no server") };
    let store = PostgresMetastore::connect(&url, 1).await.unwrap();
    store.migrate().await.unwrap();
    let user = store.ensure_user("ada", false).await.unwrap();
    let mut other = PgConnection::connect(&url).await.unwrap();
    for steps in 0..12 {
        drop_after(store.record_download(uuid::Uuid::new_v4(), user, "x"), steps).await;
        store.ensure_project(&format!("p{steps}")).await.unwrap();
        let seen: i64 =
            sqlx::query_scalar("SELECT count(*) FROM projects").fetch_one(&mut other).await.unwrap();
        assert_eq!(seen, steps as i64 + 1, "an acknowledged write is not seen by others");
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

#[tokio::test]
async fn the_tables_refuse_contradictions() {
    let Some(url) = new_database().await else { return println!("skipped: no server") };
    let store = PostgresMetastore::connect(&url, 1).await.unwrap();
    Stage::new(Arc::new(store)).await.accepted().await;
    let mut connection = PgConnection::connect(&url).await.unwrap();
    for statement in CONTRADICTIONS {
        let refused = sqlx::query(statement).execute(&mut connection).await.unwrap_err();
        assert!(refused.as_database_error().unwrap().is_check_violation(), "{statement}: {refused}");
    }
}

#[tokio::test]
async fn many_processes_share_a_server() {
    let Some(url) = new_database().await else { return println!("skipped: no server") };
    let mut stores = Vec::new();
    for _ in 0..6 {
        stores.push(Arc::new(PostgresMetastore::connect(&url, 2).await.unwrap()));
    }
    let starts: Vec<_> = stores
        .iter()
        .map(|store| {
            let store = Arc::clone(store);
            tokio::spawn(async move { store.migrate().await })
        })
        .collect();
    for start in starts {
        start.await.unwrap().unwrap();
    }
    let stage = Stage::new(stores[0].clone()).await;
    let job = stage.running(48).await;
    let workers: Vec<_> = stores
        .iter()
        .map(|store| {
            let stage = Stage { store: store.clone(), ..stage.clone() };
            tokio::spawn(async move {
                for _ in 0..8 {
                    stage.encode_next().await;
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.unwrap();
    }
    stage.finalize().await;
    assert_eq!(stage.row(&job).await.head.parts_done, 48);
}
