//! Transfers that end with what allowed them: with a block, with a pairing, with a connection.

use agentdrop_domain::transfers::Transfer;
use agentdrop_protocol::{AccountId, AgentId};

use super::{columns, transfer};
use crate::db::{holding, params};
use crate::{Result, Tx};

/// Transfers of whom `$of` says, with `$1` and `$2`, whose bytes could still be fetched. What was only
/// announced is its sender's alone, and is judged again when it is confirmed.
macro_rules! hold_live {
    ($on:expr, $of:literal, $one:expr, $other:expr) => {{
        let sql = holding!(
            $on,
            concat!(
                "SELECT ",
                columns!(),
                " FROM transfers WHERE (",
                $of,
                ") AND bytes_until IS NOT NULL AND status <> 'deleted' AND NOT announced
                 ORDER BY id"
            )
        );
        let (one, other) = ($one.to_string(), $other.to_string());
        $on.fetch_all(sql, params![&one, &other], transfer).await
    }};
}

impl Tx {
    /// The transfers between two accounts, either way, whose bytes could still be fetched, held
    /// until this unit of work ends.
    pub async fn hold_live_transfers_between_accounts(
        &mut self,
        one: AccountId,
        other: AccountId,
    ) -> Result<Vec<Transfer>> {
        hold_live!(
            self,
            "(sender_account_id = $1 AND recipient_account_id = $2)
             OR (sender_account_id = $2 AND recipient_account_id = $1)",
            one,
            other
        )
    }

    /// The same of what was sent to the two as people, each by the other: to the address that is
    /// known to be its account's. What only says that it has an address ends nothing of its owner's.
    pub async fn hold_live_transfers_between_people(
        &mut self,
        one: AccountId,
        other: AccountId,
    ) -> Result<Vec<Transfer>> {
        hold_live!(
            self,
            "(sender_account_id = $1
              AND recipient_email_folded = (SELECT accounts.email_folded FROM accounts
                                            WHERE accounts.id = $2
                                              AND accounts.email_verified_at IS NOT NULL))
             OR (sender_account_id = $2
                 AND recipient_email_folded = (SELECT accounts.email_folded FROM accounts
                                               WHERE accounts.id = $1
                                                 AND accounts.email_verified_at IS NOT NULL))",
            one,
            other
        )
    }

    /// The same, between two agents.
    pub async fn hold_live_transfers_between_agents(
        &mut self,
        one: AgentId,
        other: AgentId,
    ) -> Result<Vec<Transfer>> {
        hold_live!(
            self,
            "(sender_agent_id = $1 AND recipient_agent_id = $2)
             OR (sender_agent_id = $2 AND recipient_agent_id = $1)",
            one,
            other
        )
    }

    /// What persons of `owner` sent to `agent` themselves, and what could still be fetched of it,
    /// held until this unit of work ends.
    pub async fn hold_live_transfers_of_persons(
        &mut self,
        owner: AccountId,
        agent: AgentId,
    ) -> Result<Vec<Transfer>> {
        hold_live!(
            self,
            "sender_account_id = $1 AND recipient_agent_id = $2 AND mode = 'human-to-agent'",
            owner,
            agent
        )
    }
}
