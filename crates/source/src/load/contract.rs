//! The contract that every loader passes together with the source that reads what it loaded: stories over the
//! two ports, none of which knows the driver.
//!
//! A driver's tests call [`loader_contract_tests!`](crate::loader_contract_tests) with a function that makes a
//! [`Stage`] on an empty database, or `None` where its server is absent. To add a story: a function here and
//! its name in the list.

#![allow(clippy::unwrap_used, reason = "a suite of tests: a failure is a panic")]

mod loading;
mod reading;
mod samples;
mod stage;

pub use loading::*;
pub use reading::*;
pub use samples::*;
pub use stage::Stage;

/// One test per story. `$make` is an async function that returns `Option<Stage>`.
#[macro_export]
macro_rules! loader_contract_tests {
    ($make:path) => {
        $crate::loader_contract_tests! { $make =>
            reads_what_was_loaded, corpora_read_back, a_second_import_changes_nothing, a_changed_text_is_replaced,
            an_id_comes_once_in_an_import, what_can_not_be_stored_is_rejected_alone, imports_at_once_load_once,
            projects_do_not_mix, rows_after_the_plan_are_left_out, filters_take_numbers_and_any_name,
            relations_outlive_filtered_ends, labels_are_those_that_occur, giants_come_alone, counts_and_checks,
        }
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn the_contract_of_sources() {
            $crate::load::contract::the_contract_of_sources($make).await;
        }
    };
    ($make:path => $($story:ident,)+) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $story() {
                match $make().await {
                    Some(stage) => $crate::load::contract::$story(stage).await,
                    None => println!("skipped {}: no server", stringify!($story)),
                }
            }
        )+
    };
}
