use std::time::Duration;

use agentdrop_domain::keys::KeyError;
use agentdrop_domain::{Credential, Scope};
use agentdrop_store::{Error, Tx};
use agentdrop_testkit::engines::{Engine, database, stores};

use crate::things::{Cast, Refusal, agent, at, digest, dwell, key, key_id, race, texts, write};

#[tokio::test]
async fn what_is_written_is_read_back() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let mut full = key(cast.alice.id, Scope::Agent(cast.ann.id));
        full.transfer_count = 7;
        full.last_used_at = Some(at(1));
        full.revoked_at = Some(at(2));
        for new in [key(cast.alice.id, Scope::Account), full] {
            let (writing, owner) = (new.clone(), cast.alice.id);
            let held = write(&store, async move |tx| {
                tx.insert_key(&writing).await?;
                tx.hold_key_of(owner, writing.id).await
            })
            .await;
            assert_eq!(held.as_ref(), Some(&new), "{store:?}");
            let mut reader = store.read().await.unwrap();
            let found = reader.key_by_digest(&new.digest).await.unwrap();
            assert_eq!(found, Some(new), "{store:?}: revoked or not");
            assert_eq!(reader.key_by_digest(&digest()).await.unwrap(), None);
        }
    }
}

#[tokio::test]
async fn a_list_has_those_that_work_newest_first() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let (alice, ann) = (cast.alice.id, Scope::Agent(cast.ann.id));
        let own = key(alice, Scope::Account);
        let [first, second, mut over] = [(); 3].map(|()| key(alice, ann));
        over.revoked_at = Some(at(1));
        let theirs = key(cast.mallory.id, Scope::Agent(cast.imp.id));
        let all = [&own, &first, &second, &over, &theirs].map(Clone::clone);
        write(&store, async move |tx| {
            for it in &all {
                tx.insert_key(it).await?;
            }
            Ok(())
        })
        .await;

        let mut reader = store.read().await.unwrap();
        let found = reader.keys_of(alice).await.unwrap();
        assert_eq!(found, [second.clone(), first.clone(), own], "{store:?}");
        let found = reader.keys_of_agent(alice, cast.ann.id).await.unwrap();
        assert_eq!(found, [second, first], "{store:?}");
        let found = reader.keys_of(cast.mallory.id).await.unwrap();
        assert_eq!(found, [theirs], "{store:?}");
    }
}

#[tokio::test]
async fn anothers_key_is_not_there() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let new = key(cast.alice.id, Scope::Agent(cast.ann.id));
        let (id, alice, mallory) = (new.id, cast.alice.id, cast.mallory.id);
        let found = write(&store, async move |tx| {
            tx.insert_key(&new).await?;
            let theirs = tx.hold_key_of(mallory, id).await?;
            Ok((theirs, tx.hold_key_of(alice, key_id()).await?))
        })
        .await;
        assert_eq!(found, (None, None), "{store:?}");
        let mut reader = store.read().await.unwrap();
        assert_eq!(reader.keys_of(mallory).await.unwrap(), []);
        let found = reader.keys_of_agent(mallory, cast.ann.id).await;
        assert_eq!(found.unwrap(), [], "{store:?}");
        let found = reader.keys_of_agent(alice, cast.imp.id).await;
        assert_eq!(found.unwrap(), [], "{store:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_revoke_one_succeeds() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let new = key(cast.alice.id, Scope::Account);
        let (id, owner, digest) = (new.id, cast.alice.id, new.digest);
        write(&store, async move |tx| tx.insert_key(&new).await).await;
        let ends = race(8, |racer| {
            let (store, now) = (store.clone(), at(i64::try_from(racer).unwrap()));
            async move {
                let unit = async move |tx: &mut Tx| -> Result<_, Refusal> {
                    let held = tx.hold_key_of(owner, id).await?.unwrap();
                    dwell(Duration::from_millis(20));
                    let revoked = held.revoke(Credential::Key(key_id()), now)?;
                    tx.update_key(&revoked).await?;
                    Ok(revoked)
                };
                store.write(unit).await
            }
        })
        .await;
        let (done, refused): (Vec<_>, Vec<_>) = ends.into_iter().partition(Result::is_ok);
        assert_eq!(done.len(), 1, "{store:?}: {refused:?}");
        for it in refused {
            assert!(matches!(it, Err(Refusal::Key(KeyError::Revoked))), "{it:?}");
        }
        let mut reader = store.read().await.unwrap();
        let found = reader.key_by_digest(&digest).await.unwrap();
        assert_eq!(found.as_ref(), done[0].as_ref().ok(), "{store:?}");
        assert_eq!(reader.keys_of(owner).await.unwrap(), [], "{store:?}");
    }
}

