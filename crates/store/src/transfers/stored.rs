//! Transfers whose bytes are there, for who looks after the disk.

use agentdrop_domain::transfers::{File, Transfer};
use agentdrop_protocol::{Timestamp, TransferId};

use super::{columns, transfer};
use crate::db::{dialect, params};
use crate::{Reader, Result, Tx};

impl Reader {
    /// Transfers behind `after` whose bytes are not deleted yet, whoever's they are.
    ///
    /// For the operator alone, who asks for nobody.
    pub async fn transfers_with_bytes(
        &mut self,
        after: Option<TransferId>,
        limit: u32,
    ) -> Result<Vec<Transfer>> {
        self.fetch_all(
            concat!(
                "SELECT ",
                columns!(),
                " FROM transfers
                 WHERE bytes_until IS NOT NULL AND (id > $1 OR $1 IS NULL)
                 ORDER BY id LIMIT $2"
            ),
            params![after.map(|it| it.to_string()).as_ref(), limit],
            transfer,
        )
        .await
    }

    /// Whether a blob of the transfer `id` has bytes that are still needed.
    ///
    /// For the sweep alone, which asks for nobody.
    pub async fn needs_blob(&mut self, id: TransferId, blob: u32) -> Result<bool> {
        let files = self.files_with_bytes(id).await?;
        Ok(File::blobs(&files).any(|it| it == blob))
    }

    /// The files of the transfer `id`, if their bytes are still needed.
    pub(super) async fn files_with_bytes(&mut self, id: TransferId) -> Result<Vec<File>> {
        let found = self
            .fetch_optional(
                "SELECT files FROM transfers WHERE id = $1 AND bytes_until IS NOT NULL",
                params![&id.to_string()],
                |row| row.json::<Vec<File>>("files"),
            )
            .await?;
        Ok(found.unwrap_or_default())
    }
}

impl Tx {
    /// Up to `limit` transfers whose bytes are no longer needed, held until this unit ends.
    ///
    /// SQLite has one writer and needs no lock; PostgreSQL steps over rows that another node holds.
    pub async fn hold_transfers_to_sweep(
        &mut self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Transfer>> {
        let sql = dialect!(
            self,
            sqlite: concat!(
                "SELECT ",
                columns!(),
                " FROM transfers WHERE bytes_until <= $1 ORDER BY bytes_until LIMIT $2"
            ),
            postgres: concat!(
                "SELECT ",
                columns!(),
                " FROM transfers WHERE bytes_until <= $1 ORDER BY bytes_until LIMIT $2
                 FOR UPDATE SKIP LOCKED"
            ),
        );
        self.fetch_all(sql, params![now.as_millis(), limit], transfer)
            .await
    }
}
