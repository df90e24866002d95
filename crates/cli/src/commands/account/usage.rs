//! What an account uses of its plan.

use agentdrop_protocol::wire::usage::Used;

use crate::exit::{Exit, Result};
use crate::global::Global;
use crate::human;
use crate::printer::Printer;
use crate::profile::Profile;

pub(super) async fn show(global: &Global, printer: &Printer) -> Result<Exit> {
    let client = Profile::load(global)?.owner()?;
    let usage = client.usage().await?;
    printer.json(&usage);
    printer.bare(usage.plan.as_str());
    printer.heading(&format!("plan {}", usage.plan));
    let now = human::now();
    let of = |it: Used, shown: fn(u64) -> String| match it.limit {
        Some(limit) => format!("{} of {}", shown(it.used), shown(limit)),
        None => shown(it.used),
    };
    let count: fn(u64) -> String = |it| it.to_string();
    let days = usage.max_expires_in_seconds / (24 * 60 * 60);
    printer.fields(&[
        (
            "transfers",
            &format!(
                "{} since {}",
                of(usage.transfers, count),
                human::moment(usage.cycle.starts_at, now)
            ),
        ),
        ("stored", &of(usage.storage_bytes, human::bytes)),
        ("agents", &of(usage.agents, count)),
        ("keys", &of(usage.api_keys, count)),
        ("connections", &of(usage.connections, count)),
        ("largest file", &human::bytes(usage.max_file_bytes)),
        ("longest life", &format!("{days} d")),
    ]);
    Ok(Exit::Done)
}
