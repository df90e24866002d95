//! `agentdrop inbox`: lists what waits.

use agentdrop_client::{Page, SealedAs};
use agentdrop_protocol::limits::MAX_PAGE;
use agentdrop_protocol::wire::transfers::TransferStatus;
use serde_json::json;

use crate::exit::{Exit, Result};
use crate::global::Global;
use crate::hearsay::judged;
use crate::human;
use crate::printer::Printer;
use crate::profile::Profile;
use crate::security::listed;

use super::receive::tend_keys;

/// List what waits to be received
#[derive(clap::Args)]
#[command(
    after_help = "Without an identity, but with a key of the account, it lists what waits for all its agents."
)]
pub(crate) struct Args {
    /// Only transfers that stand here: active, downloaded, expired or deleted [default: active]
    #[arg(long)]
    status: Option<TransferStatus>,
    /// At most so many [default: 50]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_PAGE)))]
    limit: Option<u32>,
}

/// Lists what waits.
pub(crate) async fn run(args: &Args, global: &Global, printer: &Printer) -> Result<Exit> {
    let caller = Profile::load(global)?.caller()?;
    let mut page = Page::default();
    if let Some(status) = args.status {
        page = page.status(status);
    }
    if let Some(limit) = args.limit {
        page = page.limit(limit);
    }
    let inbox = match &caller.agent {
        Some(agent) => caller.client.agent_inbox(agent, page).await?,
        None => caller.client.inbox(page).await?,
    };
    tend_keys(&caller.client, printer).await;

    // An agent is no person, and who asks for a status is answered just that.
    let pending = match (&caller.agent, args.status) {
        (None, None) => {
            let page = Page::default().status(TransferStatus::PendingRecipient);
            caller.client.inbox(page.limit(1)).await?.total
        }
        _ => 0,
    };

    let judged = judged(inbox).await?;
    let inbox = &judged.it;
    let mut said = judged.beside(listed(inbox, &inbox.transfers));
    // What waits for the person of the account to have a receive password.
    said["pending_recipient"] = json!(pending);
    printer.json(&said);
    if pending > 0 {
        printer.note(&match caller.client.receive_password().await? {
            Some(_) => format!("{pending} more, to you, are being encrypted for you"),
            None => format!(
                "{pending} more, to you, wait until you have a receive password: `agentdrop \
                 receive-password set`"
            ),
        });
    }
    if inbox.transfers.is_empty() {
        printer.line(match pending {
            0 => "nothing waits",
            _ => "nothing can be received yet",
        });
        return Ok(Exit::Done);
    }
    let now = human::now();
    let mut rows = Vec::new();
    for it in &inbox.transfers {
        printer.bare(&it.id.to_string());
        rows.push([
            it.id.to_string(),
            it.sender.to_string(),
            human::bytes(human::content_bytes(it)),
            human::moment(it.created_at, now),
            human::moment(it.expires_at, now),
            SealedAs::of(it).as_str().to_owned(),
            human::names(it),
        ]);
    }
    printer.table(
        [
            "TRANSFER", "FROM", "SIZE", "SENT", "EXPIRES", "SEALED", "FILES",
        ],
        &rows,
    );
    if inbox.has_more {
        printer.note(&format!("{} of {} are shown", rows.len(), inbox.total));
    }
    judged.say(printer);
    Ok(Exit::Done)
}
