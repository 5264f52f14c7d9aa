//! Everything that is tested from outside the rooms: the house's own rules, and the binary as users run it.

#![allow(clippy::unwrap_used, missing_docs)]

mod api;
mod architecture;
mod corpora;
mod faults;
mod fleet;
mod importing;
mod lives;
mod one_shot;
mod security;
mod serve;
mod shaped;
mod simulate;
mod support;
mod toy_format;
mod traces;
mod upgrades;
mod usage;
mod user_defined_formats;
