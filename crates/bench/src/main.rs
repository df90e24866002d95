//! The load that `scripts/bench` puts on a server: whoever measures must cost less than what is
//! measured. And what `scripts/bench-shield` asks of Shield.
//!
//! It speaks HTTP itself, on one thread, with requests that are written once. What each command
//! found goes to standard output as one JSON object.

mod connection;
mod fill;
mod listeners;
mod load;
mod polls;
mod shield;
mod shield_speed;
mod shield_train;
mod strangers;
mod summary;
mod sync;
mod transfers;
mod welch;
mod world;
mod wrapping;

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use serde_json::Value;

/// Put a load on a server, and say how it did
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Make accounts with agents, whose keys are what this prints
    World(world::Args),
    /// Fill the store of a server that is stopped with copies of what was sent
    Fill(fill::Args),
    /// Send small files; callers take turns over the accounts of the world
    Transfers(transfers::Args),
    /// Listen to events, as every agent but the first of each account, and send something to one after
    /// the other; the server has to take as many connections
    Listeners(listeners::Args),
    /// Look into inboxes, with the keys of agents, which `world --keys` makes
    Polls(polls::Args),
    /// Ask about addresses that have an account and about ones that have none, of a world whose
    /// accounts have passwords; half of them ask about the other half
    Strangers(strangers::Args),
    /// Make the model of Shield from samples, and say how it does on families that it has not seen
    ShieldTrain(shield_train::Args),
    /// Judge files, and say of each in a line what came of it
    Shield(shield::Args),
    /// Judge the same files again and again, in one thread
    ShieldSpeed(shield_speed::Args),
    /// Make small writes durable, as a limit of the machine
    Sync(sync::Args),
}

fn main() -> ExitCode {
    match run(Cli::parse()).and_then(|it| writeln!(io::stdout(), "{it}")) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // To whom, if not even that can be said?
            drop(writeln!(io::stderr(), "agentdrop-bench: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> io::Result<Value> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    match cli.what {
        What::World(args) => runtime.block_on(world::run(args)),
        What::Fill(args) => runtime.block_on(fill::run(args)),
        What::Transfers(args) => runtime.block_on(transfers::run(args)),
        What::Listeners(args) => runtime.block_on(listeners::run(args)),
        What::Polls(args) => runtime.block_on(polls::run(args)),
        What::Strangers(args) => runtime.block_on(strangers::run(args)),
        What::ShieldTrain(args) => shield_train::run(&args),
        What::Shield(args) => shield::run(&args),
        What::ShieldSpeed(args) => shield_speed::run(&args),
        What::Sync(args) => sync::run(&args),
    }
}
