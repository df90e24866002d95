//! What happens, as whoever listens to an account reads it: its audit log, forwards.

use agentdrop_domain::audit::Entry;
use agentdrop_protocol::{AccountId, Timestamp};

use crate::audit::{columns, entry};
use crate::columns::count;
use crate::db::{dialect, params};
use crate::{Error, Reader, Result};

impl Reader {
    /// The number of the last entry behind `after` in the log of `owner` that is older than
    /// `time`; `after`, if there is none.
    pub async fn last_audit_before(
        &mut self,
        owner: AccountId,
        after: u64,
        time: Timestamp,
    ) -> Result<u64> {
        let found = self
            .fetch_optional(
                "SELECT seq FROM audit_entries
                 WHERE account_id = $1 AND seq > $2 AND at < $3 ORDER BY seq DESC LIMIT 1",
                params![&owner.to_string(), count(after), time.as_millis()],
                |row| row.number("seq"),
            )
            .await?;
        Ok(found.unwrap_or(after))
    }

    /// Up to `limit` entries of `owner` behind the number `after`, oldest first.
    pub async fn audit_entries_behind(
        &mut self,
        owner: AccountId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Entry>> {
        self.fetch_all(
            concat!(
                "SELECT ",
                columns!(),
                " FROM audit_entries WHERE account_id = $1 AND seq > $2 ORDER BY seq LIMIT $3"
            ),
            params![&owner.to_string(), count(after), limit],
            entry,
        )
        .await
    }

    /// The numbers that the logs of these accounts end with; nothing for one that is not there.
    ///
    /// For whoever tells those who listen, and asks for nobody.
    pub async fn audit_seqs(&mut self, accounts: &[AccountId]) -> Result<Vec<(AccountId, u64)>> {
        let ids: Vec<_> = accounts.iter().map(ToString::to_string).collect();
        let ids = serde_json::to_string(&ids).map_err(Error::engine)?;
        let sql = dialect!(
            self,
            sqlite: "SELECT account_id, seq FROM audit_heads
                     WHERE account_id IN (SELECT value FROM json_each($1))",
            postgres: "SELECT account_id, seq FROM audit_heads
                       WHERE account_id IN (SELECT json_array_elements_text(CAST($1 AS TEXT)::json))",
        );
        self.fetch_all(sql, params![&ids], |row| {
            Ok((row.parse("account_id")?, row.number("seq")?))
        })
        .await
    }
}
