//! Whom a name reaches: own agents, and those of others that own ones are paired with.

use agentdrop_protocol::error_body::Candidate;
use agentdrop_protocol::{AccountId, AgentId, AgentRef};
use agentdrop_store::{ReachableAgent, Reader};

use super::error::{ApiError, Result};

/// The agent that a name means to `owner`, or to the one agent `of` it; `account` says whose, if
/// that is not clear.
///
/// An own one wins. What is meant for one account must not reach the agent of that name of another
/// one, so whoever `account` does not mean is not looked at.
pub(super) async fn reach(
    reader: &mut Reader,
    owner: AccountId,
    of: Option<AgentId>,
    named: &AgentRef,
    account: Option<&str>,
) -> Result<Option<ReachableAgent>> {
    let mut found = named_so(reader, owner, of, named).await?;
    if let Some(account) = account {
        found.retain(|it| is_meant(it, account));
    }
    if let Some(own) = found.iter().position(|it| it.agent.account == owner) {
        return Ok(Some(found.swap_remove(own)));
    }
    only(found)
}

/// The agent that a name means to `owner`, or to the one agent `of` it, whose keys may be looked at:
/// whom [`reach`] finds; else those of others that a pairing was proposed with, or may be.
pub(super) async fn reach_to_compare(
    reader: &mut Reader,
    owner: AccountId,
    of: Option<AgentId>,
    named: &AgentRef,
    account: Option<&str>,
) -> Result<Option<ReachableAgent>> {
    if let Some(found) = reach(reader, owner, of, named, account).await? {
        return Ok(Some(found));
    }
    let mut found = reader.comparable_agents_of(owner, of, named).await?;
    if let Some(account) = account {
        found.retain(|it| is_meant(it, account));
    }
    only(found)
}

/// All agents that a name may mean, own ones first.
pub(super) async fn named_so(
    reader: &mut Reader,
    owner: AccountId,
    of: Option<AgentId>,
    named: &AgentRef,
) -> Result<Vec<ReachableAgent>> {
    Ok(match named {
        AgentRef::Id(id) => {
            let found = reader.reachable_agent_of(owner, of, *id).await?;
            found.into_iter().collect()
        }
        AgentRef::Slug(slug) => reader.reachable_agents_of(owner, of, slug).await?,
    })
}

/// The one that was found, or none; of several the caller has to say which.
pub(super) fn only(mut found: Vec<ReachableAgent>) -> Result<Option<ReachableAgent>> {
    if found.len() > 1 {
        let candidates = found.into_iter().map(|it| Candidate {
            account_id: it.agent.account,
            account_name: it.account_name,
            email_masked: it.account_email.masked(),
        });
        return Err(ApiError::Ambiguous(candidates.collect()));
    }
    Ok(found.pop())
}

/// Whether its account is meant by this: its id, its name or its e-mail address.
fn is_meant(agent: &ReachableAgent, named: &str) -> bool {
    named == agent.agent.account.to_string()
        || named == agent.account_name.as_str()
        || named.to_lowercase() == agent.account_email.folded().as_str()
}
