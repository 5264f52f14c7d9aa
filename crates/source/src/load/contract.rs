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
            projects_do_not_mix, partitions_make_up_the_selection, rows_after_the_plan_are_left_out,
            filters_choose, relations_outlive_filtered_ends, labels_are_those_that_occur, inclusions_hold,
            dropped_reads_leave_the_source_usable, giants_come_alone, counts_and_checks,
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
