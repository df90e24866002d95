use agentdrop_store::{Constraint, Error, Result, Store};
use agentdrop_testkit::engines::stores;

use crate::{is_there, note};

#[tokio::test]
async fn what_is_written_is_read_back() {
    let value = [0, 159, 255];
    for store in stores().await {
        let written = store
            .write(async move |tx| tx.insert_instance_value("key", &value).await)
            .await;
        written.unwrap();

        let mut reader = store.read().await.unwrap();
        let found = reader.instance_value("key").await.unwrap();
        assert_eq!(found.as_deref(), Some(&value[..]));
        assert_eq!(reader.instance_value("KEY").await.unwrap(), None);
        assert_eq!(reader.instance_value_count().await.unwrap(), 1);
    }
}

#[tokio::test]
async fn a_name_is_taken_once() {
    for store in stores().await {
        note(&store, ["key"]).await.unwrap();
        let again = note(&store, ["key"]).await;
        assert!(
            matches!(again, Err(Error::Conflict(Constraint::InstanceName))),
            "{again:?}"
        );
    }
}

#[tokio::test]
async fn only_what_is_there_is_changed_or_deleted() {
    for store in stores().await {
        note(&store, ["a", "b"]).await.unwrap();
        let touched = store
            .write(async |tx| -> Result<_> {
                let changed = tx.update_instance_value("a", b"new").await?;
                let absent = tx.update_instance_value("c", b"new").await?;
                let deleted = tx.delete_instance_values(&["b", "c"]).await?;
                Ok((changed, absent, deleted))
            })
            .await;
        assert_eq!(touched.unwrap(), (1, 0, 1), "{store:?}");

        let mut reader = store.read().await.unwrap();
        let changed = reader.instance_value("a").await.unwrap();
        assert_eq!(changed.as_deref(), Some(&b"new"[..]));
        assert!(!is_there(&store, "b").await, "{store:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_count_none_is_lost() {
    async fn count(store: Store) -> Result<()> {
        store
            .write(async |tx| {
                let counted = tx.hold_instance_value("count").await?.unwrap();
                std::thread::sleep(std::time::Duration::from_millis(20));
                tx.update_instance_value("count", &[counted[0] + 1]).await?;
                Ok(())
            })
            .await
    }

    for store in stores().await {
        let begun = store.write(async |tx| tx.insert_instance_value("count", &[0]).await);
        begun.await.unwrap();
        let all: tokio::task::JoinSet<_> = (0..8).map(|_| count(store.clone())).collect();
        all.join_all().await.into_iter().for_each(Result::unwrap);

        let mut reader = store.read().await.unwrap();
        let counted = reader.instance_value("count").await.unwrap();
        assert_eq!(counted, Some(vec![8]), "{store:?}");
    }
}
