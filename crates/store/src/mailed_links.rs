//! Mailed links at rest.

use agentdrop_domain::mailed_links::{LinkPurpose, MailedLink};
use agentdrop_protocol::{AccountId, Timestamp};

use crate::db::{Row, params};
use crate::{Reader, Result, Tx};

macro_rules! columns {
    () => {
        "digest, purpose, account_id, expires_at"
    };
}

impl Reader {
    /// The link with this digest.
    pub async fn mailed_link(&mut self, digest: &[u8; 32]) -> Result<Option<MailedLink>> {
        self.fetch_optional(
            concat!(
                "SELECT ",
                columns!(),
                " FROM mailed_links WHERE digest = $1"
            ),
            params![&digest[..]],
            mailed_link,
        )
        .await
    }
}

impl Tx {
    /// Writes a link down, in the place of an older one of its account and purpose.
    pub async fn put_mailed_link(&mut self, link: &MailedLink) -> Result<()> {
        self.execute(
            "INSERT INTO mailed_links (digest, purpose, account_id, expires_at)
             VALUES ($1, $2, $3, $4)
             ON CONFLICT (account_id, purpose)
             DO UPDATE SET digest = excluded.digest, expires_at = excluded.expires_at",
            params![
                &link.digest[..],
                link.purpose.as_str(),
                &link.account.to_string(),
                link.expires_at.as_millis(),
            ],
        )
        .await?;
        Ok(())
    }

    /// Deletes the link of this purpose that was mailed to an account, if there is one.
    pub async fn delete_mailed_link_of(
        &mut self,
        owner: AccountId,
        purpose: LinkPurpose,
    ) -> Result<()> {
        self.execute(
            "DELETE FROM mailed_links WHERE account_id = $1 AND purpose = $2",
            params![&owner.to_string(), purpose.as_str()],
        )
        .await?;
        Ok(())
    }

    /// Takes a link out, if it is there: of many who follow it one does.
    pub async fn take_mailed_link(&mut self, digest: &[u8; 32]) -> Result<Option<MailedLink>> {
        self.fetch_optional(
            concat!(
                "DELETE FROM mailed_links WHERE digest = $1 RETURNING ",
                columns!()
            ),
            params![&digest[..]],
            mailed_link,
        )
        .await
    }

    /// Forgets the links that have expired.
    pub async fn delete_expired_mailed_links(&mut self, now: Timestamp) -> Result<u64> {
        self.execute(
            "DELETE FROM mailed_links WHERE expires_at <= $1",
            params![now.as_millis()],
        )
        .await
    }
}

fn mailed_link(row: &Row<'_>) -> Result<MailedLink> {
    Ok(MailedLink {
        digest: row.bytes("digest")?,
        purpose: row.parse("purpose")?,
        account: row.parse("account_id")?,
        expires_at: row.time("expires_at")?,
    })
}
