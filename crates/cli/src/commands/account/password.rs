//! The password, and the links that are mailed.

use agentdrop_client::{Client, Error};
use agentdrop_protocol::text::Email;
use agentdrop_protocol::wire::Done;
use agentdrop_protocol::wire::accounts::UpdateAccount;
use agentdrop_protocol::{ErrorCode, LinkToken};

use crate::exit::{Exit, Failure, Result};
use crate::global::Global;
use crate::link::Link;
use crate::printer::Printer;
use crate::profile::Profile;
use crate::secret_input::Source;

pub(super) async fn change(source: Source, global: &Global, printer: &Printer) -> Result<Exit> {
    let client = Profile::load(global)?.person()?;
    let current = source.password("Current password").await?;
    let new = source.new_password("New password").await?;
    let changes = UpdateAccount {
        current_password: Some(current),
        password: Some(new),
        ..UpdateAccount::default()
    };
    let account = client.update_account(changes).await?;
    printer.json(&account);
    printer.bare(account.email.as_str());
    printer.done("set another password; every other session has ended");
    Ok(Exit::Done)
}

pub(super) async fn ask_reset(email: Email, global: &Global, printer: &Printer) -> Result<Exit> {
    let done = nobody(global)?.reset_password(email).await?;
    said(&done, printer);
    printer.note("Then `agentdrop account reset-password --token TOKEN` sets it.");
    Ok(Exit::Done)
}

pub(super) async fn reset(
    token: LinkToken,
    source: Source,
    global: &Global,
    printer: &Printer,
) -> Result<Exit> {
    let client = nobody(global)?;
    let password = source.new_password("New password").await?;
    let done = client.confirm_password_reset(token, password).await;
    let done = done.map_err(|error| spent(error, "`agentdrop account reset-password EMAIL`"))?;
    said(&done, printer);
    Ok(Exit::Done)
}

pub(super) async fn verify(
    token: Option<LinkToken>,
    global: &Global,
    printer: &Printer,
) -> Result<Exit> {
    let done = if let Some(token) = token {
        // Whoever reads the mail need not be signed in here.
        let done = nobody(global)?.confirm_email(token).await;
        done.map_err(|error| spent(error, "`agentdrop account verify`"))?
    } else {
        let client = Profile::load(global)?.owner()?;
        client.verify_email().await?
    };
    said(&done, printer);
    Ok(Exit::Done)
}

/// Shows with the link that came with files that the address is this account's.
pub(super) async fn verify_link(link: &Link, global: &Global, printer: &Printer) -> Result<Exit> {
    let client = Profile::load(global)?.person()?;
    if client.server() != link.server().trim_end_matches('/') {
        return Err(Failure::refused(
            "ANOTHER_SERVER",
            format!(
                "the link is of {}, not of {}",
                link.server(),
                client.server()
            ),
            format!(
                "sign in there: `agentdrop login EMAIL --server {}`",
                link.server()
            ),
        ));
    }
    let done = client.verify_link(&link.token()).await?;
    said(&done, printer);
    Ok(Exit::Done)
}

/// What a link that works no more is replaced by.
fn spent(error: Error, command: &str) -> Failure {
    let failure = Failure::from(error);
    if failure.code == ErrorCode::Gone.as_str() {
        let hint = format!("{command} has another one mailed");
        return Failure { hint, ..failure };
    }
    failure
}

fn nobody(global: &Global) -> Result<Client> {
    let server = Profile::load(global)?.server()?.to_owned();
    Ok(Client::builder(server).build()?)
}

fn said(done: &Done, printer: &Printer) {
    printer.json(done);
    printer.bare(&done.message);
    printer.done(&done.message);
}
