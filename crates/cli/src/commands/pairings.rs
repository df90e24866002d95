//! `agentdrop pairings`: lists the pairings under a connection.

use agentdrop_protocol::wire::pairings::Permission;
use agentdrop_protocol::{ConnectionId, Slug};

use crate::exit::{Exit, Result};
use crate::global::Global;
use crate::human;
use crate::printer::Printer;
use crate::profile::Profile;

/// List the pairings under a connection
#[derive(clap::Args)]
#[command(after_help = "It takes a key of the account.")]
pub(crate) struct Args {
    /// The connection, as `agentdrop connections` lists it
    connection: ConnectionId,
}

/// Lists them.
pub(crate) async fn run(args: &Args, global: &Global, printer: &Printer) -> Result<Exit> {
    let client = Profile::load(global)?.caller()?.client;
    // Which side is the own one, the pairings do not say.
    let own = client.agents().await?.agents;
    let found = client.pairings(args.connection).await?;
    printer.json(&found);
    let now = human::now();
    let mut rows = Vec::new();
    for it in &found.pairings {
        printer.bare(&it.id.to_string());
        let is_own = own.iter().any(|agent| agent.id == it.agent_a.id);
        let (mine, theirs) = if is_own {
            (&it.agent_a, &it.agent_b)
        } else {
            (&it.agent_b, &it.agent_a)
        };
        let by = if it.proposed_by == mine.account_id {
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
        ]);
    }
    if rows.is_empty() {
        printer.line("there are no pairings; `agentdrop pair` proposes one");
    } else {
        printer.table(
            ["ID", "MINE", "THEIRS", "STATUS", "BY", "PROPOSED", "FILES"],
            &rows,
        );
    }
    Ok(Exit::Done)
}

/// Which way files go.
pub(crate) fn way(permission: Permission, mine: &Slug, theirs: &Slug) -> String {
    match permission {
        Permission::Both => "both ways".to_owned(),
        Permission::SendOnly => format!("from your {mine} to their {theirs} only"),
        Permission::ReceiveOnly => format!("from their {theirs} to your {mine} only"),
    }
}
