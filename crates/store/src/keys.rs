//! API keys at rest.

use agentdrop_domain::Scope;
use agentdrop_domain::keys::Key;
use agentdrop_protocol::{AccountId, AgentId, KeyId, Timestamp};

use crate::columns::count;
use crate::db::{Row, holding, params};
use crate::{Reader, Result, Tx};

macro_rules! columns {
    () => {
        "id, account_id, agent_id, name, prefix, digest, transfer_count, created_at, last_used_at,
         revoked_at"
    };
}

impl Reader {
    /// The key with this digest, revoked or not.
    pub async fn key_by_digest(&mut self, digest: &[u8; 32]) -> Result<Option<Key>> {
        self.fetch_optional(
            concat!("SELECT ", columns!(), " FROM api_keys WHERE digest = $1"),
            params![&digest[..]],
            key,
        )
        .await
    }

    /// The key `id` of `owner`, or of one of its agents; revoked or not.
    pub async fn key_of(&mut self, owner: AccountId, id: KeyId) -> Result<Option<Key>> {
        self.fetch_optional(
            concat!(
                "SELECT ",
                columns!(),
                " FROM api_keys WHERE account_id = $1 AND id = $2"
            ),
            params![&owner.to_string(), &id.to_string()],
            key,
        )
        .await
    }

    /// The keys of `owner` that work, its agents' among them; newest first.
    pub async fn keys_of(&mut self, owner: AccountId) -> Result<Vec<Key>> {
        self.fetch_all(
            concat!(
                "SELECT ",
                columns!(),
                " FROM api_keys WHERE account_id = $1 AND revoked_at IS NULL ORDER BY id DESC"
            ),
            params![&owner.to_string()],
            key,
        )
        .await
    }

    /// The keys of one agent of `owner` that work; newest first.
    pub async fn keys_of_agent(&mut self, owner: AccountId, agent: AgentId) -> Result<Vec<Key>> {
        self.fetch_all(
            concat!(
                "SELECT ",
                columns!(),
                " FROM api_keys
                 WHERE account_id = $1 AND agent_id = $2 AND revoked_at IS NULL ORDER BY id DESC"
            ),
            params![&owner.to_string(), &agent.to_string()],
            key,
        )
        .await
    }

    /// How many keys of the account `owner` work; those of its agents do not count.
    pub async fn account_key_count_of(&mut self, owner: AccountId) -> Result<u64> {
        self.fetch_one(
            "SELECT COUNT(*) AS n FROM api_keys
             WHERE account_id = $1 AND agent_id IS NULL AND revoked_at IS NULL",
            params![&owner.to_string()],
            |row| row.number("n"),
        )
        .await
    }
}

impl Tx {
    /// The key `id` of `owner`, held until this unit of work ends.
    pub async fn hold_key_of(&mut self, owner: AccountId, id: KeyId) -> Result<Option<Key>> {
        let sql = holding!(
            self,
            concat!(
                "SELECT ",
                columns!(),
                " FROM api_keys WHERE account_id = $1 AND id = $2"
            )
        );
        self.fetch_optional(sql, params![&owner.to_string(), &id.to_string()], key)
            .await
    }

    /// Writes a new key down.
    pub async fn insert_key(&mut self, key: &Key) -> Result<()> {
        let agent = match key.scope {
            Scope::Account => None,
            Scope::Agent(agent) => Some(agent.to_string()),
        };
        self.execute(
            "INSERT INTO api_keys (id, account_id, agent_id, name, prefix, digest, transfer_count,
                                   created_at, last_used_at, revoked_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            params![
                &key.id.to_string(),
                &key.account.to_string(),
                agent.as_ref(),
                key.name.as_str(),
                &key.prefix,
                &key.digest[..],
                count(key.transfer_count),
                key.created_at.as_millis(),
                key.last_used_at.map(Timestamp::as_millis),
                key.revoked_at.map(Timestamp::as_millis),
            ],
        )
        .await?;
        Ok(())
    }

    /// Writes down since when a key works no more.
    pub async fn update_key(&mut self, key: &Key) -> Result<()> {
        self.execute(
            "UPDATE api_keys SET revoked_at = $1 WHERE id = $2",
            params![
                key.revoked_at.map(Timestamp::as_millis),
                &key.id.to_string()
            ],
        )
        .await?;
        Ok(())
    }

    /// Ends every key of an account, its agents' among them, and every token that would connect one.
    pub async fn revoke_keys_of(&mut self, owner: AccountId, now: Timestamp) -> Result<()> {
        self.execute(
            "UPDATE api_keys SET revoked_at = $1 WHERE account_id = $2 AND revoked_at IS NULL",
            params![now.as_millis(), &owner.to_string()],
        )
        .await?;
        self.execute(
            "DELETE FROM connection_tokens
             WHERE agent_id IN (SELECT id FROM agents WHERE account_id = $1)",
            params![&owner.to_string()],
        )
        .await?;
        Ok(())
    }

    /// Writes down that a key was used, and its agent heard of.
    ///
    /// The agent first: deleting one locks it before its keys, and two who lock the same rows in
    /// another order wait for each other.
    pub async fn touch_key(
        &mut self,
        id: Option<KeyId>,
        agent: Option<AgentId>,
        now: Timestamp,
    ) -> Result<()> {
        if let Some(agent) = agent {
            self.execute(
                "UPDATE agents SET last_seen_at = $1 WHERE id = $2",
                params![now.as_millis(), &agent.to_string()],
            )
            .await?;
        }
        if let Some(id) = id {
            self.execute(
                "UPDATE api_keys SET last_used_at = $1 WHERE id = $2",
                params![now.as_millis(), &id.to_string()],
            )
            .await?;
        }
        Ok(())
    }

    /// Counts a transfer for the key it was created with, if that still works; answers how many
    /// such keys there were.
    pub async fn count_transfer(&mut self, id: KeyId) -> Result<u64> {
        self.execute(
            "UPDATE api_keys SET transfer_count = transfer_count + 1
             WHERE id = $1 AND revoked_at IS NULL",
            params![&id.to_string()],
        )
        .await
    }
}

fn key(row: &Row<'_>) -> Result<Key> {
    Ok(Key {
        id: row.parse("id")?,
        account: row.parse("account_id")?,
        scope: row
            .parse_optional("agent_id")?
            .map_or(Scope::Account, Scope::Agent),
        name: row.parse("name")?,
        prefix: row.get("prefix")?,
        digest: row.bytes("digest")?,
        transfer_count: row.number("transfer_count")?,
        created_at: row.time("created_at")?,
        last_used_at: row.time_optional("last_used_at")?,
        revoked_at: row.time_optional("revoked_at")?,
    })
}
