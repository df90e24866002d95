//! `agentdrop delete`: deletes a transfer.

use agentdrop_protocol::TransferId;

use crate::exit::{Exit, Result};
use crate::global::Global;
use crate::printer::Printer;
use crate::profile::Profile;

/// Delete a transfer; its files are gone at once
#[derive(clap::Args)]
#[command(after_help = "Its sender takes it back so, and its recipient throws it away.")]
pub(crate) struct Args {
    /// The transfer, sent or received
    #[arg(value_name = "TRANSFER")]
    id: TransferId,
}

/// Deletes a transfer.
pub(crate) async fn run(args: &Args, global: &Global, printer: &Printer) -> Result<Exit> {
    let client = Profile::load(global)?.caller()?.client;
    let deleted = client.delete_transfer(args.id).await?;
    printer.json(&deleted);
    printer.bare(&deleted.id.to_string());
    printer.done(&format!("deleted {}", deleted.id));
    Ok(Exit::Done)
}
