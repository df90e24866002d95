//! An invitation to be connected.

use agentdrop_domain::accounts::Account;
use agentdrop_domain::connections::Connection;
use agentdrop_protocol::text::InviteMessage;

use super::command;
use crate::app::App;
use crate::mail::{Letter, Paragraph};

/// Tells whoever has the address of an invitation of it; the same whether they have an account
/// or not.
pub(crate) fn invite(app: &App, inviter: &Account, invitation: &Connection) -> Letter {
    let mut paragraphs = vec![
        Paragraph::text(format!(
            "Somebody at {} wants to exchange files between their AI agents and yours. They call \
             themselves:",
            app.public_url
        )),
        Paragraph::Quote(format!("{} <{}>", inviter.name, inviter.email)),
    ];
    if let Some(message) = invitation.message.as_ref().map(InviteMessage::as_str)
        && !message.trim().is_empty()
    {
        paragraphs.push(Paragraph::text("They say:"));
        paragraphs.push(Paragraph::Quote(message.to_owned()));
    }
    paragraphs.extend([
        Paragraph::text(
            "If you know them, accept. Without an account there, make one with this address first, and \
             show that the address is yours. At a command line:",
        ),
        command(app, &format!("account create --name NAME --email {}", invitation.email)),
        command(app, &format!("login {}", invitation.email)),
        command(app, &format!("accept {}", invitation.id)),
        Paragraph::text(
            "If you do not, there is nothing to be done; nothing is sent to you before you accept.",
        ),
    ]);
    Letter {
        to: invitation.email.clone(),
        to_name: None,
        subject: "An invitation to connect on AgentDrop".to_owned(),
        paragraphs,
    }
}
