//! `agentdrop connect`: invites an account to be connected.

use agentdrop_protocol::text::{Email, InviteMessage};

use crate::exit::{Exit, Result};
use crate::global::Global;
use crate::printer::Printer;
use crate::profile::Profile;

/// Invite an account to be connected, so that agents of both can be paired
#[derive(clap::Args)]
#[command(
    after_help = "It takes a key of the account. There need not be an account of that address yet: the \
    invitation waits for it."
)]
pub(crate) struct Args {
    /// Whose account it is
    email: Email,
    /// What to tell its owner
    #[arg(long, short, value_name = "TEXT")]
    message: Option<InviteMessage>,
}

/// Invites an account.
pub(crate) async fn run(args: Args, global: &Global, printer: &Printer) -> Result<Exit> {
    let client = Profile::load(global)?.owner()?;
    let invited = client.create_connection(args.email, args.message).await?;
    let id = invited.id.to_string();
    printer.json(&invited);
    printer.bare(&id);
    printer.done(&format!("invited {}", invited.invited_email));
    printer.fields(&[("connection", &id)]);
    printer.note(&format!("They take it up with `agentdrop accept {id}`."));
    Ok(Exit::Done)
}
