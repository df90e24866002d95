//! What can go wrong below the rules.

use std::error::Error as StdError;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// The result of a store operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failure of the store itself; a missing row is `Ok(None)`, never an error.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A statement was run in a unit of work after one that failed: return the first error.
    #[error("the unit of work went on after a failed statement")]
    Aborted,
    /// A column is missing, or of another type than the code reads.
    #[error("column {column} cannot be read")]
    Column {
        /// The column.
        column: &'static str,
        /// What the driver says.
        source: Cause,
    },
    /// A uniqueness rule of the schema was broken.
    #[error("already taken: {0:?}")]
    Conflict(Constraint),
    /// A row holds what no version of this code writes.
    #[error("column {column} of row {id} cannot be read")]
    Corrupt {
        /// The column.
        column: &'static str,
        /// The row.
        id: String,
    },
    /// A row refers to one that is not there: another program wrote to the database.
    #[error("row {row:?} of table {table} refers to what is not there")]
    Dangling {
        /// The table.
        table: String,
        /// The row, by SQLite's number.
        row: Option<i64>,
    },
    /// The engine failed.
    #[error(transparent)]
    Engine(Cause),
    /// The disk is full, or can only be read. What was written before is still there to read.
    #[error("the database has no room to write")]
    Full(#[source] Cause),
    /// The database gave this unit of work up for another one that it got into the way of; tried
    /// again, it may go through.
    #[error("the unit of work gave way to another one")]
    GaveWay(#[source] Cause),
    /// The schema could not be brought up to date.
    #[error(transparent)]
    Migrate(Cause),
    /// A database that was to be filled has something in it.
    #[error("the database is not empty")]
    NotEmpty,
    /// The thread that writes has ended; only a restart helps.
    #[error("the writer has stopped")]
    Stopped,
    /// The database does not answer, or is busy for too long; later it may answer again.
    ///
    /// Where the connection was lost during the commit, the unit of work may be kept all the
    /// same: what is tried again must bear that.
    #[error("the database cannot be reached")]
    Unreachable(#[source] Cause),
    /// The URL of the database asks for what there is not. The URL itself is left out: it may
    /// hold a password.
    #[error("the database URL {0}")]
    Url(&'static str),
    /// A unit of work waited for something other than the database.
    #[error("a unit of work awaited something other than its transaction")]
    Waited,
}

/// An engine's own error; shared, because a failed commit fails many units of work.
pub type Cause = Arc<dyn StdError + Send + Sync>;

impl Error {
    pub(crate) fn column(
        column: &'static str,
        source: impl StdError + Send + Sync + 'static,
    ) -> Self {
        let source: Cause = Arc::new(source);
        Self::Column { column, source }
    }

    pub(crate) fn engine(error: impl StdError + Send + Sync + 'static) -> Self {
        Self::Engine(Arc::new(error))
    }

    /// A failure to open or make the file at `path`, which an operator wants to see named.
    pub(crate) fn file(path: &Path, error: &io::Error) -> Self {
        let kind = error.kind();
        let named: Cause = Arc::new(io::Error::new(kind, format!("{}: {error}", path.display())));
        match kind {
            io::ErrorKind::StorageFull | io::ErrorKind::ReadOnlyFilesystem => Self::Full(named),
            _ => Self::Engine(named),
        }
    }
}

impl From<refinery::Error> for Error {
    fn from(error: refinery::Error) -> Self {
        Self::Migrate(Arc::new(error))
    }
}

/// The uniqueness rules that callers may want to tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Constraint {
    /// Two accounts with one e-mail address.
    AccountEmail,
    /// Two agents of an account that go by one name.
    AgentSlug,
    /// Two connections, or an invitation beside one, between two accounts at a time.
    ConnectionPair,
    /// Two facts about the installation under one name.
    InstanceName,
    /// Two pairings of two agents at a time.
    PairingAgents,
    /// Two transfers of one id.
    TransferId,
}

impl Constraint {
    /// Each rule with the name PostgreSQL reports and the columns SQLite reports.
    const ALL: &[(Self, &str, &str)] = &[
        (
            Self::AccountEmail,
            "accounts_email_folded_key",
            "accounts.email_folded",
        ),
        (
            Self::AgentSlug,
            "agents_account_id_slug_key",
            "agents.account_id, agents.slug",
        ),
        (Self::ConnectionPair, "connections_pair", "connections.pair"),
        (Self::InstanceName, "instance_pkey", "instance.name"),
        (
            Self::PairingAgents,
            "pairings_between",
            "pairings.a_agent_id, pairings.b_agent_id",
        ),
        (Self::TransferId, "transfers_pkey", "transfers.id"),
    ];

    pub(crate) fn by_name(name: &str) -> Option<Self> {
        let found = Self::ALL.iter().find(|(_, known, _)| *known == name);
        found.map(|(it, ..)| *it)
    }

    pub(crate) fn by_columns(columns: &str) -> Option<Self> {
        let found = Self::ALL.iter().find(|(.., known)| *known == columns);
        found.map(|(it, ..)| *it)
    }
}
