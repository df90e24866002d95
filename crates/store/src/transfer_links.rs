//! Mailed links to transfers at rest.

use agentdrop_domain::transfers::Transfer;
use agentdrop_protocol::{Timestamp, TransferId};

use crate::db::{holding, params};
use crate::transfers::{columns, transfer};
use crate::{Reader, Result, Tx};

/// Selects the transfer that the link with the digest `$1` leads to.
macro_rules! linked {
    () => {
        concat!(
            "SELECT ",
            columns!(),
            " FROM transfers
             WHERE id = (SELECT transfer_id FROM transfer_links WHERE digest = $1)"
        )
    };
}

impl Reader {
    /// The transfer that the link with this digest leads to.
    pub async fn linked_transfer(&mut self, digest: &[u8; 32]) -> Result<Option<Transfer>> {
        self.fetch_optional(linked!(), params![&digest[..]], transfer)
            .await
    }
}

impl Tx {
    /// The same, held until this unit of work ends.
    pub async fn hold_linked_transfer(&mut self, digest: &[u8; 32]) -> Result<Option<Transfer>> {
        let sql = holding!(self, linked!());
        self.fetch_optional(sql, params![&digest[..]], transfer)
            .await
    }

    /// Writes down a link that is about to be mailed.
    pub async fn insert_transfer_link(
        &mut self,
        digest: &[u8; 32],
        transfer: TransferId,
        now: Timestamp,
    ) -> Result<()> {
        self.execute(
            "INSERT INTO transfer_links (digest, transfer_id, created_at) VALUES ($1, $2, $3)",
            params![&digest[..], &transfer.to_string(), now.as_millis()],
        )
        .await?;
        Ok(())
    }

    /// Forgets the links to a transfer.
    pub async fn delete_transfer_links_of(&mut self, transfer: TransferId) -> Result<u64> {
        self.execute(
            "DELETE FROM transfer_links WHERE transfer_id = $1",
            params![&transfer.to_string()],
        )
        .await
    }
}
