//! Channels at rest.

use agentdrop_domain::channels::{Channel, Party};
use agentdrop_protocol::{AccountId, AgentId, ChannelId, Timestamp};

use crate::db::{Row, holding, params};
use crate::{Reader, Result, Tx};

macro_rules! columns {
    () => {
        "id, a_agent_id, a_account_id, b_agent_id, b_account_id, waits_for_account_id, created_at,
         revoked_at"
    };
}

impl Reader {
    /// The channel `id`, if `owner` is on one side of it.
    pub async fn channel_of(&mut self, owner: AccountId, id: ChannelId) -> Result<Option<Channel>> {
        self.fetch_optional(
            concat!(
                "SELECT ",
                columns!(),
                " FROM channels WHERE (a_account_id = $1 OR b_account_id = $1) AND id = $2"
            ),
            params![&owner.to_string(), &id.to_string()],
            channel,
        )
        .await
    }

    /// The channels that `owner` is on one side of, newest first.
    pub async fn channels_of(&mut self, owner: AccountId) -> Result<Vec<Channel>> {
        self.fetch_all(
            concat!(
                "SELECT ",
                columns!(),
                " FROM channels WHERE a_account_id = $1 OR b_account_id = $1 ORDER BY id DESC"
            ),
            params![&owner.to_string()],
            channel,
        )
        .await
    }
}

impl Tx {
    /// The channel `id`, if `owner` is on one side of it, held until this unit of work ends.
    pub async fn hold_channel_of(
        &mut self,
        owner: AccountId,
        id: ChannelId,
    ) -> Result<Option<Channel>> {
        let sql = holding!(
            self,
            concat!(
                "SELECT ",
                columns!(),
                " FROM channels WHERE (a_account_id = $1 OR b_account_id = $1) AND id = $2"
            )
        );
        self.fetch_optional(sql, params![&owner.to_string(), &id.to_string()], channel)
            .await
    }

    /// Writes `new` down, unless its two agents have a channel; answers the one they have now,
    /// held until this unit of work ends.
    ///
    /// One statement, whose update changes nothing: between two, another unit could revoke the
    /// channel that the first one found.
    pub async fn insert_or_find_channel(&mut self, new: &Channel) -> Result<Channel> {
        self.fetch_one(
            concat!(
                "INSERT INTO channels (id, a_agent_id, a_account_id, b_agent_id, b_account_id,
                     waits_for_account_id, created_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7)
                 ON CONFLICT (a_agent_id, b_agent_id) WHERE revoked_at IS NULL
                 DO UPDATE SET created_at = channels.created_at
                 RETURNING ",
                columns!()
            ),
            params![
                &new.id.to_string(),
                &new.a.agent.to_string(),
                &new.a.account.to_string(),
                &new.b.agent.to_string(),
                &new.b.account.to_string(),
                new.waits_for.map(|it| it.to_string()).as_ref(),
                new.created_at.as_millis(),
            ],
            channel,
        )
        .await
    }

    /// Writes down whom a channel waits for, and since when it is over.
    pub async fn update_channel(&mut self, channel: &Channel) -> Result<()> {
        self.execute(
            "UPDATE channels SET revoked_at = $1, waits_for_account_id = $2 WHERE id = $3",
            params![
                channel.revoked_at.map(Timestamp::as_millis),
                channel.waits_for.map(|it| it.to_string()).as_ref(),
                &channel.id.to_string()
            ],
        )
        .await?;
        Ok(())
    }

    /// Ends every channel between agents of two accounts.
    pub async fn revoke_channels_between_accounts(
        &mut self,
        one: AccountId,
        other: AccountId,
        now: Timestamp,
    ) -> Result<u64> {
        self.execute(
            "UPDATE channels SET revoked_at = $3
             WHERE ((a_account_id = $1 AND b_account_id = $2)
                    OR (a_account_id = $2 AND b_account_id = $1)) AND revoked_at IS NULL",
            params![&one.to_string(), &other.to_string(), now.as_millis()],
        )
        .await
    }

    /// Ends the channel between two agents.
    pub async fn revoke_channels_between_agents(
        &mut self,
        one: AgentId,
        other: AgentId,
        now: Timestamp,
    ) -> Result<u64> {
        let (a, b) = (one.min(other), one.max(other));
        self.execute(
            "UPDATE channels SET revoked_at = $3
             WHERE a_agent_id = $1 AND b_agent_id = $2 AND revoked_at IS NULL",
            params![&a.to_string(), &b.to_string(), now.as_millis()],
        )
        .await
    }

    /// Ends every channel of an agent.
    pub async fn revoke_channels_of_agent(
        &mut self,
        agent: AgentId,
        now: Timestamp,
    ) -> Result<u64> {
        self.execute(
            "UPDATE channels SET revoked_at = $1
             WHERE (a_agent_id = $2 OR b_agent_id = $2) AND revoked_at IS NULL",
            params![now.as_millis(), &agent.to_string()],
        )
        .await
    }
}

fn channel(row: &Row<'_>) -> Result<Channel> {
    Ok(Channel {
        id: row.parse("id")?,
        a: Party {
            agent: row.parse("a_agent_id")?,
            account: row.parse("a_account_id")?,
        },
        b: Party {
            agent: row.parse("b_agent_id")?,
            account: row.parse("b_account_id")?,
        },
        waits_for: row.parse_optional("waits_for_account_id")?,
        created_at: row.time("created_at")?,
        revoked_at: row.time_optional("revoked_at")?,
    })
}
