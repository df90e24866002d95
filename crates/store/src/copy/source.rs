//! Where rows come from: all of them as they are at one moment.

use rusqlite::OpenFlags;
use rusqlite::types::{FromSqlError, ValueRef};
use tokio_postgres::types::Type;

use super::Field;
use crate::db::Place;
use crate::{Error, Result};

/// A database that is read as it is at one moment.
pub(super) enum Source {
    Postgres(deadpool_postgres::ClientWrapper),
    Sqlite {
        connection: rusqlite::Connection,
        /// The query, and the number of the last row that it answered.
        at: (String, i64),
    },
}

impl Source {
    /// Opens a connection of its own: one of the pool's would be no use to others meanwhile.
    pub(super) async fn begin(place: Place<'_>) -> Result<Self> {
        match place {
            Place::Sqlite(path) => {
                let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
                let connection = rusqlite::Connection::open_with_flags(path, flags)?;
                // The moment is that of the first look.
                connection.execute_batch("BEGIN; SELECT COUNT(*) FROM instance")?;
                let at = (String::new(), 0);
                Ok(Self::Sqlite { connection, at })
            }
            Place::Postgres(pool) => {
                let client = deadpool_postgres::Object::take(pool.get().await?);
                let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
                client.batch_execute(begin).await?;
                Ok(Self::Postgres(client))
            }
        }
    }

    /// Goes to the beginning of a table.
    pub(super) async fn open(&mut self, table: &str, columns: &[String]) -> Result<()> {
        let columns = columns.join(", ");
        match self {
            Self::Sqlite { at, .. } => {
                let query = format!(
                    "SELECT rowid, {columns} FROM {table} WHERE rowid > ?1 ORDER BY rowid LIMIT ?2"
                );
                *at = (query, i64::MIN);
            }
            Self::Postgres(client) => {
                let cursor = format!(
                    "CLOSE ALL; DECLARE rows NO SCROLL CURSOR FOR SELECT {columns} FROM {table}"
                );
                client.batch_execute(&cursor).await?;
            }
        }
        Ok(())
    }

    /// The next rows; none at the end.
    pub(super) async fn page(&mut self, limit: u32) -> Result<Vec<Vec<Field>>> {
        match self {
            Self::Sqlite {
                connection,
                at: (query, after),
            } => {
                let mut statement = connection.prepare_cached(query)?;
                let columns = statement.column_count();
                let mut rows = statement.query((*after, limit))?;
                let mut page = Vec::new();
                while let Some(row) = rows.next()? {
                    *after = row.get(0)?;
                    let fields = (1..columns).map(|at| sqlite_field(row.get_ref(at)?));
                    page.push(fields.collect::<Result<_>>()?);
                }
                Ok(page)
            }
            Self::Postgres(client) => {
                let fetch = format!("FETCH {limit} FROM rows");
                let rows = client.query(&fetch, &[]).await?;
                rows.iter().map(postgres_row).collect()
            }
        }
    }
}

/// A field as it is: what no column of ours holds is another program's, and not made into something
/// else.
fn sqlite_field(value: ValueRef<'_>) -> Result<Field> {
    Ok(match value {
        ValueRef::Null => Field::Null,
        ValueRef::Integer(it) => Field::Int(it),
        ValueRef::Real(_) => return Err(Error::engine(FromSqlError::InvalidType)),
        ValueRef::Text(it) => Field::Text(str::from_utf8(it).map_err(Error::engine)?.to_owned()),
        ValueRef::Blob(it) => Field::Blob(it.to_owned()),
    })
}

fn postgres_row(row: &tokio_postgres::Row) -> Result<Vec<Field>> {
    let columns = row.columns().iter().enumerate();
    let fields = columns.map(|(at, column)| {
        let field = match *column.type_() {
            Type::BOOL => row
                .try_get::<_, Option<bool>>(at)?
                .map(|it| Field::Int(it.into())),
            Type::INT8 => row.try_get::<_, Option<i64>>(at)?.map(Field::Int),
            Type::BYTEA => row.try_get::<_, Option<Vec<u8>>>(at)?.map(Field::Blob),
            _ => row.try_get::<_, Option<String>>(at)?.map(Field::Text),
        };
        Ok::<_, Error>(field.unwrap_or(Field::Null))
    });
    fields.collect()
}
