//! The binary as a person runs it, to its end.

use std::path::Path;
use std::process::ExitStatus;

use crate::{Process, process};

/// What a command said.
#[derive(Debug)]
pub struct Said {
    /// How it ended.
    pub status: ExitStatus,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Said {
    /// Panics with the output unless the command ended well.
    #[allow(clippy::must_use_candidate, clippy::return_self_not_must_use)] // the panic is the point
    pub fn ok(self) -> Said {
        assert!(self.status.success(), "{}\n{}\n{}", self.status, self.out, self.err);
        self
    }

    /// Panics unless the command failed with this code, and one clear line that holds these words.
    pub fn fails(self, code: i32, words: &str) {
        assert_eq!(self.status.code(), Some(code), "{}\n{}", self.out, self.err);
        assert!(self.err.contains(words), "expected `{words}` in:\n{}", self.err);
        assert!(!self.err.contains("panicked"), "{}", self.err);
    }
}

/// Runs `spanfleet` in a folder with nothing of our environment.
pub fn spanfleet(folder: &Path, args: &[&str]) -> Said {
    spanfleet_with(folder, &[], args)
}

/// The same with settings.
pub fn spanfleet_with(folder: &Path, env: &[(String, String)], args: &[&str]) -> Said {
    run(&process::spanfleet(), folder, env, args)
}

/// The same by a program of another version.
pub fn run(program: &Path, folder: &Path, env: &[(String, String)], args: &[&str]) -> Said {
    let (status, out, err) =
        Process::program("spanfleet", program, folder).envs(env.iter().cloned()).args(args).run();
    Said { status, out, err }
}
