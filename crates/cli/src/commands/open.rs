//! `agentdrop open`: opens what a person was sent.

use std::path::PathBuf;
use std::str::FromStr;

use agentdrop_client::error::{PersonError, TrustError};
use agentdrop_client::{Client, Error, ReceiveKey, Received};
use agentdrop_protocol::TransferId;
use agentdrop_protocol::wire::links::{self, NextStep};
use agentdrop_protocol::wire::receive_passwords::ReceivePassword;
use serde_json::json;

use super::receive::{as_json, show};
use crate::destination::How;
use crate::exit::{Exit, Failure, Result};
use crate::global::Global;
use crate::going_on::GoingOn;
use crate::human;
use crate::link::{Link, NoLink};
use crate::printer::Printer;
use crate::profile::Profile;
use crate::progress::Bar;
use crate::secret_input::Source;

/// Open what you were sent, with your receive password
#[derive(clap::Args)]
#[command(
    after_help = "With the link that was mailed nothing else is needed; put it in quotes, for it has a `#`. With the \
    id of a transfer, `agentdrop login` first. The password does not leave this machine. No file is ever replaced: \
    a file whose name is taken gets a number. The files appear when all of them were checked, or not at all. Where \
    that was interrupted, the same command goes on with what is here already; it waits in a hidden folder for a week."
)]
pub(crate) struct Args {
    /// The link that was mailed, or the id of the transfer
    #[arg(value_name = "LINK|TRANSFER")]
    what: What,
    /// The folder to put the files into; it is made if there is none. With `-`, the one file goes to standard output
    #[arg(long, value_name = "DIR", default_value = ".")]
    to: PathBuf,
    #[command(flatten)]
    how: How,
    #[command(flatten)]
    source: Source,
}

#[derive(Clone, Debug)]
enum What {
    Link(Link),
    Transfer(TransferId),
}

impl FromStr for What {
    type Err = NoLink;

    fn from_str(text: &str) -> Result<Self, NoLink> {
        match text.trim().parse() {
            Ok(id) => Ok(Self::Transfer(id)),
            Err(_) => text.parse().map(Self::Link),
        }
    }
}

/// Opens it.
pub(crate) async fn run(
    args: Args,
    global: &Global,
    printer: &Printer,
    going_on: &GoingOn,
) -> Result<Exit> {
    let opened = match &args.what {
        What::Link(link) => by_link(link, &args, printer, going_on).await,
        What::Transfer(id) => {
            let client = Profile::load(global)?.person()?;
            by_id(&client, *id, &args, printer, going_on).await
        }
    }?;
    show(&opened, printer, &args.to);
    printer.json(&json!({ "received": [as_json(&opened)], "failed": [] }));
    Ok(Exit::Done)
}

async fn by_link(
    link: &Link,
    args: &Args,
    printer: &Printer,
    going_on: &GoingOn,
) -> Result<Received> {
    // Its own server, and without a key or a session, which are no matter of whoever made the link.
    let client = Client::builder(link.server()).build()?;
    let token = link.token();
    let found = client.link(&token).await?;
    let transfer = found.transfer.transfer.clone();
    if transfer.id != link.transfer() {
        let changed = TrustError::Changed(link.transfer());
        return Err(Error::from(changed).into());
    }
    let kept = ready(&found, link)?;
    let key = unlock(kept, &transfer.recipient, args.source).await?;
    let bar = Bar::new(printer);
    let incoming = args
        .how
        .incoming(&args.to, transfer, &bar, printer, going_on)?;
    Ok(client.open_link(&token, &key, incoming).await?)
}

async fn by_id(
    client: &Client,
    id: TransferId,
    args: &Args,
    printer: &Printer,
    going_on: &GoingOn,
) -> Result<Received> {
    let transfer = client.transfer(id).await?;
    let kept = client.receive_password().await?;
    let kept = kept.ok_or_else(|| Error::from(PersonError::NoReceivePassword))?;
    let key = unlock(&kept, &transfer.recipient, args.source).await?;
    let bar = Bar::new(printer);
    let incoming = args
        .how
        .incoming(&args.to, transfer, &bar, printer, going_on)?;
    Ok(client.open(id, &key, incoming).await?)
}

async fn unlock(kept: &ReceivePassword, whose: &str, source: Source) -> Result<ReceiveKey> {
    let password = source
        .password(&format!("Receive password of {whose}"))
        .await?;
    Ok(ReceiveKey::unlock(kept, password).await?)
}

/// What opens it, or what has to be done before.
fn ready<'l>(found: &'l links::Link, link: &Link) -> Result<&'l ReceivePassword> {
    let (server, email) = (link.server(), &found.transfer.transfer.recipient);
    let first = |code, message: String, hint: String| Err(Failure::refused(code, message, hint));
    match (found.next_step, &found.receive_password) {
        (NextStep::Open, Some(kept)) => Ok(kept),
        (NextStep::Open, None) => {
            let replaced = PersonError::ForAnotherReceiveKey(link.transfer());
            Err(Error::from(replaced).into())
        }
        (NextStep::SetReceivePassword, _) => first(
            "RECEIVE_PASSWORD_FIRST",
            format!("the files wait until {email} has set a receive password"),
            format!(
                "`agentdrop login {} --server {server}`, then `agentdrop receive-password set`, and this again",
                human::shell_word(email)
            ),
        ),
        (NextStep::SignUp, _) => first(
            "ACCOUNT_FIRST",
            format!("the files wait until {email} has an account, and a receive password"),
            format!(
                "`agentdrop account create --name NAME --invitation {link}`; with an account, sign in and \
                 `agentdrop account verify {link}`"
            ),
        ),
        (NextStep::Wait, _) => first(
            "NOT_READY",
            "the files are being encrypted for you".to_owned(),
            "run this again in a moment".to_owned(),
        ),
    }
}
