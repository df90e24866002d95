//! `agentdrop agents`: lists the agents that files can be sent to, deletes one.

use agentdrop_protocol::AgentRef;
use agentdrop_protocol::api_key::KeyKind;
use clap::Subcommand;

use crate::exit::{Exit, Failure, Result};
use crate::global::Global;
use crate::hearsay::judged;
use crate::human;
use crate::printer::Printer;
use crate::profile::Profile;

/// List the agents that files can be sent to, or delete one
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Delete an agent of the account, with its keys and all it sent or was sent, for ever
    Delete {
        /// The agent
        agent: AgentRef,
        /// Delete it without being asked, as scripts have to
        #[arg(long, short)]
        yes: bool,
    },
}

/// Lists the agents that files can be sent to, or deletes one.
pub(crate) async fn run(args: &Args, global: &Global, printer: &Printer) -> Result<Exit> {
    match &args.command {
        None => list(global, printer).await,
        Some(Command::Delete { agent, yes }) => delete(agent, *yes, global, printer).await,
    }
}

async fn delete(agent: &AgentRef, yes: bool, global: &Global, printer: &Printer) -> Result<Exit> {
    let client = Profile::load(global)?.owner()?;
    if !yes {
        let question = format!("Delete {agent}, its keys and all it sent or was sent, for ever?");
        if !printer.asks() || !printer.agreed(&question).await? {
            let hint = "answer the question with yes, or give `--yes`";
            let message = "the agent was not deleted";
            return Err(Failure::refused("NOT_CONFIRMED", message, hint));
        }
    }
    let done = client.delete_agent(agent).await?;
    printer.json(&done);
    printer.bare(&agent.to_string());
    printer.done(&format!("deleted {agent}"));
    Ok(Exit::Done)
}

/// With a key of the account, with all that is said of them.
async fn list(global: &Global, printer: &Printer) -> Result<Exit> {
    let caller = Profile::load(global)?.caller()?;
    if matches!(caller.key_kind, KeyKind::Account | KeyKind::Session) {
        // Those of the account itself: nobody else writes what stands there.
        let found = caller.client.agents().await?;
        printer.json(&found);
        let now = human::now();
        let rows = found.agents.iter().map(|it| {
            let seen = it.last_seen_at.map(|it| human::moment(it, now));
            [
                it.agent_id.to_string(),
                it.name.to_string(),
                it.connection_status.to_string(),
                seen.unwrap_or_else(|| "never".to_owned()),
                it.id.to_string(),
                it.key_fingerprint.clone().unwrap_or_default(),
            ]
        });
        let rows: Vec<_> = rows.collect();
        let headings = ["AGENT", "NAME", "STATUS", "SEEN", "ID", "KEY"];
        table(printer, headings, &rows);
    } else {
        let found = judged(caller.client.sendable_agents().await?).await?;
        printer.json(&found.json());
        let rows = found.it.agents.iter().map(|it| {
            // An account may be called anything, also `own`.
            let whose = match &it.account_name {
                _ if it.own => "own".to_owned(),
                Some(account) => format!("paired, of {account}"),
                None => "paired".to_owned(),
            };
            [
                it.agent_id.to_string(),
                it.name.to_string(),
                whose,
                it.id.to_string(),
            ]
        });
        let rows: Vec<_> = rows.collect();
        table(printer, ["AGENT", "NAME", "WHOSE", "ID"], &rows);
        found.say(printer);
    }
    Ok(Exit::Done)
}

fn table<const N: usize>(printer: &Printer, headings: [&str; N], rows: &[[String; N]]) {
    if rows.is_empty() {
        printer.line("there are no agents; `agentdrop register` makes one");
        return;
    }
    for row in rows {
        printer.bare(&row[0]);
    }
    printer.table(headings, rows);
}
