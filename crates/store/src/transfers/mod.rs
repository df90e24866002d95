//! Transfers at rest.

mod activation;
mod inbox;
mod list;
mod live;
mod row;
mod small;
mod stored;
mod write;

pub use list::{Page, TransferFilter};
pub(crate) use row::{columns, transfer};

use agentdrop_domain::transfers::Transfer;
use agentdrop_protocol::{AccountId, TransferId};

use crate::db::{holding, params};
use crate::{Reader, Result, Tx};

/// That a transfer is for `$1`: for its agent, or for the address that it has.
///
/// The address is looked up each time, so that what waits for it is there from the moment on that
/// it counts as known whose it is, and for nobody else before.
macro_rules! is_for {
    () => {
        "(recipient_account_id = $1
          OR recipient_email_folded = (SELECT accounts.email_folded FROM accounts
                                       WHERE accounts.id = $1
                                         AND accounts.email_verified_at IS NOT NULL))"
    };
}
pub(crate) use is_for;

/// That `$1` receives a transfer: it is for them, and its files are all there.
macro_rules! is_received {
    () => {
        concat!("(NOT announced AND ", crate::transfers::is_for!(), ")")
    };
}
pub(crate) use is_received;

/// That `$1` sent a transfer, or receives it.
macro_rules! is_of {
    () => {
        concat!(
            "(sender_account_id = $1 OR ",
            crate::transfers::is_received!(),
            ")"
        )
    };
}
pub(crate) use is_of;

impl Reader {
    /// The transfer `id`, if `owner` sent it or receives it.
    pub async fn transfer_of(
        &mut self,
        owner: AccountId,
        id: TransferId,
    ) -> Result<Option<Transfer>> {
        self.fetch_optional(
            concat!(
                "SELECT ",
                columns!(),
                " FROM transfers WHERE ",
                is_of!(),
                " AND id = $2"
            ),
            params![&owner.to_string(), &id.to_string()],
            transfer,
        )
        .await
    }

    /// Whether there is a transfer `id`, whoever's it is.
    ///
    /// For what gives ids away alone, which asks for nobody.
    pub async fn is_transfer(&mut self, id: TransferId) -> Result<bool> {
        let found = self
            .fetch_optional(
                "SELECT id FROM transfers WHERE id = $1",
                params![&id.to_string()],
                |row| row.get::<String>("id"),
            )
            .await?;
        Ok(found.is_some())
    }
}

impl Tx {
    /// The transfer `id`, if `owner` sent it or receives it, held until this unit of work ends.
    pub async fn hold_transfer_of(
        &mut self,
        owner: AccountId,
        id: TransferId,
    ) -> Result<Option<Transfer>> {
        let sql = holding!(
            self,
            concat!(
                "SELECT ",
                columns!(),
                " FROM transfers WHERE ",
                is_of!(),
                " AND id = $2"
            )
        );
        self.fetch_optional(sql, params![&owner.to_string(), &id.to_string()], transfer)
            .await
    }
}
