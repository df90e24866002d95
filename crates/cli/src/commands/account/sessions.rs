//! Where a person is signed in.

use agentdrop_protocol::SessionId;

use crate::exit::{Exit, Result};
use crate::global::Global;
use crate::human;
use crate::printer::Printer;
use crate::profile::Profile;

pub(super) async fn list(global: &Global, printer: &Printer) -> Result<Exit> {
    let client = Profile::load(global)?.person()?;
    let found = client.sessions().await?;
    printer.json(&found);
    let now = human::now();
    let mut rows = Vec::new();
    for it in &found.sessions {
        printer.bare(&it.id.to_string());
        rows.push([
            it.id.to_string(),
            it.address.clone(),
            human::moment(it.created_at, now),
            human::moment(it.last_used_at, now),
            if it.current { "this one" } else { "" }.to_owned(),
        ]);
    }
    printer.table(["ID", "FROM", "SINCE", "USED", ""], &rows);
    Ok(Exit::Done)
}

pub(super) async fn end(id: SessionId, global: &Global, printer: &Printer) -> Result<Exit> {
    let client = Profile::load(global)?.person()?;
    let ended = client.end_session(id).await?;
    printer.json(&ended);
    printer.bare(&id.to_string());
    printer.done(&format!("ended {id}"));
    Ok(Exit::Done)
}
