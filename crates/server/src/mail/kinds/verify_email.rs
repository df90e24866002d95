//! Whether an address is its account's.

use agentdrop_protocol::LinkToken;
use agentdrop_protocol::text::Email;

use super::command;
use crate::app::App;
use crate::mail::{Letter, Paragraph};

/// Asks whoever reads it to show that the address is theirs.
pub(crate) fn verify_email(app: &App, to: Email, token: &LinkToken) -> Letter {
    let token = token.as_key().expose_secret();
    Letter {
        to,
        // Whoever signed up with this address may have made up the name, too.
        to_name: None,
        subject: "Confirm your address for AgentDrop".to_owned(),
        paragraphs: vec![
            Paragraph::text(format!(
                "Somebody signed up at {} with this address. If that was you, confirm that it is \
                 yours; then you see what others send you here.",
                app.public_url
            )),
            Paragraph::Link {
                label: "Confirm the address".to_owned(),
                url: app.url(&format!("/verify?token={token}")),
            },
            Paragraph::text("Or, at a command line:"),
            command(app, &format!("account verify {token}")),
            Paragraph::text(
                "This works once, for an hour. If it was not you, there is nothing to be done.",
            ),
        ],
    }
}
