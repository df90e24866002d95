//! That a password is another one.

use agentdrop_domain::accounts::Account;

use super::name_of;
use crate::app::App;
use crate::mail::{Letter, Paragraph};

/// Tells the owner that the password was changed, in case it was not them.
pub(crate) fn password_changed(app: &App, account: &Account) -> Letter {
    Letter {
        to: account.email.clone(),
        to_name: name_of(account),
        subject: "Your password for AgentDrop was changed".to_owned(),
        paragraphs: vec![
            Paragraph::text(format!(
                "The password of your account at {} was changed, and the sessions that it had \
                 elsewhere were ended.",
                app.public_url
            )),
            Paragraph::text(
                "If that was not you, ask for a new password, and then look through the API keys \
                 of the account: they work without one.",
            ),
        ],
    }
}
