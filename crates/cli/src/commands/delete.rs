//! `agentdrop delete`: deletes a transfer.

use agentdrop_client::Client;
use agentdrop_protocol::TransferId;
use agentdrop_protocol::wire::transfers::TransferStatus;

use crate::exit::{Exit, Failure, Result};
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
    let deleted = match client.delete_transfer(args.id).await {
        Ok(deleted) => deleted,
        Err(error) => {
            return Err(already(&client, args.id)
                .await
                .unwrap_or_else(|| error.into()));
        }
    };
    printer.json(&deleted);
    printer.bare(&deleted.id.to_string());
    printer.done(&format!("deleted {}", deleted.id));
    Ok(Exit::Done)
}

/// What it is if it has gone before: to delete, there is nothing then.
async fn already(client: &Client, id: TransferId) -> Option<Failure> {
    let (code, what) = match client.transfer(id).await.ok()?.status {
        TransferStatus::Deleted => ("ALREADY_DELETED", "is deleted already"),
        TransferStatus::Expired => ("ALREADY_EXPIRED", "has expired, and its files are gone"),
        _ => return None,
    };
    let hint = "there is nothing to be done";
    Some(Failure::refused(code, format!("{id} {what}"), hint))
}
