//! Receive passwords at rest.

use agentdrop_domain::receive_passwords::ReceivePassword;
use agentdrop_protocol::text::Email;
use agentdrop_protocol::{AccountId, EncryptionPublicKey};

use crate::db::{Row, params};
use crate::{Error, Reader, Result, Tx};

impl Reader {
    /// What the owner of an account is sent files under.
    pub async fn receive_password_of(
        &mut self,
        owner: AccountId,
    ) -> Result<Option<ReceivePassword>> {
        self.fetch_optional(
            "SELECT account_id, public_key, encrypted_private_key, set_at FROM receive_passwords
             WHERE account_id = $1",
            params![&owner.to_string()],
            receive_password,
        )
        .await
    }

    /// What to encrypt for, so that whoever has this address can open it; nothing, as long as it is
    /// not known whose the address is.
    ///
    /// In one statement, for it is asked with addresses that nobody has: how long the answer takes
    /// must not tell them from others.
    pub async fn receive_key_for(&mut self, email: &Email) -> Result<Option<EncryptionPublicKey>> {
        self.fetch_optional(
            "SELECT public_key FROM receive_passwords
             JOIN accounts ON accounts.id = receive_passwords.account_id
             WHERE accounts.email_folded = $1 AND accounts.email_verified_at IS NOT NULL",
            params![email.folded().as_str()],
            |row| row.bytes("public_key"),
        )
        .await
    }
}

impl Tx {
    /// Writes down what the owner of an account is sent files under, in place of what was before.
    ///
    /// The account is to be held: whoever sends to its owner at this moment decides by it.
    pub async fn put_receive_password(&mut self, it: &ReceivePassword) -> Result<()> {
        let key = serde_json::to_string(&it.encrypted_private_key);
        let key = key.map_err(|error| Error::column("encrypted_private_key", error))?;
        self.execute(
            "INSERT INTO receive_passwords (account_id, public_key, encrypted_private_key, set_at)
             VALUES ($1, $2, $3, $4)
             ON CONFLICT (account_id)
             DO UPDATE SET public_key = excluded.public_key,
                           encrypted_private_key = excluded.encrypted_private_key,
                           set_at = excluded.set_at",
            params![
                &it.account.to_string(),
                &it.public_key.as_bytes()[..],
                &key,
                it.set_at.as_millis(),
            ],
        )
        .await?;
        Ok(())
    }

    /// Forgets what the owner of an account is sent files under; answers how many there were.
    ///
    /// The account is to be held, as for [`Tx::put_receive_password`].
    pub async fn delete_receive_password_of(&mut self, owner: AccountId) -> Result<u64> {
        self.execute(
            "DELETE FROM receive_passwords WHERE account_id = $1",
            params![&owner.to_string()],
        )
        .await
    }
}

fn receive_password(row: &Row<'_>) -> Result<ReceivePassword> {
    Ok(ReceivePassword {
        account: row.parse("account_id")?,
        public_key: row.bytes("public_key")?,
        encrypted_private_key: row.json("encrypted_private_key")?,
        set_at: row.time("set_at")?,
    })
}
