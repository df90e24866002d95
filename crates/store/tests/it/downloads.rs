use std::time::Duration;

use agentdrop_domain::downloads::{Download, Outcome};
use agentdrop_domain::transfers::Transfer;
use agentdrop_protocol::wire::transfers::DeliveryStatus;
use agentdrop_store::{Result, Store, Tx};
use agentdrop_testkit::engines::stores;

use crate::things::{
    Cast, at, download, download_id, dwell, file_id, race, transfer, transfer_id, write,
    write_transfers,
};

/// Writes a transfer from Ann to Ben down, and a grant for it.
async fn granted(store: &Store, cast: &Cast) -> (Transfer, Download) {
    let transfer = transfer(&cast.ann, &cast.ben);
    write_transfers(store, &[&transfer]).await;
    let download = download(&transfer);
    let new = download.clone();
    write(store, async move |tx| tx.insert_download(&new).await).await;
    (transfer, download)
}

async fn end(store: &Store, download: &Download) {
    let ended = download.clone();
    write(store, async move |tx| tx.update_download(&ended).await).await;
}

fn ended(download: &Download, status: DeliveryStatus, reason: Option<&str>, when: i64) -> Download {
    let outcome = Outcome {
        status,
        reason: reason.map(|it| it.parse().unwrap()),
        at: at(when),
        receipt: None,
    };
    Download {
        outcome: Some(outcome),
        ..download.clone()
    }
}

#[tokio::test]
async fn what_is_written_is_read_back() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let (transfer, by_agent) = granted(&store, &cast).await;
        let by_account = Download {
            agent: None,
            ..download(&transfer)
        };
        let new = by_account.clone();
        write(&store, async move |tx| tx.insert_download(&new).await).await;
        for (it, status, reason) in [
            (by_agent, DeliveryStatus::Received, None),
            (by_account, DeliveryStatus::Rejected, Some("too\nold")),
        ] {
            let mut reader = store.read().await.unwrap();
            let found = reader.download(it.id).await.unwrap();
            assert_eq!(found.as_ref(), Some(&it), "{store:?}");
            let it = ended(&it, status, reason, 3);
            end(&store, &it).await;
            let found = reader.download(it.id).await.unwrap();
            assert_eq!(found.as_ref(), Some(&it), "{store:?}");
            let held = write(&store, async move |tx| {
                tx.hold_download_of(it.account, it.transfer, it.id).await
            });
            assert_eq!(held.await, found, "{store:?}");
            assert_eq!(reader.download(download_id()).await.unwrap(), None);
        }
    }
}

#[tokio::test]
async fn a_grant_is_its_holders_and_of_its_transfer() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let (transfer, grant) = granted(&store, &cast).await;
        for (owner, of) in [
            (cast.alice.id, transfer.id), // who sent it
            (cast.mallory.id, transfer.id),
            (cast.bob.id, transfer_id()),
        ] {
            let id = grant.id;
            let held = write(&store, async move |tx| {
                tx.hold_download_of(owner, of, id).await
            });
            assert_eq!(held.await, None, "{store:?}");
        }
    }
}

#[tokio::test]
async fn both_sides_see_how_downloads_ended_and_nobody_else() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let (transfer, first) = granted(&store, &cast).await;
        let (_, elsewhere) = granted(&store, &cast).await;
        let [second, third, open] = [(); 3].map(|()| download(&transfer));
        let new = [&second, &third, &open].map(Clone::clone);
        write(&store, async move |tx| {
            for it in &new {
                tx.insert_download(it).await?;
            }
            Ok(())
        })
        .await;
        let first = ended(&first, DeliveryStatus::Received, None, 9);
        let second = ended(&second, DeliveryStatus::Rejected, Some("why"), 3);
        let third = ended(&third, DeliveryStatus::Received, None, 3);
        let elsewhere = ended(&elsewhere, DeliveryStatus::Received, None, 1);
        for it in [&first, &second, &third, &elsewhere] {
            end(&store, it).await;
        }
        let newest_first = [first, third, second];
        let mut reader = store.read().await.unwrap();
        for owner in [cast.alice.id, cast.bob.id] {
            let found = reader.ended_downloads_of(owner, transfer.id).await;
            assert_eq!(found.unwrap(), newest_first, "{store:?}");
            let found = reader.ended_downloads_of(owner, transfer_id()).await;
            assert_eq!(found.unwrap(), [], "{store:?}");
        }
        let found = reader
            .ended_downloads_of(cast.mallory.id, transfer.id)
            .await;
        assert_eq!(found.unwrap(), [], "{store:?}");
    }
}

#[tokio::test]
async fn a_file_that_is_sent_again_counts_once() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let (transfer, grant) = granted(&store, &cast).await;
        let other = download(&transfer);
        let [one, two] = [file_id(), file_id()];
        let counts = write(&store, async move |tx| {
            tx.insert_download(&other).await?;
            let mut counts = vec![];
            for (download, file) in [
                (grant.id, one),
                (grant.id, one),
                (grant.id, two),
                (other.id, two),
                (grant.id, one),
                (download_id(), one), // which has gone meanwhile
            ] {
                counts.push(tx.insert_streamed_file(download, file).await?);
            }
            Ok(counts)
        })
        .await;
        assert_eq!(counts, [1, 1, 2, 1, 2, 0], "{store:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_send_the_last_files_one_counts_them_all() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let (transfer, grant) = granted(&store, &cast).await;
        let (owner, of, id) = (grant.account, transfer.id, grant.id);
        let counts = race(16, |_| {
            let (store, file) = (store.clone(), file_id());
            let unit = async move |tx: &mut Tx| -> Result<_> {
                tx.hold_transfer_of(owner, of).await?;
                tx.insert_streamed_file(id, file).await
            };
            async move { store.write(unit).await }
        });
        let mut counts: Vec<_> = counts.await.into_iter().map(Result::unwrap).collect();
        counts.sort_unstable();
        assert!(counts.into_iter().eq(1..=16), "{store:?}");
    }
}

/// What was said first stands: whoever decides has to hold what it decides on.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_say_how_it_ended_the_first_is_heard() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let (transfer, grant) = granted(&store, &cast).await;
        let said = race(16, |racer| {
            let (store, grant, of) = (store.clone(), grant.clone(), transfer.id);
            let when = i64::try_from(racer).unwrap();
            let unit = async move |tx: &mut Tx| -> Result<_> {
                tx.hold_transfer_of(grant.account, of).await?;
                let held = tx.hold_download_of(grant.account, of, grant.id).await?;
                let held = held.unwrap();
                dwell(Duration::from_millis(20));
                if held.outcome.is_some() {
                    return Ok(None);
                }
                let ended = ended(&held, DeliveryStatus::Received, None, when);
                tx.update_download(&ended).await?;
                Ok(Some(ended))
            };
            async move { store.write(unit).await }
        });
        let heard: Vec<_> = said.await.into_iter().filter_map(Result::unwrap).collect();
        assert_eq!(heard.len(), 1, "{store:?}");
        let mut reader = store.read().await.unwrap();
        let found = reader.download(grant.id).await.unwrap();
        assert_eq!(found.as_ref(), heard.first(), "{store:?}");
    }
}
