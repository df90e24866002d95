//! Agents that files can be exchanged with: own ones, and those of others that they are paired with.

use agentdrop_domain::agents::Agent;
use agentdrop_protocol::text::{Email, Name};
use agentdrop_protocol::{AccountId, AgentId, AgentRef, ConnectionId, Slug};

use super::read_agent;
use crate::db::{Row, params};
use crate::{Reader, Result};

/// Selects the agents of others that those of `$1` are paired with, or the one `$2` of them, by
/// an active pairing under an active connection, as `$also` says.
macro_rules! paired {
    ($also:literal) => {
        concat!(
            "agents.id IN (
                 SELECT b_agent_id FROM pairings WHERE a_account_id = $1
                    AND (a_agent_id = $2 OR $2 IS NULL)
                    AND confirmed_at IS NOT NULL AND revoked_at IS NULL
                    AND EXISTS (SELECT 1 FROM connections
                                WHERE connections.id = connection_id
                                  AND connections.accepted_at IS NOT NULL
                                  AND connections.revoked_at IS NULL) ",
            $also,
            "    UNION
                 SELECT a_agent_id FROM pairings WHERE b_account_id = $1
                    AND (b_agent_id = $2 OR $2 IS NULL)
                    AND confirmed_at IS NOT NULL AND revoked_at IS NULL
                    AND EXISTS (SELECT 1 FROM connections
                                WHERE connections.id = connection_id
                                  AND connections.accepted_at IS NOT NULL
                                  AND connections.revoked_at IS NULL) ",
            $also,
            ")"
        )
    };
}

/// Selects agents with whose they are.
macro_rules! reachable {
    () => {
        concat!(
            "SELECT ",
            columns!(),
            ", (SELECT accounts.name FROM accounts WHERE accounts.id = account_id) AS account_name,
             (SELECT accounts.email FROM accounts WHERE accounts.id = account_id) AS account_email
             FROM agents WHERE "
        )
    };
}

/// An agent that files can be exchanged with, and whose it is.
#[derive(Clone, Debug, PartialEq)]
pub struct ReachableAgent {
    /// The agent.
    pub agent: Agent,
    /// What its account is called.
    pub account_name: Name,
    /// Whom its account belongs to.
    pub account_email: Email,
}

impl Reader {
    /// The agents that go by this name: `owner`'s own first, then those that agents of `owner`, or
    /// the one `of` them, are paired with.
    ///
    /// Whether files may go that way is for [`agentdrop_domain::policy::may_send`] to say.
    pub async fn reachable_agents_of(
        &mut self,
        owner: AccountId,
        of: Option<AgentId>,
        slug: &Slug,
    ) -> Result<Vec<ReachableAgent>> {
        self.fetch_all(
            concat!(
                reachable!(),
                "slug = $3 AND (account_id = $1 OR ",
                paired!(""),
                ") ORDER BY (account_id <> $1), id"
            ),
            params![
                &owner.to_string(),
                of.map(|it| it.to_string()).as_ref(),
                slug.as_str()
            ],
            reachable_agent,
        )
        .await
    }

    /// The agent `id`, if it is `owner`'s or agents of `owner`, or the one `of` them, are paired
    /// with it.
    pub async fn reachable_agent_of(
        &mut self,
        owner: AccountId,
        of: Option<AgentId>,
        id: AgentId,
    ) -> Result<Option<ReachableAgent>> {
        self.fetch_optional(
            concat!(
                reachable!(),
                "agents.id = $3 AND (account_id = $1 OR ",
                paired!(""),
                ")"
            ),
            params![
                &owner.to_string(),
                of.map(|it| it.to_string()).as_ref(),
                &id.to_string()
            ],
            reachable_agent,
        )
        .await
    }

    /// The agents of others that agents of `owner`, or the one `of` them, are paired with, oldest
    /// first.
    pub async fn paired_agents_of(
        &mut self,
        owner: AccountId,
        of: Option<AgentId>,
    ) -> Result<Vec<ReachableAgent>> {
        self.fetch_all(
            concat!(reachable!(), paired!(""), " ORDER BY id"),
            params![&owner.to_string(), of.map(|it| it.to_string()).as_ref()],
            reachable_agent,
        )
        .await
    }

