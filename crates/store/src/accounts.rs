//! Accounts at rest.

use agentdrop_domain::accounts::Account;
use agentdrop_protocol::AccountId;

use crate::db::{Row, params};
use crate::{Reader, Result, Tx};

macro_rules! columns {
    () => {
        "id, name, email, created_at"
    };
}

impl Reader {
    /// The account `id`.
    pub async fn account(&mut self, id: AccountId) -> Result<Option<Account>> {
        self.fetch_optional(
            concat!("SELECT ", columns!(), " FROM accounts WHERE id = $1"),
            params![&id.to_string()],
            account,
        )
        .await
    }

    /// Every account, oldest first.
    pub async fn accounts(&mut self) -> Result<Vec<Account>> {
        self.fetch_all(
            concat!("SELECT ", columns!(), " FROM accounts ORDER BY id"),
            params![],
            account,
        )
        .await
    }
}

impl Tx {
    /// Writes a new account down; its address is taken or it is not.
    pub async fn insert_account(&mut self, account: &Account) -> Result<()> {
        self.execute(
            "INSERT INTO accounts (id, name, email, email_folded, created_at)
             VALUES ($1, $2, $3, $4, $5)",
            params![
                &account.id.to_string(),
                account.name.as_str(),
                account.email.as_str(),
                account.email.folded().as_str(),
                account.created_at.as_millis(),
            ],
        )
        .await?;
        Ok(())
    }
}

fn account(row: &Row<'_>) -> Result<Account> {
    Ok(Account {
        id: row.parse("id")?,
        name: row.parse("name")?,
        email: row.parse("email")?,
        created_at: row.time("created_at")?,
    })
}
