//! `agentdrop unblock`: takes a block back.

use agentdrop_protocol::BlockId;

use crate::exit::{Exit, Result};
use crate::global::Global;
use crate::printer::Printer;
use crate::profile::Profile;

/// Take a block back; what ended with it stays over
#[derive(clap::Args)]
#[command(after_help = "It takes a key of the account.")]
pub(crate) struct Args {
    /// The block, as `agentdrop blocked` lists it
    #[arg(value_name = "BLOCK")]
    id: BlockId,
}

/// Takes a block back.
pub(crate) async fn run(args: &Args, global: &Global, printer: &Printer) -> Result<Exit> {
    let client = Profile::load(global)?.owner()?;
    let unblocked = client.unblock(args.id).await?;
    let account = unblocked.unblocked_account_id.to_string();
    printer.json(&unblocked);
    printer.bare(&account);
    printer.done(&format!("unblocked {account}"));
    printer.note("To exchange files again, connect anew.");
    Ok(Exit::Done)
}
