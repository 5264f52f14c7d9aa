//! Logs to stderr: text for people, JSON for machines.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::args::{Args, LogFormat};

/// Starts logging. Servers tell what they do; other commands only what goes wrong, beside their progress.
pub(crate) fn start(args: &Args) {
    let otherwise = if args.command.is_server() { "info" } else { "warn" };
    let filter = args.log.as_deref().unwrap_or(otherwise);
    // lapin and the AWS SDK log each frame and request at info.
    let filter = format!("lapin=warn,aws_config=warn,{filter}");
    let filter = EnvFilter::try_new(&filter).unwrap_or_else(|_| EnvFilter::new(otherwise));
    let is_colored = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let logs =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(is_colored);
    match args.log_format {
        LogFormat::Text => logs.init(),
        LogFormat::Json => logs.json().flatten_event(true).init(),
    }
}
