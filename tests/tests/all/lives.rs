//! Random lives of jobs on both metastores, compared step by step with a small reference and the promises.
//!
//! | file | what it is |
//! | --- | --- |
//! | `command` | what may be asked of a metastore |
//! | `reference` | what should come of it, written without `decide` |
//! | `play` | both side by side |

mod command;
mod play;
mod reference;

use std::sync::Arc;

use proptest::{
    collection::vec,
    test_runner::{Config, TestRunner},
};
use spanfleet_metastore::{Metastore, contract::Stage};
use spanfleet_metastore_postgres::PostgresMetastore;
use spanfleet_metastore_sqlite::SqliteMetastore;
use spanfleet_tests::shared;
use sqlx::any::{AnyPoolOptions, install_default_drivers};

use command::command;
use play::Play;

/// Commands in one life.
const MOST_COMMANDS: usize = 80;

/// Plays random lives; one that goes wrong is made shorter before it is told.
fn play(url: &str, lives: u32, open: impl AsyncFn() -> Arc<dyn Metastore>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    install_default_drivers();
    let (stage, clock) = runtime.block_on(async {
        let stage = Stage::new(open().await).await;
        (stage, AnyPoolOptions::new().max_connections(1).connect(url).await.unwrap())
    });
    let lives = std::env::var("SPANFLEET_TEST_LIVES").map_or(lives, |lives| lives.parse().unwrap());
    let config = Config { cases: lives, failure_persistence: None, ..Config::default() };
    let played = TestRunner::new(config).run(&vec(command(), 1..MOST_COMMANDS), |commands| {
        runtime.block_on(async {
            let mut play = Play::new(&stage, &clock).await;
            for command in &commands {
                play.step(command).await;
            }
        });
        Ok(())
    });
    if let Err(failure) = played {
        panic!("{failure}");
    }
}

#[test]
fn lives_on_sqlite_are_the_references() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/spanfleet.db", folder.path().display());
    play(&url, 60, async || Arc::new(SqliteMetastore::open(&url).await.unwrap()) as Arc<dyn Metastore>);
}

#[test]
fn lives_on_postgres_are_the_references() {
    let url = shared().fresh_database();
    play(&url, 60, async || {
        Arc::new(PostgresMetastore::connect(&url, 4).await.unwrap()) as Arc<dyn Metastore>
    });
}
