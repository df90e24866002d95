//! `agentdrop agents`: lists the agents that files can be sent to.

use agentdrop_protocol::api_key::KeyKind;

use crate::exit::{Exit, Result};
use crate::global::Global;
use crate::human;
use crate::printer::Printer;
use crate::profile::Profile;

/// Lists the agents that files can be sent to; with a key of the account, with all that is said of them.
pub(crate) async fn run(global: &Global, printer: &Printer) -> Result<Exit> {
    let caller = Profile::load(global)?.caller()?;
    if caller.key_kind == KeyKind::Account {
        let found = caller.client.agents().await?;
        printer.json(&found);
        let now = human::now();
        let rows = found.agents.iter().map(|it| {
            let seen = it.last_seen_at.map(|it| human::moment(it, now));
            [
                it.agent_id.to_string(),
                it.name.to_string(),
                it.connection_status.to_string(),
                seen.unwrap_or_else(|| "never".to_owned()),
                it.id.to_string(),
            ]
        });
        let rows: Vec<_> = rows.collect();
        table(printer, ["AGENT", "NAME", "STATUS", "SEEN", "ID"], &rows);
    } else {
        let found = caller.client.sendable_agents().await?;
        printer.json(&found);
        let rows = found.agents.iter().map(|it| {
            // An account may be called anything, also `own`.
            let whose = match &it.account_name {
                _ if it.own => "own".to_owned(),
                Some(account) => format!("paired, of {account}"),
                None => "paired".to_owned(),
            };
            [
                it.agent_id.to_string(),
                it.name.to_string(),
                whose,
                it.id.to_string(),
            ]
        });
        let rows: Vec<_> = rows.collect();
        table(printer, ["AGENT", "NAME", "WHOSE", "ID"], &rows);
    }
    Ok(Exit::Done)
}

fn table<const N: usize>(printer: &Printer, headings: [&str; N], rows: &[[String; N]]) {
    if rows.is_empty() {
        printer.line("there are no agents; `agentdrop register` makes one");
        return;
    }
    for row in rows {
        printer.bare(&row[0]);
    }
    printer.table(headings, rows);
}
