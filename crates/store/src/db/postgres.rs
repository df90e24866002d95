//! PostgreSQL: a pool of connections, a transaction for each unit of work.

use std::error::Error as _;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{
    Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime,
};
use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Config, NoTls};

use super::{Row, Value, poll_once};
use crate::{Constraint, Error, Result};

/// Readers and writers share these; the rest wait for one to come back.
const CONNECTIONS: usize = 16;
/// How long they wait before they give up.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a server may leave what is sent to it unacknowledged; the kernel would give one that
/// has vanished a quarter of an hour.
const SILENCE: Duration = Duration::from_secs(30);
/// Servers that start together bring the schema up to date one after the other.
const MIGRATING: &str = "SELECT pg_advisory_lock(7381240975501)";

mod migrations {
    refinery::embed_migrations!("migrations/postgres");
}

#[derive(Clone)]
pub(super) struct Database {
    pool: Pool,
    /// For a connection beside the pool.
    pub(super) config: Arc<Config>,
}

/// A connection out of the pool, in a transaction or not.
#[derive(Debug)]
pub(crate) struct Connection {
    client: Object,
    in_transaction: bool,
}

impl Database {
    pub(super) async fn open(url: &str) -> Result<Self> {
        // Passes over a connection that is known to be closed, and asks the server nothing.
        let recycling_method = RecyclingMethod::Fast;
        let config = config(url)?;
        let manager =
            Manager::from_config(config.clone(), NoTls, ManagerConfig { recycling_method });
        let pool = Pool::builder(manager)
            .max_size(CONNECTIONS)
            .runtime(Runtime::Tokio1)
            .create_timeout(Some(PATIENCE))
            .wait_timeout(Some(PATIENCE))
            .build()
            .map_err(Error::engine)?;

        // This connection leaves the pool and closes here, so the lock ends whatever happens.
        let mut client = Object::take(pool.get().await?);
        client.batch_execute(MIGRATING).await?;
        migrations::migrations::runner()
            .run_async(&mut *client)
            .await?;
        let config = Arc::new(config);
        Ok(Self { pool, config })
    }

    pub(super) const fn pool(&self) -> &Pool {
        &self.pool
    }

    pub(super) async fn connection(&self) -> Result<Connection> {
        Ok(Connection {
            client: self.pool.get().await?,
            in_transaction: false,
        })
    }

    pub(super) async fn begin(&self) -> Result<Connection> {
        let mut it = self.connection().await?;
        // Before it is sent: a caller that leaves now leaves a transaction behind.
        it.in_transaction = true;
        it.client.batch_execute("BEGIN").await?;
        Ok(it)
    }
}

impl Connection {
    /// Runs a query. The pool keeps each connection's prepared statements.
    pub(super) async fn fetch<T>(
        &self,
        sql: &str,
        params: &[Value<'_>],
        read: fn(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let statement = self.client.prepare_cached(sql).await?;
        let rows = self.client.query(&statement, &bound(params)).await?;
        rows.iter().map(|row| read(&Row::Postgres(row))).collect()
    }

    pub(super) async fn execute(&self, sql: &str, params: &[Value<'_>]) -> Result<u64> {
        let statement = self.client.prepare_cached(sql).await?;
        Ok(self.client.execute(&statement, &bound(params)).await?)
    }

    pub(super) async fn commit(mut self) -> Result<()> {
        self.client.batch_execute("COMMIT").await?;
        self.in_transaction = false;
        Ok(())
    }
}

impl Drop for Connection {
    /// Rolls back what was not committed: the unit failed, panicked, or its caller went away.
    fn drop(&mut self) {
        if self.in_transaction {
            // The first poll sends it. Nobody waits for the answer: whoever takes the connection
            // next speaks after it. (Behind a COMMIT in flight it finds nothing to undo.)
            poll_once(self.client.batch_execute("ROLLBACK"));
        }
    }
}

/// Reads `url`; its own words stay out of the error, for they may be a password's.
fn config(url: &str) -> Result<Config> {
    let unreadable = "cannot be read: percent-encode what is special in user and password";
    let mut config: Config = url.parse().map_err(|_| Error::Url(unreadable))?;
    if config.get_ssl_mode() == SslMode::Require {
        return Err(Error::Url(
            "asks for TLS, which is not spoken to PostgreSQL: use a private network or a tunnel",
        ));
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(SILENCE);
    }
    Ok(config)
}

fn bound<'a>(params: &'a [Value<'_>]) -> Vec<&'a (dyn ToSql + Sync)> {
    params.iter().map(|it| it as _).collect()
}

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(said) = error.as_db_error() else {
            // Not the server's words: the connection's, or the driver's.
            let io_error = error.source().and_then(|it| it.downcast_ref::<io::Error>());
            return if error.is_closed() || io_error.is_some() {
                Self::Unreachable(Arc::new(error))
            } else {
                Self::engine(error)
            };
        };
        let code = said.code();
        if *code == SqlState::UNIQUE_VIOLATION {
            said.constraint()
                .and_then(Constraint::by_name)
                .map_or_else(|| Self::engine(error), Self::Conflict)
        } else if *code == SqlState::DISK_FULL {
            Self::Full(Arc::new(error))
        } else if GAVE_WAY.contains(code) {
            Self::GaveWay(Arc::new(error))
        } else if AWAY.contains(code) || code.code().starts_with(CONNECTION_EXCEPTION) {
            Self::Unreachable(Arc::new(error))
        } else {
            Self::engine(error)
        }
    }
}

/// What a server says to one of several that wait for each other.
const GAVE_WAY: [SqlState; 2] = [
    SqlState::T_R_DEADLOCK_DETECTED,
    SqlState::T_R_SERIALIZATION_FAILURE,
];

/// What a server says that stops, starts, or has no place.
const AWAY: [SqlState; 5] = [
    SqlState::ADMIN_SHUTDOWN,
    SqlState::CANNOT_CONNECT_NOW,
    SqlState::CRASH_SHUTDOWN,
    SqlState::IDLE_SESSION_TIMEOUT,
    SqlState::TOO_MANY_CONNECTIONS,
];
/// The first two characters of every code of this class.
const CONNECTION_EXCEPTION: &str = "08";

impl From<PoolError> for Error {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Backend(error) => error.into(),
            PoolError::Closed | PoolError::Timeout(_) => Self::Unreachable(Arc::new(error)),
            PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_) => Self::engine(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_that_wants_tls_is_refused() {
        let refused = config("postgres://alice@example.org/agentdrop?sslmode=require");
        let said = refused.unwrap_err().to_string();
        assert!(said.contains("asks for TLS"), "{said}");
    }

    #[test]
    fn what_cannot_be_read_is_not_repeated() {
        for url in [
            "postgres://alice:hunter2@[::1/agentdrop",
            "postgres://alice@example.org/agentdrop?hunter2=yes",
            "postgres://alice@example.org/agentdrop?sslmode=hunter2",
        ] {
            let refused = config(url).unwrap_err();
            assert!(matches!(refused, Error::Url(_)), "{refused:?}");
            assert!(!format!("{refused:?} {refused}").contains("hunter2"));
        }
    }
}
