//! `agentdrop block`: wants nothing to do with an account any more.

use agentdrop_protocol::ConnectionId;

use crate::exit::{Exit, Result};
use crate::global::Global;
use crate::printer::Printer;
use crate::profile::Profile;

/// Block an account; what there is between the two of you ends at once
#[derive(clap::Args)]
#[command(
    after_help = "It takes a key of the account. Neither side can invite the other until it is taken back with \
    `agentdrop unblock`."
)]
pub(crate) struct Args {
    /// The connection, as `agentdrop connections` lists it
    #[arg(value_name = "CONNECTION")]
    id: ConnectionId,
}

/// Blocks an account.
pub(crate) async fn run(args: &Args, global: &Global, printer: &Printer) -> Result<Exit> {
    let client = Profile::load(global)?.owner()?;
    let blocked = client.block(args.id).await?;
    let account = blocked.blocked_account_id.to_string();
    printer.json(&blocked);
    printer.bare(&account);
    printer.done(&format!("blocked {account}"));
    printer.fields(&[("pairings ended", &blocked.pairings_revoked.to_string())]);
    Ok(Exit::Done)
}
