//! Mails that wait to be sent.

use agentdrop_protocol::{AccountId, MailId, Timestamp};

use crate::db::{Row, dialect, params};
use crate::{Reader, Result, Tx};

macro_rules! columns {
    () => {
        "id, account_id, content, attempts, created_at, due_at"
    };
}

/// A mail that waits to be sent.
#[derive(Clone, PartialEq, Eq)]
pub struct QueuedMail {
    /// The mail.
    pub id: MailId,
    /// The account that caused it, with which it goes.
    pub account: AccountId,
    /// To whom, and what it says, encrypted.
    pub content: Vec<u8>,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it is to be tried next; while it is being tried, when that counts as failed.
    pub due_at: Timestamp,
}

impl std::fmt::Debug for QueuedMail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("QueuedMail");
        shown.field("id", &self.id).finish_non_exhaustive()
    }
}

impl Reader {
    /// How many mails wait.
    pub async fn mail_count(&mut self) -> Result<u64> {
        let sql = "SELECT COUNT(*) AS n FROM mails";
        self.fetch_one(sql, params![], |row| row.number("n")).await
    }

    /// When the next mail is due, if one waits.
    pub async fn next_mail_due(&mut self) -> Result<Option<Timestamp>> {
        self.fetch_optional(
            "SELECT due_at FROM mails ORDER BY due_at LIMIT 1",
            params![],
            |row| row.time("due_at"),
        )
        .await
    }
}

impl Tx {
    /// Writes a mail down that is to be sent if this unit of work comes to its end.
    pub async fn enqueue_mail(&mut self, mail: &QueuedMail) -> Result<()> {
        self.execute(
            "INSERT INTO mails (id, account_id, content, attempts, created_at, due_at)
             VALUES ($1, $2, $3, $4, $5, $6)",
            params![
                &mail.id.to_string(),
                &mail.account.to_string(),
                &mail.content[..],
                mail.attempts,
                mail.created_at.as_millis(),
                mail.due_at.as_millis(),
            ],
        )
        .await?;
        Ok(())
    }

    /// Takes up to `limit` mails that are due, so that nobody else does before `until`: whoever
    /// does not come back until then has failed. Each counts as tried once more.
    pub async fn claim_mails(
        &mut self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<QueuedMail>> {
        macro_rules! claim {
            ($skip:literal) => {
                concat!(
                    "UPDATE mails SET due_at = $2, attempts = attempts + 1
                     WHERE id IN (SELECT due.id FROM mails AS due WHERE due.due_at <= $1
                                  ORDER BY due.due_at LIMIT $3 ",
                    $skip,
                    ") RETURNING ",
                    columns!()
                )
            };
        }
        // SQLite has one writer; on PostgreSQL another server may be claiming.
        let sql = dialect!(self, sqlite: claim!(""), postgres: claim!("FOR UPDATE SKIP LOCKED"));
        self.fetch_all(
            sql,
            params![now.as_millis(), until.as_millis(), limit],
            mail,
        )
        .await
    }

    /// Writes down when a mail is to be tried next.
    pub async fn put_mail_off(&mut self, id: MailId, until: Timestamp) -> Result<()> {
        self.execute(
            "UPDATE mails SET due_at = $1 WHERE id = $2",
            params![until.as_millis(), &id.to_string()],
        )
        .await?;
        Ok(())
    }

    /// Deletes a mail that was sent, or given up.
    pub async fn delete_mail(&mut self, id: MailId) -> Result<u64> {
        self.execute("DELETE FROM mails WHERE id = $1", params![&id.to_string()])
            .await
    }
}

fn mail(row: &Row<'_>) -> Result<QueuedMail> {
    Ok(QueuedMail {
        id: row.parse("id")?,
        account: row.parse("account_id")?,
        content: row.get("content")?,
        attempts: row.number("attempts")?,
        created_at: row.time("created_at")?,
        due_at: row.time("due_at")?,
    })
}
