use std::time::Duration;

use agentdrop_domain::channels::{Channel, ChannelError};
use agentdrop_protocol::AgentRef;
use agentdrop_store::{Error, Result, Tx};
use agentdrop_testkit::engines::{TestStore, stores};

use crate::things::{
    Cast, Refusal, agent_keys, at, begin, channel, channel_id, dwell, race, texts, write,
};

async fn insert(store: &TestStore, new: &Channel) -> Channel {
    let new = new.clone();
    write(store, async move |tx| tx.insert_or_find_channel(&new).await).await
}

#[tokio::test]
async fn what_is_written_is_read_back() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let [older, newer] = [channel(&cast.ann, &cast.ben), channel(&cast.imp, &cast.ben)];
        assert_eq!(insert(&store, &older).await, older, "{store:?}");
        assert_eq!(insert(&store, &newer).await, newer, "{store:?}");
        let mut reader = store.read().await.unwrap();
        for owner in [cast.alice.id, cast.bob.id] {
            let found = reader.channel_of(owner, older.id).await.unwrap();
            assert_eq!(found.as_ref(), Some(&older), "{store:?}: on either side");
            let id = older.id;
            let held = write(&store, async move |tx| tx.hold_channel_of(owner, id).await);
            assert_eq!(held.await.as_ref(), Some(&older), "{store:?}");
        }
        let absent = reader.channel_of(cast.alice.id, channel_id()).await;
        assert_eq!(absent.unwrap(), None);
        let both = reader.channels_of(cast.bob.id).await.unwrap();
        assert_eq!(both, [newer, older], "newest first");
    }
}

#[tokio::test]
async fn a_channel_between_others_is_not_there() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let new = insert(&store, &channel(&cast.ann, &cast.ben)).await;
        let (id, mallory) = (new.id, cast.mallory.id);
        let mut reader = store.read().await.unwrap();
        assert_eq!(reader.channel_of(mallory, id).await.unwrap(), None);
        assert_eq!(reader.channels_of(mallory).await.unwrap(), []);
        let held = write(&store, async move |tx| {
            tx.hold_channel_of(mallory, id).await
        });
        assert_eq!(held.await, None, "{store:?}");
    }
}

#[tokio::test]
async fn two_agents_have_one_channel_at_a_time() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let first = insert(&store, &channel(&cast.ann, &cast.ben)).await;
        let mut later = channel(&cast.ben, &cast.ann);
        later.created_at = at(5);
        assert_eq!(insert(&store, &later).await, first, "{store:?}");

        let revoked = first.clone().revoke(at(9)).unwrap();
        let over = revoked.clone();
        write(&store, async move |tx| tx.update_channel(&over).await).await;
        let second = insert(&store, &later).await;
        assert_eq!(second, later, "{store:?}: the revoked one does not count");
        let mut reader = store.read().await.unwrap();
        let all = reader.channels_of(cast.alice.id).await.unwrap();
        assert_eq!(all, [second, revoked], "{store:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_make_one_all_get_the_same() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let got = race(32, |racer| {
            let (store, mut sides) = (store.clone(), [&cast.ann, &cast.ben]);
            sides.rotate_left(racer % 2);
            let new = channel(sides[0], sides[1]);
            async move {
                let unit = async move |tx: &mut Tx| tx.insert_or_find_channel(&new).await;
                store.write(unit).await
            }
        })
        .await;
        let got: Vec<_> = got.into_iter().map(Result::unwrap).collect();
        assert!(got.iter().all(|it| it == &got[0]), "{store:?}: {got:?}");
        let mut reader = store.read().await.unwrap();
        let all = reader.channels_of(cast.bob.id).await.unwrap();
        assert_eq!(all, got[..1], "{store:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_makes_one_while_it_is_revoked_gets_one_that_is_not() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        insert(&store, &channel(&cast.ann, &cast.ben)).await;
        let owner = cast.alice.id;
        let ends = race(64, |racer| {
            let (store, new) = (store.clone(), channel(&cast.ann, &cast.ben));
            async move {
                let unit = async move |tx: &mut Tx| -> Result<(), Refusal> {
                    let made = tx.insert_or_find_channel(&new).await?;
                    assert_eq!(made.revoked_at, None);
                    if racer % 2 == 0 {
                        let held = tx.hold_channel_of(owner, made.id).await?.unwrap();
                        tx.update_channel(&held.revoke(at(1))?).await?;
                    }
                    Ok(())
                };
                store.write(unit).await
            }
        });
        for it in ends.await {
            it.unwrap();
        }
        let active = "SELECT id FROM channels WHERE revoked_at IS NULL";
        assert!(
            texts(store.database(), active).await.len() <= 1,
            "{store:?}"
        );
        let over = "SELECT id FROM channels WHERE revoked_at IS NOT NULL";
        assert_eq!(texts(store.database(), over).await.len(), 32, "{store:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_revoke_one_succeeds() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let id = insert(&store, &channel(&cast.ann, &cast.ben)).await.id;
        let owners = [cast.alice.id, cast.bob.id];
        let ends = race(8, |racer| {
            let (store, owner) = (store.clone(), owners[racer % 2]);
            async move {
                let unit = async move |tx: &mut Tx| -> Result<(), Refusal> {
                    let held = tx.hold_channel_of(owner, id).await?.unwrap();
                    dwell(Duration::from_millis(20));
                    Ok(tx.update_channel(&held.revoke(at(1))?).await?)
                };
                store.write(unit).await
            }
        })
        .await;
        assert_eq!(ends.iter().filter(|it| it.is_ok()).count(), 1, "{store:?}");
        let refusals = ends.into_iter().filter_map(Result::err);
        for it in refusals {
            let already = matches!(it, Refusal::Channel(ChannelError::AlreadyRevoked));
            assert!(already, "{it:?}");
        }
    }
}

