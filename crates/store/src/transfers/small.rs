//! The bytes of files that are so small that they are kept beside their transfer's row: what is
//! written with the row is on the disk when the row is.

use agentdrop_protocol::TransferId;

use crate::db::params;
use crate::{Reader, Result, Tx};

impl Reader {
    /// The stored bytes of the file of a transfer whose blob would have this number, if they are here.
    ///
    /// Whose the file is, who asks has found out before.
    pub async fn small_body(
        &mut self,
        transfer: TransferId,
        number: u32,
    ) -> Result<Option<Vec<u8>>> {
        self.fetch_optional(
            "SELECT bytes FROM small_bodies WHERE transfer_id = $1 AND number = $2",
            params![&transfer.to_string(), number],
            |row| row.get("bytes"),
        )
        .await
    }

    /// Whether the stored bytes of a file of the transfer `id` are needed here, under this number.
    ///
    /// For the operator alone, who asks for nobody.
    pub async fn needs_small_body(&mut self, id: TransferId, number: u32) -> Result<bool> {
        let files = self.files_with_bytes(id).await?;
        let mut places = (0..).zip(&files);
        Ok(places.any(|(place, it)| it.in_database && it.blob_at(place) == number))
    }
}

impl Tx {
    /// Writes the stored bytes of small files down, each with its number. The transfer is there.
    pub async fn insert_small_bodies(
        &mut self,
        transfer: TransferId,
        bodies: &[(u32, Vec<u8>)],
    ) -> Result<()> {
        let id = transfer.to_string();
        for (number, bytes) in bodies {
            self.execute(
                "INSERT INTO small_bodies (transfer_id, number, bytes) VALUES ($1, $2, $3)",
                params![&id, *number, bytes],
            )
            .await?;
        }
        Ok(())
    }

    /// Forgets the stored bytes of the small files of a transfer, which are no longer needed.
    pub async fn delete_small_bodies(&mut self, transfer: TransferId) -> Result<()> {
        self.execute(
            "DELETE FROM small_bodies WHERE transfer_id = $1",
            params![&transfer.to_string()],
        )
        .await?;
        Ok(())
    }
}
