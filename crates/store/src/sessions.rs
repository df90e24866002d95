//! Sessions at rest.

use agentdrop_domain::sessions::Session;
use agentdrop_protocol::{AccountId, SessionId, Timestamp};

use crate::db::{Row, params};
use crate::{Reader, Result, Tx};

macro_rules! columns {
    () => {
        "id, account_id, digest, address, created_at, last_used_at, expires_at"
    };
}

impl Reader {
    /// The session with this digest, whether it has expired or not.
    pub async fn session_by_digest(&mut self, digest: &[u8; 32]) -> Result<Option<Session>> {
        self.fetch_optional(
            concat!("SELECT ", columns!(), " FROM sessions WHERE digest = $1"),
            params![&digest[..]],
            session,
        )
        .await
    }

    /// The sessions of `owner` that last beyond `now`, newest first.
    pub async fn sessions_of(&mut self, owner: AccountId, now: Timestamp) -> Result<Vec<Session>> {
        self.fetch_all(
            concat!(
                "SELECT ",
                columns!(),
                " FROM sessions WHERE account_id = $1 AND expires_at > $2 ORDER BY id DESC"
            ),
            params![&owner.to_string(), now.as_millis()],
            session,
        )
        .await
    }

    /// The session `id` of `owner`, whether it has expired or not.
    pub async fn session_of(&mut self, owner: AccountId, id: SessionId) -> Result<Option<Session>> {
        self.fetch_optional(
            concat!(
                "SELECT ",
                columns!(),
                " FROM sessions WHERE account_id = $1 AND id = $2"
            ),
            params![&owner.to_string(), &id.to_string()],
            session,
        )
        .await
    }
}

impl Tx {
    /// Writes a new session down, and ends the oldest of its account beyond `limit`.
    pub async fn insert_session(&mut self, session: &Session, limit: u32) -> Result<()> {
        let account = session.account.to_string();
        self.execute(
            "INSERT INTO sessions (id, account_id, digest, address, created_at, last_used_at,
                                   expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            params![
                &session.id.to_string(),
                &account,
                &session.digest[..],
                &session.address.to_string(),
                session.created_at.as_millis(),
                session.last_used_at.as_millis(),
                session.expires_at.as_millis(),
            ],
        )
        .await?;
        self.execute(
            "DELETE FROM sessions
             WHERE account_id = $1
               AND id NOT IN (SELECT newer.id FROM sessions AS newer WHERE newer.account_id = $1
                              ORDER BY newer.id DESC LIMIT $2)",
            params![&account, limit],
        )
        .await?;
        Ok(())
    }

    /// Writes down that a session was used.
    pub async fn touch_session(&mut self, id: SessionId, now: Timestamp) -> Result<()> {
        self.execute(
            "UPDATE sessions SET last_used_at = $1 WHERE id = $2",
            params![now.as_millis(), &id.to_string()],
        )
        .await?;
        Ok(())
    }

    /// Takes the session `id` of `owner` out, if it is there.
    pub async fn take_session_of(
        &mut self,
        owner: AccountId,
        id: SessionId,
    ) -> Result<Option<Session>> {
        self.fetch_optional(
            concat!(
                "DELETE FROM sessions WHERE account_id = $1 AND id = $2 RETURNING ",
                columns!()
            ),
            params![&owner.to_string(), &id.to_string()],
            session,
        )
        .await
    }

    /// Ends the sessions of `owner`, but for one; answers how many there were.
    pub async fn delete_sessions_of(
        &mut self,
        owner: AccountId,
        but: Option<SessionId>,
    ) -> Result<u64> {
        self.execute(
            "DELETE FROM sessions WHERE account_id = $1 AND (id <> $2 OR $2 IS NULL)",
            params![&owner.to_string(), but.map(|it| it.to_string()).as_ref()],
        )
        .await
    }

    /// Forgets the sessions that have expired.
    pub async fn delete_expired_sessions(&mut self, now: Timestamp) -> Result<u64> {
        self.execute(
            "DELETE FROM sessions WHERE expires_at <= $1",
            params![now.as_millis()],
        )
        .await
    }
}

fn session(row: &Row<'_>) -> Result<Session> {
    Ok(Session {
        id: row.parse("id")?,
        account: row.parse("account_id")?,
        digest: row.bytes("digest")?,
        address: row.parse("address")?,
        created_at: row.time("created_at")?,
        last_used_at: row.time("last_used_at")?,
        expires_at: row.time("expires_at")?,
    })
}
