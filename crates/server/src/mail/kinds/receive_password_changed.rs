//! That people are sent files under another key, or under none.

use agentdrop_domain::accounts::Account;

use super::name_of;
use crate::app::App;
use crate::mail::{Letter, Paragraph};

/// What became of a receive password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// There is one, where none was.
    Set,
    /// There is another key.
    Key,
    /// There is another password for the same key.
    Password,
    /// There is none any more.
    Removed,
}

/// Tells the owner what became of the receive password, in case it was not them: whoever has their
/// session has what they are sent encrypted for a key of their own.
pub(crate) fn receive_password_changed(app: &App, account: &Account, change: Change) -> Letter {
    let (done, so) = match change {
        Change::Set => (
            "set",
            "From now on, files that are sent to your address are encrypted for it, and so is what \
             waited for you.",
        ),
        Change::Key => (
            "replaced",
            "From now on, files that are sent to your address open with the new one alone, and \
             those from before with the old one alone.",
        ),
        Change::Password => (
            "changed",
            "The key under it is the same: whatever you were sent opens with the new password.",
        ),
        Change::Removed => (
            "removed",
            "What was encrypted for it opens no more unless you kept its key, and what is sent to \
             your address from now on waits until you set another.",
        ),
    };
    Letter {
        to: account.email.clone(),
        to_name: name_of(account),
        subject: format!("Your receive password for AgentDrop was {done}"),
        paragraphs: vec![
            Paragraph::text(format!(
                "The receive password of your account at {} was {done}. {so}",
                app.public_url
            )),
            Paragraph::text(
                "If that was not you, ask for a new password of the account, which ends every \
                 session, and then set a receive password of your own.",
            ),
        ],
    }
}
