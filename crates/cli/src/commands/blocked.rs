//! `agentdrop blocked`: lists the accounts that are blocked.

use crate::exit::{Exit, Result};
use crate::global::Global;
use crate::human;
use crate::printer::Printer;
use crate::profile::Profile;

/// Lists them.
pub(crate) async fn run(global: &Global, printer: &Printer) -> Result<Exit> {
    let client = Profile::load(global)?.owner()?;
    let found = client.blocks().await?;
    printer.json(&found);
    let now = human::now();
    let mut rows = Vec::new();
    for it in &found.blocked {
        printer.bare(&it.id.to_string());
        rows.push([
            it.id.to_string(),
            human::moment(it.blocked_at, now),
            it.account.email.to_string(),
            it.account.name.to_string(),
        ]);
    }
    if rows.is_empty() {
        printer.line("no account is blocked");
    } else {
        printer.table(["ID", "BLOCKED", "EMAIL", "ACCOUNT"], &rows);
    }
    Ok(Exit::Done)
}
