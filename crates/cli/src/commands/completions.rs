//! `agentdrop completions`: what completes commands in a shell.

use clap::CommandFactory as _;
use clap_complete::Shell;
use serde_json::json;

use crate::args::Cli;
use crate::exit::Exit;
use crate::printer::{Mode, Printer};

/// Print what completes commands in a shell
#[derive(clap::Args)]
#[command(after_help = "For bash, in ~/.bashrc: source <(agentdrop completions bash)")]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

/// Prints it.
pub(crate) fn run(args: &Args, printer: &Printer) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "agentdrop", &mut script);
    let script = String::from_utf8_lossy(&script);
    if printer.mode() == Mode::Json {
        printer.json(&json!({ "shell": args.shell.to_string(), "script": script }));
    } else {
        printer.raw(&script);
    }
    Exit::Done
}
