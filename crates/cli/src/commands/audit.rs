//! `agentdrop audit`: who did what in the account, when, and from where.

use agentdrop_protocol::wire::audit::AuditEntry;
use serde_json::json;

use crate::exit::{Exit, Result};
use crate::global::Global;
use crate::human;
use crate::printer::Printer;
use crate::profile::Profile;

/// Entries in one answer of the server.
const PART: u32 = 100;

/// Show the audit log of the account: who did what, when, and from where
#[derive(clap::Args)]
#[command(
    after_help = "It takes a key of the account, or `agentdrop login`. Each entry is hashed together with the one \
    before: whoever keeps the hash of one can tell later whether anything up to it was changed."
)]
pub(crate) struct Args {
    /// At most so many, newest first
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
}

/// Shows it.
pub(crate) async fn run(args: &Args, global: &Global, printer: &Printer) -> Result<Exit> {
    let client = Profile::load(global)?.owner()?;
    let (mut entries, mut cursor) = (Vec::<AuditEntry>::new(), None);
    let account = loop {
        let missing = args
            .limit
            .saturating_sub(u32::try_from(entries.len()).unwrap_or(u32::MAX));
        let part = client.audit_log(missing.min(PART), cursor.as_ref()).await?;
        entries.extend(part.entries);
        cursor = part.next_cursor;
        if cursor.is_none() || entries.len() >= args.limit as usize {
            break part.account_id;
        }
    };
    printer.json(&json!({
        "account_id": account,
        "entries": entries,
        "has_more": cursor.is_some(),
    }));
    let now = human::now();
    let mut rows = Vec::new();
    for it in &entries {
        printer.bare(&format!("{} {} {}", it.seq, it.action, it.hash));
        let things = it.subject.iter();
        let things: Vec<_> = things.map(|(what, it)| format!("{what} {it}")).collect();
        rows.push([
            it.seq.to_string(),
            human::moment(it.at, now),
            it.action.to_string(),
            who(it),
            it.address.map(|it| it.to_string()).unwrap_or_default(),
            things.join(", "),
        ]);
    }
    printer.table(["NO", "WHEN", "WHAT", "WHO", "FROM", "ON"], &rows);
    Ok(Exit::Done)
}

fn who(entry: &AuditEntry) -> String {
    let kind = entry.actor.kind.as_str().replace('_', " ");
    match &entry.actor.id {
        Some(id) => format!("{kind} {id}"),
        None => kind,
    }
}
