use agentdrop_testkit::engines::stores;

use crate::things::{Cast, block, write};

#[tokio::test]
async fn a_block_is_seen_by_its_owner_and_felt_by_both() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let [first, second] = [
            block(&cast.alice, &cast.bob),
            block(&cast.alice, &cast.mallory),
        ];
        let (made, again) = (first.clone(), block(&cast.alice, &cast.bob));
        let other = second.clone();
        let found = write(&store, async move |tx| {
            assert_eq!(tx.insert_or_find_block(&made).await?, made);
            tx.insert_or_find_block(&other).await?;
            tx.insert_or_find_block(&again).await
        })
        .await;
        assert_eq!(found, first, "{store:?}: blocking twice is blocking once");

        let mut reader = store.read().await.unwrap();
        let listed = reader.blocks_of(cast.alice.id).await.unwrap();
        let listed: Vec<_> = listed
            .into_iter()
            .map(|it| (it.block, it.account))
            .collect();
        let expected = [
            (second, cast.mallory.clone()),
            (first.clone(), cast.bob.clone()),
        ];
        assert_eq!(listed, expected, "{store:?}: latest first");
        assert_eq!(reader.blocks_of(cast.bob.id).await.unwrap(), []);
        for (one, other, is_blocked) in [
            (cast.alice.id, cast.bob.id, true),
            (cast.bob.id, cast.alice.id, true),
            (cast.bob.id, cast.mallory.id, false),
        ] {
            let found = reader.is_blocked(one, other).await.unwrap();
            assert_eq!(found, is_blocked, "{store:?}");
        }

        let (alice, bob, id) = (cast.alice.id, cast.bob.id, first.id);
        let (of_bob, of_alice, again) = write(&store, async move |tx| {
            Ok((
                tx.take_block_of(bob, id).await?,
                tx.take_block_of(alice, id).await?,
                tx.take_block_of(alice, id).await?,
            ))
        })
        .await;
        assert_eq!((of_bob, of_alice, again), (None, Some(first), None));
        assert!(!reader.is_blocked(bob, alice).await.unwrap(), "{store:?}");
    }
}
