use std::time::Duration;

use agentdrop_domain::connections::{Connection, ConnectionError};
use agentdrop_domain::pairings::Permission;
use agentdrop_protocol::wire::connections::{ConnectionFilter, ConnectionState};
use agentdrop_protocol::{AccountId, ConnectionId};
use agentdrop_store::{ConnectionCounts, Constraint, Error, Result, Store, Tx};
use agentdrop_testkit::engines::stores;

use crate::things::{
    Cast, Refusal, account, agent, at, connection, connection_id, dwell, invitation,
    open_invitation, pairing, proposal, race, texts, write, write_connections, write_pairings,
};

async fn held(store: &Store, owner: AccountId, id: ConnectionId) -> Option<Connection> {
    write(store, async move |tx| {
        tx.hold_connection_of(owner, id).await
    })
    .await
}

async fn update(store: &Store, it: &Connection) {
    let it = it.clone();
    write(store, async move |tx| tx.update_connection(&it).await).await;
}

async fn listed(store: &Store, owner: AccountId, filter: ConnectionFilter) -> Vec<ConnectionId> {
    let mut reader = store.read().await.unwrap();
    let all = reader.connections_of(owner, filter).await.unwrap();
    all.into_iter().map(|it| it.connection.id).collect()
}

#[tokio::test]
async fn what_is_written_is_read_back() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let mut new = invitation(&cast.alice, &cast.bob);
        new.message = Some("Let's\nconnect".parse().unwrap());
        new.email = "Bob@Example.org".parse().unwrap();
        write_connections(&store, &[&new]).await;
        let active = new.clone().accept(&cast.bob, at(1)).unwrap();
        let over = active.clone().revoke(&cast.alice, at(2)).unwrap();
        for it in [new, active, over] {
            update(&store, &it).await;
            for owner in [cast.alice.id, cast.bob.id] {
                let mut reader = store.read().await.unwrap();
                let found = reader.connection_of(owner, it.id).await.unwrap();
                assert_eq!(found.as_ref(), Some(&it), "{store:?}");
                assert_eq!(held(&store, owner, it.id).await.as_ref(), Some(&it));
            }
        }
        let gone = invitation(&cast.alice, &cast.mallory);
        write_connections(&store, &[&gone]).await;
        let id = gone.id;
        write(&store, async move |tx| tx.delete_connection(&gone).await).await;
        assert_eq!(held(&store, cast.alice.id, id).await, None, "{store:?}");
    }
}

#[tokio::test]
async fn a_connection_between_others_is_not_there() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let first = connection(&cast.alice, &cast.bob);
        let waiting = open_invitation(&cast.alice, "nobody@example.org");
        write_connections(&store, &[&first, &waiting]).await;
        let (alice, bob, mallory) = (cast.alice.id, cast.bob.id, cast.mallory.id);
        let mut reader = store.read().await.unwrap();
        for id in [first.id, waiting.id] {
            assert_eq!(reader.connection_of(mallory, id).await.unwrap(), None);
            assert_eq!(held(&store, mallory, id).await, None, "{store:?}");
        }
        assert_eq!(listed(&store, mallory, ConnectionFilter::All).await, []);
        let none = ConnectionCounts {
            active: 0,
            incoming: 0,
            outgoing: 0,
        };
        assert_eq!(reader.connection_counts_of(mallory).await.unwrap(), none);
        let available = reader.available_agents_of(mallory, first.id).await;
        assert_eq!(available.unwrap(), [], "{store:?}");
        for other in [alice, bob] {
            let between = reader.connection_between(mallory, other).await.unwrap();
            assert_eq!(between, None, "{store:?}");
            let kept = write(&store, async move |tx| {
                tx.keep_active_connection(other, mallory).await
            });
            assert_eq!(kept.await, None, "{store:?}");
        }
        let of_mallory = reader.invitation_of(mallory, &waiting.email).await;
        assert_eq!(of_mallory.unwrap(), None, "{store:?}");
    }
}

