//! Logs to stderr: text for people, JSON for machines. Traces to whoever the environment names.

use std::io::IsTerminal;

use tracing_subscriber::{EnvFilter, Layer as _, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use crate::{
    args::{Args, LogFormat},
    failure::Failure,
    settings::owner,
};

#[cfg(feature = "otlp")]
type Traces = Option<spanfleet_trace::Exporter>;
#[cfg(not(feature = "otlp"))]
type Traces = ();

/// Starts logging. Servers tell what they do; other commands only what goes wrong, beside their progress.
/// Traces are of servers; what is returned sends the last spans when it is dropped.
pub(crate) fn start(args: &Args) -> Result<Traces, Failure> {
    let otherwise = if args.command.role().is_some() { "info" } else { "warn" };
    let filter = args.log.as_deref().unwrap_or(otherwise);
    // lapin and the AWS SDK log each frame and request at info; what only traces show is not for logs.
    let quiet = format!("lapin=warn,aws_config=warn,opentelemetry=warn,{}=off", spanfleet_trace::TARGET);
    let filter = format!("{quiet},{filter}");
    let filter = EnvFilter::try_new(&filter).unwrap_or_else(|_| EnvFilter::new(otherwise));
    let is_colored = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let logs = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(is_colored);
    let logs = match args.log_format {
        LogFormat::Text => logs.boxed(),
        LogFormat::Json => logs.json().flatten_event(true).boxed(),
    };
    let subscriber = tracing_subscriber::registry().with(logs.with_filter(filter));
    #[cfg(feature = "otlp")]
    {
        let role = args.command.role();
        let traces = role.map(|role| spanfleet_trace::Exporter::from_environment(role, owner())).transpose();
        let traces = traces.map_err(Failure::usage)?.flatten();
        subscriber.with(traces.as_ref().map(spanfleet_trace::Exporter::layer)).init();
        Ok(traces)
    }
    #[cfg(not(feature = "otlp"))]
    Ok(subscriber.init())
}
