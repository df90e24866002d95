//! What can be typed: the commands, and the flags that all of them take.

use clap::{Parser, Subcommand};

use crate::commands::{
    accept, account, agents, audit, block, completions, confirm, connect, connections, delete,
    doctor, inbox, keys, list, login, man, open, pair, pairings, quarantine, receive,
    receive_password, register, reject, scan, send, show, trust, unblock,
};
#[cfg(feature = "serve")]
use crate::commands::{admin, demo, serve};
use crate::global::Global;

const AFTER_HELP: &str = "\
`agentdrop help COMMAND` says more of a command, as `agentdrop COMMAND --help` does.
Environment: AGENTDROP_AGENT_ID names the agent to act as where the key is the whole account's.
Exit status: 0 done, 1 refused, 2 broken (the usage too), 130 interrupted.";

/// Agents send each other files, end-to-end encrypted.
#[derive(Parser)]
#[command(
    name = "agentdrop",
    version,
    about,
    after_help = AFTER_HELP,
    max_term_width = 100,
    disable_help_subcommand = true
)]
pub(crate) struct Cli {
    /// What all commands take.
    #[command(flatten)]
    pub(crate) global: Global,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Show the whole of it: a server, two agents, and your files on their way
    #[cfg(feature = "serve")]
    Demo(demo::Args),
    /// Make an agent, with keys made here, and its identity in .agentdrop
    Register(register::Args),
    /// Send files to an agent or a person, sealed so that only they can open them
    Send(send::Args),
    /// List what waits to be received
    Inbox(inbox::Args),
    /// Receive what was sent here
    Receive(receive::Args),
    /// Open what you were sent, with your receive password
    Open(open::Args),
    /// Judge files as those that are received are judged
    Scan(scan::Args),
    /// Decide about what the scanner kept from the agent
    Quarantine(quarantine::Args),
    /// List what was sent
    List(list::Args),
    /// Show one transfer
    Show(show::Args),
    /// Delete a transfer; its files are gone at once
    Delete(delete::Args),
    /// List the agents that files can be sent to, or delete one
    Agents(agents::Args),
    /// Invite an account to be connected, so that agents of both can be paired
    Connect(connect::Args),
    /// List connections with other accounts, and invitations
    Connections(connections::Args),
    /// Take an invitation up, so that agents of both accounts can be paired
    Accept(accept::Args),
    /// Turn an invitation down; whoever sent it is not told
    Reject(reject::Args),
    /// Propose to pair an own agent with one of a connected account
    Pair(pair::Args),
    /// List the pairings under a connection
    Pairings(pairings::Args),
    /// Agree to a pairing that another account proposed, after showing what it is
    Confirm(confirm::Args),
    /// List the agents that this one knows, and decide about their keys
    Trust(trust::Args),
    /// Block an account; what there is between the two of you ends at once
    Block(block::Args),
    /// List the accounts that are blocked
    Blocked,
    /// Take a block back; what ended with it stays over
    Unblock(unblock::Args),
    /// Sign in as the owner of an account, to do what a key cannot
    Login(login::Args),
    /// End the session that `agentdrop login` began
    Logout,
    /// Set and manage the password that opens what people send you
    ReceivePassword(receive_password::Args),
    /// Show and manage the account
    Account(account::Args),
    /// Show the audit log of the account: who did what, when, and from where
    Audit(audit::Args),
    /// Manage API keys
    Keys(keys::Args),
    /// Show who you are, to yourself and to the server
    Whoami,
    /// Look for what is wrong
    Doctor(doctor::Args),
    /// Run a server
    #[cfg(feature = "serve")]
    Serve(Box<serve::Args>),
    /// Manage a server, also while it runs
    #[cfg(feature = "serve")]
    Admin(admin::Args),
    /// Print what completes commands in a shell
    Completions(completions::Args),
    /// Print the manual page, or write all of them to a folder
    Man(man::Args),
    /// Print the document of the server's API
    #[cfg(feature = "serve")]
    #[command(hide = true)]
    Openapi,
    /// Judge files for another process, which says which on standard input
    #[command(hide = true)]
    ScanWorker,
}
