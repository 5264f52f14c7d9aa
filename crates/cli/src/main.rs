//! `spanfleet`: one binary, two shapes. What it runs on is chosen by three URLs, see [`settings`].
//!
//! | file | what it is |
//! | --- | --- |
//! | `args` | every command with its flags |
//! | [`settings`] | what several commands share |
//! | `wire` | the only file that names a driver |
//! | `commands/` | one file a command |
//! | `client` | the API as the `jobs` commands call it |
//! | `failure` | errors for people, with an exit code |

#[macro_use]
mod out;

mod args;
mod client;
mod commands;
mod failure;
mod logging;
mod pairs;
mod progress;
mod settings;
mod wire;

use std::process::ExitCode;

use clap::Parser;

use crate::args::Args;

/// A worker makes and frees large buffers on many threads for days. This allocator gives them back; with glibc's
/// arenas the peak grows with the length of the job.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args = Args::parse();
    // Held to the end: dropped, it sends the last spans.
    let started = logging::start(&args);
    match started.and_then(|_traces| commands::run(args)) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("error: {failure}");
            failure.exit_code()
        }
    }
}