    /// Those of them that files may be sent to, and that have keys to encrypt to.
    pub async fn sendable_agents_of(
        &mut self,
        owner: AccountId,
        of: Option<AgentId>,
    ) -> Result<Vec<ReachableAgent>> {
        self.fetch_all(
            concat!(
                reachable!(),
                "status = 'connected' AND ",
                paired!(
                    "AND permission IN ('both', CASE WHEN proposed_by_account_id = $1
                                                     THEN 'send_only' ELSE 'receive_only' END)"
                ),
                " ORDER BY id"
            ),
            params![&owner.to_string(), of.map(|it| it.to_string()).as_ref()],
            reachable_agent,
        )
        .await
    }

    /// The agent `id`, if it is one of them.
    pub async fn sendable_agent_of(
        &mut self,
        owner: AccountId,
        of: Option<AgentId>,
        id: AgentId,
    ) -> Result<Option<ReachableAgent>> {
        self.fetch_optional(
            concat!(
                reachable!(),
                "status = 'connected' AND agents.id = $3 AND ",
                paired!(
                    "AND permission IN ('both', CASE WHEN proposed_by_account_id = $1
                                                     THEN 'send_only' ELSE 'receive_only' END)"
                )
            ),
            params![
                &owner.to_string(),
                of.map(|it| it.to_string()).as_ref(),
                &id.to_string()
            ],
            reachable_agent,
        )
        .await
    }

    /// The agents of others that go by this id or slug, and whose keys `owner` may look at before
    /// anything is agreed: those that may be paired under an active connection, and those that
    /// agents of `owner`, or the one `of` them, have a pairing with that is not over.
    pub async fn comparable_agents_of(
        &mut self,
        owner: AccountId,
        of: Option<AgentId>,
        named: &AgentRef,
    ) -> Result<Vec<ReachableAgent>> {
        macro_rules! comparable {
            ($named:literal) => {
                concat!(
                    reachable!(),
                    $named,
                    " AND account_id IN (
                          SELECT CASE WHEN inviter_account_id = $1 THEN invitee_account_id
                                      ELSE inviter_account_id END
                          FROM connections
                          WHERE (inviter_account_id = $1 OR invitee_account_id = $1)
                            AND accepted_at IS NOT NULL AND revoked_at IS NULL)
                      AND ((available_for_connections AND status = 'connected')
                           OR agents.id IN (
                               SELECT b_agent_id FROM pairings WHERE a_account_id = $1
                                  AND (a_agent_id = $2 OR $2 IS NULL) AND revoked_at IS NULL
                               UNION
                               SELECT a_agent_id FROM pairings WHERE b_account_id = $1
                                  AND (b_agent_id = $2 OR $2 IS NULL) AND revoked_at IS NULL))
                      ORDER BY id"
                )
            };
        }
        let (sql, named) = match named {
            AgentRef::Id(id) => (comparable!("agents.id = $3"), id.to_string()),
            AgentRef::Slug(slug) => (comparable!("slug = $3"), slug.to_string()),
        };
        let of = of.map(|it| it.to_string());
        self.fetch_all(
            sql,
            params![&owner.to_string(), of.as_ref(), &named],
            reachable_agent,
        )
        .await
    }

    /// The agents on the other side of an active connection of `owner` that may be paired, oldest
    /// first.
    pub async fn available_agents_of(
        &mut self,
        owner: AccountId,
        connection: ConnectionId,
    ) -> Result<Vec<Agent>> {
        self.fetch_all(
            concat!(
                "SELECT ",
                columns!(),
                " FROM agents
                 WHERE available_for_connections AND status = 'connected'
                   AND account_id = (
                       SELECT CASE WHEN inviter_account_id = $1 THEN invitee_account_id
                                   ELSE inviter_account_id END
                       FROM connections
                       WHERE (inviter_account_id = $1 OR invitee_account_id = $1)
                         AND connections.id = $2
                         AND accepted_at IS NOT NULL AND revoked_at IS NULL)
                 ORDER BY id"
            ),
            params![&owner.to_string(), &connection.to_string()],
            read_agent,
        )
        .await
    }

    /// Both agents of each pairing under a connection of `owner`, each once.
    pub async fn agents_of_pairings_of(
        &mut self,
        owner: AccountId,
        connection: ConnectionId,
    ) -> Result<Vec<Agent>> {
        self.fetch_all(
            concat!(
                "SELECT ",
                columns!(),
                " FROM agents
                 WHERE id IN (
                     SELECT a_agent_id FROM pairings
                     WHERE (a_account_id = $1 OR b_account_id = $1) AND connection_id = $2
                     UNION
                     SELECT b_agent_id FROM pairings
                     WHERE (a_account_id = $1 OR b_account_id = $1) AND connection_id = $2)
                 ORDER BY id"
            ),
            params![&owner.to_string(), &connection.to_string()],
            read_agent,
        )
        .await
    }
}

fn reachable_agent(row: &Row<'_>) -> Result<ReachableAgent> {
    Ok(ReachableAgent {
        agent: read_agent(row)?,
        account_name: row.parse("account_name")?,
        account_email: row.parse("account_email")?,
    })
}
