//! The two schemas say the same thing.

use std::path::Path;

use agentdrop_testkit::engines::{Engine, database};
use tokio_postgres::NoTls;

/// Every migration exists for both engines and differs only in how it spells a type.
///
/// One that has to differ says why in a line that begins with `-- differs:`, in both files; what
/// comes of it is compared below.
#[test]
fn migrations_differ_only_in_spelling() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let names = |engine: &str| {
        let mut names: Vec<_> = std::fs::read_dir(root.join(engine))
            .unwrap()
            .map(|it| it.unwrap().file_name())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names("sqlite"), names("postgres"));
    for name in names("sqlite") {
        let read = |engine: &str| std::fs::read_to_string(root.join(engine).join(&name)).unwrap();
        let (sqlite, postgres) = (read("sqlite"), read("postgres"));
        let differs = |it: &str| it.lines().any(|line| line.starts_with("-- differs:"));
        if differs(&sqlite) && differs(&postgres) {
            continue;
        }
        assert_eq!(spelled(&sqlite), spelled(&postgres), "{}", name.display());
    }
}

/// The words of a migration, with the types as SQLite calls them.
fn spelled(sql: &str) -> Vec<String> {
    let apart = [",", "(", ")", ";"].iter().fold(sql.to_owned(), |sql, it| {
        sql.replace(it, &format!(" {it} "))
    });
    let words = apart.split_whitespace().map(|word| match word {
        "BYTEA" => "BLOB".to_owned(),
        _ => word.to_owned(),
    });
    words.collect()
}

/// A column: its table, its name, its type, and whether it may be null.
type Column = (String, String, String, bool);

#[tokio::test]
async fn the_columns_are_the_same() {
    let [sqlite, postgres] = [sqlite_columns().await, postgres_columns().await];
    assert!(!sqlite.is_empty());
    assert_eq!(sqlite, postgres);
}

async fn sqlite_columns() -> Vec<Column> {
    let database = database(Engine::Sqlite).await;
    let _store = database.open().await;
    let file = database.folder().unwrap().join("store.db");
    let connection = rusqlite::Connection::open(file).unwrap();
    let sql = "SELECT m.name, c.name, c.type, NOT c.\"notnull\"
               FROM sqlite_schema AS m, pragma_table_info(m.name) AS c
               WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'
                 AND m.name <> 'refinery_schema_history'
               ORDER BY 1, 2";
    let mut statement = connection.prepare(sql).unwrap();
    let columns = statement.query_map([], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
    });
    columns.unwrap().map(Result::unwrap).collect()
}

async fn postgres_columns() -> Vec<Column> {
    let database = database(Engine::Postgres).await;
    let _store = database.open().await;
    let (client, connection) = tokio_postgres::connect(database.url(), NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    let sql = "SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT),
                      replace(upper(data_type), 'BYTEA', 'BLOB'), is_nullable = 'YES'
               FROM information_schema.columns
               WHERE table_schema = 'public' AND table_name <> 'refinery_schema_history'
               ORDER BY 1, 2";
    let rows = client.query(sql, &[]).await.unwrap();
    let columns = rows
        .iter()
        .map(|row| (row.get(0), row.get(1), row.get(2), row.get(3)));
    columns.collect()
}
