use std::time::Duration;

use agentdrop_domain::agents::Agent;
use agentdrop_domain::connections::Connection;
use agentdrop_domain::pairings::{Pairing, PairingError, Permission};
use agentdrop_protocol::wire::transfers::TransferMode;
use agentdrop_protocol::{AccountId, AgentId, Slug};
use agentdrop_store::{Constraint, Error, Result, Store, Tx};
use agentdrop_testkit::engines::stores;

use crate::things::{
    Cast, Refusal, account, agent, agent_keys, at, begin, connection, dwell, pairing, proposal,
    race, transfer, write, write_connections, write_pairings,
};

/// Alice and Bob, connected.
async fn connected(store: &Store) -> (Cast, Connection) {
    let cast = Cast::of(store).await;
    let connection = connection(&cast.alice, &cast.bob);
    write_connections(store, &[&connection]).await;
    (cast, connection)
}

/// Writes an agent down that has keys.
async fn ready(store: &Store, agent: Agent) -> Agent {
    let agent = agent.connect(agent_keys(9, None));
    let new = agent.clone();
    write(store, async move |tx| tx.insert_agent(&new).await).await;
    agent
}

async fn update(store: &Store, it: &Pairing) {
    let it = it.clone();
    write(store, async move |tx| tx.update_pairing(&it).await).await;
}

async fn active(store: &Store, one: AgentId, other: AgentId) -> Option<Pairing> {
    let mut reader = store.read().await.unwrap();
    let found = reader.active_pairing(one, other).await.unwrap();
    let kept = write(store, async move |tx| {
        tx.keep_active_pairing(other, one).await
    });
    assert_eq!(kept.await, found);
    found
}

#[tokio::test]
async fn what_is_written_is_read_back() {
    for store in stores().await {
        let (cast, under) = connected(&store).await;
        let (alice, bob) = (cast.alice.id, cast.bob.id);
        let pending = proposal(&under, &cast.ben, &cast.ann, Permission::SendOnly);
        write_pairings(&store, &[&pending]).await;
        let confirmed = pending.clone().confirm(alice, at(3)).unwrap();
        let changed = confirmed.clone();
        let changed = changed.change_permission(alice, Permission::SendOnly);
        let over = confirmed.clone().revoke(bob, at(4)).unwrap();
        for it in [pending, confirmed, changed.unwrap(), over] {
            update(&store, &it).await;
            for owner in [alice, bob] {
                let mut reader = store.read().await.unwrap();
                let found = reader.pairing_of(owner, it.id).await.unwrap();
                assert_eq!(found.as_ref(), Some(&it), "{store:?}");
                let id = it.id;
                let held = write(&store, async move |tx| tx.hold_pairing_of(owner, id).await);
                assert_eq!(held.await.as_ref(), Some(&it), "{store:?}");
                let all = reader.pairings_of(owner, under.id).await.unwrap();
                assert_eq!(all, std::slice::from_ref(&it), "{store:?}");
                let count = reader.pairing_count_of(owner, under.id).await.unwrap();
                let own = it.confirmed_at.is_some() || it.terms_by == owner;
                let counts = own && it.revoked_at.is_none();
                assert_eq!(count, u64::from(counts), "{store:?}");
                let agents = reader.agents_of_pairings_of(owner, under.id).await;
                assert_eq!(agents.unwrap(), [cast.ann.clone(), cast.ben.clone()]);
            }
            let expected = it.is_active().then_some(it);
            let found = active(&store, cast.ben.id, cast.ann.id).await;
            assert_eq!(found, expected, "{store:?}");
        }
    }
}

#[tokio::test]
async fn a_pairing_between_others_is_not_there() {
    for store in stores().await {
        let (cast, under) = connected(&store).await;
        let made = pairing(&under, &cast.ann, &cast.ben, Permission::Both);
        write_pairings(&store, &[&made]).await;
        let (mallory, imp) = (cast.mallory.id, cast.imp.id);
        let mut reader = store.read().await.unwrap();
        assert_eq!(reader.pairing_of(mallory, made.id).await.unwrap(), None);
        let held = write(&store, async move |tx| {
            tx.hold_pairing_of(mallory, made.id).await
        });
        assert_eq!(held.await, None, "{store:?}");
        let all = reader.pairings_of(mallory, under.id).await.unwrap();
        assert_eq!(all, [], "{store:?}");
        assert_eq!(reader.pairing_count_of(mallory, under.id).await.unwrap(), 0);
        let agents = reader.agents_of_pairings_of(mallory, under.id).await;
        assert_eq!(agents.unwrap(), [], "{store:?}");
        let paired = reader.paired_agents_of(mallory, None).await.unwrap();
        assert_eq!(paired, [], "{store:?}");
        let sendable = reader.sendable_agents_of(mallory, Some(cast.ann.id)).await;
        assert_eq!(sendable.unwrap(), [], "{store:?}: not by naming her agent");
        let found = reader.reachable_agent_of(mallory, None, cast.ben.id).await;
        assert_eq!(found.unwrap(), None, "{store:?}");
        let own = reader.reachable_agents_of(mallory, None, &cast.imp.slug);
        let own: Vec<_> = own
            .await
            .unwrap()
            .into_iter()
            .map(|it| it.agent.id)
            .collect();
        assert_eq!(own, [imp], "{store:?}");
        assert_eq!(active(&store, imp, cast.ben.id).await, None, "{store:?}");
    }
}

