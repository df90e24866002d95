//! `agentdrop keys`: lists, makes and revokes API keys.

use agentdrop_protocol::text::Name;
use agentdrop_protocol::{AgentRef, KeyId};
use clap::Subcommand;

use crate::exit::{Exit, Result};
use crate::global::Global;
use crate::human;
use crate::printer::Printer;
use crate::profile::Profile;

/// Manage API keys
#[derive(clap::Args)]
#[command(after_help = "It takes a key of the account. Without a command, the keys are listed.")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// The keys of this agent, in place of the account's own
    #[arg(long, global = true)]
    agent: Option<AgentRef>,
}

#[derive(Subcommand)]
enum Command {
    /// List keys, without what makes them work
    List,
    /// Make a key; it is shown this once
    Create {
        /// What the key is for
        name: Name,
    },
    /// Make a key work no more, at once and for ever
    Revoke {
        /// The key's id, `key_...`
        #[arg(value_name = "KEY")]
        id: KeyId,
    },
}

/// Lists, makes or revokes keys.
pub(crate) async fn run(args: Args, global: &Global, printer: &Printer) -> Result<Exit> {
    let client = Profile::load(global)?.owner()?;
    let agent = args.agent;
    match args.command {
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
    }
    Ok(Exit::Done)
}
