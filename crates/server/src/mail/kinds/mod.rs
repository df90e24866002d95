//! What there is to be said by mail, one file a kind.

mod files_for_you;
mod invite;
mod pairing_proposed;
mod password_changed;
mod receive_password_changed;
mod reset_password;
mod verify_email;

pub(crate) use files_for_you::{Files, Step, files_for_you};
pub(crate) use invite::invite;
pub(crate) use pairing_proposed::pairing_proposed;
pub(crate) use password_changed::password_changed;
pub(crate) use receive_password_changed::{Change, receive_password_changed};
pub(crate) use reset_password::reset_password;
pub(crate) use verify_email::verify_email;

use agentdrop_domain::accounts::Account;
use agentdrop_protocol::text::Name;

use super::Paragraph;
use crate::app::App;

/// What an account is called, if its owner is known.
fn name_of(account: &Account) -> Option<Name> {
    let known = account.email_verified_at.is_some();
    known.then(|| account.name.clone())
}

/// A command line for this server.
fn command(app: &App, line: &str) -> Paragraph {
    Paragraph::Command(format!("agentdrop --server {} {line}", app.public_url))
}
