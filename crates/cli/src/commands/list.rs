//! `agentdrop list`: lists what was sent.

use agentdrop_client::{Page, SealedAs};
use agentdrop_protocol::limits::MAX_PAGE;
use agentdrop_protocol::wire::transfers::TransferStatus;

use crate::exit::{Exit, Result};
use crate::global::Global;
use crate::human;
use crate::printer::Printer;
use crate::profile::Profile;
use crate::security::listed;

/// List what was sent
#[derive(clap::Args)]
#[command(
    after_help = "Without an identity, but with a key of the account, it lists what all its agents sent."
)]
pub(crate) struct Args {
    /// Only transfers that stand here: active, downloaded, expired or deleted [default: all]
    #[arg(long)]
    status: Option<TransferStatus>,
    /// At most so many [default: 20]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_PAGE)))]
    limit: Option<u32>,
}

/// Lists what was sent.
pub(crate) async fn run(args: &Args, global: &Global, printer: &Printer) -> Result<Exit> {
    let client = Profile::load(global)?.caller()?.client;
    let mut page = Page::default();
    if let Some(status) = args.status {
        page = page.status(status);
    }
    if let Some(limit) = args.limit {
        page = page.limit(limit);
    }
    let sent = client.transfers(page).await?;

    printer.json(&listed(&sent, &sent.transfers));
    if sent.transfers.is_empty() {
        printer.line("nothing was sent");
        return Ok(Exit::Done);
    }
    let now = human::now();
    let mut rows = Vec::new();
    for it in &sent.transfers {
        printer.bare(&it.id.to_string());
        rows.push([
            it.id.to_string(),
            it.recipient.clone(),
            human::bytes(human::content_bytes(it)),
            human::moment(it.created_at, now),
            it.status.to_string(),
            SealedAs::of(it).as_str().to_owned(),
            human::names(it),
        ]);
    }
    printer.table(
        [
            "TRANSFER", "TO", "SIZE", "SENT", "STATUS", "SEALED", "FILES",
        ],
        &rows,
    );
    if sent.has_more {
        printer.note(&format!("{} of {} are shown", rows.len(), sent.total));
    }
    Ok(Exit::Done)
}
