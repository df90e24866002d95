//! Facts about this installation, each under its name.

use crate::db::{Row, holding, params};
use crate::{Reader, Result, Tx};

impl Reader {
    /// How many facts are written down; that it answers tells that the database is there and
    /// has its schema.
    pub async fn instance_value_count(&mut self) -> Result<i64> {
        self.fetch_one("SELECT COUNT(*) AS n FROM instance", params![], |row| {
            row.get("n")
        })
        .await
    }

    /// The fact under `name`.
    pub async fn instance_value(&mut self, name: &str) -> Result<Option<Vec<u8>>> {
        self.fetch_optional(
            "SELECT value FROM instance WHERE name = $1",
            params![name],
            value,
        )
        .await
    }
}

impl Tx {
    /// The fact under `name`, held until this unit of work ends.
    ///
    /// What is not there cannot be held: of two who both find nothing and insert, one gets
    /// [`Constraint::InstanceName`](crate::Constraint::InstanceName).
    pub async fn hold_instance_value(&mut self, name: &str) -> Result<Option<Vec<u8>>> {
        let sql = holding!(self, "SELECT value FROM instance WHERE name = $1");
        self.fetch_optional(sql, params![name], value).await
    }

    /// Writes a new fact down.
    pub async fn insert_instance_value(&mut self, name: &str, value: &[u8]) -> Result<()> {
        self.execute(
            "INSERT INTO instance (name, value) VALUES ($1, $2)",
            params![name, value],
        )
        .await?;
        Ok(())
    }

    /// Writes another value down for a fact; answers how many there were to change, one or none.
    pub async fn update_instance_value(&mut self, name: &str, value: &[u8]) -> Result<u64> {
        self.execute(
            "UPDATE instance SET value = $1 WHERE name = $2",
            params![value, name],
        )
        .await
    }

    /// Deletes facts; answers how many there were.
    pub async fn delete_instance_values(&mut self, names: &[&str]) -> Result<u64> {
        let mut deleted = 0;
        for name in names {
            deleted += self
                .execute("DELETE FROM instance WHERE name = $1", params![*name])
                .await?;
        }
        Ok(deleted)
    }
}

fn value(row: &Row<'_>) -> Result<Vec<u8>> {
    row.get("value")
}
