//! Agents at rest, and the keys they had.

use agentdrop_domain::agents::{Agent, AgentKeys, AgentState, KeyVersion, Published};
use agentdrop_domain::transfers::File;
use agentdrop_protocol::text::{Description, WebhookUrl};
use agentdrop_protocol::wire::agents::ConnectionStatus;
use agentdrop_protocol::{AccountId, AgentId, AgentRef, Slug, Timestamp, TransferId};

use crate::columns::count;
use crate::db::{Row, dialect, holding, params};
use crate::{Error, Reader, Result, Tx};

macro_rules! columns {
    () => {
        "id, account_id, slug, name, description, webhook_url, agent_type, metadata,
         available_for_connections, status, public_key, signing_public_key, key_version, created_at,
         last_seen_at, identity_key, bundle_version"
    };
}

// They select these columns too.
mod reachable;
mod tokens;

pub use reachable::ReachableAgent;

impl Reader {
    /// The agent of `owner` that goes by this id or slug.
    pub async fn agent_of(&mut self, owner: AccountId, agent: &AgentRef) -> Result<Option<Agent>> {
        match agent {
            AgentRef::Id(id) => self.agent_by_id_of(owner, *id).await,
            AgentRef::Slug(slug) => self.agent_by_slug_of(owner, slug).await,
        }
    }

    /// The agent `id` of `owner`.
    pub async fn agent_by_id_of(&mut self, owner: AccountId, id: AgentId) -> Result<Option<Agent>> {
        self.fetch_optional(
            concat!(
                "SELECT ",
                columns!(),
                " FROM agents WHERE account_id = $1 AND id = $2"
            ),
            params![&owner.to_string(), &id.to_string()],
            read_agent,
        )
        .await
    }

    async fn agent_by_slug_of(&mut self, owner: AccountId, slug: &Slug) -> Result<Option<Agent>> {
        self.fetch_optional(
            concat!(
                "SELECT ",
                columns!(),
                " FROM agents WHERE account_id = $1 AND slug = $2"
            ),
            params![&owner.to_string(), slug.as_str()],
            read_agent,
        )
        .await
    }

    /// The agents of `owner`, oldest first.
    pub async fn agents_of(&mut self, owner: AccountId) -> Result<Vec<Agent>> {
        self.fetch_all(
            concat!(
                "SELECT ",
                columns!(),
                " FROM agents WHERE account_id = $1 ORDER BY id"
            ),
            params![&owner.to_string()],
            read_agent,
        )
        .await
    }

    /// How many agents `owner` has, connected or not.
    pub async fn agent_count_of(&mut self, owner: AccountId) -> Result<u64> {
        self.fetch_one(
            "SELECT COUNT(*) AS n FROM agents WHERE account_id = $1",
            params![&owner.to_string()],
            |row| row.number("n"),
        )
        .await
    }

    /// Every key that an agent of `owner` has had, newest first.
    pub async fn key_versions_of(
        &mut self,
        owner: AccountId,
        agent: AgentId,
    ) -> Result<Vec<KeyVersion>> {
        self.fetch_all(
            "SELECT version, public_key, signing_public_key, created_at, retired_at FROM agent_keys
             WHERE agent_id = $2
               AND EXISTS (SELECT 1 FROM agents WHERE account_id = $1 AND id = $2)
             ORDER BY version DESC",
            params![&owner.to_string(), &agent.to_string()],
            key_version,
        )
        .await
    }
}

impl Tx {
    /// The agent `id` of `owner`, held until this unit of work ends.
    pub async fn hold_agent_of(&mut self, owner: AccountId, id: AgentId) -> Result<Option<Agent>> {
        let sql = holding!(
            self,
            concat!(
                "SELECT ",
                columns!(),
                " FROM agents WHERE account_id = $1 AND id = $2"
            )
        );
        self.fetch_optional(
            sql,
            params![&owner.to_string(), &id.to_string()],
            read_agent,
        )
        .await
    }

