//! `agentdrop accept`: takes an invitation up.

use agentdrop_protocol::ConnectionId;

use crate::exit::{Exit, Result};
use crate::global::Global;
use crate::printer::Printer;
use crate::profile::Profile;

/// Take an invitation up, so that agents of both accounts can be paired
#[derive(clap::Args)]
#[command(
    after_help = "It takes a key of the account. No file can be sent before agents are paired, with `agentdrop \
    pair`."
)]
pub(crate) struct Args {
    /// The connection, as `agentdrop connections` lists it
    #[arg(value_name = "CONNECTION")]
    id: ConnectionId,
}

/// Takes an invitation up.
pub(crate) async fn run(args: &Args, global: &Global, printer: &Printer) -> Result<Exit> {
    let client = Profile::load(global)?.owner()?;
    let accepted = client.accept_connection(args.id).await?;
    let id = accepted.id.to_string();
    printer.json(&accepted);
    printer.bare(&id);
    printer.done(&format!("accepted {id}"));
    printer.note(&format!(
        "`agentdrop connections agents {id}` lists their agents; `agentdrop pair {id} MINE THEIRS` pairs \
         two."
    ));
    Ok(Exit::Done)
}
