//! Channels at rest.

use agentdrop_domain::channels::{Channel, Party};
use agentdrop_protocol::{AccountId, AgentId, ChannelId, Timestamp};

use crate::db::{Row, holding, params};
use crate::{Reader, Result, Tx};

macro_rules! columns {
    () => {
        "id, a_agent_id, a_account_id, b_agent_id, b_account_id, created_at, revoked_at"
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
                     created_at)
                 VALUES ($1, $2, $3, $4, $5, $6)
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
                new.created_at.as_millis(),
            ],
            channel,
        )
        .await
    }

    /// Writes down since when a channel is over.
    pub async fn update_channel(&mut self, channel: &Channel) -> Result<()> {
        self.execute(
            "UPDATE channels SET revoked_at = $1 WHERE id = $2",
            params![
                channel.revoked_at.map(Timestamp::as_millis),
                &channel.id.to_string()
            ],
        )
        .await?;
        Ok(())
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
        created_at: row.time("created_at")?,
        revoked_at: row.time_optional("revoked_at")?,
    })
}
