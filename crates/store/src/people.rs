//! Who was written to that nobody knows.

use agentdrop_domain::people::Standing;
use agentdrop_protocol::{AccountId, Timestamp, TransferId};

use crate::db::params;
use crate::{Reader, Result, Tx};

impl Reader {
    /// When `owner` sent to addresses that nobody was registered with, since `since`, newest first.
    pub async fn strangers_of(
        &mut self,
        owner: AccountId,
        since: Timestamp,
    ) -> Result<Vec<Timestamp>> {
        self.fetch_all(
            "SELECT sent_at FROM strangers WHERE account_id = $1 AND sent_at > $2
             ORDER BY sent_at DESC",
            params![&owner.to_string(), since.as_millis()],
            |row| row.time("sent_at"),
        )
        .await
    }
}

impl Tx {
    /// Writes down that `owner` sent a transfer to an address, if that is one that nobody is
    /// registered with.
    ///
    /// In one statement that is run for all: whether somebody is registered, the time that it takes
    /// does not tell. The account is to be held: else of two who count, each would not count the
    /// other.
    pub async fn insert_stranger(
        &mut self,
        owner: AccountId,
        transfer: TransferId,
        standing: Standing,
        now: Timestamp,
    ) -> Result<()> {
        self.execute(
            "INSERT INTO strangers (transfer_id, account_id, sent_at)
             SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($3 AS BIGINT)
             WHERE CAST($4 AS BIGINT) = 1",
            params![
                &transfer.to_string(),
                &owner.to_string(),
                now.as_millis(),
                i64::from(standing == Standing::Stranger)
            ],
        )
        .await?;
        Ok(())
    }

    /// Forgets those that no longer count.
    pub async fn delete_strangers_before(&mut self, time: Timestamp) -> Result<u64> {
        self.execute(
            "DELETE FROM strangers WHERE sent_at <= $1",
            params![time.as_millis()],
        )
        .await
    }
}