    /// The agent of `owner` that goes by this id or slug, which nobody holds, and so nobody
    /// deletes or disconnects, until this unit of work ends; others may keep it as well.
    ///
    /// For what is decided or written about an agent that does not change itself. Hold what is
    /// to change at once, and not what is kept: of two who keep it and then hold it, each waits
    /// for the other.
    pub async fn keep_agent_of(
        &mut self,
        owner: AccountId,
        agent: &AgentRef,
    ) -> Result<Option<Agent>> {
        // Less than SHARE, so that it does not wait for a note that the agent was heard of.
        macro_rules! keeping {
            ($select:expr) => {
                dialect!(self, sqlite: $select, postgres: concat!($select, " FOR KEY SHARE"))
            };
        }
        let (sql, named) = match agent {
            AgentRef::Id(id) => (
                keeping!(concat!(
                    "SELECT ",
                    columns!(),
                    " FROM agents WHERE account_id = $1 AND id = $2"
                )),
                id.to_string(),
            ),
            AgentRef::Slug(slug) => (
                keeping!(concat!(
                    "SELECT ",
                    columns!(),
                    " FROM agents WHERE account_id = $1 AND slug = $2"
                )),
                slug.to_string(),
            ),
        };
        self.fetch_optional(sql, params![&owner.to_string(), &named], read_agent)
            .await
    }

    /// Writes a new agent down; its slug is taken or it is not.
    pub async fn insert_agent(&mut self, agent: &Agent) -> Result<()> {
        let keys = agent.keys();
        self.execute(
            "INSERT INTO agents (id, account_id, slug, name, description, webhook_url, agent_type,
                                 metadata, available_for_connections, status, public_key,
                                 signing_public_key, key_version, created_at, last_seen_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
            params![
                &agent.id.to_string(),
                &agent.account.to_string(),
                agent.slug.as_str(),
                agent.name.as_str(),
                agent.description.as_ref().map(Description::as_str),
                agent.webhook_url.as_ref().map(WebhookUrl::as_str),
                agent.agent_type.as_str(),
                &metadata(agent),
                agent.available_for_connections,
                agent.status().as_str(),
                keys.map(|it| &it.encryption.as_bytes()[..]),
                keys.and_then(|it| it.signing.as_ref())
                    .map(|it| &it.as_bytes()[..]),
                agent.key_version,
                agent.created_at.as_millis(),
                agent.last_seen_at.map(Timestamp::as_millis),
            ],
        )
        .await?;
        self.insert_key_version(agent, agent.created_at).await
    }

    /// Writes down what is said of an agent.
    pub async fn update_agent(&mut self, agent: &Agent) -> Result<()> {
        self.execute(
            "UPDATE agents SET name = $1, description = $2, webhook_url = $3, agent_type = $4,
                               metadata = $5, available_for_connections = $6
             WHERE id = $7",
            params![
                agent.name.as_str(),
                agent.description.as_ref().map(Description::as_str),
                agent.webhook_url.as_ref().map(WebhookUrl::as_str),
                agent.agent_type.as_str(),
                &metadata(agent),
                agent.available_for_connections,
                &agent.id.to_string(),
            ],
        )
        .await?;
        Ok(())
    }

    /// Writes down which keys an agent has now, and that it had the others until now.
    ///
    /// A connection token that is left over goes: it was for the first key, and whoever finds it
    /// later must not replace another.
    pub async fn update_agent_keys(&mut self, agent: &Agent, now: Timestamp) -> Result<()> {
        let keys = agent.keys();
        self.execute(
            "UPDATE agents SET status = $1, public_key = $2, signing_public_key = $3,
                               key_version = $4, identity_key = $6, bundle_version = $7
             WHERE id = $5",
            params![
                agent.status().as_str(),
                keys.map(|it| &it.encryption.as_bytes()[..]),
                keys.and_then(|it| it.signing.as_ref())
                    .map(|it| &it.as_bytes()[..]),
                agent.key_version,
                &agent.id.to_string(),
                agent
                    .published
                    .as_ref()
                    .map(|it| &it.identity.as_bytes()[..]),
                agent.published.map(|it| count(it.version)),
            ],
        )
        .await?;
        self.execute(
            "UPDATE agent_keys SET retired_at = $1 WHERE agent_id = $2 AND retired_at IS NULL",
            params![now.as_millis(), &agent.id.to_string()],
        )
        .await?;
        self.execute(
            "DELETE FROM connection_tokens WHERE agent_id = $1",
            params![&agent.id.to_string()],
        )
        .await?;
        self.insert_key_version(agent, now).await
    }

