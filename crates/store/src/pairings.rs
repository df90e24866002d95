//! Pairings at rest.

use agentdrop_domain::channels::Party;
use agentdrop_domain::pairings::Pairing;
use agentdrop_protocol::{AccountId, AgentId, ConnectionId, PairingId, Timestamp};

use crate::db::{Row, dialect, holding, params};
use crate::{Reader, Result, Tx};

macro_rules! columns {
    () => {
        "id, connection_id, a_agent_id, a_account_id, b_agent_id, b_account_id,
         proposed_by_account_id, permission, terms_by_account_id, created_at, confirmed_at,
         revoked_at"
    };
}
pub(crate) use columns;

/// Selects the active pairing of the agents `$1` and `$2`, whose connection is active, too.
macro_rules! active {
    () => {
        concat!(
            "SELECT ",
            columns!(),
            " FROM pairings
             WHERE a_agent_id = $1 AND b_agent_id = $2
               AND confirmed_at IS NOT NULL AND revoked_at IS NULL
               AND EXISTS (SELECT 1 FROM connections
                           WHERE connections.id = connection_id
                             AND connections.accepted_at IS NOT NULL
                             AND connections.revoked_at IS NULL)"
        )
    };
}

impl Reader {
    /// The pairing `id`, if one of its agents is `owner`'s.
    pub async fn pairing_of(&mut self, owner: AccountId, id: PairingId) -> Result<Option<Pairing>> {
        self.fetch_optional(
            concat!(
                "SELECT ",
                columns!(),
                " FROM pairings WHERE (a_account_id = $1 OR b_account_id = $1) AND id = $2"
            ),
            params![&owner.to_string(), &id.to_string()],
            pairing,
        )
        .await
    }

    /// The pairings under a connection of `owner`, wherever they stand, newest first.
    pub async fn pairings_of(
        &mut self,
        owner: AccountId,
        connection: ConnectionId,
    ) -> Result<Vec<Pairing>> {
        self.fetch_all(
            concat!(
                "SELECT ",
                columns!(),
                " FROM pairings
                 WHERE (a_account_id = $1 OR b_account_id = $1) AND connection_id = $2
                 ORDER BY id DESC"
            ),
            params![&owner.to_string(), &connection.to_string()],
            pairing,
        )
        .await
    }

    /// How many pairings under a connection count against the plan of `owner`: those that are
    /// active, and those that wait on its own terms.
    ///
    /// What the other side proposes does not: it would use up what is not its own.
    pub async fn pairing_count_of(
        &mut self,
        owner: AccountId,
        connection: ConnectionId,
    ) -> Result<u64> {
        self.fetch_one(
            "SELECT COUNT(*) AS n FROM pairings
             WHERE (a_account_id = $1 OR b_account_id = $1) AND connection_id = $2
               AND (confirmed_at IS NOT NULL OR terms_by_account_id = $1)
               AND revoked_at IS NULL",
            params![&owner.to_string(), &connection.to_string()],
            |row| row.number("n"),
        )
        .await
    }

    /// The accounts of the agents that the agent `id` is paired with, as long as both sides agree.
    pub async fn paired_accounts_of(&mut self, id: AgentId) -> Result<Vec<AccountId>> {
        self.fetch_all(
            "SELECT DISTINCT CASE WHEN a_agent_id = $1 THEN b_account_id ELSE a_account_id END
                    AS account_id
             FROM pairings
             WHERE (a_agent_id = $1 OR b_agent_id = $1) AND confirmed_at IS NOT NULL
               AND revoked_at IS NULL
             ORDER BY account_id",
            params![&id.to_string()],
            |row| row.parse("account_id"),
        )
        .await
    }

    /// The active pairing of two agents, if they have one, whoever is named first.
    pub async fn active_pairing(
        &mut self,
        one: AgentId,
        other: AgentId,
    ) -> Result<Option<Pairing>> {
        let (a, b) = (one.min(other), one.max(other));
        self.fetch_optional(active!(), params![&a.to_string(), &b.to_string()], pairing)
            .await
    }
}

impl Tx {
    /// The pairing `id`, if one of its agents is `owner`'s, held until this unit of work ends.
    pub async fn hold_pairing_of(
        &mut self,
        owner: AccountId,
        id: PairingId,
    ) -> Result<Option<Pairing>> {
        let sql = holding!(
            self,
            concat!(
                "SELECT ",
                columns!(),
                " FROM pairings WHERE (a_account_id = $1 OR b_account_id = $1) AND id = $2"
            )
        );
        self.fetch_optional(sql, params![&owner.to_string(), &id.to_string()], pairing)
            .await
    }

    /// The active pairing of two agents, which nobody ends or changes until this unit of work
    /// ends; others may keep it as well.
    ///
    /// For what is sent under it: whoever revokes it waits, and then finds what was sent.
    pub async fn keep_active_pairing(
        &mut self,
        one: AgentId,
        other: AgentId,
    ) -> Result<Option<Pairing>> {
        let (a, b) = (one.min(other), one.max(other));
        let sql = dialect!(self, sqlite: active!(), postgres: concat!(active!(), " FOR SHARE"));
        self.fetch_optional(sql, params![&a.to_string(), &b.to_string()], pairing)
            .await
    }