#[tokio::test]
async fn all_channels_of_an_agent_end_at_once() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let first = insert(&store, &channel(&cast.ann, &cast.ben)).await;
        let second = insert(&store, &channel(&cast.ben, &cast.imp)).await;
        let other = insert(&store, &channel(&cast.ann, &cast.imp)).await;
        let ben = cast.ben.id;
        let (ended, again) = write(&store, async move |tx| {
            let ended = tx.revoke_channels_of_agent(ben, at(1)).await?;
            Ok((ended, tx.revoke_channels_of_agent(ben, at(2)).await?))
        })
        .await;
        assert_eq!((ended, again), (2, 0), "{store:?}");
        let mut reader = store.read().await.unwrap();
        for (it, until) in [(first, Some(at(1))), (second, Some(at(1))), (other, None)] {
            let owner = it.a.account;
            let found = reader.channel_of(owner, it.id).await.unwrap().unwrap();
            assert_eq!(found.revoked_at, until, "{store:?}");
        }
    }
}

/// Its channels end with its keys; one that is made meanwhile would stay.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_keeps_an_agent_makes_no_channel_behind_its_disconnection() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let connected = cast.ann.clone().connect(agent_keys(9, None));
        let agent = connected.clone();
        write(&store, async move |tx| {
            tx.update_agent_keys(&agent, at(1)).await
        })
        .await;
        let (owner, id) = (cast.alice.id, cast.ann.id);
        let slow = begin(&store, move |tx| {
            Box::pin(async move {
                let held = tx.hold_agent_of(owner, id).await?.unwrap();
                let wiped = held.disconnect().unwrap();
                tx.update_agent_keys(&wiped, at(2)).await?;
                tx.revoke_channels_of_agent(id, at(2)).await
            })
        })
        .await;
        let kept = store.write(async move |tx| {
            let kept = tx.keep_agent_of(owner, &AgentRef::Id(id)).await?;
            Ok::<_, Error>(kept.unwrap())
        });
        let kept = kept.await.unwrap();
        slow.await.unwrap().unwrap();
        assert_eq!(kept.keys(), None, "{store:?}: it sees that it ended");
    }
}

#[tokio::test]
async fn across_accounts_it_waits_for_the_other_side() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let Channel { a, b, .. } = channel(&cast.ann, &cast.ben);
        let pending = Channel::propose(channel_id(), a, b, at(0)).unwrap();
        assert_eq!(insert(&store, &pending).await, pending, "{store:?}");
        let crossing = Channel::propose(channel_id(), b, a, at(1)).unwrap();
        let found = insert(&store, &crossing).await;
        assert_eq!(found, pending, "{store:?}: there is one");
        let both = found.ask(b.account);
        let new = both.clone();
        write(&store, async move |tx| tx.update_channel(&new).await).await;
        let mut reader = store.read().await.unwrap();
        let found = reader.channel_of(a.account, both.id).await.unwrap();
        assert_eq!(found.as_ref(), Some(&both), "{store:?}");
        assert_eq!(both.waits_for, None);
    }
}

#[tokio::test]
async fn those_between_two_accounts_or_two_agents_end_at_once() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let first = insert(&store, &channel(&cast.ann, &cast.ben)).await;
        let second = insert(&store, &channel(&cast.imp, &cast.ben)).await;
        let third = insert(&store, &channel(&cast.ann, &cast.imp)).await;
        let (alice, bob) = (cast.alice.id, cast.bob.id);
        let (imp, ben) = (cast.imp.id, cast.ben.id);
        let ended = write(&store, async move |tx| {
            Ok([
                tx.revoke_channels_between_accounts(bob, alice, at(1))
                    .await?,
                tx.revoke_channels_between_accounts(alice, bob, at(2))
                    .await?,
                tx.revoke_channels_between_agents(ben, imp, at(3)).await?,
                tx.revoke_channels_between_agents(imp, ben, at(4)).await?,
            ])
        });
        assert_eq!(ended.await, [1, 0, 1, 0], "{store:?}");
        let mut reader = store.read().await.unwrap();
        for (it, until) in [(first, Some(at(1))), (second, Some(at(3))), (third, None)] {
            let found = reader.channel_of(it.a.account, it.id).await.unwrap();
            assert_eq!(found.unwrap().revoked_at, until, "{store:?}");
        }
    }
}
