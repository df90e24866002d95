//! Blocked accounts at rest.

use agentdrop_domain::accounts::Account;
use agentdrop_domain::blocks::Block;
use agentdrop_protocol::{AccountId, BlockId};

use crate::db::{Row, params};
use crate::{Reader, Result, Tx};

macro_rules! columns {
    () => {
        "id, blocker_account_id, blocked_account_id, created_at"
    };
}

/// A blocked account, as a list has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedBlock {
    /// The note of it.
    pub block: Block,
    /// The blocked account.
    pub account: Account,
}

impl Reader {
    /// Whom `owner` has blocked, latest first.
    pub async fn blocks_of(&mut self, owner: AccountId) -> Result<Vec<ListedBlock>> {
        self.fetch_all(
            "SELECT blocks.id AS id, blocker_account_id, blocked_account_id,
                    blocks.created_at AS created_at, accounts.name AS account_name,
                    accounts.email AS account_email,
                    accounts.email_verified_at AS account_email_verified_at,
                    accounts.plan AS account_plan, accounts.created_at AS account_created_at
             FROM blocks JOIN accounts ON accounts.id = blocked_account_id
             WHERE blocker_account_id = $1 ORDER BY blocks.id DESC",
            params![&owner.to_string()],
            listed_block,
        )
        .await
    }

    /// Whether one of the two has blocked the other.
    pub async fn is_blocked(&mut self, one: AccountId, other: AccountId) -> Result<bool> {
        let found = self
            .fetch_optional(
                "SELECT id FROM blocks
                 WHERE (blocker_account_id = $1 AND blocked_account_id = $2)
                    OR (blocker_account_id = $2 AND blocked_account_id = $1)",
                params![&one.to_string(), &other.to_string()],
                |row| row.get::<String>("id"),
            )
            .await?;
        Ok(found.is_some())
    }
}

impl Tx {
    /// Writes `new` down, unless its account has blocked the other before; answers what there is
    /// now.
    pub async fn insert_or_find_block(&mut self, new: &Block) -> Result<Block> {
        self.fetch_one(
            concat!(
                "INSERT INTO blocks (id, blocker_account_id, blocked_account_id, created_at)
                 VALUES ($1, $2, $3, $4)
                 ON CONFLICT (blocker_account_id, blocked_account_id)
                 DO UPDATE SET created_at = blocks.created_at
                 RETURNING ",
                columns!()
            ),
            params![
                &new.id.to_string(),
                &new.blocker.to_string(),
                &new.blocked.to_string(),
                new.created_at.as_millis(),
            ],
            block,
        )
        .await
    }

    /// Takes the note `id` of `owner` out, if it is there.
    pub async fn take_block_of(&mut self, owner: AccountId, id: BlockId) -> Result<Option<Block>> {
        self.fetch_optional(
            concat!(
                "DELETE FROM blocks WHERE blocker_account_id = $1 AND id = $2 RETURNING ",
                columns!()
            ),
            params![&owner.to_string(), &id.to_string()],
            block,
        )
        .await
    }
}

fn block(row: &Row<'_>) -> Result<Block> {
    Ok(Block {
        id: row.parse("id")?,
        blocker: row.parse("blocker_account_id")?,
        blocked: row.parse("blocked_account_id")?,
        created_at: row.time("created_at")?,
    })
}

fn listed_block(row: &Row<'_>) -> Result<ListedBlock> {
    let block = block(row)?;
    let account = Account {
        id: block.blocked,
        name: row.parse("account_name")?,
        email: row.parse("account_email")?,
        email_verified_at: row.time_optional("account_email_verified_at")?,
        plan: row.parse("account_plan")?,
        created_at: row.time("account_created_at")?,
    };
    Ok(ListedBlock { block, account })
}
