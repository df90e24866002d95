//! Connections and invitations at rest.

mod list;

pub use list::{ConnectionCounts, ListedConnection};

use agentdrop_domain::connections::Connection;
use agentdrop_protocol::text::{Email, InviteMessage};
use agentdrop_protocol::{AccountId, ConnectionId, Timestamp};

use crate::db::{Row, dialect, holding, params};
use crate::{Reader, Result, Tx};

macro_rules! columns {
    () => {
        "connections.id AS id, inviter_account_id, invitee_account_id, connections.email AS email,
         message, connections.created_at AS created_at, accepted_at, connections.revoked_at AS
         revoked_at"
    };
}
pub(crate) use columns;

/// Whether `$1` has a part in a connection: as its inviter, as its invitee, or, while that is
/// nobody, as the account whose address the invitation went to, if it is known to be its own.
macro_rules! is_party {
    () => {
        "(inviter_account_id = $1 OR invitee_account_id = $1
          OR (invitee_account_id IS NULL
              AND connections.email_folded = (SELECT mine.email_folded FROM accounts AS mine
                                              WHERE mine.id = $1
                                                AND mine.email_verified_at IS NOT NULL)))"
    };
}
use is_party;

/// Selects what there is between the accounts `$1` and `$2` and not over, the accepted one first.
macro_rules! between {
    () => {
        concat!(
            "SELECT ",
            columns!(),
            " FROM connections
             WHERE revoked_at IS NULL
               AND ((inviter_account_id = $1
                     AND (invitee_account_id = $2
                          OR (invitee_account_id IS NULL
                              AND email_folded = (SELECT email_folded FROM accounts
                                                  WHERE accounts.id = $2
                                                    AND email_verified_at IS NOT NULL))))
                    OR (inviter_account_id = $2
                        AND (invitee_account_id = $1
                             OR (invitee_account_id IS NULL
                                 AND email_folded = (SELECT email_folded FROM accounts
                                                     WHERE accounts.id = $1
                                                       AND email_verified_at IS NOT NULL)))))
             ORDER BY (accepted_at IS NULL), id"
        )
    };
}

impl Reader {
    /// The connection `id`, if `owner` has a part in it.
    pub async fn connection_of(
        &mut self,
        owner: AccountId,
        id: ConnectionId,
    ) -> Result<Option<Connection>> {
        self.fetch_optional(
            concat!(
                "SELECT ",
                columns!(),
                " FROM connections WHERE ",
                is_party!(),
                " AND connections.id = $2"
            ),
            params![&owner.to_string(), &id.to_string()],
            connection,
        )
        .await
    }

    /// The connection or the invitation between two accounts that is not over, whoever asked.
    pub async fn connection_between(
        &mut self,
        one: AccountId,
        other: AccountId,
    ) -> Result<Option<Connection>> {
        self.fetch_optional(
            between!(),
            params![&one.to_string(), &other.to_string()],
            connection,
        )
        .await
    }

    /// The invitation that `owner` sent to this address and that waits for an account.
    pub async fn invitation_of(
        &mut self,
        owner: AccountId,
        email: &Email,
    ) -> Result<Option<Connection>> {
        self.fetch_optional(
            concat!(
                "SELECT ",
                columns!(),
                " FROM connections
                 WHERE inviter_account_id = $1 AND email_folded = $2
                   AND invitee_account_id IS NULL AND revoked_at IS NULL"
            ),
            params![&owner.to_string(), email.folded().as_str()],
            connection,
        )
        .await
    }

    /// When `owner` sent invitations after `since`, oldest first, whatever became of them.
    pub async fn invites_of(
        &mut self,
        owner: AccountId,
        since: Timestamp,
    ) -> Result<Vec<Timestamp>> {
        self.fetch_all(
            "SELECT sent_at FROM invites WHERE account_id = $1 AND sent_at > $2 ORDER BY sent_at",
            params![&owner.to_string(), since.as_millis()],
            |row| row.time("sent_at"),
        )
        .await
    }
}

impl Tx {
    /// The connection `id`, if `owner` has a part in it, held until this unit of work ends.
    pub async fn hold_connection_of(
        &mut self,
        owner: AccountId,
        id: ConnectionId,
    ) -> Result<Option<Connection>> {
        let sql = holding!(
            self,
            concat!(
                "SELECT ",
                columns!(),
                " FROM connections WHERE ",
                is_party!(),
                " AND connections.id = $2"
            )
        );
        self.fetch_optional(
            sql,
            params![&owner.to_string(), &id.to_string()],
            connection,
        )
        .await
    }

