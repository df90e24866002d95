//! Lists of what an account sent, and of what it was sent.

use agentdrop_domain::transfers::Transfer;
use agentdrop_protocol::text::Label;
use agentdrop_protocol::wire::transfers::{TransferMode, TransferStatus};
use agentdrop_protocol::{AccountId, AgentId, Timestamp, TransferId};

use super::{columns, inbox, is_received, transfer};
use crate::db::params;
use crate::{Reader, Result};

/// Which transfers a list has; nothing said is nothing left out.
#[derive(Clone, Debug)]
pub struct TransferFilter {
    /// Only those of this agent: sent by it, or received by it, as the list goes.
    pub agent: Option<AgentId>,
    /// Only those that stand here at `now`.
    pub status: Option<TransferStatus>,
    /// Only those of this mode.
    pub mode: Option<TransferMode>,
    /// Only those of a sender who calls itself so.
    pub sender: Option<Label>,
    /// Only those to a recipient that was called so.
    pub recipient: Option<Label>,
    /// Only those created at this time or later.
    pub since: Option<Timestamp>,
    /// The time at which it is asked.
    pub now: Timestamp,
}

/// Which part of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// At most so many.
    pub limit: u32,
    /// After passing over so many.
    pub offset: u32,
    /// Only those behind this one, as the list goes; it stays where it is while others come.
    pub behind: Option<TransferId>,
}

/// Writes a list of transfers twice, to have it and to count it; `$whose` is that it is its owner's
/// and `$agent` the column of its agent. A transfer past its time has expired, whether swept or not.
macro_rules! list {
    ($what:expr, $whose:expr, $agent:literal, $then:literal) => {
        concat!(
            "SELECT ",
            $what,
            " FROM transfers WHERE ",
            $whose,
            " AND (",
            $agent,
            " = $2 OR $2 IS NULL)
              AND ((CASE WHEN status IN ('pending', 'active', 'pending_recipient')
                              AND expires_at <= $3
                         THEN 'expired' ELSE status END) = $4 OR $4 IS NULL)
              AND (mode = $5 OR $5 IS NULL)
              AND (sender_label = $6 OR $6 IS NULL)
              AND (recipient_label = $7 OR $7 IS NULL)
              AND (created_at >= $8 OR $8 IS NULL) ",
            $then
        )
    };
}

/// One page of such a list, newest first.
macro_rules! page {
    ($whose:expr, $agent:literal) => {
        list!(
            columns!(),
            $whose,
            $agent,
            "AND (id < $9 OR $9 IS NULL) ORDER BY id DESC LIMIT $10 OFFSET $11"
        )
    };
}

/// Runs one of the statements of [`list!`] or [`page!`].
macro_rules! run_list {
    ($on:expr, $method:ident, $sql:expr, $owner:expr, $filter:expr, $read:expr $(, $page:expr)?) => {
        $on.$method(
            $sql,
            params![
                &$owner.to_string(),
                $filter.agent.map(|it| it.to_string()).as_ref(),
                $filter.now.as_millis(),
                $filter.status.map(TransferStatus::as_str),
                $filter.mode.map(TransferMode::as_str),
                $filter.sender.as_ref().map(Label::as_str),
                $filter.recipient.as_ref().map(Label::as_str),
                $filter.since.map(Timestamp::as_millis),
                $(
                    $page.behind.map(|it| it.to_string()).as_ref(),
                    $page.limit,
                    $page.offset
                )?
            ],
            $read,
        )
    };
}
pub(super) use run_list;

impl Reader {
    /// A page of what `owner` sent, newest first.
    pub async fn sent_transfers_of(
        &mut self,
        owner: AccountId,
        filter: &TransferFilter,
        page: Page,
    ) -> Result<Vec<Transfer>> {
        let sql = page!("sender_account_id = $1", "sender_agent_id");
        run_list!(self, fetch_all, sql, owner, filter, transfer, page).await
    }

    /// How many transfers `owner` sent.
    pub async fn sent_transfer_count_of(
        &mut self,
        owner: AccountId,
        filter: &TransferFilter,
    ) -> Result<u64> {
        let sql = list!(
            "COUNT(*) AS n",
            "sender_account_id = $1",
            "sender_agent_id",
            ""
        );
        run_list!(self, fetch_one, sql, owner, filter, |row| row.number("n")).await
    }

    /// A page of what `owner` was sent, newest first.
    pub async fn received_transfers_of(
        &mut self,
        owner: AccountId,
        filter: &TransferFilter,
        page: Page,
    ) -> Result<Vec<Transfer>> {
        if inbox::is_inbox(filter) {
            return self.waiting_transfers_of(owner, filter, page).await;
        }
        let sql = page!(is_received!(), "recipient_agent_id");
        run_list!(self, fetch_all, sql, owner, filter, transfer, page).await
    }

    /// How many transfers `owner` was sent.
    pub async fn received_transfer_count_of(
        &mut self,
        owner: AccountId,
        filter: &TransferFilter,
    ) -> Result<u64> {
        if inbox::is_inbox(filter) {
            return self.waiting_transfer_count_of(owner, filter).await;
        }
        let sql = list!("COUNT(*) AS n", is_received!(), "recipient_agent_id", "");
        run_list!(self, fetch_one, sql, owner, filter, |row| row.number("n")).await
    }
}
