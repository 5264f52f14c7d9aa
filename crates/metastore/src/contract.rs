//! The contract that every driver passes: stories over the port, none of which knows the driver.
//!
//! A driver's tests call [`contract_tests!`](crate::contract_tests) with a function that makes an empty
//! metastore, or `None` where its server is absent. To add a story: a function here and its name in the list.

#![expect(clippy::unwrap_used, reason = "a suite of tests: a failure is a panic")]

mod access;
mod hints;
mod jobs;
mod stage;
mod sweeping;
mod tasks;

pub use access::*;
pub use hints::*;
pub use jobs::*;
pub use stage::Stage;
pub use sweeping::*;
pub use tasks::*;

/// What the tables themselves refuse, whoever writes it, when there is one accepted job. A driver's tests run each
/// on a connection beside the driver.
pub const CONTRADICTIONS: [&str; 12] = [
    "UPDATE export_jobs SET status = 'completed'",
    "UPDATE export_jobs SET phase = 'running'",
    "UPDATE export_jobs SET phase = 'asleep', status = 'pending'",
    "UPDATE export_jobs SET parts_done = 1",
    "UPDATE export_jobs SET phase = 'succeeded', status = 'completed'",
    "UPDATE export_jobs SET progress_percentage = 101",
    "UPDATE export_partitions SET state = 'asleep'",
    "UPDATE export_partitions SET state = 'leased', fence = 1",
    "UPDATE export_partitions SET state = 'done'",
    "UPDATE export_partitions SET fence = -1",
    "UPDATE export_partitions SET number = 1",
    "UPDATE export_partitions SET kind = 'encode', state = 'done', fence = 1",
];

/// One test per story. `$make` is an async function that returns `Option<Arc<dyn Metastore>>`.
#[macro_export]
macro_rules! contract_tests {
    ($make:path) => {
        $crate::contract_tests! { $make =>
            migrating_at_once_is_safe, users_and_projects, membership, tokens_end, catalogue_is_synced_by_name,
            a_whole_life, an_empty_plan_seals_at_once, one_key_one_job, submits_at_once_make_one_job,
            cancel_in_each_phase, a_failed_job_runs_again, a_failed_plan_runs_again, jobs_are_listed_newest_first,
            downloads_are_counted, expiry, leftovers_wait_for_their_writers, only_retried_jobs_have_leftovers,
            one_of_many_claims_wins, a_late_commit_is_refused, a_heartbeat_keeps_the_lease,
            a_release_is_no_failure, failures_wait_and_poison_ends, a_crasher_is_quarantined,
            commits_at_once_open_one_finalize, attempts_may_be_noted_twice, checks_see_every_task,
            hints_are_taken_once, a_noisy_user_starves_nobody, lost_hints_come_again, hints_know_their_trace, a_retry_has_no_hint_until_due,
            backlog_counts_what_waits, webhooks_are_taken_until_done, callers_that_go_away_leave_nothing_open,
        }
    };
    ($make:path => $($story:ident,)+) => {
        $(
            #[tokio::test]
            async fn $story() {
                match $make().await {
                    Some(store) => $crate::contract::$story(store).await,
                    None => println!("skipped {}: no server", stringify!($story)),
                }
            }
        )+
    };
}
