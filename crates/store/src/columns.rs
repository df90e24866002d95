//! Columns read into the types of the rules; whatever does not fit is an error that names it.

use std::error::Error as StdError;
use std::str::FromStr;

use agentdrop_protocol::Timestamp;

use crate::db::Row;
use crate::{Error, Result};

impl Row<'_> {
    /// A text that is the wire form of a `T`.
    pub(crate) fn parse<T>(&self, column: &'static str) -> Result<T>
    where
        T: FromStr<Err: StdError + Send + Sync + 'static>,
    {
        let text: String = self.get(column)?;
        text.parse().map_err(|it| Error::column(column, it))
    }

    /// The same, or nothing.
    pub(crate) fn parse_optional<T>(&self, column: &'static str) -> Result<Option<T>>
    where
        T: FromStr<Err: StdError + Send + Sync + 'static>,
    {
        let text: Option<String> = self.get(column)?;
        text.map(|it| it.parse().map_err(|it| Error::column(column, it)))
            .transpose()
    }

    /// Bytes that a `T` is made of.
    pub(crate) fn bytes<T, const N: usize>(&self, column: &'static str) -> Result<T>
    where
        T: TryFrom<[u8; N], Error: StdError + Send + Sync + 'static>,
    {
        let bytes: Vec<u8> = self.get(column)?;
        from_bytes(column, &bytes)
    }

    /// The same, or nothing.
    pub(crate) fn bytes_optional<T, const N: usize>(
        &self,
        column: &'static str,
    ) -> Result<Option<T>>
    where
        T: TryFrom<[u8; N], Error: StdError + Send + Sync + 'static>,
    {
        let bytes: Option<Vec<u8>> = self.get(column)?;
        bytes.map(|it| from_bytes(column, &it)).transpose()
    }

    /// JSON.
    pub(crate) fn json<T: serde::de::DeserializeOwned>(&self, column: &'static str) -> Result<T> {
        let text: String = self.get(column)?;
        serde_json::from_str(&text).map_err(|it| Error::column(column, it))
    }

    /// A number that is never negative.
    pub(crate) fn number<T>(&self, column: &'static str) -> Result<T>
    where
        T: TryFrom<i64, Error: StdError + Send + Sync + 'static>,
    {
        T::try_from(self.get::<i64>(column)?).map_err(|it| Error::column(column, it))
    }

    /// A moment.
    pub(crate) fn time(&self, column: &'static str) -> Result<Timestamp> {
        self.get(column).map(Timestamp::from_millis)
    }

    /// A moment, or nothing.
    pub(crate) fn time_optional(&self, column: &'static str) -> Result<Option<Timestamp>> {
        Ok(self.get::<Option<i64>>(column)?.map(Timestamp::from_millis))
    }
}

fn from_bytes<T, const N: usize>(column: &'static str, bytes: &[u8]) -> Result<T>
where
    T: TryFrom<[u8; N], Error: StdError + Send + Sync + 'static>,
{
    let array = <[u8; N]>::try_from(bytes).map_err(|it| Error::column(column, it))?;
    T::try_from(array).map_err(|it| Error::column(column, it))
}

/// A count of bytes, which no engine keeps above `i64::MAX` and no file reaches.
pub(crate) fn count(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