    /// The connection between two accounts, if it is active, which nobody ends until this unit of
    /// work ends; others may keep it as well.
    pub async fn keep_active_connection(
        &mut self,
        one: AccountId,
        other: AccountId,
    ) -> Result<Option<Connection>> {
        macro_rules! active {
            () => {
                concat!(
                    "SELECT ",
                    columns!(),
                    " FROM connections
                     WHERE accepted_at IS NOT NULL AND revoked_at IS NULL
                       AND ((inviter_account_id = $1 AND invitee_account_id = $2)
                            OR (inviter_account_id = $2 AND invitee_account_id = $1))"
                )
            };
        }
        let sql = dialect!(self, sqlite: active!(), postgres: concat!(active!(), " FOR SHARE"));
        self.fetch_optional(
            sql,
            params![&one.to_string(), &other.to_string()],
            connection,
        )
        .await
    }

    /// Writes a new invitation down, and that it was sent; there is something between the two, or
    /// there is not. It counts against the hour of its sender even if nothing is left of it.
    pub async fn insert_connection(&mut self, new: &Connection) -> Result<()> {
        self.execute(
            "INSERT INTO connections (id, inviter_account_id, invitee_account_id, email,
                 email_folded, pair, message, created_at, accepted_at, revoked_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            params![
                &new.id.to_string(),
                &new.inviter.to_string(),
                new.invitee.map(|it| it.to_string()).as_ref(),
                new.email.as_str(),
                new.email.folded().as_str(),
                &pair(new),
                new.message.as_ref().map(InviteMessage::as_str),
                new.created_at.as_millis(),
                new.accepted_at.map(Timestamp::as_millis),
                new.revoked_at.map(Timestamp::as_millis),
            ],
        )
        .await?;
        self.execute(
            "INSERT INTO invites (connection_id, account_id, sent_at) VALUES ($1, $2, $3)",
            params![
                &new.id.to_string(),
                &new.inviter.to_string(),
                new.created_at.as_millis()
            ],
        )
        .await?;
        Ok(())
    }

    /// Writes down whom a connection is with and where it stands.
    pub async fn update_connection(&mut self, connection: &Connection) -> Result<()> {
        self.execute(
            "UPDATE connections SET invitee_account_id = $1, pair = $2, accepted_at = $3,
                                    revoked_at = $4
             WHERE id = $5",
            params![
                connection.invitee.map(|it| it.to_string()).as_ref(),
                &pair(connection),
                connection.accepted_at.map(Timestamp::as_millis),
                connection.revoked_at.map(Timestamp::as_millis),
                &connection.id.to_string(),
            ],
        )
        .await?;
        Ok(())
    }

    /// Deletes an invitation that was turned down.
    pub async fn delete_connection(&mut self, connection: &Connection) -> Result<()> {
        self.execute(
            "DELETE FROM connections WHERE id = $1",
            params![&connection.id.to_string()],
        )
        .await?;
        Ok(())
    }

    /// Forgets the invitations that count no more.
    pub async fn delete_invites_before(&mut self, time: Timestamp) -> Result<u64> {
        self.execute(
            "DELETE FROM invites WHERE sent_at <= $1",
            params![time.as_millis()],
        )
        .await
    }
}

/// Both sides in one order; two connections of one pair clash.
fn pair(of: &Connection) -> String {
    let inviter = of.inviter.to_string();
    match of.invitee {
        Some(invitee) if invitee < of.inviter => format!("{invitee} {inviter}"),
        Some(invitee) => format!("{inviter} {invitee}"),
        None => format!("{inviter} {}", of.email.folded()),
    }
}

pub(crate) fn connection(row: &Row<'_>) -> Result<Connection> {
    Ok(Connection {
        id: row.parse("id")?,
        inviter: row.parse("inviter_account_id")?,
        invitee: row.parse_optional("invitee_account_id")?,
        email: row.parse("email")?,
        message: row.parse_optional("message")?,
        created_at: row.time("created_at")?,
        accepted_at: row.time_optional("accepted_at")?,
        revoked_at: row.time_optional("revoked_at")?,
    })
}
