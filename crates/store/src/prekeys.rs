//! One-time prekeys at rest.

use agentdrop_domain::bundles::Prekey;
use agentdrop_protocol::{AgentId, SignedStatement, Timestamp};

use crate::bundles::signed;
use crate::db::{dialect, params};
use crate::{Reader, Result, Tx};

impl Reader {
    /// How many prekeys of an agent nobody was given, and are not over by `now`.
    pub async fn prekeys_left(&mut self, agent: AgentId, now: Timestamp) -> Result<u32> {
        self.fetch_one(
            "SELECT COUNT(*) AS n FROM prekeys
             WHERE agent_id = $1 AND signed IS NOT NULL AND not_after > $2",
            params![&agent.to_string(), now.as_millis()],
            |row| row.number("n"),
        )
        .await
    }
}

impl Tx {
    /// Adds a prekey to those of an agent, which is held, unless it was there before, and be it that
    /// somebody was given it; answers whether it is new.
    pub async fn insert_prekey(
        &mut self,
        agent: AgentId,
        new: &Prekey,
        now: Timestamp,
    ) -> Result<bool> {
        let inserted = self
            .execute(
                "INSERT INTO prekeys (agent_id, key_id, added_at, not_after, signed)
                 VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (agent_id, key_id) DO NOTHING",
                params![
                    &agent.to_string(),
                    &new.id,
                    now.as_millis(),
                    new.not_after.as_millis(),
                    new.signed.as_bytes(),
                ],
            )
            .await?;
        Ok(inserted == 1)
    }

    /// Takes the oldest prekey of an agent that is not over by `until`, for one sender alone.
    ///
    /// Those that others are taking just now are passed over: nobody waits, and nobody gets one
    /// that another has. Keep the agent first, so that it has the same identity key to the end.
    pub async fn take_prekey(
        &mut self,
        agent: AgentId,
        until: Timestamp,
    ) -> Result<Option<SignedStatement>> {
        macro_rules! next {
            ($lock:literal) => {
                concat!(
                    "SELECT key_id, signed FROM prekeys
                     WHERE agent_id = $1 AND signed IS NOT NULL AND not_after > $2
                     ORDER BY added_at, key_id LIMIT 1",
                    $lock
                )
            };
        }
        let agent = agent.to_string();
        let sql = dialect!(self, sqlite: next!(""), postgres: next!(" FOR UPDATE SKIP LOCKED"));
        let next = self
            .fetch_optional(sql, params![&agent, until.as_millis()], |row| {
                Ok((row.get::<Vec<u8>>("key_id")?, signed(row.get("signed")?)?))
            })
            .await?;
        let Some((id, prekey)) = next else {
            return Ok(None);
        };
        self.execute(
            "UPDATE prekeys SET signed = NULL WHERE agent_id = $1 AND key_id = $2",
            params![&agent, &id],
        )
        .await?;
        Ok(Some(prekey))
    }

    /// Drops the prekeys of an agent that nobody was given.
    pub(crate) async fn drop_prekeys(&mut self, agent: AgentId) -> Result<()> {
        self.execute(
            "DELETE FROM prekeys WHERE agent_id = $1 AND signed IS NOT NULL",
            params![&agent.to_string()],
        )
        .await?;
        Ok(())
    }

    /// Drops the prekeys of all agents that nobody was given: in a copy of some time ago, of which
    /// nothing says which of them were given to somebody since.
    ///
    /// They count as given: an agent that does not know whether they came adds the same again.
    pub async fn drop_all_prekeys(&mut self) -> Result<u64> {
        self.execute(
            "UPDATE prekeys SET signed = NULL WHERE signed IS NOT NULL",
            params![],
        )
        .await
    }

    /// Forgets the prekeys that are over, but for those that somebody is at just now, so that
    /// nobody waits for one who holds another.
    pub async fn delete_prekeys_until(&mut self, now: Timestamp) -> Result<u64> {
        let sql = dialect!(
            self,
            sqlite: "DELETE FROM prekeys WHERE not_after <= $1",
            postgres: "DELETE FROM prekeys WHERE (agent_id, key_id) IN
                       (SELECT agent_id, key_id FROM prekeys WHERE not_after <= $1
                        FOR UPDATE SKIP LOCKED)",
        );
        self.execute(sql, params![now.as_millis()]).await
    }
}
