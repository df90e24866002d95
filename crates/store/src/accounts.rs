//! Accounts at rest.

use agentdrop_domain::accounts::Account;
use agentdrop_protocol::text::Email;
use agentdrop_protocol::wire::plans::Plan;
use agentdrop_protocol::{AccountId, Timestamp};

use crate::db::{Row, dialect, params};
use crate::{Reader, Result, Tx};

macro_rules! columns {
    () => {
        "id, name, email, email_verified_at, plan, created_at"
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

    /// The account with this address, however it is spelled.
    pub async fn account_by_email(&mut self, email: &Email) -> Result<Option<Account>> {
        self.fetch_optional(
            concat!(
                "SELECT ",
                columns!(),
                " FROM accounts WHERE email_folded = $1"
            ),
            params![email.folded().as_str()],
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
    /// Two accounts, or twice the same one, held until this unit of work ends, in one order for
    /// all who hold them: of two units that count or connect the same accounts, one waits.
    ///
    /// Before anything else is held. What only refers to them need not wait.
    pub async fn hold_accounts(
        &mut self,
        one: AccountId,
        other: AccountId,
    ) -> Result<Vec<Account>> {
        macro_rules! both {
            () => {
                concat!(
                    "SELECT ",
                    columns!(),
                    " FROM accounts WHERE id IN ($1, $2) ORDER BY id"
                )
            };
        }
        // Less than UPDATE, so that whoever writes what belongs to one of them does not wait.
        let sql = dialect!(self, sqlite: both!(), postgres: concat!(both!(), " FOR NO KEY UPDATE"));
        self.fetch_all(sql, params![&one.to_string(), &other.to_string()], account)
            .await
    }

    /// Writes a new account down; its address is taken or it is not.
    pub async fn insert_account(&mut self, account: &Account) -> Result<()> {
        self.execute(
            "INSERT INTO accounts (id, name, email, email_folded, email_verified_at, plan,
                                   created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            params![
                &account.id.to_string(),
                account.name.as_str(),
                account.email.as_str(),
                account.email.folded().as_str(),
                account.email_verified_at.map(Timestamp::as_millis),
                account.plan.as_str(),
                account.created_at.as_millis(),
            ],
        )
        .await?;
        Ok(())
    }

    /// Gives the account with this address, however it is spelled, another plan; answers it.
    pub async fn set_account_plan(&mut self, email: &Email, plan: Plan) -> Result<Option<Account>> {
        self.fetch_optional(
            concat!(
                "UPDATE accounts SET plan = $1 WHERE email_folded = $2 RETURNING ",
                columns!()
            ),
            params![plan.as_str(), email.folded().as_str()],
            account,
        )
        .await
    }
}

fn account(row: &Row<'_>) -> Result<Account> {
    Ok(Account {
        id: row.parse("id")?,
        name: row.parse("name")?,
        email: row.parse("email")?,
        email_verified_at: row.time_optional("email_verified_at")?,
        plan: row.parse("plan")?,
        created_at: row.time("created_at")?,
    })
}
