//! Which agent is meant: by the id that no two have, or by the name that it was last known by.

use agentdrop_client::Client;
use agentdrop_client::error::ConfigError;
use agentdrop_client::trust::{Known, KnownAgents};
use agentdrop_protocol::{AgentId, AgentRef};

use crate::exit::{Failure, Result};

/// What is known of others.
pub(super) fn known_agents(client: &Client) -> Result<KnownAgents> {
    let known = client.known_agents()?;
    Ok(known.ok_or_else(|| agentdrop_client::Error::from(ConfigError::NoIdentity))?)
}

/// The agent that is known by this name, if one is.
pub(super) fn find(known: &KnownAgents, named: &AgentRef) -> Result<Option<(AgentId, Known)>> {
    let slug = match named {
        AgentRef::Id(id) => return Ok(known.look_up(*id)?.map(|it| (*id, it))),
        AgentRef::Slug(slug) => slug.as_str(),
    };
    let all = known.list()?.into_iter();
    let mut found: Vec<_> = all.filter(|(_, it)| it.label() == slug).collect();
    if found.len() > 1 {
        let ids: Vec<_> = found.iter().map(|(id, _)| id.to_string()).collect();
        let message = format!("several agents are known as {slug}: {}", ids.join(", "));
        let hint = "name the one that you mean by its id";
        return Err(Failure::refused("AMBIGUOUS_AGENT", message, hint));
    }
    Ok(found.pop())
}

/// The agent that is known by this name.
pub(super) fn expect(known: &KnownAgents, named: &AgentRef) -> Result<(AgentId, Known)> {
    find(known, named)?.ok_or_else(|| {
        Failure::refused(
            "UNKNOWN_AGENT",
            format!("no agent is known here as {named}"),
            "`agentdrop trust` lists those that are; `agentdrop trust compare` asks the server for others",
        )
    })
}
