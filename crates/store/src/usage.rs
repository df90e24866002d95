//! What accounts use of their plans.

use agentdrop_domain::usage::Cycle;
use agentdrop_protocol::{AccountId, Timestamp};

use crate::db::params;
use crate::{Reader, Result, Tx};

impl Reader {
    /// How many transfers `owner` has created in a month, whatever became of them.
    pub async fn transfers_counted_of(&mut self, owner: AccountId, cycle: Cycle) -> Result<u64> {
        let counted = self
            .fetch_optional(
                "SELECT transfers FROM usage WHERE account_id = $1 AND cycle_start = $2",
                params![&owner.to_string(), cycle.starts_at.as_millis()],
                |row| row.number("transfers"),
            )
            .await?;
        Ok(counted.unwrap_or_default())
    }

    /// How many bytes there are in what `owner` sent and can still be fetched.
    ///
    /// Summed up and not kept as a number, so that it is right after everything that ends a
    /// transfer, and after a crash. What waits for the sweep is no longer its owner's to delete,
    /// and so does not count.
    pub async fn stored_bytes_of(&mut self, owner: AccountId, now: Timestamp) -> Result<u64> {
        self.fetch_one(
            "SELECT CAST(COALESCE(SUM(total_size), 0) AS BIGINT) AS bytes FROM transfers
             WHERE sender_account_id = $1 AND bytes_until > $2",
            params![&owner.to_string(), now.as_millis()],
            |row| row.number("bytes"),
        )
        .await
    }
}

impl Tx {
    /// Counts a transfer of `owner` in a month.
    ///
    /// The account is to be held first where the count is then decided on.
    pub async fn count_transfer_of(&mut self, owner: AccountId, cycle: Cycle) -> Result<()> {
        self.execute(
            "INSERT INTO usage (account_id, cycle_start, transfers) VALUES ($1, $2, 1)
             ON CONFLICT (account_id, cycle_start)
             DO UPDATE SET transfers = usage.transfers + 1",
            params![&owner.to_string(), cycle.starts_at.as_millis()],
        )
        .await?;
        Ok(())
    }
}
