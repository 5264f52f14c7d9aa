//! One file a command.

mod doctor;
mod export;
mod fleet;
mod formats;
mod fsck;
mod import;
mod jobs;
mod order;
mod preview;
mod simulate;
mod templates;
mod token;
mod verify;

use std::{io, process::ExitCode};

use clap::CommandFactory;
use tokio_util::sync::CancellationToken;

use crate::{
    args::{Args, Command, FormatsCommand},
    failure::Failure,
    wire::Wire,
};

/// Runs a command to its end.
pub(crate) fn run(args: Args) -> Result<ExitCode, Failure> {
    let Args { data_dir, settings, command, quiet, .. } = args;
    let wire = Wire::new(settings, data_dir);
    match command {
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Args::command(), "spanfleet", &mut io::stdout());
        }
        Command::Formats(args) => match args.command {
            None => formats::print(args.json.json)?,
            Some(FormatsCommand::Add { file }) => runtime()?.block_on(formats::add(&wire, &file))?,
        },
        Command::Templates(args) => templates::print(&args)?,
        Command::Verify(args) => verify::verify(&args)?,
        Command::Simulate(args) => simulate::run(&args)?,
        Command::Jobs(command) => jobs::run(command, wire.data_dir(), quiet)?,
        Command::Export(args) => runtime()?.block_on(export::export(&wire, &args, quiet))?,
        Command::Preview(args) => runtime()?.block_on(preview::preview(&wire, &args, quiet))?,
        Command::Health(args) => doctor::health(&args)?,
        Command::Import(args) => runtime()?.block_on(import::import(&wire, &args, quiet))?,
        Command::Migrate => runtime()?.block_on(token::migrate(&wire))?,
        Command::Token(command) => runtime()?.block_on(token::run(&wire, command))?,
        Command::Doctor(args) => runtime()?.block_on(doctor::doctor(&wire, args.json))?,
        Command::Fsck(args) => runtime()?.block_on(fsck::check(&wire, &args))?,
        Command::Serve(args) => runtime()?.block_on(fleet::serve(&wire, &args))?,
        Command::Dispatcher(args) => runtime()?.block_on(fleet::dispatcher(&wire, &args))?,
        Command::Worker(args) => runtime()?.block_on(fleet::worker(&wire, &args))?,
    }
    Ok(ExitCode::SUCCESS)
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

/// Cancelled by SIGTERM or SIGINT; as PID 1 too, since we install handlers.
fn stop_signal() -> Result<CancellationToken, Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    tokio::spawn(async move {
        tokio::select! { _ = terminate.recv() => {} _ = interrupt.recv() => {} }
        stopped.cancel();
    });
    Ok(stop)
}