#[tokio::test]
async fn two_agents_have_one_pairing_at_a_time() {
    for store in stores().await {
        let (cast, under) = connected(&store).await;
        let first = proposal(&under, &cast.ann, &cast.ben, Permission::Both);
        write_pairings(&store, &[&first]).await;
        let again = proposal(&under, &cast.ben, &cast.ann, Permission::SendOnly);
        let new = again.clone();
        let taken = store.write(async move |tx| tx.insert_pairing(&new).await);
        let taken = taken.await;
        let conflict = matches!(taken, Err(Error::Conflict(Constraint::PairingAgents)));
        assert!(conflict, "{store:?}: {taken:?}");
        let over = first.revoke(cast.bob.id, at(5)).unwrap();
        update(&store, &over).await;
        write_pairings(&store, &[&again]).await;
        let mut reader = store.read().await.unwrap();
        let all = reader.pairings_of(cast.alice.id, under.id).await.unwrap();
        assert_eq!(all, [again, over], "{store:?}: newest first");
    }
}

#[tokio::test]
async fn with_its_connection_a_pairing_is_over() {
    for store in stores().await {
        let (cast, under) = connected(&store).await;
        let first = pairing(&under, &cast.ann, &cast.ben, Permission::Both);
        let extra = ready(&store, agent(&cast.bob, "extra")).await;
        let second = proposal(&under, &cast.ann, &extra, Permission::Both);
        write_pairings(&store, &[&first, &second]).await;
        let (ann, ben) = (cast.ann.id, cast.ben.id);

        let over = under.clone().revoke(&cast.bob, at(6)).unwrap();
        let connection = over.clone();
        write(&store, async move |tx| {
            tx.update_connection(&connection).await
        })
        .await;
        let found = active(&store, ann, ben).await;
        assert_eq!(found, None, "{store:?}: even if it was forgotten");
        let mut reader = store.read().await.unwrap();
        let paired = reader.paired_agents_of(cast.alice.id, None).await.unwrap();
        assert_eq!(paired, [], "{store:?}");

        let (mut ended, again) = write(&store, async move |tx| {
            let ended = tx.revoke_pairings_of_connection(under.id, at(6)).await?;
            Ok((
                ended,
                tx.revoke_pairings_of_connection(under.id, at(7)).await?,
            ))
        })
        .await;
        ended.sort_by_key(|it| it.id);
        let expected = [first, second].map(|it| it.revoke(cast.bob.id, at(6)).unwrap());
        assert_eq!((ended, again), (expected.to_vec(), vec![]), "{store:?}");
    }
}

#[tokio::test]
async fn with_its_agent_a_pairing_goes() {
    for store in stores().await {
        let (cast, under) = connected(&store).await;
        let made = pairing(&under, &cast.ann, &cast.ben, Permission::Both);
        write_pairings(&store, &[&made]).await;
        let (ann, ben) = (cast.ann.id, cast.ben.clone());
        let ended = write(&store, async move |tx| {
            let ended = tx.revoke_pairings_of_agent(ann, at(5)).await?;
            tx.delete_agent(&ben).await?;
            Ok(ended)
        })
        .await;
        let over = made.revoke(cast.alice.id, at(5)).unwrap();
        assert_eq!(ended, [over], "{store:?}");
        let mut reader = store.read().await.unwrap();
        let all = reader.pairings_of(cast.alice.id, under.id).await.unwrap();
        assert_eq!(all, [], "{store:?}");
    }
}

/// Ids of agents, with whose they are.
async fn reachable(
    store: &Store,
    of: Option<AgentId>,
    owner: AccountId,
    slug: &Slug,
) -> Vec<AgentId> {
    let mut reader = store.read().await.unwrap();
    let found = reader.reachable_agents_of(owner, of, slug).await.unwrap();
    found.into_iter().map(|it| it.agent.id).collect()
}

