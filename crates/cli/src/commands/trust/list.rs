//! Listing the agents that are known.

use agentdrop_client::Client;
use agentdrop_client::trust::{How, Known, Refusal};
use agentdrop_protocol::AgentId;
use serde_json::{Value, json};

use super::named::known_agents;
use crate::exit::{Exit, Result};
use crate::human;
use crate::printer::Printer;

pub(super) fn run(client: &Client, printer: &Printer) -> Result<Exit> {
    let all = known_agents(client)?.list()?;
    let agents = all.iter().map(|(id, it)| as_json(client, *id, it));
    let agents = agents.collect::<Result<Vec<_>>>()?;
    let mine = client.own_keys()?.map(|it| it.fingerprint.to_string());
    printer.json(&json!({ "key_fingerprint": mine, "agents": agents }));
    if all.is_empty() {
        printer.line("no other agent is known yet: each is, once files went to it or came from it");
        return Ok(Exit::Done);
    }
    let now = human::now();
    let mut rows = Vec::new();
    for (id, it) in &all {
        printer.bare(&id.to_string());
        rows.push([
            it.label(),
            how(it).to_owned(),
            human::moment(it.since, now),
            state(it).to_owned(),
            id.to_string(),
            it.shown_key(*id),
        ]);
    }
    printer.table(["AGENT", "KNOWN BY", "SINCE", "STATE", "ID", "KEY"], &rows);
    if all.iter().any(|(_, it)| it.is_blocked()) {
        printer.note("`agentdrop trust accept ID` shows what was refused of an agent that is blocked, and asks.");
    } else if all
        .iter()
        .any(|(_, it)| it.native.is_some() && it.how < How::Pairing)
    {
        printer
            .note("`agentdrop trust compare ID` shows what to compare with the owner of an agent.");
    }
    Ok(Exit::Done)
}

/// What is known of an agent, as a program reads it.
pub(super) fn as_json(client: &Client, id: AgentId, it: &Known) -> Result<Value> {
    let fingerprint = it.native.map(|it| it.fingerprint(id));
    let comparison = match fingerprint {
        Some(it) => client.comparison(it)?,
        None => None,
    };
    let refused = it
        .refused
        .map(|it| json!({ "why": it.why, "key": it.offer.shown_key(id), "at": it.at }));
    Ok(json!({
        "agent_uuid": id,
        "agent_id": it.label(),
        "key_fingerprint": fingerprint.map(|it| it.to_string()),
        "public_key": it.compatible,
        "how": it.how,
        "since": it.since,
        "state": state(it),
        "refused": refused,
        "digits": comparison.map(|it| it.digits),
    }))
}

/// How an agent came to be known, in words.
pub(super) const fn how(it: &Known) -> &'static str {
    match (it.how, it.native.is_some()) {
        (How::Compared, _) => "compared",
        (How::Pairing, _) => "pairing",
        (How::Rotated, true) => "rotation, not compared",
        (_, true) => "first use",
        (_, false) => "the server's word",
    }
}

fn state(it: &Known) -> &'static str {
    match &it.refused {
        Some(_) if it.is_blocked() => "blocked",
        Some(_) => "refused",
        None => "ok",
    }
}

/// Why something was refused, in words.
pub(super) const fn why(it: Refusal) -> &'static str {
    match it {
        Refusal::Changed => "another key, of which the known one says nothing",
        Refusal::Forked => "two rows of keys, signed by one identity",
        Refusal::MinSuite => "weaker sealing than before",
        Refusal::NoBundle => "a key without a signature, where there was one",
        Refusal::RolledBack => "older keys than those that are known",
        _ => "something that this version has no words for",
    }
}