    /// The active pairings of `agent` with agents of `owner`, which nobody ends until this unit of
    /// work does. The agent is to be kept first.
    pub async fn keep_active_pairings_with(
        &mut self,
        owner: AccountId,
        agent: AgentId,
    ) -> Result<Vec<Pairing>> {
        macro_rules! between {
            () => {
                concat!(
                    "SELECT ",
                    columns!(),
                    " FROM pairings
                     WHERE ((a_account_id = $1 AND b_agent_id = $2)
                            OR (b_account_id = $1 AND a_agent_id = $2))
                       AND confirmed_at IS NOT NULL AND revoked_at IS NULL
                       AND EXISTS (SELECT 1 FROM connections
                                   WHERE connections.id = connection_id
                                     AND connections.accepted_at IS NOT NULL
                                     AND connections.revoked_at IS NULL)
                     ORDER BY id"
                )
            };
        }
        let sql = dialect!(self, sqlite: between!(), postgres: concat!(between!(), " FOR SHARE"));
        self.fetch_all(
            sql,
            params![&owner.to_string(), &agent.to_string()],
            pairing,
        )
        .await
    }

    /// Writes a new pairing down; its two agents have one that is not over, or they have not.
    ///
    /// Its connection is to be held first, and its agents to be kept before that.
    pub async fn insert_pairing(&mut self, new: &Pairing) -> Result<()> {
        self.execute(
            "INSERT INTO pairings (id, connection_id, a_agent_id, a_account_id, b_agent_id,
                 b_account_id, proposed_by_account_id, permission, terms_by_account_id, created_at,
                 confirmed_at, revoked_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
            params![
                &new.id.to_string(),
                &new.connection.to_string(),
                &new.a.agent.to_string(),
                &new.a.account.to_string(),
                &new.b.agent.to_string(),
                &new.b.account.to_string(),
                &new.proposed_by.to_string(),
                new.permission.as_str(),
                &new.terms_by.to_string(),
                new.created_at.as_millis(),
                new.confirmed_at.map(Timestamp::as_millis),
                new.revoked_at.map(Timestamp::as_millis),
            ],
        )
        .await?;
        Ok(())
    }

    /// Writes down the terms of a pairing and where it stands.
    pub async fn update_pairing(&mut self, pairing: &Pairing) -> Result<()> {
        self.execute(
            "UPDATE pairings SET permission = $1, terms_by_account_id = $2, confirmed_at = $3,
                                 revoked_at = $4
             WHERE id = $5",
            params![
                pairing.permission.as_str(),
                &pairing.terms_by.to_string(),
                pairing.confirmed_at.map(Timestamp::as_millis),
                pairing.revoked_at.map(Timestamp::as_millis),
                &pairing.id.to_string(),
            ],
        )
        .await?;
        Ok(())
    }

    /// Ends every pairing under a connection; answers those that it ended.
    pub async fn revoke_pairings_of_connection(
        &mut self,
        connection: ConnectionId,
        now: Timestamp,
    ) -> Result<Vec<Pairing>> {
        self.fetch_all(
            concat!(
                "UPDATE pairings SET revoked_at = $1
                 WHERE connection_id = $2 AND revoked_at IS NULL RETURNING ",
                columns!()
            ),
            params![now.as_millis(), &connection.to_string()],
            pairing,
        )
        .await
    }

    /// Ends every pairing of an agent; answers those that it ended.
    pub async fn revoke_pairings_of_agent(
        &mut self,
        agent: AgentId,
        now: Timestamp,
    ) -> Result<Vec<Pairing>> {
        self.fetch_all(
            concat!(
                "UPDATE pairings SET revoked_at = $1
                 WHERE (a_agent_id = $2 OR b_agent_id = $2) AND revoked_at IS NULL RETURNING ",
                columns!()
            ),
            params![now.as_millis(), &agent.to_string()],
            pairing,
        )
        .await
    }
}

pub(crate) fn pairing(row: &Row<'_>) -> Result<Pairing> {
    Ok(Pairing {
        id: row.parse("id")?,
        connection: row.parse("connection_id")?,
        a: Party {
            agent: row.parse("a_agent_id")?,
            account: row.parse("a_account_id")?,
        },
        b: Party {
            agent: row.parse("b_agent_id")?,
            account: row.parse("b_account_id")?,
        },
        proposed_by: row.parse("proposed_by_account_id")?,
        permission: row.parse("permission")?,
        terms_by: row.parse("terms_by_account_id")?,
        created_at: row.time("created_at")?,
        confirmed_at: row.time_optional("confirmed_at")?,
        revoked_at: row.time_optional("revoked_at")?,
    })
}