#[tokio::test]
async fn an_invitation_is_nothing_to_whoever_only_says_that_the_address_is_theirs() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let waiting = open_invitation(&cast.alice, "dora@example.org");
        write_connections(&store, &[&waiting]).await;
        let mut dora = account("dora");
        dora.email_verified_at = None;
        let new = dora.clone();
        write(&store, async move |tx| tx.insert_account(&new).await).await;
        let mut reader = store.read().await.unwrap();
        let read = reader.account(dora.id).await.unwrap();
        assert_eq!(read.as_ref(), Some(&dora), "{store:?}");
        assert_eq!(held(&store, dora.id, waiting.id).await, None, "{store:?}");
        let shown = reader.connection_of(dora.id, waiting.id).await.unwrap();
        assert_eq!(shown, None, "{store:?}");
        assert_eq!(listed(&store, dora.id, ConnectionFilter::All).await, []);
        let counts = reader.connection_counts_of(dora.id).await.unwrap();
        assert_eq!(counts.incoming, 0, "{store:?}");
        for (one, other) in [(dora.id, cast.alice.id), (cast.alice.id, dora.id)] {
            let between = reader.connection_between(one, other).await.unwrap();
            assert_eq!(between, None, "{store:?}");
        }
    }
}

#[tokio::test]
async fn an_invitation_waits_for_an_account_with_its_address() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let waiting = open_invitation(&cast.alice, "Dora@Example.org");
        write_connections(&store, &[&waiting]).await;
        let mut reader = store.read().await.unwrap();
        let email = "dora@example.org".parse().unwrap();
        let found = reader.invitation_of(cast.alice.id, &email).await.unwrap();
        assert_eq!(found.as_ref(), Some(&waiting), "{store:?}");

        let mut dora = account("dora");
        dora.email = "DORA@example.org".parse().unwrap();
        let new = dora.clone();
        write(&store, async move |tx| tx.insert_account(&new).await).await;
        assert_eq!(
            held(&store, dora.id, waiting.id).await.as_ref(),
            Some(&waiting)
        );
        for (one, other) in [(dora.id, cast.alice.id), (cast.alice.id, dora.id)] {
            let between = reader.connection_between(one, other).await.unwrap();
            assert_eq!(between.as_ref(), Some(&waiting), "{store:?}");
        }
        let all = reader.connections_of(dora.id, ConnectionFilter::All).await;
        assert_eq!(all.unwrap()[0].other.as_ref(), Some(&cast.alice));
        let counts = reader.connection_counts_of(dora.id).await.unwrap();
        assert_eq!(counts.incoming, 1, "{store:?}");

        let active = waiting.accept(&dora, at(1)).unwrap();
        update(&store, &active).await;
        let (one, other) = (cast.alice.id, dora.id);
        let kept = write(&store, async move |tx| {
            tx.keep_active_connection(one, other).await
        });
        assert_eq!(kept.await, Some(active), "{store:?}");
    }
}

