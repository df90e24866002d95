//! Mailed links to transfers.

use agentdrop_domain::transfers::Transfer;
use agentdrop_protocol::wire::transfers::TransferStatus;
use agentdrop_store::{Store, Tx};
use agentdrop_testkit::engines::stores;

use crate::things::{Cast, at, digest, race, transfer_to_person, write, write_transfers};

/// A transfer to a person, and the digests of two links to it.
async fn linked(store: &Store, cast: &Cast) -> (Transfer, [[u8; 32]; 2]) {
    let sent = transfer_to_person(&cast.ann, "pat@example.org");
    write_transfers(store, &[&sent]).await;
    let (id, links) = (sent.id, [digest(), digest()]);
    write(store, async move |tx| {
        for link in &links {
            tx.insert_transfer_link(link, id, at(1)).await?;
        }
        Ok(())
    })
    .await;
    (sent, links)
}

#[tokio::test]
async fn a_link_leads_to_its_transfer_as_long_as_both_are_there() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let (sent, links) = linked(&store, &cast).await;
        let (other, others) = linked(&store, &cast).await;
        for (expected, links) in [(&sent, links), (&other, others)] {
            for link in links {
                let mut reader = store.read().await.unwrap();
                let found = reader.linked_transfer(&link).await.unwrap();
                assert_eq!(found.as_ref(), Some(expected), "{store:?}");
                drop(reader);
                let held = write(&store, async move |tx| tx.hold_linked_transfer(&link).await);
                assert_eq!(held.await.as_ref(), Some(expected), "{store:?}");
            }
        }
        let id = sent.id;
        let forgotten = write(&store, async move |tx| {
            tx.delete_transfer_links_of(id).await
        });
        assert_eq!(forgotten.await, 2, "{store:?}");
        // The others go with their transfer, which goes with its sender.
        let owner = cast.alice.id;
        let mut reader = store.read().await.unwrap();
        assert!(reader.linked_transfer(&others[0]).await.unwrap().is_some());
        drop(reader);
        write(&store, async move |tx| tx.delete_account(owner).await).await;
        let mut reader = store.read().await.unwrap();
        for link in links.iter().chain(&others).chain([&digest()]) {
            let found = reader.linked_transfer(link).await.unwrap();
            assert_eq!(found, None, "{store:?}");
        }
    }
}

/// Each sees what the one before it took.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_follow_links_to_a_transfer_as_many_take_it_as_may() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let (mut sent, links) = linked(&store, &cast).await;
        sent.status = TransferStatus::Active;
        let active = sent.clone();
        write(&store, async move |tx| tx.update_transfer(&active).await).await;
        let taken = race(16, |n| {
            let (store, link) = (store.clone(), links[n % 2]);
            async move {
                let take = async move |tx: &mut Tx| -> agentdrop_store::Result<_> {
                    let held = tx.hold_linked_transfer(&link).await?;
                    let claimed = held.and_then(|it| it.claim_download(at(2)).ok());
                    if let Some(claimed) = &claimed {
                        tx.update_transfer(claimed).await?;
                    }
                    Ok(claimed)
                };
                store.write(take).await.unwrap()
            }
        });
        let taken = taken.await.into_iter().flatten().count();
        assert_eq!(taken, sent.max_downloads as usize, "{store:?}");
    }
}
