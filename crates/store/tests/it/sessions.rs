use agentdrop_protocol::limits::SESSION_LIFETIME;
use agentdrop_testkit::engines::{Engine, database, stores};

use crate::things::{Cast, at, digest, session, session_id, texts, write};

#[tokio::test]
async fn what_is_written_is_read_back_and_is_nobody_elses() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let mut new = session(&cast.alice);
        new.address = "2001:db8::1".parse().unwrap();
        let (writing, owner) = (new.clone(), cast.alice.id);
        write(&store, async move |tx| {
            tx.insert_session(&writing, 9).await?;
            tx.touch_session(writing.id, at(7)).await
        })
        .await;
        new.last_used_at = at(7);
        let mut reader = store.read().await.unwrap();
        let found = reader.session_by_digest(&new.digest).await.unwrap();
        assert_eq!(found.as_ref(), Some(&new), "{store:?}");
        assert_eq!(reader.session_by_digest(&digest()).await.unwrap(), None);
        let found = reader.session_of(owner, new.id).await.unwrap();
        assert_eq!(found.as_ref(), Some(&new), "{store:?}");
        for (by, id) in [(cast.bob.id, new.id), (owner, session_id())] {
            assert_eq!(reader.session_of(by, id).await.unwrap(), None, "{store:?}");
            let taken = write(&store, async move |tx| tx.take_session_of(by, id).await);
            assert_eq!(taken.await, None, "{store:?}");
        }
        let id = new.id;
        let taken = write(&store, async move |tx| tx.take_session_of(owner, id).await);
        assert_eq!(taken.await, Some(new), "{store:?}");
        let again = write(&store, async move |tx| tx.take_session_of(owner, id).await);
        assert_eq!(again.await, None, "{store:?}");
    }
}

#[tokio::test]
async fn a_list_has_those_that_last_newest_first_and_the_oldest_make_room() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let [first, second, mut over, third] = [(); 4].map(|()| session(&cast.alice));
        over.expires_at = at(5);
        let (theirs, owner, bob) = (session(&cast.bob), cast.alice.id, cast.bob.id);
        let all = [&theirs, &first, &second, &over, &third].map(Clone::clone);
        write(&store, async move |tx| {
            for it in &all {
                tx.insert_session(it, 3).await?;
            }
            Ok(())
        })
        .await;
        let mut reader = store.read().await.unwrap();
        let found = reader.sessions_of(owner, at(5)).await.unwrap();
        assert_eq!(found, [third.clone(), second.clone()], "{store:?}");
        let first = reader.session_of(owner, first.id).await.unwrap();
        assert_eq!(first, None, "{store:?}: the oldest made room");
        let found = reader.sessions_of(bob, at(5)).await.unwrap();
        assert_eq!(found, [theirs], "{store:?}");

        let deleted = write(&store, async move |tx| {
            let expired = tx.delete_expired_sessions(at(5)).await?;
            let others = tx.delete_sessions_of(owner, Some(second.id)).await?;
            Ok((expired, others, tx.delete_sessions_of(owner, None).await?))
        });
        assert_eq!(deleted.await, (1, 1, 1), "{store:?}");
        let lasts = reader.sessions_of(bob, at(5).plus(SESSION_LIFETIME)).await;
        assert_eq!(lasts.unwrap(), [], "{store:?}");
        assert_eq!(reader.sessions_of(bob, at(5)).await.unwrap().len(), 1);
    }
}

/// Who adds a column to one of these is asked to think of who may read the file.
#[tokio::test]
async fn of_tokens_there_is_the_digest_alone() {
    let database = database(Engine::Postgres).await;
    let _store = database.open().await;
    for (table, columns) in [
        (
            "sessions",
            "id account_id digest address created_at last_used_at expires_at",
        ),
        ("mailed_links", "digest purpose account_id expires_at"),
        ("mails", "id account_id content attempts created_at due_at"),
    ] {
        let sql = format!(
            "SELECT column_name::text FROM information_schema.columns
             WHERE table_schema = 'public' AND table_name = '{table}' ORDER BY ordinal_position"
        );
        assert_eq!(texts(&database, &sql).await.join(" "), columns);
    }
}