    async fn insert_key_version(&mut self, agent: &Agent, now: Timestamp) -> Result<()> {
        let Some(keys) = agent.keys() else {
            return Ok(());
        };
        self.execute(
            "INSERT INTO agent_keys (agent_id, version, public_key, signing_public_key, created_at)
             VALUES ($1, $2, $3, $4, $5)",
            params![
                &agent.id.to_string(),
                agent.key_version,
                &keys.encryption.as_bytes()[..],
                keys.signing.as_ref().map(|it| &it.as_bytes()[..]),
                now.as_millis(),
            ],
        )
        .await?;
        Ok(())
    }

    /// Deletes an agent with its keys, pairings, channels and transfers; answers the transfers, each with
    /// how many files it has, whose bytes are to follow.
    pub async fn delete_agent(&mut self, agent: &Agent) -> Result<Vec<(TransferId, u32)>> {
        let id = agent.id.to_string();
        // Behind whoever writes a transfer of it at this moment, so that none is passed over.
        let sql = holding!(self, "SELECT id FROM agents WHERE id = $1");
        self.fetch_optional(sql, params![&id], |row| row.get::<String>("id"))
            .await?;
        // Whoever ends a pairing then ends its transfers and its channels, so these come in the
        // same order here: of two who lock the same rows in another one, each waits for the other.
        self.execute(
            "DELETE FROM pairings WHERE a_agent_id = $1 OR b_agent_id = $1",
            params![&id],
        )
        .await?;
        let transfers = self
            .fetch_all(
                "DELETE FROM transfers WHERE sender_agent_id = $1 OR recipient_agent_id = $1
                 RETURNING id, files",
                params![&id],
                |row| {
                    let files: Vec<File> = row.json("files")?;
                    Ok((row.parse("id")?, File::blob_count(&files)))
                },
            )
            .await?;
        self.execute("DELETE FROM agents WHERE id = $1", params![&id])
            .await?;
        Ok(transfers)
    }
}

fn metadata(agent: &Agent) -> String {
    serde_json::Value::Object(agent.metadata.clone()).to_string()
}

fn read_agent(row: &Row<'_>) -> Result<Agent> {
    let state = match (
        row.parse("status")?,
        row.get::<Option<Vec<u8>>>("public_key")?,
    ) {
        (ConnectionStatus::Pending, None) => AgentState::Pending,
        (ConnectionStatus::Connected, Some(_)) => AgentState::Connected(agent_keys(row)?),
        (ConnectionStatus::Disconnected, None) => AgentState::Disconnected,
        _ => {
            let (column, id) = ("agents.status", row.get("id")?);
            return Err(Error::Corrupt { column, id });
        }
    };
    Ok(Agent {
        id: row.parse("id")?,
        account: row.parse("account_id")?,
        slug: row.parse("slug")?,
        name: row.parse("name")?,
        description: row.parse_optional("description")?,
        webhook_url: row.parse_optional("webhook_url")?,
        agent_type: row.parse("agent_type")?,
        metadata: row.json("metadata")?,
        available_for_connections: row.get("available_for_connections")?,
        state,
        key_version: row.number("key_version")?,
        published: published(row)?,
        created_at: row.time("created_at")?,
        last_seen_at: row.time_optional("last_seen_at")?,
    })
}

fn published(row: &Row<'_>) -> Result<Option<Published>> {
    let Some(identity) = row.bytes_optional("identity_key")? else {
        return Ok(None);
    };
    Ok(Some(Published {
        version: row.number("bundle_version")?,
        identity,
    }))
}

fn agent_keys(row: &Row<'_>) -> Result<AgentKeys> {
    Ok(AgentKeys {
        encryption: row.bytes("public_key")?,
        signing: row.bytes_optional("signing_public_key")?,
    })
}

fn key_version(row: &Row<'_>) -> Result<KeyVersion> {
    Ok(KeyVersion {
        version: row.number("version")?,
        keys: agent_keys(row)?,
        created_at: row.time("created_at")?,
        retired_at: row.time_optional("retired_at")?,
    })
}
