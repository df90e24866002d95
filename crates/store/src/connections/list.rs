//! The connections of an account, and how many they are.

use agentdrop_domain::accounts::Account;
use agentdrop_domain::connections::Connection;
use agentdrop_protocol::AccountId;
use agentdrop_protocol::wire::connections::ConnectionFilter;

use super::{columns, connection, is_party};
use crate::db::{Row, params};
use crate::{Reader, Result};

/// A connection, as a list has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedConnection {
    /// The connection.
    pub connection: Connection,
    /// The account on the other side of the list's owner, if there is one yet. While the owner's
    /// invitation waits, the owner is not to learn it.
    pub other: Option<Account>,
    /// How many pairings are active under it.
    pub pairing_count: u64,
    /// How many wait for the list's owner to confirm them.
    pub pending_pairing_count: u64,
}

/// How many connections an account has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionCounts {
    /// Those that are active.
    pub active: u64,
    /// Invitations it was sent.
    pub incoming: u64,
    /// Invitations it sent.
    pub outgoing: u64,
}

impl ConnectionCounts {
    /// Those that count against a plan: active ones, and invitations that were sent.
    ///
    /// What others send does not: it would use up what is not theirs.
    pub const fn own(&self) -> u64 {
        self.active + self.outgoing
    }
}

impl Reader {
    /// The connections of `owner` that are not over, newest first.
    pub async fn connections_of(
        &mut self,
        owner: AccountId,
        filter: ConnectionFilter,
    ) -> Result<Vec<ListedConnection>> {
        self.fetch_all(
            concat!(
                "SELECT ",
                columns!(),
                ", other.id AS other_id, other.name AS other_name, other.email AS other_email,
                 other.email_verified_at AS other_email_verified_at, other.plan AS other_plan,
                 other.created_at AS other_created_at,
                 (SELECT COUNT(*) FROM pairings
                  WHERE connection_id = connections.id AND confirmed_at IS NOT NULL
                    AND pairings.revoked_at IS NULL) AS pairing_count,
                 (SELECT COUNT(*) FROM pairings
                  WHERE connection_id = connections.id AND confirmed_at IS NULL
                    AND pairings.revoked_at IS NULL AND terms_by_account_id <> $1)
                     AS pending_pairing_count
                 FROM connections LEFT JOIN accounts AS other
                   ON other.id = CASE WHEN inviter_account_id = $1 THEN invitee_account_id
                                      ELSE inviter_account_id END
                 WHERE ",
                is_party!(),
                " AND connections.revoked_at IS NULL
                   AND (CAST($2 AS TEXT) = 'all'
                        OR (CAST($2 AS TEXT) = 'active') = (accepted_at IS NOT NULL))
                 ORDER BY connections.id DESC"
            ),
            params![&owner.to_string(), filter.as_str()],
            listed_connection,
        )
        .await
    }

    /// How many connections `owner` has.
    pub async fn connection_counts_of(&mut self, owner: AccountId) -> Result<ConnectionCounts> {
        self.fetch_one(
            concat!(
                "SELECT COUNT(accepted_at) AS active,
                        COUNT(CASE WHEN accepted_at IS NULL AND inviter_account_id <> $1
                                   THEN 1 END) AS incoming,
                        COUNT(CASE WHEN accepted_at IS NULL AND inviter_account_id = $1
                                   THEN 1 END) AS outgoing
                 FROM connections WHERE ",
                is_party!(),
                " AND revoked_at IS NULL"
            ),
            params![&owner.to_string()],
            |row| {
                Ok(ConnectionCounts {
                    active: row.number("active")?,
                    incoming: row.number("incoming")?,
                    outgoing: row.number("outgoing")?,
                })
            },
        )
        .await
    }
}

fn listed_connection(row: &Row<'_>) -> Result<ListedConnection> {
    let other = match row.parse_optional("other_id")? {
        Some(id) => Some(Account {
            id,
            name: row.parse("other_name")?,
            email: row.parse("other_email")?,
            email_verified_at: row.time_optional("other_email_verified_at")?,
            plan: row.parse("other_plan")?,
            created_at: row.time("other_created_at")?,
        }),
        None => None,
    };
    Ok(ListedConnection {
        connection: connection(row)?,
        other,
        pairing_count: row.number("pairing_count")?,
        pending_pairing_count: row.number("pending_pairing_count")?,
    })
}
