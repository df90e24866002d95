//! Where rows go: all of them, or none.

use std::pin::pin;

use rusqlite::{OpenFlags, params_from_iter};
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{ToSql, Type};

use super::{Field, TABLES};
use crate::db::{Place, Value};
use crate::{Error, Result};

/// Of an account that is new there is a head already; it is brought to where the log stands.
const HEADS: &str = "audit_heads";

/// An empty database that is filled.
pub(super) enum Target {
    Postgres(deadpool_postgres::ClientWrapper),
    Sqlite(rusqlite::Connection),
}

impl Target {
    /// Opens a connection of its own, and refuses a database that has something in it.
    pub(super) async fn begin(place: Place<'_>) -> Result<Self> {
        let mut begun = match place {
            Place::Sqlite(path) => {
                let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
                let connection = rusqlite::Connection::open_with_flags(path, flags)?;
                connection.pragma_update(None, "synchronous", "FULL")?;
                connection.pragma_update(None, "foreign_keys", true)?;
                connection.execute_batch("BEGIN IMMEDIATE")?;
                Self::Sqlite(connection)
            }
            Place::Postgres(pool) => {
                let client = deadpool_postgres::Object::take(pool.get().await?);
                client.batch_execute("BEGIN").await?;
                // Whoever starts a server meanwhile waits, and finds it filled.
                let lock = format!("LOCK TABLE {} IN EXCLUSIVE MODE", TABLES.join(", "));
                client.batch_execute(&lock).await?;
                Self::Postgres(client)
            }
        };
        for table in TABLES {
            if begun.count(table).await? > 0 {
                return Err(Error::NotEmpty);
            }
        }
        Ok(begun)
    }

    async fn count(&mut self, table: &str) -> Result<i64> {
        let count = format!("SELECT COUNT(*) FROM {table}");
        Ok(match self {
            Self::Sqlite(connection) => connection.query_row(&count, (), |row| row.get(0))?,
            Self::Postgres(client) => client.query_one(&count, &[]).await?.try_get(0)?,
        })
    }

    /// The names of a table's columns.
    pub(super) async fn columns(&mut self, table: &str) -> Result<Vec<String>> {
        match self {
            Self::Sqlite(connection) => {
                let names = "SELECT name FROM pragma_table_info(?1) ORDER BY cid";
                let mut statement = connection.prepare_cached(names)?;
                let names = statement.query_map([table], |row| row.get(0))?;
                Ok(names.collect::<Result<_, _>>()?)
            }
            Self::Postgres(client) => {
                let names = "SELECT column_name::TEXT FROM information_schema.columns
                             WHERE table_schema = current_schema AND table_name = $1
                             ORDER BY ordinal_position";
                let rows = client.query(names, &[&table]).await?;
                rows.iter().map(|it| Ok(it.try_get(0)?)).collect()
            }
        }
    }

    /// Writes rows of a table.
    pub(super) async fn insert(
        &mut self,
        table: &str,
        columns: &[String],
        rows: Vec<Vec<Field>>,
    ) -> Result<()> {
        match self {
            Self::Sqlite(connection) => {
                // `$1` is a name to SQLite, and the first one here.
                let mut statement = connection.prepare_cached(&insert(table, columns))?;
                for row in &rows {
                    statement.execute(params_from_iter(row.iter().map(Value::from)))?;
                }
                Ok(())
            }
            Self::Postgres(client) if table == HEADS => {
                for row in &rows {
                    let values: Vec<_> = row.iter().map(Value::from).collect();
                    let values: Vec<_> = values.iter().map(parameter).collect();
                    client.execute(&insert(table, columns), &values).await?;
                }
                Ok(())
            }
            Self::Postgres(client) => copy_in(client, table, columns, &rows).await,
        }
    }

    /// Keeps what was written.
    pub(super) async fn commit(self) -> Result<()> {
        match self {
            Self::Sqlite(connection) => connection.execute_batch("COMMIT")?,
            Self::Postgres(client) => client.batch_execute("COMMIT").await?,
        }
        Ok(())
    }
}

fn insert(table: &str, columns: &[String]) -> String {
    let numbers: Vec<_> = (1..=columns.len()).map(|it| format!("${it}")).collect();
    let (names, numbers) = (columns.join(", "), numbers.join(", "));
    let head = if table == HEADS {
        "ON CONFLICT (account_id) DO UPDATE SET seq = excluded.seq, hash = excluded.hash"
    } else {
        ""
    };
    format!("INSERT INTO {table} ({names}) VALUES ({numbers}) {head}")
}

fn parameter<'a>(value: &'a Value<'_>) -> &'a (dyn ToSql + Sync) {
    value
}

async fn copy_in(
    client: &deadpool_postgres::ClientWrapper,
    table: &str,
    columns: &[String],
    rows: &[Vec<Field>],
) -> Result<()> {
    let names = columns.join(", ");
    let types = client
        .prepare_cached(&format!("SELECT {names} FROM {table}"))
        .await?;
    let types: Vec<Type> = types
        .columns()
        .iter()
        .map(|it| it.type_().clone())
        .collect();
    let copy = format!("COPY {table} ({names}) FROM STDIN BINARY");
    let mut writer = pin!(BinaryCopyInWriter::new(
        client.copy_in(&copy).await?,
        &types
    ));
    for row in rows {
        let values: Vec<_> = row.iter().map(Value::from).collect();
        writer
            .as_mut()
            .write_raw(values.iter().map(parameter))
            .await?;
    }
    writer.finish().await?;
    Ok(())
}

impl<'a> From<&'a Field> for Value<'a> {
    fn from(field: &'a Field) -> Self {
        match field {
            Field::Null => Self::Null,
            Field::Int(it) => Self::Int(*it),
            Field::Text(it) => Self::Text(it),
            Field::Blob(it) => Self::Blob(it),
        }
    }
}
