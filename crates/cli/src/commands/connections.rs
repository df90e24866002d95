//! `agentdrop connections`: lists connections and invitations, shows whom to pair, ends a connection.

use agentdrop_protocol::ConnectionId;
use agentdrop_protocol::text::{Description, InviteMessage};
use agentdrop_protocol::wire::connections::{ConnectionFilter, Connections};
use clap::Subcommand;

use crate::exit::{Exit, Result};
use crate::global::Global;
use crate::hearsay::judged;
use crate::human;
use crate::printer::Printer;
use crate::profile::Profile;

/// List connections with other accounts, and invitations
#[derive(clap::Args)]
#[command(
    after_help = "It takes a key of the account. Without a command, the connections are listed, and the \
    invitations that you were sent and that you sent."
)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// Only those that stand here: active or pending [default: all]
    #[arg(long)]
    status: Option<ConnectionFilter>,
}

#[derive(Subcommand)]
enum Command {
    /// List the agents of the other account that can be paired
    Agents {
        /// The connection
        #[arg(value_name = "CONNECTION")]
        id: ConnectionId,
    },
    /// End a connection, with all its pairings, or take an invitation back
    Revoke {
        /// The connection
        #[arg(value_name = "CONNECTION")]
        id: ConnectionId,
    },
}

/// Lists connections, or the agents that can be paired under one, or ends one.
pub(crate) async fn run(args: Args, global: &Global, printer: &Printer) -> Result<Exit> {
    let client = Profile::load(global)?.owner()?;
    match args.command {
        None => {
            let filter = args.status.unwrap_or(ConnectionFilter::All);
            let found = judged(client.connections(filter).await?).await?;
            printer.json(&found.json());
            show(&found.it, printer);
            found.say(printer);
        }
        Some(Command::Agents { id }) => {
            let found = judged(client.connection_agents(id).await?).await?;
            printer.json(&found.json());
            let mut rows = Vec::new();
            for it in &found.it.agents {
                printer.bare(it.agent_id.as_str());
                let description = it.description.as_ref().map(Description::as_str);
                rows.push([
                    it.agent_id.to_string(),
                    it.name.to_string(),
                    it.id.to_string(),
                    it.key_fingerprint.clone().unwrap_or_default(),
                    description.unwrap_or_default().to_owned(),
                ]);
            }
            if rows.is_empty() {
                printer.line("the other account has no agent that can be paired");
            } else {
                printer.table(["AGENT", "NAME", "ID", "KEY", "DESCRIPTION"], &rows);
            }
            found.say(printer);
        }
        Some(Command::Revoke { id }) => {
            let revoked = client.revoke_connection(id).await?;
            printer.json(&revoked);
            printer.bare(&revoked.id.to_string());
            printer.done(&format!("revoked {}", revoked.id));
            printer.fields(&[("pairings ended", &revoked.pairings_revoked.to_string())]);
        }
    }
    Ok(Exit::Done)
}

fn show(found: &Connections, printer: &Printer) {
    let now = human::now();
    let told = |it: &Option<InviteMessage>| {
        let message = it.as_ref().map(InviteMessage::as_str);
        message.unwrap_or_default().to_owned()
    };
    let active = found.active.iter().map(|it| {
        [
            it.id.to_string(),
            it.other_account.email.to_string(),
            human::moment(it.accepted_at.unwrap_or(it.created_at), now),
            it.pairing_count.to_string(),
            it.pending_pairing_count.to_string(),
            it.other_account.name.to_string(),
        ]
    });
    let incoming = found.pending_incoming.iter().map(|it| {
        [
            it.id.to_string(),
            it.from.email.to_string(),
            human::moment(it.created_at, now),
            it.from.name.to_string(),
            told(&it.message),
        ]
    });
    let outgoing = found.pending_outgoing.iter().map(|it| {
        [
            it.id.to_string(),
            it.to_email.to_string(),
            human::moment(it.created_at, now),
            told(&it.message),
        ]
    });
    let (active, incoming, outgoing): (Vec<_>, Vec<_>, Vec<_>) =
        (active.collect(), incoming.collect(), outgoing.collect());
    if active.is_empty() && incoming.is_empty() && outgoing.is_empty() {
        printer.line("there are no connections; `agentdrop connect` invites an account");
        printer.note("Who invited you is shown once your address is verified; `agentdrop account` says whether it is.");
        return;
    }
    let mut sections = 0;
    let headings = ["ID", "EMAIL", "SINCE", "PAIRINGS", "TO CONFIRM", "ACCOUNT"];
    section(printer, &mut sections, "Connected", headings, &active);
    let headings = ["ID", "EMAIL", "SENT", "ACCOUNT", "MESSAGE"];
    section(
        printer,
        &mut sections,
        "Invitations to you",
        headings,
        &incoming,
    );
    let headings = ["ID", "EMAIL", "SENT", "MESSAGE"];
    section(
        printer,
        &mut sections,
        "Invitations from you",
        headings,
        &outgoing,
    );
    if !incoming.is_empty() {
        printer.note(
            "`agentdrop accept ID` takes an invitation up, `agentdrop reject ID` turns it down.",
        );
    }
    if found.pending_pairings_count > 0 {
        printer
            .note("`agentdrop pairings ID` shows the pairings that wait for `agentdrop confirm`.");
    }
}

/// A table with a line above, and an empty one between two of them.
fn section<const N: usize>(
    printer: &Printer,
    sections: &mut usize,
    title: &str,
    headings: [&str; N],
    rows: &[[String; N]],
) {
    if rows.is_empty() {
        return;
    }
    if *sections > 0 {
        printer.line("");
    }
    *sections += 1;
    printer.heading(title);
    printer.table(headings, rows);
    for row in rows {
        printer.bare(&row[0]);
    }
}
