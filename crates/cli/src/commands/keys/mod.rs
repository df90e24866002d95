//! `agentdrop keys`: API keys, and the keys by which others verify an agent.

mod moving;
mod own;

use agentdrop_protocol::text::Name;
use agentdrop_protocol::{AgentRef, KeyId};
use clap::Subcommand;

use crate::exit::{Exit, Failure, Result};
use crate::global::Global;
use crate::human;
use crate::printer::Printer;
use crate::profile::Profile;

/// Manage API keys, and the keys by which others verify this agent
#[derive(clap::Args)]
#[command(
    after_help = "Without a command, the API keys are listed. What is done to API keys takes a key of the account; what is done \
    to the keys of this agent takes its identity."
)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// The API keys of this agent, in place of the account's own
    #[arg(long, global = true)]
    agent: Option<AgentRef>,
}

#[derive(Subcommand)]
enum Command {
    /// List API keys, without what makes them work
    List,
    /// Make an API key; it is shown this once
    Create {
        /// What the key is for
        name: Name,
    },
    /// Make an API key work no more, at once and for ever
    Revoke {
        /// The key's id, `key_...`
        #[arg(value_name = "KEY")]
        id: KeyId,
    },
    /// Make the keys by which others verify this agent, and bring them to the server
    Publish(own::Publish),
    /// Give this agent another identity key, which the present one signs
    Rotate(own::Rotate),
    /// Write this agent's whole identity, encrypted, to move it to another machine
    Export(moving::Export),
    /// Put an exported identity into the folder of `--config-dir`, where none may be yet
    Import(moving::Import),
}

/// Does what is asked of the one kind or the other.
pub(crate) async fn run(args: Args, global: &Global, printer: &Printer) -> Result<Exit> {
    let agent = args.agent;
    let own = matches!(
        args.command,
        Some(Command::Publish(_) | Command::Rotate(_) | Command::Export(_) | Command::Import(_))
    );
    if own && agent.is_some() {
        let message = "`--agent` is about API keys";
        let hint = "name the folder of the agent's identity with `--config-dir`";
        return Err(Failure::broken("USAGE", message, hint));
    }
    match args.command {
        Some(Command::Publish(args)) => own::publish(&args, global, printer).await,
        Some(Command::Rotate(args)) => own::rotate(&args, global, printer).await,
        Some(Command::Export(args)) => moving::export(args, global, printer).await,
        Some(Command::Import(args)) => moving::import(args, global, printer).await,
        of_api => api_keys(of_api, agent, global, printer).await,
    }
}

/// Lists, makes or revokes API keys.
async fn api_keys(
    command: Option<Command>,
    agent: Option<AgentRef>,
    global: &Global,
    printer: &Printer,
) -> Result<Exit> {
    let client = Profile::load(global)?.owner()?;
    match command {
        None | Some(Command::List) => {
            let found = match &agent {
                Some(agent) => client.agent_keys(agent).await?,
                None => client.keys().await?,
            };
            printer.json(&found);
            let now = human::now();
            let mut rows = Vec::new();
            for it in &found.keys {
                printer.bare(&it.id.to_string());
                let used = it.last_used_at.map(|it| human::moment(it, now));
                rows.push([
                    it.id.to_string(),
                    format!("{}...", it.prefix),
                    it.scope.to_string(),
                    human::moment(it.created_at, now),
                    used.unwrap_or_else(|| "never".to_owned()),
                    it.name.to_string(),
                ]);
            }
            if rows.is_empty() {
                printer.line("there are no keys");
            } else {
                printer.table(["ID", "KEY", "SCOPE", "MADE", "USED", "NAME"], &rows);
            }
        }
        Some(Command::Create { name }) => {
            let created = match &agent {
                Some(agent) => client.create_agent_key(agent, Some(name)).await?,
                None => client.create_key(name).await?,
            };
            printer.json(&created);
            printer.bare(&created.api_key);
            printer.done(&format!("made the key {}", created.name));
            printer.fields(&[("id", &created.id.to_string()), ("key", &created.api_key)]);
            printer.note("It is shown this once: keep it where others cannot read it.");
        }
        Some(Command::Revoke { id }) => {
            let revoked = match &agent {
                Some(agent) => client.revoke_agent_key(agent, id).await?,
                None => client.revoke_key(id).await?,
            };
            printer.json(&revoked);
            printer.bare(&id.to_string());
            printer.done(&format!("revoked {id}"));
        }
        Some(_) => unreachable!("it was run above"),
    }
    Ok(Exit::Done)
}
