//! What agents publish of their keys.

use std::collections::BTreeSet;

use agentdrop_domain::agents::{Agent, Published};
use agentdrop_domain::bundles::{Bundle, Prekey};
use agentdrop_protocol::{AgentId, AgentRef, SignedStatement, Timestamp};
use agentdrop_store::{Error, Store, Tx};
use agentdrop_testkit::engines::stores;

use crate::things::{Cast, agent_keys, at, race, write};

/// Something that nobody signed: what it says is not the store's to know.
pub(crate) fn signed(byte: u8) -> SignedStatement {
    SignedStatement::new(vec![byte; 40]).unwrap()
}

pub(crate) fn bundle(agent: AgentId, version: u64) -> Bundle {
    Bundle {
        agent,
        version,
        hash: [4; 32],
        identity: [5; 32].try_into().unwrap(),
        min_suite: 1,
        signed: Some(signed(6)),
    }
}

/// The agent, once this is its bundle.
pub(crate) fn published(agent: Agent, bundle: &Bundle) -> Agent {
    agent.publish(Published {
        version: bundle.version,
        identity: bundle.identity,
    })
}

pub(crate) fn prekey(id: u8, not_after: Timestamp) -> Prekey {
    Prekey {
        id: [id; 16],
        not_after,
        signed: signed(id),
    }
}

#[tokio::test]
async fn what_a_bundle_goes_on_from_outlives_it() {
    for store in &stores().await {
        let cast = Cast::of(store).await;
        let (owner, id) = (cast.alice.id, cast.ann.id);
        let named = AgentRef::Id(id);
        let ann = cast.ann.clone().connect(agent_keys(9, None));
        let first = bundle(id, 1);
        let (with, put) = (published(ann, &first), first.clone());
        let kept = with.clone();
        write(store, async move |tx| {
            assert_eq!(tx.bundle_of_agent(id).await?, None);
            tx.update_agent_keys(&with, at(1)).await?;
            tx.put_bundle(&with, &put).await?;
            tx.insert_prekey(id, &prekey(1, at(9)), at(1)).await?;
            tx.insert_prekey(id, &prekey(2, at(9)), at(1)).await?;
            assert!(tx.take_prekey(id, at(1)).await?.is_some());
            Ok(())
        })
        .await;
        let mut reader = store.read().await.unwrap();
        assert_eq!(
            reader.bundle_of_agent(id).await.unwrap(),
            Some(first.clone())
        );
        let found = reader.agent_of(owner, &named).await.unwrap().unwrap();
        assert_eq!(
            (found.published, found.keys()),
            (kept.published, kept.keys())
        );
        let history = reader.key_versions_of(owner, id).await.unwrap();
        assert_eq!(history[0].keys.signing, Some(first.identity));
        assert!(history[1..].iter().all(|it| it.keys.signing.is_none()));
        drop(reader);

        let gone = kept.disconnect().unwrap();
        write(store, async move |tx| {
            tx.update_agent_keys(&gone, at(2)).await?;
            tx.wipe_bundle(id).await?;
            // What somebody was given is known as long as it is good.
            assert!(!tx.insert_prekey(id, &prekey(1, at(9)), at(2)).await?);
            assert!(tx.insert_prekey(id, &prekey(2, at(9)), at(2)).await?);
            Ok(())
        })
        .await;
        let mut reader = store.read().await.unwrap();
        let found = reader.agent_of(owner, &named).await.unwrap().unwrap();
        assert_eq!((found.published, found.keys()), (None, None));
        let left = Bundle {
            signed: None,
            ..first
        };
        assert_eq!(reader.bundle_of_agent(id).await.unwrap(), Some(left));
    }
}

#[tokio::test]
async fn the_newest_rotations_are_told_oldest_first() {
    for store in &stores().await {
        let id = Cast::of(store).await.ann.id;
        let told = write(store, async move |tx| {
            for since in 2..72_u8 {
                tx.insert_rotation(id, since.into(), &signed(since)).await?;
            }
            tx.rotations_of_agent(id).await
        })
        .await;
        let newest: Vec<_> = (8..72).map(signed).collect();
        assert_eq!(told, newest);
    }
}

#[tokio::test]
async fn of_a_copy_no_prekey_is_left_and_what_was_given_stays_so() {
    for store in &stores().await {
        let id = Cast::of(store).await.ann.id;
        write(store, async move |tx| {
            for it in 1..=3 {
                tx.insert_prekey(id, &prekey(it, at(9)), at(1)).await?;
            }
            assert!(tx.take_prekey(id, at(1)).await?.is_some());
            assert_eq!(tx.drop_all_prekeys().await?, 2);
            assert!(tx.take_prekey(id, at(1)).await?.is_none());
            // The one that was given is known still.
            assert!(!tx.insert_prekey(id, &prekey(1, at(9)), at(2)).await?);
            // And so are those that may have been since.
            assert!(!tx.insert_prekey(id, &prekey(2, at(9)), at(2)).await?);
            assert_eq!(tx.prekeys_left(id, at(1)).await?, 0);
            Ok(())
        })
        .await;
    }
}

/// Also where some give back what they took.
#[tokio::test(flavor = "multi_thread")]
async fn of_a_thousand_claims_for_fifty_prekeys_fifty_get_one_each() {
    for store in &stores().await {
        let id = Cast::of(store).await.ann.id;
        write(store, async move |tx| {
            for it in 0..50 {
                tx.insert_prekey(id, &prekey(it, at(9)), at(1)).await?;
            }
            Ok(())
        })
        .await;
        let racing = Store::clone(store);
        let claim = move |n: usize| {
            let store = racing.clone();
            async move {
                let taken = async move |tx: &mut Tx| {
                    let taken = tx.take_prekey(id, at(2)).await?;
                    // A unit that fails keeps nothing.
                    if n % 10 == 3 {
                        return Err(Error::Stopped);
                    }
                    Ok(taken)
                };
                store.write(taken).await.ok().flatten()
            }
        };
        let given: Vec<_> = race(1_000, claim).await.into_iter().flatten().collect();
        assert!(!given.is_empty());
        // Those that were given back while others looked may be left.
        let mut all: Vec<_> = given.iter().map(ToString::to_string).collect();
        loop {
            let next = write(store, async move |tx| tx.take_prekey(id, at(2)).await).await;
            let Some(next) = next else { break };
            all.push(next.to_string());
        }
        assert_eq!(all.len(), 50);
        let each: BTreeSet<_> = all.into_iter().collect();
        let expected: BTreeSet<_> = (0..50).map(|it| signed(it).to_string()).collect();
        assert_eq!(each, expected);
    }
}

/// Sweeping takes what is over, given away or not, and leaves the rest.
#[tokio::test]
async fn what_is_over_is_forgotten() {
    for store in &stores().await {
        let id = Cast::of(store).await.ann.id;
        write(store, async move |tx| {
            for (it, not_after) in [(1, at(5)), (2, at(5)), (3, at(6))] {
                tx.insert_prekey(id, &prekey(it, not_after), at(1)).await?;
            }
            assert!(tx.take_prekey(id, at(2)).await?.is_some());
            assert_eq!(tx.prekeys_left(id, at(4)).await?, 2);
            assert_eq!(tx.prekeys_left(id, at(5)).await?, 1);
            assert_eq!(tx.delete_prekeys_until(at(5)).await?, 2);
            assert_eq!(tx.take_prekey(id, at(5)).await?, Some(signed(3)));
            assert_eq!(tx.delete_prekeys_until(at(5)).await?, 0);
            Ok(())
        })
        .await;
    }
}
