//! The right to give an agent its first key, once.

use agentdrop_domain::agents::{Agent, ConnectionToken};
use agentdrop_protocol::{AccountId, Timestamp};

use super::read_agent;
use crate::db::{Row, holding, params};
use crate::{Result, Tx};

impl Tx {
    /// The account whose agent a connection token is for.
    pub async fn account_of_connection_token(
        &mut self,
        digest: &[u8; 32],
    ) -> Result<Option<AccountId>> {
        self.fetch_optional(
            "SELECT account_id FROM connection_tokens JOIN agents ON agents.id = agent_id
             WHERE digest = $1",
            params![&digest[..]],
            |row| row.parse("account_id"),
        )
        .await
    }

    /// Takes a connection token out, if it is there: whoever gets it uses it.
    ///
    /// It holds the agent first: so does deleting it, and two who lock the same rows in another
    /// order wait for each other.
    pub async fn take_connection_token(
        &mut self,
        digest: &[u8; 32],
    ) -> Result<Option<ConnectionToken>> {
        let sql = holding!(
            self,
            "SELECT id FROM agents
             WHERE id = (SELECT agent_id FROM connection_tokens WHERE digest = $1)"
        );
        self.fetch_optional(sql, params![&digest[..]], |row| row.get::<String>("id"))
            .await?;
        self.fetch_optional(
            "DELETE FROM connection_tokens WHERE digest = $1
             RETURNING digest, agent_id, expires_at",
            params![&digest[..]],
            connection_token,
        )
        .await
    }

    /// The agent that a connection token is for, held until this unit of work ends.
    pub async fn hold_agent_of_token(&mut self, token: &ConnectionToken) -> Result<Option<Agent>> {
        let sql = holding!(
            self,
            concat!("SELECT ", columns!(), " FROM agents WHERE id = $1")
        );
        self.fetch_optional(sql, params![&token.agent.to_string()], read_agent)
            .await
    }

    /// Writes a connection token down.
    pub async fn insert_connection_token(&mut self, token: &ConnectionToken) -> Result<()> {
        self.execute(
            "INSERT INTO connection_tokens (digest, agent_id, expires_at) VALUES ($1, $2, $3)",
            params![
                &token.digest[..],
                &token.agent.to_string(),
                token.expires_at.as_millis()
            ],
        )
        .await?;
        Ok(())
    }

    /// Deletes the connection tokens that nobody used in time.
    pub async fn delete_expired_connection_tokens(&mut self, now: Timestamp) -> Result<u64> {
        self.execute(
            "DELETE FROM connection_tokens WHERE expires_at <= $1",
            params![now.as_millis()],
        )
        .await
    }
}

fn connection_token(row: &Row<'_>) -> Result<ConnectionToken> {
    Ok(ConnectionToken {
        agent: row.parse("agent_id")?,
        digest: row.bytes("digest")?,
        expires_at: row.time("expires_at")?,
    })
}
