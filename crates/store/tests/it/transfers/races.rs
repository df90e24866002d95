//! Several who change one transfer at once.

use std::time::Duration;

use agentdrop_domain::transfers::{Transfer, TransferError};
use agentdrop_protocol::wire::transfers::TransferStatus;
use agentdrop_store::{Result, Store, Tx};
use agentdrop_testkit::engines::stores;

use super::found;
use crate::things::{Cast, Refusal, at, download, dwell, race, texts, transfer, write_transfers};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_claim_the_last_download_one_succeeds() {
    const RACERS: usize = 64;

    async fn claim(store: Store, of: Transfer) -> Result<(), Refusal> {
        let grant = download(&of);
        store
            .write(async move |tx: &mut Tx| {
                let held = tx
                    .hold_transfer_of(of.recipient.account().unwrap(), of.id)
                    .await?;
                let claimed = held.ok_or(Refusal::Gone)?.claim_download(at(1))?;
                tx.update_transfer(&claimed).await?;
                Ok(tx.insert_download(&grant).await?)
            })
            .await
    }

    for store in stores().await {
        let cast = Cast::of(&store).await;
        for max_downloads in [1, 2, 10] {
            let new = Transfer {
                max_downloads,
                ..transfer(&cast.ann, &cast.ben)
            };
            write_transfers(&store, &[&new]).await;
            let ends = race(RACERS, |_| claim(store.clone(), new.clone())).await;
            let refusals: Vec<_> = ends.into_iter().filter_map(Result::err).collect();
            assert_eq!(refusals.len(), RACERS - max_downloads as usize, "{store:?}");
            for it in refusals {
                let exhausted = matches!(it, Refusal::Transfer(TransferError::Exhausted));
                assert!(exhausted, "{store:?}: {it:?}");
            }
            let after = found(&store, &new).await.unwrap();
            assert_eq!(after.downloads, max_downloads, "{store:?}");
            assert_eq!(after.status, TransferStatus::Downloaded, "{store:?}");
            let id = new.id;
            let grants = format!("SELECT id FROM downloads WHERE transfer_id = '{id}'");
            let grants = texts(store.database(), &grants).await;
            assert_eq!(grants.len(), max_downloads as usize, "{store:?}");
        }
    }
}

/// Who takes it back while others download it: whoever comes behind is refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_delete_one_succeeds() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let new = transfer(&cast.ann, &cast.ben);
        write_transfers(&store, &[&new]).await;
        let (id, owners) = (new.id, [cast.alice.id, cast.bob.id]);
        let ends = race(16, |racer| {
            let (store, owner) = (store.clone(), owners[racer % 2]);
            async move {
                let unit = async move |tx: &mut Tx| -> Result<(), Refusal> {
                    let held = tx.hold_transfer_of(owner, id).await?.unwrap();
                    dwell(Duration::from_millis(20));
                    Ok(tx.update_transfer(&held.delete(at(1))?).await?)
                };
                store.write(unit).await
            }
        })
        .await;
        let refusals: Vec<_> = ends.into_iter().filter_map(Result::err).collect();
        assert_eq!(refusals.len(), 15, "{store:?}");
        for it in refusals {
            let deleted = matches!(it, Refusal::Transfer(TransferError::Deleted));
            assert!(deleted, "{it:?}");
        }
    }
}
