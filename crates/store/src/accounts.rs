//! Accounts at rest.

use agentdrop_domain::accounts::{Account, AccountSettings, PasswordHash};
use agentdrop_domain::transfers::File;
use agentdrop_protocol::text::Email;
use agentdrop_protocol::wire::plans::Plan;
use agentdrop_protocol::{AccountId, Timestamp, TransferId};

use crate::db::{Row, dialect, holding, params};
use crate::transfers::is_for;
use crate::{Reader, Result, Tx};

macro_rules! columns {
    () => {
        "id, name, email, email_verified_at, plan, created_at"
    };
}

macro_rules! settings_columns {
    () => {
        "password_hash, require_encryption"
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

    /// The account with this address, however it is spelled, and what its owner has set.
    ///
    /// In one statement, for it is asked with addresses that nobody has: how long the answer takes
    /// must not tell them from others.
    pub async fn account_to_sign_in(
        &mut self,
        email: &Email,
    ) -> Result<Option<(Account, AccountSettings)>> {
        self.fetch_optional(
            concat!(
                "SELECT ",
                columns!(),
                ", ",
                settings_columns!(),
                " FROM accounts WHERE email_folded = $1"
            ),
            params![email.folded().as_str()],
            |row| Ok((account(row)?, account_settings(row)?)),
        )
        .await
    }

    /// What the owner of an account has set.
    pub async fn account_settings(&mut self, id: AccountId) -> Result<Option<AccountSettings>> {
        self.fetch_optional(
            concat!(
                "SELECT ",
                settings_columns!(),
                " FROM accounts WHERE id = $1"
            ),
            params![&id.to_string()],
            account_settings,
        )
        .await
    }

    /// Whether one of two accounts takes only what its sender encrypted.
    pub async fn is_encryption_required(
        &mut self,
        one: AccountId,
        other: AccountId,
    ) -> Result<bool> {
        let found = self
            .fetch_optional(
                "SELECT id FROM accounts WHERE id IN ($1, $2) AND require_encryption",
                params![&one.to_string(), &other.to_string()],
                |row| row.get::<String>("id"),
            )
            .await?;
        Ok(found.is_some())
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

    /// Writes down what an account is called.
    pub async fn update_account(&mut self, account: &Account) -> Result<()> {
        self.execute(
            "UPDATE accounts SET name = $1 WHERE id = $2",
            params![account.name.as_str(), &account.id.to_string()],
        )
        .await?;
        Ok(())
    }

    /// Writes down what the owner of an account has set.
    pub async fn update_account_settings(
        &mut self,
        id: AccountId,
        settings: &AccountSettings,
    ) -> Result<()> {
        self.execute(
            "UPDATE accounts SET password_hash = $1, require_encryption = $2 WHERE id = $3",
            params![
                settings.password.as_ref().map(PasswordHash::expose_secret),
                settings.require_encryption,
                &id.to_string(),
            ],
        )
        .await?;
        Ok(())
    }

    /// Writes down that an address is its account's, unless that was known.
    pub async fn verify_email(&mut self, id: AccountId, now: Timestamp) -> Result<u64> {
        self.execute(
            "UPDATE accounts SET email_verified_at = $1
             WHERE id = $2 AND email_verified_at IS NULL",
            params![now.as_millis(), &id.to_string()],
        )
        .await
    }

    /// Deletes an account, with all that is its: what its agents sent and were sent, and what it
    /// has with others. Answers the transfers whose bytes are to go, each with its count of files.
    ///
    /// The account is to be held. Its agents are held before what they send is looked for, so that
    /// nothing is passed over that is being written at this moment.
    pub async fn delete_account(&mut self, id: AccountId) -> Result<Vec<(TransferId, u32)>> {
        let id = id.to_string();
        let agents = holding!(
            self,
            "SELECT id FROM agents WHERE account_id = $1 ORDER BY id"
        );
        let connections = holding!(
            self,
            "SELECT id FROM connections
             WHERE inviter_account_id = $1 OR invitee_account_id = $1 ORDER BY id"
        );
        for held in [agents, connections] {
            self.fetch_all(held, params![&id], |row| row.get::<String>("id"))
                .await?;
        }
        self.execute(
            "DELETE FROM pairings WHERE a_account_id = $1 OR b_account_id = $1",
            params![&id],
        )
        .await?;
        // Of many that were sent long ago only the row is left.
        let with_bytes = self
            .fetch_all(
                concat!(
                    "SELECT id, files FROM transfers WHERE (sender_account_id = $1 OR ",
                    is_for!(),
                    ") AND bytes_until IS NOT NULL"
                ),
                params![&id],
                |row| {
                    let files: Vec<File> = row.json("files")?;
                    Ok((row.parse("id")?, File::blob_count(&files)))
                },
            )
            .await?;
        for delete in [
            concat!(
                "DELETE FROM transfers WHERE sender_account_id = $1 OR ",
                is_for!()
            ),
            "DELETE FROM channels WHERE a_account_id = $1 OR b_account_id = $1",
            "DELETE FROM connections WHERE inviter_account_id = $1 OR invitee_account_id = $1",
            // They refer to no account; whoever claims one meanwhile finds none, and takes it back.
            "DELETE FROM answers WHERE account_id = $1",
            "DELETE FROM accounts WHERE id = $1",
        ] {
            self.execute(delete, params![&id]).await?;
        }
        Ok(with_bytes)
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

fn account_settings(row: &Row<'_>) -> Result<AccountSettings> {
    Ok(AccountSettings {
        password: row.parse_optional("password_hash")?,
        require_encryption: row.get("require_encryption")?,
    })
}
