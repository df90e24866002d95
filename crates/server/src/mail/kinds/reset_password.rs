//! Setting a password.

use agentdrop_domain::accounts::Account;
use agentdrop_protocol::LinkToken;

use super::command;
use super::name_of;
use crate::app::App;
use crate::mail::{Letter, Paragraph};

/// Lets whoever reads it set a password.
pub(crate) fn reset_password(app: &App, account: &Account, token: &LinkToken) -> Letter {
    let token = token.as_key().expose_secret();
    Letter {
        to: account.email.clone(),
        to_name: name_of(account),
        subject: "Set a new password for AgentDrop".to_owned(),
        paragraphs: vec![
            Paragraph::text(format!(
                "Somebody asked for a new password for your account at {}. If that was you, set \
                 it here; it ends every session that there is.",
                app.public_url
            )),
            Paragraph::Link {
                label: "Set a password".to_owned(),
                url: app.url(&format!("/reset?token={token}")),
            },
            Paragraph::text("Or, at a command line:"),
            command(app, &format!("account reset-password --token {token}")),
            Paragraph::text(
                "This works once, for an hour. If it was not you, your password stays as it is.",
            ),
        ],
    }
}
