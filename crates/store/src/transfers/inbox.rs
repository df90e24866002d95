//! What waits for one agent, which agents ask for again and again.
//!
//! The lists of all transfers would pass over whatever the agent ever received, one by one. Here an
//! index has what waits and nothing else.

use agentdrop_domain::transfers::Transfer;
use agentdrop_protocol::text::Label;
use agentdrop_protocol::wire::transfers::{TransferMode, TransferStatus};
use agentdrop_protocol::{AccountId, Timestamp};

use super::list::{Page, TransferFilter, run_list};
use super::{columns, transfer};
use crate::db::params;
use crate::{Reader, Result};

/// As `list!`, for a status that is `active` and an agent that is named. The status is a literal, or
/// SQLite would not see that `transfers_by_inbox` has all of these.
macro_rules! waiting {
    ($what:expr, $then:literal) => {
        concat!(
            "SELECT ",
            $what,
            " FROM transfers
              WHERE recipient_account_id = $1 AND recipient_agent_id = $2 AND NOT announced
                AND status = 'active' AND status = $4 AND expires_at > $3
                AND (mode = $5 OR $5 IS NULL)
                AND (sender_label = $6 OR $6 IS NULL)
                AND (recipient_label = $7 OR $7 IS NULL)
                AND (created_at >= $8 OR $8 IS NULL) ",
            $then
        )
    };
}

/// Whether what is asked for is what waits for one agent.
pub(super) fn is_inbox(filter: &TransferFilter) -> bool {
    filter.agent.is_some() && filter.status == Some(TransferStatus::Active)
}

impl Reader {
    /// A page of what waits for an agent of `owner`, newest first.
    pub(super) async fn waiting_transfers_of(
        &mut self,
        owner: AccountId,
        filter: &TransferFilter,
        page: Page,
    ) -> Result<Vec<Transfer>> {
        let sql = waiting!(
            columns!(),
            "AND (id < $9 OR $9 IS NULL) ORDER BY id DESC LIMIT $10 OFFSET $11"
        );
        run_list!(self, fetch_all, sql, owner, filter, transfer, page).await
    }

    /// How many wait for an agent of `owner`.
    pub(super) async fn waiting_transfer_count_of(
        &mut self,
        owner: AccountId,
        filter: &TransferFilter,
    ) -> Result<u64> {
        let sql = waiting!("COUNT(*) AS n", "");
        run_list!(self, fetch_one, sql, owner, filter, |row| row.number("n")).await
    }
}