#[tokio::test]
async fn a_name_reaches_own_agents_first_and_then_paired_ones() {
    for store in stores().await {
        let (cast, under) = connected(&store).await;
        let dora = account("dora");
        let new = dora.clone();
        write(&store, async move |tx| tx.insert_account(&new).await).await;
        let to_dora = connection(&dora, &cast.alice);
        write_connections(&store, &[&to_dora]).await;
        let bobs = ready(&store, agent(&cast.bob, "bot")).await;
        let doras = ready(&store, agent(&dora, "bot")).await;
        let _stranger = ready(&store, agent(&cast.mallory, "bot")).await;
        let anna = ready(&store, agent(&cast.alice, "anna")).await;
        let waiting = ready(&store, agent(&cast.bob, "waiting")).await;
        write_pairings(
            &store,
            &[
                &pairing(&under, &cast.ann, &bobs, Permission::ReceiveOnly),
                &pairing(&to_dora, &doras, &anna, Permission::ReceiveOnly),
                &proposal(&under, &cast.ann, &waiting, Permission::Both),
            ],
        )
        .await;
        let (alice, ann, slug) = (cast.alice.id, cast.ann.id, bobs.slug.clone());
        let all = reachable(&store, None, alice, &slug).await;
        assert_eq!(all, [bobs.id, doras.id], "{store:?}: whose is to be said");
        assert_eq!(reachable(&store, Some(ann), alice, &slug).await, [bobs.id]);
        assert_eq!(
            reachable(&store, Some(anna.id), alice, &slug).await,
            [doras.id]
        );
        let unconfirmed = reachable(&store, None, alice, &waiting.slug).await;
        assert_eq!(unconfirmed, [], "{store:?}");
        let own = ready(&store, agent(&cast.alice, "bot")).await;
        let all = reachable(&store, None, alice, &slug).await;
        assert_eq!(all, [own.id, bobs.id, doras.id], "{store:?}: own first");

        let mut reader = store.read().await.unwrap();
        let found = reader.reachable_agent_of(alice, None, doras.id).await;
        let found = found.unwrap().unwrap();
        assert_eq!(found.agent, doras, "{store:?}");
        assert_eq!(found.account_name, dora.name);
        assert_eq!(found.account_email, dora.email);
        let not_hers = reader.reachable_agent_of(alice, Some(ann), doras.id).await;
        assert_eq!(not_hers.unwrap(), None, "{store:?}");
        let own = reader.reachable_agent_of(alice, Some(ann), anna.id).await;
        assert_eq!(own.unwrap().unwrap().agent, anna, "{store:?}");

        let paired = reader.paired_agents_of(alice, None).await.unwrap();
        let paired: Vec<_> = paired.into_iter().map(|it| it.agent).collect();
        assert_eq!(paired, [bobs, doras.clone()], "{store:?}");
        let sendable = reader.sendable_agents_of(alice, None).await.unwrap();
        let sendable: Vec<_> = sendable.into_iter().map(|it| it.agent).collect();
        assert_eq!(sendable, [doras], "{store:?}: the other only sends to her");
        let sendable = reader.sendable_agents_of(dora.id, None).await.unwrap();
        assert_eq!(sendable, [], "{store:?}: Dora only receives");
        let sendable = reader.sendable_agents_of(cast.bob.id, None).await.unwrap();
        assert_eq!(sendable, [], "{store:?}: Ann has no keys");
    }
}

