//! The commands, one file each.

pub(crate) mod accept;
pub(crate) mod account;
#[cfg(feature = "serve")]
pub(crate) mod admin;
pub(crate) mod agents;
pub(crate) mod audit;
pub(crate) mod block;
pub(crate) mod blocked;
pub(crate) mod completions;
pub(crate) mod confirm;
pub(crate) mod connect;
pub(crate) mod connections;
pub(crate) mod delete;
#[cfg(feature = "serve")]
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod inbox;
pub(crate) mod keys;
pub(crate) mod list;
pub(crate) mod login;
pub(crate) mod man;
pub(crate) mod open;
#[cfg(feature = "serve")]
mod openapi;
pub(crate) mod pair;
pub(crate) mod pairings;
pub(crate) mod quarantine;
pub(crate) mod receive;
pub(crate) mod receive_password;
pub(crate) mod register;
pub(crate) mod reject;
pub(crate) mod scan;
pub(crate) mod send;
#[cfg(feature = "serve")]
pub(crate) mod serve;
pub(crate) mod show;
pub(crate) mod trust;
pub(crate) mod unblock;
pub(crate) mod whoami;

use crate::args::{Cli, Command};
use crate::exit::{Exit, Result};
use crate::going_on::GoingOn;
use crate::interrupt::interruptible;
use crate::printer::Printer;

/// Runs what was asked for.
pub(crate) async fn run(cli: Cli, printer: &Printer) -> Result<Exit> {
    let Cli { global, command } = cli;
    let (global, going_on) = (&global, &GoingOn::default());
    #[cfg(feature = "serve")]
    let command = match command {
        // It does not end where it is when a signal comes.
        Command::Serve(args) => return Box::pin(serve::run(*args, printer)).await,
        command => command,
    };
    let work = async {
        match command {
            Command::Accept(args) => accept::run(&args, global, printer).await,
            Command::Account(args) => Box::pin(account::run(args, global, printer)).await,
            #[cfg(feature = "serve")]
            Command::Admin(args) => admin::run(args, printer).await,
            Command::Agents(args) => agents::run(&args, global, printer).await,
            Command::Audit(args) => audit::run(&args, global, printer).await,
            Command::Block(args) => block::run(&args, global, printer).await,
            Command::Blocked => blocked::run(global, printer).await,
            Command::Completions(args) => Ok(completions::run(&args, printer)),
            Command::Confirm(args) => Box::pin(confirm::run(&args, global, printer)).await,
            Command::Connect(args) => connect::run(args, global, printer).await,
            Command::Connections(args) => connections::run(args, global, printer).await,
            Command::Delete(args) => delete::run(&args, global, printer).await,
            #[cfg(feature = "serve")]
            Command::Demo(args) => Box::pin(demo::run(args, printer)).await,
            Command::Doctor(args) => doctor::run(&args, global, printer).await,
            Command::Inbox(args) => inbox::run(&args, global, printer).await,
            Command::Keys(args) => Box::pin(keys::run(args, global, printer)).await,
            Command::List(args) => list::run(&args, global, printer).await,
            Command::Login(args) => login::run(args, global, printer).await,
            Command::Logout => login::end(global, printer).await,
            Command::Man(args) => man::run(&args, printer),
            Command::Open(args) => Box::pin(open::run(args, global, printer, going_on)).await,
            #[cfg(feature = "serve")]
            Command::Openapi => Ok(openapi::run(printer)),
            Command::Pair(args) => pair::run(&args, global, printer).await,
            Command::Pairings(args) => pairings::run(&args, global, printer).await,
            Command::Quarantine(args) => quarantine::run(args, global, printer).await,
            Command::Receive(args) => Box::pin(receive::run(args, global, printer, going_on)).await,
            Command::ReceivePassword(args) => receive_password::run(args, global, printer).await,
            Command::Register(args) => register::run(args, global, printer).await,
            Command::Reject(args) => reject::run(&args, global, printer).await,
            Command::Scan(args) => Box::pin(scan::run(args, printer)).await,
            Command::ScanWorker => unreachable!("it was run before there were threads"),
            Command::Send(args) => Box::pin(send::run(args, global, printer, going_on)).await,
            #[cfg(feature = "serve")]
            Command::Serve(_) => unreachable!("it was run above"),
            Command::Show(args) => show::run(&args, global, printer).await,
            Command::Trust(args) => Box::pin(trust::run(args, global, printer)).await,
            Command::Unblock(args) => unblock::run(&args, global, printer).await,
            Command::Whoami => whoami::run(global, printer).await,
        }
    };
    // Large, and moved by whoever awaits it.
    Box::pin(interruptible(work, going_on)).await
}
