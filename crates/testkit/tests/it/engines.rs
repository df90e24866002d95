use agentdrop_store::Store;
use agentdrop_testkit::engines::{Engine, database, store, stores};

#[tokio::test]
async fn every_engine_is_there_and_empty() {
    let stores = stores().await;
    assert_eq!(format!("{stores:?}"), "[Sqlite, Postgres]");
    for store in stores {
        let mut reader = store.read().await.unwrap();
        assert_eq!(reader.instance_value_count().await.unwrap(), 0, "{store:?}");
    }
}

#[tokio::test]
async fn stores_share_nothing() {
    for engine in Engine::ALL {
        let (one, other) = (store(engine).await, store(engine).await);
        let written = one.write(async |tx| tx.insert_instance_value("a", b"1").await);
        written.await.unwrap();
        let mut reader = other.read().await.unwrap();
        assert_eq!(
            reader.instance_value("a").await.unwrap(),
            None,
            "{engine:?}"
        );
    }
}

#[tokio::test]
async fn a_dropped_database_is_gone() {
    for engine in Engine::ALL {
        let database = database(engine).await;
        let url = database.url().to_owned();
        let store = database.open().await;
        drop((store, database));
        let again = Store::open(&url).await;
        assert!(again.is_err(), "{engine:?}");
    }
}
