//! Transfers at rest.

mod bytes;
mod lists;
mod races;

use agentdrop_domain::transfers::{AtRest, File, Sealing, Transfer};
use agentdrop_domain::uploads::Upload;
use agentdrop_protocol::UploadId;
use agentdrop_protocol::wire::transfers::{TransferMode, TransferStatus};
use agentdrop_store::{Store, TransferFilter};
use agentdrop_testkit::engines::stores;

use self::lists::{ALL, received, sent};
use crate::things::{
    Cast, at, channel_id, everything, file, file_id, texts, transfer, transfer_id, write,
    write_transfers,
};

async fn found(store: &Store, transfer: &Transfer) -> Option<Transfer> {
    let mut reader = store.read().await.unwrap();
    let found = reader
        .transfer_of(transfer.sender.account, transfer.id)
        .await;
    found.unwrap()
}

/// A transfer of which everything is known.
fn full(cast: &Cast) -> Transfer {
    let sealed = File {
        id: file_id(),
        size: 1 << 40,
        at_rest: AtRest::Sender,
        nonce: Some("bm9uY2U=".to_owned()),
        blob: Some(7),
        in_database: false,
        upload: Some(Upload::in_parts(UploadId::from_bytes([3; 16]), 5 << 20)),
        direct: None,
    };
    Transfer {
        mode: TransferMode::HumanToAgent,
        sealing: Some(Sealing {
            algorithm: Some("x25519".to_owned()),
            encrypted_key: Some("a2V5".to_owned()),
            channel: Some(channel_id()),
            salt: Some("c2FsdA==".to_owned()),
            sender_key: Some([9; 32].try_into().unwrap()),
            recipient_key: Some([8; 32].try_into().unwrap()),
            recipient_key_version: Some(3),
            signature: Some("c2ln".to_owned()),
        }),
        details: vec![0, 159, 255],
        files: vec![sealed, file()],
        auto_delete: true,
        max_downloads: u32::MAX,
        downloads: u32::MAX - 1,
        status: TransferStatus::Deleted,
        bytes_until: None,
        deleted_at: Some(at(7)),
        ..transfer(&cast.ann, &cast.ben)
    }
}

#[tokio::test]
async fn what_is_written_is_read_back() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let mut of_nobody = transfer(&cast.ann, &cast.ben);
        of_nobody.sender.agent = None;
        of_nobody.files = vec![];
        for new in [of_nobody, full(&cast)] {
            write_transfers(&store, &[&new]).await;
            for owner in [cast.alice.id, cast.bob.id] {
                let mut reader = store.read().await.unwrap();
                let found = reader.transfer_of(owner, new.id).await.unwrap();
                assert_eq!(found.as_ref(), Some(&new), "{store:?}");
                let id = new.id;
                let held = write(&store, async move |tx| tx.hold_transfer_of(owner, id).await);
                assert_eq!(held.await.as_ref(), Some(&new), "{store:?}");
            }
            assert_eq!(received(&store, &cast, &everything()).await[0], new.id);
            assert_eq!(sent(&store, &cast, &everything()).await[0], new.id);
        }
        let sizes = "SELECT CAST(total_size AS TEXT) FROM transfers ORDER BY id";
        let sizes = texts(store.database(), sizes).await;
        assert_eq!(sizes, ["0".to_owned(), ((1_u64 << 40) + 7).to_string()]);
    }
}

#[tokio::test]
async fn a_transfer_between_others_is_not_there() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let new = transfer(&cast.ann, &cast.ben);
        write_transfers(&store, &[&new]).await;
        let (id, mallory) = (new.id, cast.mallory.id);
        let mut reader = store.read().await.unwrap();
        assert_eq!(reader.transfer_of(mallory, id).await.unwrap(), None);
        let absent = reader.transfer_of(cast.alice.id, transfer_id()).await;
        assert_eq!(absent.unwrap(), None);
        let held = write(&store, async move |tx| {
            tx.hold_transfer_of(mallory, id).await
        });
        assert_eq!(held.await, None, "{store:?}");
        // Nor by asking for the agents, in whose lists it is.
        let agents = [None, Some(cast.ann.id), Some(cast.ben.id)];
        let statuses = [None, Some(TransferStatus::Active)];
        for (agent, status) in agents
            .into_iter()
            .flat_map(|it| statuses.map(|to| (it, to)))
        {
            let filter = TransferFilter {
                agent,
                status,
                ..everything()
            };
            let found = reader.sent_transfers_of(mallory, &filter, ALL).await;
            assert_eq!(found.unwrap(), [], "{store:?}");
            let found = reader.received_transfers_of(mallory, &filter, ALL).await;
            assert_eq!(found.unwrap(), [], "{store:?}");
            let count = reader.sent_transfer_count_of(mallory, &filter).await;
            assert_eq!(count.unwrap(), 0, "{store:?}");
            let count = reader.received_transfer_count_of(mallory, &filter).await;
            assert_eq!(count.unwrap(), 0, "{store:?}");
        }
        // What one sent is not what one was sent.
        let filter = everything();
        let found = reader.received_transfers_of(cast.alice.id, &filter, ALL);
        assert_eq!(found.await.unwrap(), [], "{store:?}");
        let found = reader
            .sent_transfers_of(cast.bob.id, &everything(), ALL)
            .await;
        assert_eq!(found.unwrap(), [], "{store:?}");
    }
}

#[tokio::test]
async fn where_a_transfer_stands_changes_and_nothing_else() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let [before, other] = [(); 2].map(|()| transfer(&cast.ann, &cast.ben));
        write_transfers(&store, &[&before, &other]).await;
        let after = Transfer {
            downloads: 1,
            status: TransferStatus::Deleted,
            bytes_until: None,
            deleted_at: Some(at(3)),
            ..before.clone()
        };
        let stale = Transfer {
            max_downloads: 9,
            expires_at: at(9000),
            details: vec![1],
            ..after.clone()
        };
        write(&store, async move |tx| tx.update_transfer(&stale).await).await;
        assert_eq!(found(&store, &before).await, Some(after), "{store:?}");
        assert_eq!(found(&store, &other).await, Some(other), "{store:?}");
    }
}

#[tokio::test]
async fn what_is_under_way_between_two_is_found_either_way() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let (there, back) = (
            transfer(&cast.ann, &cast.ben),
            transfer(&cast.ben, &cast.ann),
        );
        let (other, deleted) = (
            transfer(&cast.imp, &cast.ben),
            transfer(&cast.ann, &cast.ben).delete(at(1)).unwrap(),
        );
        let mut swept = transfer(&cast.ann, &cast.ben);
        swept.bytes_until = None;
        write_transfers(&store, &[&there, &back, &other, &deleted, &swept]).await;
        let (alice, bob) = (cast.alice.id, cast.bob.id);
        let (ann, ben) = (cast.ann.id, cast.ben.id);
        let found = write(&store, async move |tx| {
            Ok([
                tx.hold_live_transfers_between_accounts(alice, bob).await?,
                tx.hold_live_transfers_between_accounts(bob, alice).await?,
                tx.hold_live_transfers_between_agents(ben, ann).await?,
            ])
        });
        for it in found.await {
            assert_eq!(it, [there.clone(), back.clone()], "{store:?}");
        }
    }
}
