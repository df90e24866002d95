//! Connecting, and who else may be connected.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use agentdrop_store::{Error, Result, Store};
use agentdrop_testkit::engines::{Engine, database, stores};

use crate::{is_there, note};

#[tokio::test]
async fn a_url_without_meaning_is_refused() {
    for url in [
        "",
        "store.db",
        "mysql://localhost/agentdrop",
        "postgres:/localhost",
        "postgres://localhost/agentdrop?sslmode=require",
        "sqlite://",
        "sqlite://:memory:",
    ] {
        let refused = Store::open(url).await;
        assert!(matches!(refused, Err(Error::Url(_))), "{url}: {refused:?}");
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_made_is_named() {
    let database = database(Engine::Sqlite).await;
    let beyond = database.folder().unwrap().join("absent/store.db");
    let refused = Store::open(&format!("sqlite://{}", beyond.display())).await;
    let said = refused.unwrap_err().to_string();
    assert!(said.contains("absent/store.db"), "{said}");
}

#[tokio::test]
async fn a_file_is_its_owners_alone() {
    let database = database(Engine::Sqlite).await;
    let store = database.open().await;
    note(&store, ["1"]).await.unwrap();

    let mut names = Vec::new();
    for file in std::fs::read_dir(database.folder().unwrap()).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", file.path().display());
        names.push(file.file_name());
    }
    names.sort();
    assert_eq!(
        names,
        ["store.db", "store.db-lock", "store.db-shm", "store.db-wal"]
    );
}

/// Whoever gets hold of the file must not find a deleted key in a page that is not in use.
#[tokio::test]
async fn what_is_deleted_is_not_left_in_the_file() {
    let database = database(Engine::Sqlite).await;
    let folder = database.folder().unwrap();
    let file = folder.join("store.db");
    let contains = |secret: &[u8]| {
        let bytes = std::fs::read(&file).unwrap();
        bytes.windows(secret.len()).any(|it| it == secret)
    };
    let closed = async |store: Store| {
        drop(store);
        // The writer's thread is the last to close it, and puts the log into the file.
        while folder.join("store.db-wal").exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };

    let store = database.open().await;
    let secret = *b"a wrapped key, of which nothing may be left";
    let written = store.write(async move |tx| tx.insert_instance_value("1", &secret).await);
    written.await.unwrap();
    closed(store).await;
    assert!(contains(&secret));

    let store = database.open().await;
    let deleted = store.write(async |tx| tx.delete_instance_values(&["1"]).await);
    assert_eq!(deleted.await.unwrap(), 1);
    closed(store).await;
    assert!(!contains(&secret));
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_start_together_do_not_collide() {
    for engine in Engine::ALL {
        let database = database(engine).await;
        let all: tokio::task::JoinSet<_> = (0..4)
            .map(|_| {
                let url = database.url().to_owned();
                async move { Store::open(&url).await }
            })
            .collect();
        for opened in all.join_all().await {
            assert!(!is_there(&opened.unwrap(), "1").await, "{engine:?}");
        }
    }
}

/// As an administrator's command does beside a server that runs.
#[tokio::test(flavor = "multi_thread")]
async fn two_processes_write_to_one_database() {
    async fn count(store: &Store) -> Result<()> {
        for _ in 0..40 {
            store
                .write(async |tx| -> Result<_> {
                    let counted = tx.hold_instance_value("count").await?.unwrap();
                    tx.update_instance_value("count", &[counted[0] + 1]).await?;
                    Ok(())
                })
                .await?;
        }
        Ok(())
    }

    for server in stores().await {
        let command = server.database().open().await;
        let begun = command.write(async |tx| tx.insert_instance_value("count", &[0]).await);
        begun.await.unwrap();

        let (one, other) = tokio::join!(count(&server), count(&command));
        one.unwrap();
        other.unwrap();
        for store in [&*server, &command] {
            let mut reader = store.read().await.unwrap();
            let counted = reader.instance_value("count").await.unwrap();
            assert_eq!(counted, Some(vec![80]), "{server:?}");
        }
    }
}
