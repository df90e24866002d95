use agentdrop_domain::transfers::Transfer;
use agentdrop_domain::uploads::{Part, Upload};
use agentdrop_domain::usage::Cycle;
use agentdrop_protocol::wire::transfers::TransferStatus;
use agentdrop_protocol::{FileId, PartTag, UploadId};
use agentdrop_store::{Page, Store};
use agentdrop_testkit::engines::stores;

use crate::things::{Cast, at, everything, file, transfer, write};

/// One from ann to ben, whose file is to come in parts.
fn announced(cast: &Cast) -> Transfer {
    let mut announced = transfer(&cast.ann, &cast.ben);
    announced.status = TransferStatus::Pending;
    announced.announced = true;
    announced.files = vec![file()];
    announced.files[0].upload = Some(Upload::in_parts(UploadId::from_bytes([1; 16]), 3));
    announced
}

fn part(number: u32, tag: u8) -> Part {
    let tag = PartTag::new([tag; 16]);
    Part {
        number,
        tag,
        bytes: 3,
    }
}

async fn parts(store: &Store, of: &Transfer, file: FileId) -> Vec<Part> {
    let mut reader = store.read().await.unwrap();
    reader.parts(of.id, file, 1, u32::MAX >> 1).await.unwrap()
}

#[tokio::test]
async fn what_is_announced_is_its_senders_alone() {
    let page = Page {
        limit: 9,
        offset: 0,
        behind: None,
    };
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let (alice, bob) = (cast.alice.id, cast.bob.id);
        let (mut sent, ids) = (announced(&cast), (cast.ann.id, cast.ben.id));
        let new = sent.clone();
        write(&store, async move |tx| {
            tx.insert_transfer(&new).await?;
            assert_eq!(tx.hold_transfer_of(bob, new.id).await?, None);
            assert_eq!(
                tx.hold_transfer_of(alice, new.id).await?.as_ref(),
                Some(&new)
            );
            let between = tx.hold_live_transfers_between_accounts(alice, bob).await?;
            assert_eq!(between, []);
            let between = tx.hold_live_transfers_between_agents(ids.0, ids.1).await?;
            assert_eq!(between, []);
            Ok(())
        })
        .await;
        for is_received in [false, true] {
            let mut reader = store.read().await.unwrap();
            let found = reader.transfer_of(bob, sent.id).await.unwrap();
            assert_eq!(found.is_some(), is_received);
            let listed = reader.received_transfers_of(bob, &everything(), page).await;
            assert_eq!(listed.unwrap().len(), usize::from(is_received));
            let count = reader.received_transfer_count_of(bob, &everything()).await;
            assert_eq!(count.unwrap(), u64::from(is_received));
            let exported = reader.received_transfers_to_export(bob, None, 9).await;
            assert_eq!(exported.unwrap().len(), usize::from(is_received));
            let listed = reader.sent_transfers_of(alice, &everything(), page).await;
            assert_eq!(listed.unwrap().len(), 1);
            drop(reader);
            (sent.announced, sent.status) = (false, TransferStatus::Active);
            let confirmed = sent.clone();
            write(&store, async move |tx| tx.update_transfer(&confirmed).await).await;
        }
    }
}

#[tokio::test]
async fn the_last_try_to_upload_a_part_is_the_one_that_is_kept() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let sent = announced(&cast);
        let (id, file) = (sent.id, sent.files[0].id);
        let new = sent.clone();
        write(&store, async move |tx| {
            tx.insert_transfer(&new).await?;
            for number in [3, 1, 2] {
                assert_eq!(tx.put_part(id, file, &part(number, 1)).await?, None);
            }
            let old = tx.put_part(id, file, &part(2, 9)).await?;
            assert_eq!(old, Some(part(2, 1).tag));
            Ok(())
        })
        .await;
        let all = [part(1, 1), part(2, 9), part(3, 1)];
        assert_eq!(parts(&store, &sent, file).await, all);
        let mut reader = store.read().await.unwrap();
        let some = reader.parts(id, file, 2, 2).await.unwrap();
        assert_eq!(some, all[1..2]);
        assert_eq!(reader.begun_files(id).await.unwrap(), [file]);
        assert!(reader.needs_part(id, part(2, 9).tag).await.unwrap());
        assert!(!reader.needs_part(id, part(2, 2).tag).await.unwrap());
        drop(reader);
        // Of what was swept nothing is needed, and nothing is remembered.
        let mut swept = sent.clone();
        swept.bytes_until = None;
        write(&store, async move |tx| {
            tx.update_transfer(&swept).await?;
            assert!(!tx.needs_part(id, part(2, 9).tag).await?);
            tx.delete_parts(id).await
        })
        .await;
        assert_eq!(parts(&store, &sent, file).await, []);
    }
}

#[tokio::test]
async fn what_never_came_about_is_taken_out_of_the_count() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let (alice, cycle) = (cast.alice.id, Cycle::at(at(0), at(1)));
        write(&store, async move |tx| {
            tx.count_transfer_of(alice, cycle).await?;
            tx.count_transfer_of(alice, cycle).await?;
            for left in [1, 0, 0] {
                tx.uncount_transfer_of(alice, cycle).await?;
                assert_eq!(tx.transfers_counted_of(alice, cycle).await?, left);
            }
            Ok(())
        })
        .await;
    }
}
