//! All of a database into another one, of either engine.
//!
//! This is how an installation moves from SQLite to PostgreSQL, and how a PostgreSQL database comes
//! into a backup, and out of it: rows are the same on both, down to their names.

mod file;
mod source;
mod target;

use source::Source;
use target::Target;

use crate::{Result, Store};

/// Every table, each behind those that it refers to.
pub(crate) const TABLES: [&str; 30] = [
    "instance",
    "accounts",
    "agents",
    "agent_keys",
    "bundles",
    "rotations",
    "prekeys",
    "connection_tokens",
    "api_keys",
    "connections",
    "invites",
    "blocks",
    "pairings",
    "channels",
    "transfers",
    "parts",
    "small_bodies",
    "downloads",
    "streamed_files",
    "transfer_links",
    "sessions",
    "mailed_links",
    "mails",
    "usage",
    "answers",
    "attempts",
    "audit_heads",
    "audit_entries",
    "receive_passwords",
    "strangers",
];
/// Rows that are in memory at a time; the longest have some ten kilobytes, or a small file.
const PAGE: u32 = 200;

/// A field of a row. All columns are of these.
#[derive(Clone, Debug, PartialEq)]
enum Field {
    Null,
    /// Numbers, times, and booleans, which SQLite keeps as 0 and 1.
    Int(i64),
    Text(String),
    Blob(Vec<u8>),
}

impl Store {
    /// Copies everything into `target`, as it is at one moment, also while somebody writes to it;
    /// answers how many rows there were.
    ///
    /// The target has to be empty, and stays so if this fails.
    pub async fn copy_into(&self, target: &Self) -> Result<u64> {
        let mut source = Source::begin(self.place()).await?;
        let mut into = Target::begin(target.place()).await?;
        let mut copied = 0;
        for table in TABLES {
            let columns = into.columns(table).await?;
            source.open(table, &columns).await?;
            loop {
                let rows = source.page(PAGE).await?;
                if rows.is_empty() {
                    break;
                }
                copied += rows.len() as u64;
                into.insert(table, &columns, rows).await?;
            }
        }
        into.commit().await?;
        Ok(copied)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[tokio::test]
    async fn no_table_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let store = Store::open(&format!("sqlite://{}", path.display())).await;
        drop(store.unwrap());
        let raw = rusqlite::Connection::open(path).unwrap();
        let names = "SELECT name FROM sqlite_schema WHERE type = 'table'";
        let mut names = raw.prepare(names).unwrap();
        let names = names.query_map((), |row| row.get(0)).unwrap();
        let mut names: BTreeSet<String> = names.map(Result::unwrap).collect();
        assert!(names.remove("refinery_schema_history"));
        assert_eq!(names, TABLES.map(str::to_owned).into());
    }
}
