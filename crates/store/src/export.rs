//! All that is an account's, in pages that are read one after the other.
//!
//! Oldest first and from where the last page ended, so that what comes in meanwhile is neither
//! passed over nor told twice.

use agentdrop_domain::connections::Connection;
use agentdrop_domain::pairings::Pairing;
use agentdrop_domain::transfers::Transfer;
use agentdrop_protocol::{AccountId, ConnectionId, PairingId, TransferId};

use crate::connections::{columns as connection_columns, connection};
use crate::db::params;
use crate::pairings::{columns as pairing_columns, pairing};
use crate::transfers::{columns as transfer_columns, is_received, transfer};
use crate::{Reader, Result};

/// Reads a page of what is in `$table` and of whom `$of` says, oldest first.
macro_rules! page {
    ($on:expr, $columns:expr, $table:literal, $of:expr, $owner:expr, $after:expr, $limit:expr, $read:expr) => {
        $on.fetch_all(
            concat!(
                "SELECT ",
                $columns,
                " FROM ",
                $table,
                " WHERE (",
                $of,
                ") AND (",
                $table,
                ".id > $2 OR $2 IS NULL) ORDER BY ",
                $table,
                ".id LIMIT $3"
            ),
            params![
                &$owner.to_string(),
                $after.map(|it| it.to_string()).as_ref(),
                $limit
            ],
            $read,
        )
        .await
    };
}

impl Reader {
    /// The connections of `owner` behind `after`, those that are over among them.
    pub async fn connections_to_export(
        &mut self,
        owner: AccountId,
        after: Option<ConnectionId>,
        limit: u32,
    ) -> Result<Vec<Connection>> {
        page!(
            self,
            connection_columns!(),
            "connections",
            "inviter_account_id = $1 OR invitee_account_id = $1",
            owner,
            after,
            limit,
            connection
        )
    }

    /// The pairings of `owner`'s agents behind `after`, those that are over among them.
    pub async fn pairings_to_export(
        &mut self,
        owner: AccountId,
        after: Option<PairingId>,
        limit: u32,
    ) -> Result<Vec<Pairing>> {
        page!(
            self,
            pairing_columns!(),
            "pairings",
            "a_account_id = $1 OR b_account_id = $1",
            owner,
            after,
            limit,
            pairing
        )
    }

    /// What `owner` sent, behind `after`.
    pub async fn sent_transfers_to_export(
        &mut self,
        owner: AccountId,
        after: Option<TransferId>,
        limit: u32,
    ) -> Result<Vec<Transfer>> {
        page!(
            self,
            transfer_columns!(),
            "transfers",
            "sender_account_id = $1",
            owner,
            after,
            limit,
            transfer
        )
    }

    /// What `owner` was sent, behind `after`.
    pub async fn received_transfers_to_export(
        &mut self,
        owner: AccountId,
        after: Option<TransferId>,
        limit: u32,
    ) -> Result<Vec<Transfer>> {
        page!(
            self,
            transfer_columns!(),
            "transfers",
            is_received!(),
            owner,
            after,
            limit,
            transfer
        )
    }
}
