//! Bytes, for as long as they are needed.

use agentdrop_domain::transfers::{File, Transfer};
use agentdrop_store::Error;
use agentdrop_testkit::engines::{Engine, store, stores};

use crate::things::{Cast, at, file, transfer, transfer_id, write, write_transfers};

#[tokio::test]
async fn bytes_are_needed_until_they_are_swept() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let [with, mut without] = [(); 2].map(|()| transfer(&cast.ann, &cast.ben));
        without.bytes_until = None;
        write_transfers(&store, &[&with, &without]).await;
        let mut reader = store.read().await.unwrap();
        assert!(reader.needs_blob(with.id, 0).await.unwrap(), "{store:?}");
        assert!(
            !reader.needs_blob(without.id, 0).await.unwrap(),
            "{store:?}"
        );
        assert!(
            !reader.needs_blob(transfer_id(), 0).await.unwrap(),
            "{store:?}"
        );
    }
}

#[tokio::test]
async fn small_bytes_are_beside_their_row_and_go_with_it() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let [mut one, other] = [(); 2].map(|()| transfer(&cast.ann, &cast.ben));
        let small = File {
            in_database: true,
            ..file()
        };
        let named = File {
            blob: Some(9),
            ..small.clone()
        };
        one.files = vec![file(), small, named];
        write_transfers(&store, &[&one, &other]).await;
        let (id, others) = (one.id, other.id);
        let bodies = [(1, vec![0, 159, 255]), (9, vec![]), (2, vec![7; 16 * 1024])];
        let expected = bodies.clone();
        write(&store, async move |tx| {
            tx.insert_small_bodies(id, &bodies).await?;
            tx.insert_small_bodies(others, &bodies[..1]).await
        })
        .await;
        let read = async |id, number| {
            let mut reader = store.read().await.unwrap();
            reader.small_body(id, number).await.unwrap()
        };
        for (number, bytes) in &expected {
            assert_eq!(read(id, *number).await.as_ref(), Some(bytes), "{store:?}");
        }
        assert_eq!(read(id, 0).await, None, "{store:?}");
        let mut reader = store.read().await.unwrap();
        for (number, small, blob) in [(0, false, true), (1, true, false), (9, true, false)] {
            assert_eq!(reader.needs_small_body(id, number).await.unwrap(), small);
            assert_eq!(reader.needs_blob(id, number).await.unwrap(), blob);
        }
        drop(reader);

        write(&store, async move |tx| tx.delete_small_bodies(id).await).await;
        assert_eq!((read(id, 1).await, read(id, 9).await), (None, None));
        assert_eq!(read(others, 1).await.as_ref(), Some(&expected[0].1));
        // Of what is deleted with its account nothing is asked for again.
        let alice = cast.alice.id;
        let gone = write(&store, async move |tx| tx.delete_account(alice).await).await;
        assert_eq!(gone.len(), 2, "{store:?}");
        assert_eq!(read(others, 1).await, None, "{store:?}");
    }
}

#[tokio::test]
async fn what_is_to_be_swept_is_found_in_its_order() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let mut all = [(); 5].map(|()| transfer(&cast.ann, &cast.ben));
        for (it, until) in all
            .iter_mut()
            .zip([Some(9), None, Some(10), Some(11), Some(3)])
        {
            it.bytes_until = until.map(at);
        }
        write_transfers(&store, &all.iter().collect::<Vec<_>>()).await;
        let [second, _, third, not_yet, first] = all;
        for (now, limit, expected) in [
            (2, 9, vec![]),
            (10, 9, vec![&first, &second, &third]),
            (10, 2, vec![&first, &second]),
            (11, 9, vec![&first, &second, &third, &not_yet]),
        ] {
            let held = write(&store, async move |tx| {
                tx.hold_transfers_to_sweep(at(now), limit).await
            });
            let held = held.await;
            assert_eq!(held.iter().collect::<Vec<_>>(), expected, "{store:?}");
        }
        let none_left = write(&store, async move |tx| {
            for it in tx.hold_transfers_to_sweep(at(11), 9).await? {
                tx.update_transfer(&it.sweep(at(11)).unwrap()).await?;
            }
            tx.hold_transfers_to_sweep(at(11), 9).await
        });
        assert_eq!(none_left.await, [], "{store:?}");
    }
}

/// Two servers that sweep at once share the work, and neither waits for a download.
#[tokio::test]
async fn what_another_server_holds_is_stepped_over() {
    let store = store(Engine::Postgres).await;
    let cast = Cast::of(&store).await;
    let all = [(); 3].map(|()| transfer(&cast.ann, &cast.ben));
    write_transfers(&store, &[&all[0], &all[1], &all[2]]).await;
    let (other, downloaded, owner) = (store.clone(), all[2].id, cast.bob.id);
    let swept = store.write(async move |tx| {
        tx.hold_transfer_of(owner, downloaded).await?;
        let nested = other.clone();
        let swept = other.write(async move |tx| {
            let first = tx.hold_transfers_to_sweep(at(1000), 1).await?;
            let rest = nested.write(async |tx| tx.hold_transfers_to_sweep(at(1000), 9).await);
            Ok::<_, Error>((first, rest.await?))
        });
        swept.await
    });
    let (first, rest) = swept.await.unwrap();
    let [one, other, _] = all;
    let ids = |them: &[Transfer]| them.iter().map(|it| it.id).collect::<Vec<_>>();
    let mut seen = [ids(&first), ids(&rest)].concat();
    seen.sort();
    assert_eq!((seen, first.len()), (vec![one.id, other.id], 1));
}
