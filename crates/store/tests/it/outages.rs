//! A database that goes away, and comes back.

use std::time::Duration;

use agentdrop_store::{Error, Store};
use agentdrop_testkit::engines::{Database, Engine, database, store};
use tokio_postgres::NoTls;

use crate::{is_there, note};

#[tokio::test]
async fn nobody_there_is_told_apart() {
    // Where nobody listens, and where nobody has such a database.
    for url in [
        "postgres://alice@127.0.0.1:1/agentdrop",
        "postgres://alice@absent.invalid/agentdrop",
    ] {
        let refused = Store::open(url).await;
        assert!(matches!(refused, Err(Error::Unreachable(_))), "{refused:?}");
    }
    let database = database(Engine::Postgres).await;
    let refused = Store::open(&format!("{}_absent", database.url())).await;
    assert!(matches!(refused, Err(Error::Engine(_))), "{refused:?}");
}

#[tokio::test]
async fn after_a_restart_of_the_server_it_goes_on() {
    let store = store(Engine::Postgres).await;
    note(&store, ["1"]).await.unwrap();

    // Held by nobody: the pool finds out, or one use does.
    end_connections(store.database()).await;
    tolerate(&note(&store, ["2"]).await);
    assert!(is_there(&store, "1").await);
    note(&store, ["3"]).await.unwrap();

    // Held by a reader.
    let mut reader = store.read().await.unwrap();
    assert!(reader.instance_value("1").await.unwrap().is_some());
    end_connections(store.database()).await;
    let lost = reader.instance_value("1").await;
    assert!(matches!(lost, Err(Error::Unreachable(_))), "{lost:?}");
    drop(reader);
    assert!(is_there(&store, "1").await);
}

#[tokio::test]
async fn a_unit_that_loses_its_connection_leaves_no_trace() {
    let store = store(Engine::Postgres).await;
    note(&store, ["1"]).await.unwrap();

    let (begun, under_way) = tokio::sync::oneshot::channel();
    let (ended, go_on) = tokio::sync::oneshot::channel();
    let unit = store.write(async move |tx| {
        tx.insert_instance_value("2", b"2").await?;
        begun.send(()).unwrap();
        go_on.await.unwrap();
        tx.insert_instance_value("3", b"3").await
    });
    let (lost, ()) = tokio::join!(unit, async {
        under_way.await.unwrap();
        end_connections(store.database()).await;
        ended.send(()).unwrap();
    });
    assert!(matches!(lost, Err(Error::Unreachable(_))), "{lost:?}");
    assert!(!is_there(&store, "2").await && !is_there(&store, "3").await);
    note(&store, ["2"]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_lose_their_connections_do_not_empty_the_pool() {
    let store = store(Engine::Postgres).await;
    let read = |store: Store| async move {
        let mut reader = store.read().await?;
        reader.instance_value_count().await
    };
    for _ in 0..3 {
        let all: tokio::task::JoinSet<_> = (0..64).map(|_| read(store.clone())).collect();
        for counted in all.join_all().await {
            tolerate(&counted.map(drop));
        }
        end_connections(store.database()).await;
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(read(store.clone()).await.unwrap(), 0);
}

/// What is under way when the connection breaks may be told so, and nothing else.
fn tolerate(outcome: &Result<(), Error>) {
    assert!(
        matches!(outcome, Ok(()) | Err(Error::Unreachable(_))),
        "{outcome:?}"
    );
}

/// Ends every connection to a database, as its server does when it stops.
async fn end_connections(database: &Database) {
    let (client, connection) = tokio_postgres::connect(database.url(), NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE datname = current_database() AND pid <> pg_backend_pid()";
    while !client.query(end, &[]).await.unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
