//! Fresh, empty databases on both engines.
//!
//! SQLite is a file in a folder of its own. PostgreSQL is a real server: the one that
//! `TEST_POSTGRES_URL` names (`postgres://user@host:port`, without a database), else one that the
//! first test to ask starts and the others share. That one listens on the loopback alone, writes
//! nothing durably, and stops when no test has asked for ten minutes. A test that cannot have it
//! fails: no test is passed over.

mod postgres;
mod private;

use std::fmt;
use std::ops::Deref;
use std::path::Path;

use agentdrop_store::Store;
pub use private::PrivatePostgres;
use tempfile::TempDir;

/// What a database runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// A real server.
    Postgres,
    /// A file.
    Sqlite,
}

impl Engine {
    /// Every engine; what is promised on one is promised on all.
    pub const ALL: [Self; 2] = [Self::Sqlite, Self::Postgres];
}

/// An empty database, which is deleted when this is dropped.
#[derive(Debug)]
pub struct Database(Place);

/// Where a database is, for as long as it is needed.
#[derive(Debug)]
enum Place {
    Folder { folder: TempDir, url: String },
    Server(postgres::Database),
}

/// A fresh store and the database under it; it is used as the [`Store`] it holds.
pub struct TestStore {
    // Closed before what it stands on is deleted.
    store: Store,
    database: Database,
}

/// A fresh store on each engine, for a test that loops over them.
pub async fn stores() -> Vec<TestStore> {
    let mut stores = Vec::new();
    for engine in Engine::ALL {
        stores.push(store(engine).await);
    }
    stores
}

/// A fresh store on `engine`.
pub async fn store(engine: Engine) -> TestStore {
    let database = database(engine).await;
    let store = database.open().await;
    TestStore { store, database }
}

/// An empty database on `engine`, without a schema, for whoever opens it by its URL.
pub async fn database(engine: Engine) -> Database {
    Database(match engine {
        Engine::Postgres => Place::Server(postgres::Database::create().await),
        Engine::Sqlite => {
            let folder = tempfile::tempdir().expect("a temporary folder can be made");
            let url = format!("sqlite://{}", folder.path().join("store.db").display());
            Place::Folder { folder, url }
        }
    })
}

impl Database {
    /// What it runs on.
    pub const fn engine(&self) -> Engine {
        match self.0 {
            Place::Folder { .. } => Engine::Sqlite,
            Place::Server(_) => Engine::Postgres,
        }
    }

    /// What [`Store::open`] takes.
    pub fn url(&self) -> &str {
        match &self.0 {
            Place::Folder { url, .. } => url,
            Place::Server(it) => it.url(),
        }
    }

    /// Opens it, as another process would: two stores share nothing but the database.
    pub async fn open(&self) -> Store {
        let opened = Store::open(self.url()).await;
        opened.expect("a fresh database can be opened")
    }

    /// The folder of a SQLite file, which holds nothing else.
    pub fn folder(&self) -> Option<&Path> {
        match &self.0 {
            Place::Folder { folder, .. } => Some(folder.path()),
            Place::Server(_) => None,
        }
    }
}

impl TestStore {
    /// The database under it.
    pub const fn database(&self) -> &Database {
        &self.database
    }
}

impl Deref for TestStore {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

impl fmt::Debug for TestStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.database.engine().fmt(f)
    }
}
