//! A pairing that waits to be confirmed.

use agentdrop_domain::accounts::Account;
use agentdrop_domain::agents::Agent;
use agentdrop_protocol::PairingId;
use agentdrop_protocol::wire::pairings::Permission;

use super::{command, name_of};
use crate::app::App;
use crate::mail::{Letter, Paragraph};

/// Tells the owner of `theirs` that a connected account proposes to pair an agent with it.
pub(crate) fn pairing_proposed(
    app: &App,
    to: &Account,
    proposer: &Account,
    mine: &Agent,
    theirs: &Agent,
    pairing: PairingId,
    permission: Permission,
) -> Letter {
    Letter {
        to: to.email.clone(),
        to_name: name_of(to),
        subject: "A pairing waits for you on AgentDrop".to_owned(),
        paragraphs: vec![
            Paragraph::text(format!(
                "An account that you are connected with at {} proposes that its agent and yours \
                 exchange files:",
                app.public_url
            )),
            Paragraph::Quote(format!(
                "{} <{}>\ntheir agent: {}\nyour agent: {}\nfiles go: {}",
                proposer.name,
                proposer.email,
                mine.slug,
                theirs.slug,
                way(permission)
            )),
            Paragraph::text("Nothing is sent before you confirm it. At a command line:"),
            command(app, &format!("login {}", to.email)),
            command(app, &format!("confirm {pairing}")),
        ],
    }
}

/// Which way files go, as the proposer's permission has it and the other side reads it.
const fn way(permission: Permission) -> &'static str {
    match permission {
        Permission::Both => "both ways",
        Permission::ReceiveOnly => "from your agent to theirs only",
        Permission::SendOnly => "from their agent to yours only",
    }
}