#[tokio::test]
async fn a_list_says_who_is_on_the_other_side_and_what_waits() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let active = connection(&cast.alice, &cast.bob);
        let incoming = invitation(&cast.mallory, &cast.alice);
        let outgoing = open_invitation(&cast.alice, "nobody@example.org");
        let over = open_invitation(&cast.alice, "other@example.org");
        let over = over.revoke(&cast.alice, at(5)).unwrap();
        write_connections(&store, &[&active, &incoming, &outgoing, &over]).await;
        let [bea, ann2] = [agent(&cast.bob, "bea"), agent(&cast.alice, "ann2")];
        let agents = [bea.clone(), ann2.clone()];
        write(&store, async move |tx| {
            for it in &agents {
                tx.insert_agent(it).await?;
            }
            Ok(())
        })
        .await;
        let both = Permission::Both;
        let ended = pairing(&active, &ann2, &bea, both);
        let ended = ended.revoke(cast.alice.id, at(4)).unwrap();
        write_pairings(
            &store,
            &[
                &pairing(&active, &cast.ann, &cast.ben, both),
                &proposal(&active, &bea, &cast.ann, both),
                &proposal(&active, &ann2, &cast.ben, both),
                &ended,
            ],
        )
        .await;

        let alice = cast.alice.id;
        let mut reader = store.read().await.unwrap();
        let all = reader.connections_of(alice, ConnectionFilter::All).await;
        let all: Vec<_> = all.unwrap().into_iter().collect();
        let shown: Vec<_> = all
            .iter()
            .map(|it| (it.connection.id, it.connection.state(), it.other.as_ref()))
            .collect();
        let expected = [
            (outgoing.id, ConnectionState::Pending, None),
            (incoming.id, ConnectionState::Pending, Some(&cast.mallory)),
            (active.id, ConnectionState::Active, Some(&cast.bob)),
        ];
        assert_eq!(shown, expected, "{store:?}: newest first");
        let counts = (all[2].pairing_count, all[2].pending_pairing_count);
        assert_eq!(counts, (1, 1), "{store:?}: only what waits for Alice");

        let pending = listed(&store, alice, ConnectionFilter::Pending).await;
        assert_eq!(pending, [outgoing.id, incoming.id], "{store:?}");
        let only_active = listed(&store, alice, ConnectionFilter::Active).await;
        assert_eq!(only_active, [active.id], "{store:?}");
        let counts = reader.connection_counts_of(alice).await.unwrap();
        let expected = ConnectionCounts {
            active: 1,
            incoming: 1,
            outgoing: 1,
        };
        assert_eq!(counts, expected, "{store:?}");
    }
}

#[tokio::test]
async fn two_accounts_have_one_connection_at_a_time() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let first = connection(&cast.alice, &cast.bob);
        let waiting = open_invitation(&cast.alice, "nobody@example.org");
        write_connections(&store, &[&first, &waiting]).await;
        for second in [
            invitation(&cast.alice, &cast.bob),
            invitation(&cast.bob, &cast.alice),
            open_invitation(&cast.alice, "Nobody@Example.org"),
        ] {
            let taken = store.write(async move |tx| tx.insert_connection(&second).await);
            let taken = taken.await;
            let conflict = matches!(taken, Err(Error::Conflict(Constraint::ConnectionPair)));
            assert!(conflict, "{store:?}: {taken:?}");
        }
        let elsewhere = open_invitation(&cast.bob, "nobody@example.org");
        write_connections(&store, &[&elsewhere]).await;
        update(&store, &first.revoke(&cast.bob, at(5)).unwrap()).await;
        let again = invitation(&cast.bob, &cast.alice);
        write_connections(&store, &[&again]).await;
        let mut reader = store.read().await.unwrap();
        let between = reader.connection_between(cast.alice.id, cast.bob.id).await;
        assert_eq!(between.unwrap(), Some(again), "{store:?}");
    }
}

#[tokio::test]
async fn invitations_are_counted_whatever_became_of_them() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let mut first = invitation(&cast.alice, &cast.bob);
        first.created_at = at(100);
        let mut second = open_invitation(&cast.alice, "nobody@example.org");
        second.created_at = at(200);
        let others = invitation(&cast.mallory, &cast.bob);
        write_connections(&store, &[&second, &first, &others]).await;
        write(&store, async move |tx| tx.delete_connection(&first).await).await;
        let alice = cast.alice.id;
        let mut reader = store.read().await.unwrap();
        let sent = reader.invites_of(alice, at(99)).await.unwrap();
        assert_eq!(sent, [at(100), at(200)], "{store:?}: oldest first");
        let sent = reader.invites_of(alice, at(100)).await.unwrap();
        assert_eq!(sent, [at(200)], "{store:?}");
        let forget = async move |tx: &mut Tx| tx.delete_invites_before(at(100)).await;
        assert_eq!(write(&store, forget).await, 2, "{store:?}");
        let sent = reader.invites_of(alice, at(0)).await.unwrap();
        assert_eq!(sent, [at(200)], "{store:?}");
    }
}

