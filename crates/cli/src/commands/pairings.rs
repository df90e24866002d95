//! `agentdrop pairings`: lists the pairings under a connection, changes or ends one.

use agentdrop_client::Client;
use agentdrop_protocol::wire::pairings::Permission;
use agentdrop_protocol::{ConnectionId, PairingId, Slug};
use clap::Subcommand;

use super::pair::Ways;
use crate::exit::{Exit, Failure, Result};
use crate::global::Global;
use crate::hearsay::judged;
use crate::human;
use crate::printer::Printer;
use crate::profile::Profile;

/// List the pairings under a connection, change or end one
#[derive(clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "It takes a key of the account, or `agentdrop login`; ending a pairing is a person's matter, and \
    takes the latter."
)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// The connection, as `agentdrop connections` lists it
    #[arg(required = true)]
    connection: Option<ConnectionId>,
}

#[derive(Subcommand)]
enum Command {
    /// Change which way files may go; until the other side agrees, they go neither way
    Change {
        /// The pairing
        #[arg(value_name = "PAIRING")]
        id: PairingId,
        #[command(flatten)]
        ways: Ways,
    },
    /// End a pairing; what its agents sent each other and is not fetched yet goes with it
    Revoke {
        /// The pairing
        #[arg(value_name = "PAIRING")]
        id: PairingId,
    },
}

/// Lists them, or changes or ends one.
pub(crate) async fn run(args: &Args, global: &Global, printer: &Printer) -> Result<Exit> {
    let profile = Profile::load(global)?;
    match (&args.command, args.connection) {
        (Some(Command::Change { id, ways }), _) => {
            if !ways.is_said() {
                let message = "it was not said which way files are to go";
                let hint = "give `--both`, `--send-only` or `--receive-only`";
                return Err(Failure::refused("USAGE", message, hint));
            }
            let client = profile.owner()?;
            let changed = client.update_pairing(*id, ways.permission()).await?;
            printer.json(&changed);
            printer.bare(&id.to_string());
            let way = match ways.permission() {
                Permission::Both => "both ways",
                Permission::ReceiveOnly => "to your agent only",
                Permission::SendOnly => "from your agent only",
            };
            printer.done(&format!("changed {id}: files go {way}, once they agree"));
            printer.note(&format!("They agree to it with `agentdrop confirm {id}`."));
        }
        (Some(Command::Revoke { id }), _) => {
            let revoked = profile.person()?.revoke_pairing(*id).await?;
            printer.json(&revoked);
            printer.bare(&id.to_string());
            printer.done(&format!("revoked {id}"));
        }
        (None, Some(connection)) => list(&profile.owner()?, connection, printer).await?,
        (None, None) => unreachable!("the connection is required"),
    }
    Ok(Exit::Done)
}

async fn list(client: &Client, connection: ConnectionId, printer: &Printer) -> Result<()> {
    // Which side is the own one, the pairings do not say.
    let own = client.agents().await?.agents;
    let found = judged(client.pairings(connection).await?).await?;
    printer.json(&found.json());
    let now = human::now();
    let mut rows = Vec::new();
    for it in &found.it.pairings {
        printer.bare(&it.id.to_string());
        let is_own = own.iter().any(|agent| agent.id == it.agent_a.id);
        let (mine, theirs) = if is_own {
            (&it.agent_a, &it.agent_b)
        } else {
            (&it.agent_b, &it.agent_a)
        };
        let by = if it.terms_by == mine.account_id {
            "you"
        } else {
            "them"
        };
        rows.push([
            it.id.to_string(),
            mine.agent_id.to_string(),
            theirs.agent_id.to_string(),
            it.status.to_string(),
            by.to_owned(),
            human::moment(it.created_at, now),
            way(it.permission, &mine.agent_id, &theirs.agent_id),
            theirs.key_fingerprint.clone().unwrap_or_default(),
        ]);
    }
    if rows.is_empty() {
        printer.line("there are no pairings; `agentdrop pair` proposes one");
    } else {
        printer.table(
            [
                "ID",
                "MINE",
                "THEIRS",
                "STATUS",
                "BY",
                "PROPOSED",
                "FILES",
                "THEIR KEY",
            ],
            &rows,
        );
    }
    found.say(printer);
    Ok(())
}

/// Which way files go.
pub(crate) fn way(permission: Permission, mine: &Slug, theirs: &Slug) -> String {
    match permission {
        Permission::Both => "both ways".to_owned(),
        Permission::SendOnly => format!("from your {mine} to their {theirs} only"),
        Permission::ReceiveOnly => format!("from their {theirs} to your {mine} only"),
    }
}
