//! `agentdrop reject`: turns an invitation down.

use agentdrop_protocol::ConnectionId;

use crate::exit::{Exit, Result};
use crate::global::Global;
use crate::printer::Printer;
use crate::profile::Profile;

/// Turn an invitation down; whoever sent it is not told
#[derive(clap::Args)]
#[command(
    after_help = "It takes a key of the account. Against more of them there is `agentdrop block`."
)]
pub(crate) struct Args {
    /// The connection, as `agentdrop connections` lists it
    #[arg(value_name = "CONNECTION")]
    id: ConnectionId,
}

/// Turns an invitation down.
pub(crate) async fn run(args: &Args, global: &Global, printer: &Printer) -> Result<Exit> {
    let client = Profile::load(global)?.owner()?;
    let rejected = client.reject_connection(args.id).await?;
    printer.json(&rejected);
    printer.bare(&rejected.id.to_string());
    printer.done(&format!("rejected {}", rejected.id));
    Ok(Exit::Done)
}
