//! Progress on stderr: a bar on a terminal, a line now and then otherwise.

use std::{
    io::IsTerminal,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Without a terminal: a line at most so often.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// Shows how far something is.
pub(crate) struct Progress {
    what: String,
    bar: Option<ProgressBar>,
    is_quiet: bool,
    last_line: Instant,
}

impl Progress {
    /// Begins; nothing is shown when it is to be quiet.
    pub(crate) fn new(what: &str, is_quiet: bool) -> Progress {
        let has_terminal = std::io::stderr().is_terminal();
        let bar = (has_terminal && !is_quiet).then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            // The template is a constant; a wrong one would only lose the bar's looks.
            if let Ok(style) = ProgressStyle::with_template("{prefix} [{wide_bar}] {msg}") {
                bar.set_style(style.progress_chars("=> "));
            }
            bar.set_prefix(what.to_owned());
            bar
        });
        Progress { what: what.to_owned(), bar, is_quiet, last_line: Instant::now() }
    }

    /// So much of so much is done; `words` says it for people.
    pub(crate) fn show(&mut self, done: u64, total: u64, words: &str) {
        match &self.bar {
            Some(bar) => {
                bar.set_length(total.max(1));
                bar.set_position(done);
                bar.set_message(words.to_owned());
            }
            None if !self.is_quiet && self.last_line.elapsed() >= LINE_EVERY => {
                eprintln!("{}: {words}", self.what);
                self.last_line = Instant::now();
            }
            None => {}
        }
    }

    /// Ends; the bar goes.
    pub(crate) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
