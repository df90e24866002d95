//! `agentdrop trust`: by which keys other agents are known, and what people decide about them.

mod compare;
mod decide;
mod exchange;
mod list;
mod named;
pub(crate) mod pairing;

use clap::Subcommand;

use crate::exit::{Exit, Result};
use crate::global::Global;
use crate::printer::Printer;
use crate::profile::Profile;

/// List the agents that this one knows, and decide about their keys
#[derive(clap::Args)]
#[command(
    after_help = "An agent is known by its key from the first time on that files go to it or come from it. Whoever runs \
    the server could have given another one that time: compare it once. A key that changes later, and of which the \
    known one does not say so, blocks the agent until you decide."
)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Show what to compare with the owner of an agent, and remember that it was the same
    Compare(compare::Args),
    /// Know an agent by the key that was refused, from here on
    Accept(decide::Accept),
    /// Go on knowing an agent by the key that it was known by, and forget what was refused
    Keep(decide::Keep),
    /// Forget an agent: whatever key the server gives for it next is believed
    Reset(decide::Reset),
    /// Write what is known to a file, for another machine
    Export(exchange::Export),
    /// Add what was exported elsewhere
    Import(exchange::Import),
}

/// Lists what is known, or decides.
pub(crate) async fn run(args: Args, global: &Global, printer: &Printer) -> Result<Exit> {
    let client = Profile::load(global)?.agent()?;
    match args.command {
        None => list::run(&client, printer),
        Some(Command::Compare(args)) => compare::run(&args, &client, printer).await,
        Some(Command::Accept(args)) => decide::accept(&args, &client, printer).await,
        Some(Command::Keep(args)) => decide::keep(&args, &client, printer),
        Some(Command::Reset(args)) => decide::reset(&args, &client, printer).await,
        Some(Command::Export(args)) => exchange::export(&args, &client, printer),
        Some(Command::Import(args)) => exchange::import(&args, &client, printer),
    }
}
