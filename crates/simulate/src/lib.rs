//! The fleet at sizes that nobody has at hand: a model of discrete events over measured costs.
//!
//! What becomes of a job is said by the fleet's own functions: [`decide`](spanfleet_core::job::decide), the
//! back-off, the planner's cut. The model adds who waits for whom: cores, the database, the row of a job, what the
//! store takes, workers that are lost. Nothing in it looks at a clock; the same seed gives the same run.
//!
//! | file | what it is |
//! | --- | --- |
//! | [`costs`] | what was measured |
//! | [`scenario`] | what is asked and answered |
//! | [`admission`] | whose hint leaves next |
//! | `station` | something that many share |
//! | `model` | what happens when |

pub mod admission;
pub mod costs;
mod model;
pub mod scenario;
mod station;

pub use costs::Costs;
pub use scenario::{Bill, Cores, Limit, Outcome, Prices, Rules, Scenario, Shares};

/// Runs a scenario to the end of its last job.
pub fn simulate(scenario: &Scenario, rules: &Rules, costs: &Costs) -> Outcome {
    model::Model::run(scenario, rules, costs)
}

#[cfg(test)]
mod tests;