#[tokio::test]
async fn all_keys_of_an_account_end_at_once_and_nobody_elses() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let (owner, ann) = (cast.alice.id, cast.ann.id);
        let keys = [
            key(owner, Scope::Account),
            key(owner, Scope::Agent(ann)),
            key(cast.imp.account, Scope::Account),
        ];
        let others = keys[2].digest;
        write(&store, async move |tx| {
            for it in &keys {
                tx.insert_key(it).await?;
            }
            tx.revoke_keys_of(owner, at(7)).await
        })
        .await;
        let mut reader = store.read().await.unwrap();
        assert_eq!(reader.keys_of(owner).await.unwrap(), [], "{store:?}");
        let found = reader.key_by_digest(&others).await.unwrap().unwrap();
        assert_eq!(found.revoked_at, None, "{store:?}");
    }
}

#[tokio::test]
async fn a_use_is_noted_of_the_key_and_of_its_agent() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let [one, other] = [(); 2].map(|()| key(cast.alice.id, Scope::Account));
        let digests = [one.digest, other.digest];
        let ann = cast.ann.id;
        write(&store, async move |tx| {
            tx.insert_key(&one).await?;
            tx.insert_key(&other).await?;
            tx.touch_key(Some(one.id), None, at(5)).await?;
            tx.touch_key(Some(other.id), Some(ann), at(6)).await
        })
        .await;
        let mut reader = store.read().await.unwrap();
        for (digest, used) in digests.iter().zip([at(5), at(6)]) {
            let found = reader.key_by_digest(digest).await.unwrap().unwrap();
            assert_eq!(found.last_used_at, Some(used), "{store:?}");
        }
        for (agent, seen) in [(&cast.ann, Some(at(6))), (&cast.imp, None)] {
            let found = reader.agent_by_id_of(agent.account, agent.id).await;
            assert_eq!(found.unwrap().unwrap().last_seen_at, seen, "{store:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_count_a_transfer_none_is_lost() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let new = key(cast.alice.id, Scope::Account);
        let (id, digest) = (new.id, new.digest);
        write(&store, async move |tx| tx.insert_key(&new).await).await;
        let counted = race(16, |_| {
            let store = store.clone();
            async move {
                store
                    .write(async move |tx| tx.count_transfer(id).await)
                    .await
            }
        });
        for it in counted.await {
            it.unwrap();
        }
        let mut reader = store.read().await.unwrap();
        let found = reader.key_by_digest(&digest).await.unwrap().unwrap();
        assert_eq!(found.transfer_count, 16, "{store:?}");
    }
}

#[tokio::test]
async fn a_digest_is_one_keys() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let [one, mut other] = [(); 2].map(|()| key(cast.alice.id, Scope::Account));
        other.digest = one.digest;
        write(&store, async move |tx| tx.insert_key(&one).await).await;
        let taken = store
            .write(async move |tx| tx.insert_key(&other).await)
            .await;
        assert!(matches!(taken, Err(Error::Engine(_))), "{taken:?}");
    }
}

/// Deleting locks the agent and then its keys; whoever locks a key first waits for ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_key_that_is_used_while_its_agent_is_deleted_is_in_nobodys_way() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        for _ in 0..20 {
            let new = agent(&cast.alice, "fleeting");
            let key = key(cast.alice.id, Scope::Agent(new.id));
            let (id, agent) = (key.id, new.id);
            let gone = new.clone();
            write(&store, async move |tx| {
                tx.insert_agent(&new).await?;
                tx.insert_key(&key).await
            })
            .await;
            let used = race(4, |_| {
                let store = store.clone();
                async move {
                    let unit =
                        async move |tx: &mut Tx| tx.touch_key(Some(id), Some(agent), at(1)).await;
                    store.write(unit).await
                }
            });
            let deleted = store.write(async move |tx| tx.delete_agent(&gone).await);
            let (used, deleted) = tokio::join!(used, deleted);
            for it in used {
                it.unwrap();
            }
            assert_eq!(deleted.unwrap(), [], "{store:?}");
        }
        assert_eq!(
            store
                .read()
                .await
                .unwrap()
                .keys_of(cast.alice.id)
                .await
                .unwrap(),
            []
        );
    }
}

/// Who adds a column to one of these is asked to think of who may read the file.
#[tokio::test]
async fn of_keys_and_tokens_there_is_the_digest_alone() {
    let columns = |table: &str| {
        format!(
            "SELECT column_name::text FROM information_schema.columns
             WHERE table_schema = 'public' AND table_name = '{table}' ORDER BY ordinal_position"
        )
    };
    let database = database(Engine::Postgres).await;
    let _store = database.open().await;
    assert_eq!(
        texts(&database, &columns("api_keys")).await.join(" "),
        "id account_id agent_id name prefix digest transfer_count created_at last_used_at \
         revoked_at"
    );
    assert_eq!(
        texts(&database, &columns("connection_tokens"))
            .await
            .join(" "),
        "digest agent_id expires_at"
    );
    assert_eq!(
        texts(&database, &columns("agent_keys")).await.join(" "),
        "agent_id version public_key signing_public_key created_at retired_at"
    );
}
