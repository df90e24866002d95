//! What goes into a statement and what comes out of a row, on either engine.

use std::error::Error as StdError;

use bytes::BytesMut;
use rusqlite::types::{ToSqlOutput, ValueRef};
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use crate::{Error, Result};

/// A parameter. It borrows what it can: a statement has run before its parameters end.
///
/// There is none from `u64`: half of its numbers fit into no column, so the caller says what
/// becomes of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    Null,
    /// Numbers, times, and booleans, which SQLite keeps as 0 and 1.
    Int(i64),
    Text(&'a str),
    Blob(&'a [u8]),
}

/// The parameters of a statement, in the order of their numbers.
///
/// Each is anything that [`Value`] is made from. What is made for the statement alone, as in
/// `params![&id.to_string()]`, lives until it has run.
macro_rules! params {
    ($($value:expr),* $(,)?) => { &[$($crate::db::Value::from($value)),*] };
}
pub(crate) use params;

macro_rules! from_numbers {
    ($($number:ty),*) => { $(
        impl From<$number> for Value<'_> {
            fn from(it: $number) -> Self {
                Self::Int(it.into())
            }
        }
    )* };
}
from_numbers!(bool, i64, u32);

impl<'a> From<&'a str> for Value<'a> {
    fn from(it: &'a str) -> Self {
        Self::Text(it)
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(it: &'a String) -> Self {
        Self::Text(it)
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(it: &'a [u8]) -> Self {
        Self::Blob(it)
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Value<'a> {
    fn from(it: &'a [u8; N]) -> Self {
        Self::Blob(it)
    }
}

impl<'a> From<&'a Vec<u8>> for Value<'a> {
    fn from(it: &'a Vec<u8>) -> Self {
        Self::Blob(it)
    }
}

impl<T: Into<Self>> From<Option<T>> for Value<'_> {
    fn from(it: Option<T>) -> Self {
        it.map_or(Self::Null, Into::into)
    }
}

impl rusqlite::ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match *self {
            Self::Null => ValueRef::Null,
            Self::Int(it) => ValueRef::Integer(it),
            Self::Text(it) => ValueRef::Text(it.as_bytes()),
            Self::Blob(it) => ValueRef::Blob(it),
        }))
    }
}

impl ToSql for Value<'_> {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> std::result::Result<IsNull, Box<dyn StdError + Sync + Send>> {
        match (*self, ty) {
            (Self::Null, _) => Ok(IsNull::Yes),
            (Self::Int(it), &Type::BOOL) => (it != 0).to_sql(ty, out),
            (Self::Int(it), &Type::INT8) => it.to_sql(ty, out),
            (Self::Text(it), &Type::TEXT) => it.to_sql(ty, out),
            (Self::Blob(it), &Type::BYTEA) => it.to_sql(ty, out),
            // The value stays out of the message: it may be a secret.
            _ => Err(format!("a parameter of another kind than {ty}").into()),
        }
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::BOOL | Type::BYTEA | Type::INT8 | Type::TEXT)
    }

    to_sql_checked!();
}

/// A row, still in its driver's hands: what is not asked for is not copied.
pub(crate) enum Row<'r> {
    Sqlite(&'r rusqlite::Row<'r>),
    Postgres(&'r tokio_postgres::Row),
}

/// A type that both drivers read: `i64`, `bool`, `String`, `Vec<u8>`, and `Option` of these.
pub(crate) trait Column:
    rusqlite::types::FromSql + for<'r> tokio_postgres::types::FromSql<'r>
{
}

impl<T> Column for T where T: rusqlite::types::FromSql + for<'r> tokio_postgres::types::FromSql<'r> {}

impl Row<'_> {
    /// Reads a column by its name.
    pub(crate) fn get<T: Column>(&self, column: &'static str) -> Result<T> {
        match self {
            Self::Sqlite(row) => row.get(column).map_err(|it| Error::column(column, it)),
            Self::Postgres(row) => row.try_get(column).map_err(|it| Error::column(column, it)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_made_from_what_rules_speak_in() {
        let (text, bytes) = (7.to_string(), vec![1_u8]);
        assert_eq!(
            params![&text, &*text, Some(&text), None::<&str>],
            &[
                Value::Text("7"),
                Value::Text("7"),
                Value::Text("7"),
                Value::Null
            ]
        );
        assert_eq!(
            params![&bytes, &*bytes, &[1_u8], Some(&*bytes), None::<&[u8]>],
            &[
                Value::Blob(&[1]),
                Value::Blob(&[1]),
                Value::Blob(&[1]),
                Value::Blob(&[1]),
                Value::Null
            ]
        );
        assert_eq!(
            params![true, u32::MAX, i64::MIN, Some(2_u32)],
            &[
                Value::Int(1),
                Value::Int(u32::MAX.into()),
                Value::Int(i64::MIN),
                Value::Int(2)
            ]
        );
    }
}