/// As the handler does it: hold both, look, decide, write.
async fn invite(tx: &mut Tx, from: AccountId, to: AccountId) -> Result<(), Refusal> {
    let accounts = tx.hold_accounts(from, to).await?;
    let find = |id| accounts.iter().find(|it| it.id == id).unwrap();
    let existing = tx.connection_between(from, to).await?;
    dwell(Duration::from_millis(20));
    let (from, to) = (find(from), find(to));
    let email = to.email.clone();
    let id = connection_id();
    let new = Connection::invite(id, from, Some(to), email, None, existing.as_ref(), at(0))?;
    Ok(tx.insert_connection(&new).await?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_crossing_invitations_one_succeeds() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let ends = race(16, |racer| {
            let (store, mut sides) = (store.clone(), [cast.alice.id, cast.bob.id]);
            sides.rotate_left(racer % 2);
            async move {
                let unit = async move |tx: &mut Tx| invite(tx, sides[0], sides[1]).await;
                store.write(unit).await
            }
        })
        .await;
        assert_eq!(ends.iter().filter(|it| it.is_ok()).count(), 1, "{store:?}");
        for it in ends.into_iter().filter_map(Result::err) {
            let pending = matches!(it, Refusal::Connection(ConnectionError::InvitePending));
            assert!(pending, "{store:?}: {it:?}");
        }
        let all = texts(store.database(), "SELECT id FROM connections").await;
        assert_eq!(all.len(), 1, "{store:?}");
    }
}

/// A handler that forgot to hold the accounts meets the schema.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_who_look_at_nothing_write_one_invitation() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let ends = race(8, |racer| {
            let mut sides = [&cast.alice, &cast.bob];
            sides.rotate_left(racer % 2);
            let (store, new) = (store.clone(), invitation(sides[0], sides[1]));
            async move {
                store
                    .write(async move |tx| tx.insert_connection(&new).await)
                    .await
            }
        })
        .await;
        assert_eq!(ends.iter().filter(|it| it.is_ok()).count(), 1, "{store:?}");
        for it in ends.into_iter().filter_map(Result::err) {
            let conflict = matches!(it, Error::Conflict(Constraint::ConnectionPair));
            assert!(conflict, "{store:?}: {it:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_invitations_no_more_than_the_limit_are_sent() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let alice = cast.alice.id;
        let ends = race(32, |racer| {
            let email = format!("new{racer}@example.org");
            let (store, new) = (store.clone(), open_invitation(&cast.alice, &email));
            async move {
                let unit = async move |tx: &mut Tx| -> Result<(), Refusal> {
                    tx.hold_accounts(alice, alice).await?;
                    if tx.invites_of(alice, at(-1)).await?.len() >= 10 {
                        return Err(Refusal::Gone);
                    }
                    Ok(tx.insert_connection(&new).await?)
                };
                store.write(unit).await
            }
        })
        .await;
        assert_eq!(ends.iter().filter(|it| it.is_ok()).count(), 10, "{store:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_accept_one_succeeds() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let new = invitation(&cast.alice, &cast.bob);
        write_connections(&store, &[&new]).await;
        let ends = race(8, |_| {
            let (store, bob, id) = (store.clone(), cast.bob.clone(), new.id);
            async move {
                let unit = async move |tx: &mut Tx| -> Result<(), Refusal> {
                    let held = tx.hold_connection_of(bob.id, id).await?.unwrap();
                    dwell(Duration::from_millis(20));
                    Ok(tx.update_connection(&held.accept(&bob, at(1))?).await?)
                };
                store.write(unit).await
            }
        })
        .await;
        assert_eq!(ends.iter().filter(|it| it.is_ok()).count(), 1, "{store:?}");
        for it in ends.into_iter().filter_map(Result::err) {
            let already = matches!(it, Refusal::Connection(ConnectionError::AlreadyProcessed));
            assert!(already, "{it:?}");
        }
    }
}
