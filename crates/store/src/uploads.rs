//! The parts of files that came by signed addresses.

use agentdrop_domain::uploads::Part;
use agentdrop_domain::usage::Cycle;
use agentdrop_protocol::{AccountId, FileId, PartTag, TransferId};

use crate::columns::count;
use crate::db::{Row, holding, params};
use crate::transfers::columns;
use crate::{Reader, Result, Tx};
use agentdrop_domain::transfers::Transfer;

impl Reader {
    /// The transfer `id`, for whoever has an address that is signed for it.
    pub async fn announced_transfer(&mut self, id: TransferId) -> Result<Option<Transfer>> {
        self.fetch_optional(
            concat!("SELECT ", columns!(), " FROM transfers WHERE id = $1"),
            params![&id.to_string()],
            crate::transfers::transfer,
        )
        .await
    }

    /// The parts of a file that have come, in their order, from the one numbered `first` to `last`.
    ///
    /// Whose the file is, who asks has found out before.
    pub async fn parts(
        &mut self,
        transfer: TransferId,
        file: FileId,
        first: u32,
        last: u32,
    ) -> Result<Vec<Part>> {
        self.fetch_all(
            "SELECT number, tag, bytes FROM parts
             WHERE transfer_id = $1 AND file_id = $2 AND number >= $3 AND number <= $4
             ORDER BY number",
            params![&transfer.to_string(), &file.to_string(), first, last],
            part,
        )
        .await
    }

    /// The files of a transfer of which the first part, or the whole, has come.
    pub async fn begun_files(&mut self, transfer: TransferId) -> Result<Vec<FileId>> {
        self.fetch_all(
            "SELECT file_id FROM parts WHERE transfer_id = $1 AND number = 1",
            params![&transfer.to_string()],
            |row| row.parse("file_id"),
        )
        .await
    }

    /// Whether the bytes of this try to upload a part are still needed.
    ///
    /// For the sweep alone, which asks for nobody.
    pub async fn needs_part(&mut self, transfer: TransferId, tag: PartTag) -> Result<bool> {
        let found = self
            .fetch_optional(
                "SELECT number FROM parts
                 WHERE transfer_id = $1 AND tag = $2
                   AND EXISTS (SELECT 1 FROM transfers
                               WHERE transfers.id = $1 AND bytes_until IS NOT NULL)",
                params![&transfer.to_string(), &tag.to_string()],
                |row| row.number::<u32>("number"),
            )
            .await?;
        Ok(found.is_some())
    }
}

impl Tx {
    /// The same transfer, held until this unit of work ends.
    pub async fn hold_announced_transfer(&mut self, id: TransferId) -> Result<Option<Transfer>> {
        let sql = holding!(
            self,
            concat!("SELECT ", columns!(), " FROM transfers WHERE id = $1")
        );
        self.fetch_optional(sql, params![&id.to_string()], crate::transfers::transfer)
            .await
    }

    /// Writes down that a part has come, in place of what came for it before; answers the tag of
    /// that, whose bytes are no longer needed. The transfer is held.
    pub async fn put_part(
        &mut self,
        transfer: TransferId,
        file: FileId,
        part: &Part,
    ) -> Result<Option<PartTag>> {
        let (transfer, file) = (transfer.to_string(), file.to_string());
        let old = self
            .fetch_optional(
                "SELECT tag FROM parts WHERE transfer_id = $1 AND file_id = $2 AND number = $3",
                params![&transfer, &file, part.number],
                |row| row.parse("tag"),
            )
            .await?;
        self.execute(
            "INSERT INTO parts (transfer_id, file_id, number, tag, bytes)
             VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (transfer_id, file_id, number)
             DO UPDATE SET tag = excluded.tag, bytes = excluded.bytes",
            params![
                &transfer,
                &file,
                part.number,
                &part.tag.to_string(),
                count(part.bytes),
            ],
        )
        .await?;
        Ok(old)
    }

    /// Forgets the parts of a transfer, whose bytes are no longer needed.
    pub async fn delete_parts(&mut self, transfer: TransferId) -> Result<()> {
        self.execute(
            "DELETE FROM parts WHERE transfer_id = $1",
            params![&transfer.to_string()],
        )
        .await?;
        Ok(())
    }

    /// Takes a transfer of `owner` out of the count of a month, for it never came about.
    pub async fn uncount_transfer_of(&mut self, owner: AccountId, cycle: Cycle) -> Result<()> {
        self.execute(
            "UPDATE usage SET transfers = transfers - 1
             WHERE account_id = $1 AND cycle_start = $2 AND transfers > 0",
            params![&owner.to_string(), cycle.starts_at.as_millis()],
        )
        .await?;
        Ok(())
    }
}

fn part(row: &Row<'_>) -> Result<Part> {
    Ok(Part {
        number: row.number("number")?,
        tag: row.parse("tag")?,
        bytes: row.number("bytes")?,
    })
}
