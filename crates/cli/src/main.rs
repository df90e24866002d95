//! The `agentdrop` command: parses, runs one command, and says how it ended.

mod args;
mod commands;
mod destination;
mod exit;
mod global;
mod going_on;
mod hearsay;
mod human;
mod interrupt;
mod link;
mod printer;
mod profile;
mod progress;
mod screening;
mod secret_input;
mod security;
mod spool;
#[cfg(feature = "serve")]
mod telemetry;
mod walked;

use std::env;
use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser as _;
use clap::error::ErrorKind;

use args::Cli;
use exit::{Exit, Failure};
use printer::{Mode, Printer};

/// What helps against wrong usage.
const HINT: &str = "`--help` says what is expected";

fn main() -> ExitCode {
    let exit = match Cli::try_parse_from(typed(env::args_os())) {
        Ok(cli) => run(cli),
        Err(error) => misused(&error),
    };
    exit.into()
}

/// What was typed; `agentdrop help COMMAND` is `agentdrop COMMAND --help`.
fn typed(args: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut args: Vec<_> = args.collect();
    if args.get(1).is_some_and(|it| it == "help") {
        args.remove(1);
        args.push("--help".into());
    }
    args
}

fn run(cli: Cli) -> Exit {
    let printer = Printer::new(cli.global.mode());
    let ended = run_printing(cli, &printer).unwrap_or_else(|failure| {
        printer.failure(&failure);
        failure.exit
    });
    said(printer).max(ended)
}

fn run_printing(cli: Cli, printer: &Printer) -> exit::Result<Exit> {
    if let args::Command::ScanWorker = cli.command {
        // It has one thread, which is then shut in.
        return screening::work();
    }
    let patience = patience(&cli);
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime
        .enable_all()
        .build()
        .map_err(|error| Failure::io("start", &error))?;
    let ended = runtime.block_on(commands::run(cli, printer));
    // What was dropped half-done is put away by threads that end with the runtime.
    runtime.shutdown_timeout(patience);
    ended
}

/// How long files may take to be put away. A server that is told twice to stop does not wait.
fn patience(cli: &Cli) -> Duration {
    match cli.command {
        #[cfg(feature = "serve")]
        args::Command::Serve(_) => Duration::ZERO,
        _ => Duration::from_secs(10),
    }
}

/// Whether everything that was said arrived.
fn said(printer: Printer) -> Exit {
    match printer.finish() {
        Ok(()) => Exit::Done,
        Err(failure) => {
            Printer::new(Mode::Text).failure(&failure);
            failure.exit
        }
    }
}

/// What was typed is no command, or asks for help.
fn misused(error: &clap::Error) -> Exit {
    let asked = matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    );
    if asked {
        let printer = Printer::new(Mode::Text);
        printer.styled(&error.render());
        return said(printer);
    }
    let mut typed = env::args_os().take_while(|it| it != "--");
    if !typed.any(|it| it == "--json") {
        Printer::new(Mode::Text).misused(&error.render(), HINT);
        return Exit::Broken;
    }
    let text = error.render().to_string();
    let sentence = if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        "no command is given".to_owned()
    } else {
        let paragraph = text.lines().take_while(|it| !it.trim().is_empty());
        let words: Vec<&str> = paragraph.map(str::trim).collect();
        words.join(" ").trim_start_matches("error: ").to_owned()
    };
    let printer = Printer::new(Mode::Json);
    printer.failure(&Failure::broken("USAGE", sentence, HINT));
    said(printer).max(Exit::Broken)
}
