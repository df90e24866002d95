//! Transfers whose bytes are there, for who looks after the disk.

use agentdrop_domain::transfers::Transfer;
use agentdrop_protocol::TransferId;

use super::{columns, transfer};
use crate::db::params;
use crate::{Reader, Result};

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
}
