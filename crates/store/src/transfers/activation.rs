//! Who activates what waits for people, and when it is tried again.

use agentdrop_domain::transfers::Transfer;
use agentdrop_protocol::{Timestamp, TransferId};

use super::{columns, transfer};
use crate::db::params;
use crate::{Reader, Result, Tx};

impl Reader {
    /// Transfers behind `after` that wait for somebody who has a receive password, and whose
    /// address is known to be theirs; not those that somebody activates, or that are to be tried
    /// later.
    ///
    /// For what activates them alone, which asks for nobody.
    pub async fn transfers_to_activate(
        &mut self,
        now: Timestamp,
        after: Option<TransferId>,
        limit: u32,
    ) -> Result<Vec<Transfer>> {
        self.fetch_all(
            concat!(
                "SELECT ",
                columns!(),
                " FROM transfers
                 WHERE status = 'pending_recipient' AND expires_at > $1
                   AND (id > $2 OR $2 IS NULL)
                   AND (activation_due_at <= $1 OR activation_due_at IS NULL)
                   AND EXISTS (SELECT 1 FROM accounts
                               JOIN receive_passwords ON account_id = accounts.id
                               WHERE accounts.email_folded = transfers.recipient_email_folded
                                 AND accounts.email_verified_at IS NOT NULL)
                 ORDER BY id LIMIT $3"
            ),
            params![
                now.as_millis(),
                after.map(|it| it.to_string()).as_ref(),
                limit
            ],
            transfer,
        )
        .await
    }
}

impl Tx {
    /// Makes the caller the one who activates a transfer that waits, until `until`: whoever has not
    /// said by then that they still do has failed. Answers the number of the try, which no other
    /// has, or nothing if it is somebody else's or waits no more.
    pub async fn claim_activation(
        &mut self,
        id: TransferId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<u32>> {
        self.fetch_optional(
            "UPDATE transfers
             SET activation_tries = activation_tries + 1, activation_due_at = $3
             WHERE id = $1 AND status = 'pending_recipient'
               AND (activation_due_at <= $2 OR activation_due_at IS NULL)
             RETURNING activation_tries",
            params![&id.to_string(), now.as_millis(), until.as_millis()],
            |row| row.number("activation_tries"),
        )
        .await
    }

    /// Moves the time from which on another may try, if this try is still the last; answers how many
    /// there were to change, one or none.
    pub async fn put_activation_off(
        &mut self,
        id: TransferId,
        attempt: u32,
        until: Timestamp,
    ) -> Result<u64> {
        self.execute(
            "UPDATE transfers SET activation_due_at = $3 WHERE id = $1 AND activation_tries = $2",
            params![&id.to_string(), attempt, until.as_millis()],
        )
        .await
    }

    /// Lets whatever waits be tried at once; for who knows that nobody is at it.
    pub async fn forget_activation_claims(&mut self) -> Result<u64> {
        self.execute(
            "UPDATE transfers SET activation_due_at = NULL
             WHERE status = 'pending_recipient' AND activation_due_at IS NOT NULL",
            params![],
        )
        .await
    }
}