#[tokio::test]
async fn only_agents_that_are_ready_and_willing_are_offered() {
    for store in stores().await {
        let (cast, under) = connected(&store).await;
        let bea = ready(&store, agent(&cast.bob, "bea")).await;
        let mut shy = agent(&cast.bob, "shy");
        shy.available_for_connections = false;
        let _shy = ready(&store, shy).await;
        let mut reader = store.read().await.unwrap();
        let offered = reader.available_agents_of(cast.alice.id, under.id).await;
        assert_eq!(offered.unwrap(), [bea], "{store:?}: Ben has no keys");
        let offered = reader.available_agents_of(cast.bob.id, under.id).await;
        assert_eq!(offered.unwrap(), [], "{store:?}: Ann has none");
        let over = under.revoke(&cast.alice, at(5)).unwrap();
        let id = over.id;
        write(&store, async move |tx| tx.update_connection(&over).await).await;
        let offered = reader.available_agents_of(cast.alice.id, id).await;
        assert_eq!(offered.unwrap(), [], "{store:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_crossing_proposals_one_succeeds() {
    for store in stores().await {
        let (cast, under) = connected(&store).await;
        let ends = race(8, |racer| {
            let mut sides = [&cast.ann, &cast.ben];
            sides.rotate_left(racer % 2);
            let new = proposal(&under, sides[0], sides[1], Permission::Both);
            let (store, owner, id) = (store.clone(), sides[0].account, under.id);
            async move {
                let unit = async move |tx: &mut Tx| {
                    tx.hold_connection_of(owner, id).await?;
                    tx.insert_pairing(&new).await
                };
                store.write(unit).await
            }
        })
        .await;
        assert_eq!(ends.iter().filter(|it| it.is_ok()).count(), 1, "{store:?}");
        for it in ends.into_iter().filter_map(Result::err) {
            let conflict = matches!(it, Error::Conflict(Constraint::PairingAgents));
            assert!(conflict, "{store:?}: {it:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_confirm_one_succeeds() {
    for store in stores().await {
        let (cast, under) = connected(&store).await;
        let new = proposal(&under, &cast.ann, &cast.ben, Permission::Both);
        write_pairings(&store, &[&new]).await;
        let ends = race(8, |_| {
            let (store, bob, id) = (store.clone(), cast.bob.id, new.id);
            async move {
                let unit = async move |tx: &mut Tx| -> Result<(), Refusal> {
                    let held = tx.hold_pairing_of(bob, id).await?.unwrap();
                    dwell(Duration::from_millis(20));
                    Ok(tx.update_pairing(&held.confirm(bob, at(4))?).await?)
                };
                store.write(unit).await
            }
        })
        .await;
        assert_eq!(ends.iter().filter(|it| it.is_ok()).count(), 1, "{store:?}");
        for it in ends.into_iter().filter_map(Result::err) {
            let invalid = matches!(it, Refusal::Pairing(PairingError::InvalidStatus(_)));
            assert!(invalid, "{it:?}");
        }
    }
}

/// What is sent while the pairing ends is found by whoever ends it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_ends_a_pairing_finds_what_was_sent_meanwhile() {
    for store in stores().await {
        let (cast, under) = connected(&store).await;
        let made = pairing(&under, &cast.ann, &cast.ben, Permission::Both);
        write_pairings(&store, &[&made]).await;
        let (ann, ben, sent) = (cast.ann.id, cast.ben.id, transfer(&cast.ann, &cast.ben));
        let expected = sent.clone();
        let slow = begin(&store, move |tx| {
            Box::pin(async move {
                assert!(tx.keep_active_pairing(ann, ben).await?.is_some());
                tx.insert_transfer(&sent).await
            })
        })
        .await;
        let found = write(&store, async move |tx| {
            tx.revoke_pairings_of_connection(under.id, at(5)).await?;
            tx.hold_live_transfers_between_agents(ann, ben).await
        })
        .await;
        slow.await.unwrap().unwrap();
        assert_eq!(found, [expected], "{store:?}");
    }
}

/// What a person may send to whom: all active pairings of their agents, and those alone.
#[tokio::test]
async fn who_looks_for_what_lets_a_person_send_finds_what_is_active() {
    for store in stores().await {
        let (cast, under) = connected(&store).await;
        let active = pairing(&under, &cast.ann, &cast.ben, Permission::Both);
        let amy = ready(&store, agent(&cast.alice, "amy")).await;
        let asked = proposal(&under, &amy, &cast.ben, Permission::Both);
        write_pairings(&store, &[&active, &asked]).await;
        let (alice, bob) = (cast.alice.id, cast.bob.id);
        let (ann, ben) = (cast.ann.id, cast.ben.id);
        let (mine, theirs, others) = write(&store, async move |tx| {
            Ok((
                tx.keep_active_pairings_with(alice, ben).await?,
                tx.keep_active_pairings_with(bob, ann).await?,
                tx.keep_active_pairings_with(bob, ben).await?,
            ))
        })
        .await;
        assert_eq!(mine, std::slice::from_ref(&active), "{store:?}");
        assert_eq!((theirs, others), (vec![active], vec![]), "{store:?}");
    }
}

/// What a person sends while the pairing ends that lets them is found by whoever ends it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_ends_a_pairing_finds_what_a_person_sent_meanwhile() {
    for store in stores().await {
        let (cast, under) = connected(&store).await;
        let made = pairing(&under, &cast.ann, &cast.ben, Permission::Both);
        write_pairings(&store, &[&made]).await;
        let (alice, ben) = (cast.alice.id, cast.ben.id);
        let by_agent = transfer(&cast.ann, &cast.ben);
        let mut sent = transfer(&cast.ann, &cast.ben);
        sent.mode = TransferMode::HumanToAgent;
        sent.sender.agent = None;
        let expected = sent.clone();
        let slow = begin(&store, move |tx| {
            Box::pin(async move {
                let kept = tx.keep_active_pairings_with(alice, ben).await?;
                assert_eq!(kept.len(), 1);
                tx.insert_transfer(&by_agent).await?;
                tx.insert_transfer(&sent).await
            })
        })
        .await;
        let found = write(&store, async move |tx| {
            tx.revoke_pairings_of_connection(under.id, at(5)).await?;
            tx.hold_live_transfers_of_persons(alice, ben).await
        })
        .await;
        slow.await.unwrap().unwrap();
        assert_eq!(found, [expected], "{store:?}");
    }
}
