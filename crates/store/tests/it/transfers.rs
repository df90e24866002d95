use std::time::Duration;

use agentdrop_domain::transfers::{AtRest, File, Recipient, Sealing, Transfer, TransferError};
use agentdrop_domain::uploads::Upload;
use agentdrop_protocol::wire::transfers::{TransferMode, TransferStatus};
use agentdrop_protocol::{TransferId, UploadId};
use agentdrop_store::{Error, Page, Result, Store, TransferFilter, Tx};
use agentdrop_testkit::engines::{Engine, TestStore, store, stores};

use crate::things::{
    Cast, Refusal, at, channel_id, download, dwell, everything, file, file_id, race, texts,
    transfer, transfer_id, write, write_transfers,
};

const ALL: Page = Page {
    limit: 200,
    offset: 0,
    behind: None,
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

/// What Alice sent; the count is seen to agree.
async fn sent(store: &TestStore, cast: &Cast, filter: &TransferFilter) -> Vec<TransferId> {
    let mut reader = store.read().await.unwrap();
    let found = reader
        .sent_transfers_of(cast.alice.id, filter, ALL)
        .await
        .unwrap();
    let count = reader.sent_transfer_count_of(cast.alice.id, filter).await;
    assert_eq!(count.unwrap(), found.len() as u64, "{store:?}: {filter:?}");
    found.into_iter().map(|it| it.id).collect()
}

/// What Bob was sent; the count is seen to agree.
async fn received(store: &TestStore, cast: &Cast, filter: &TransferFilter) -> Vec<TransferId> {
    let mut reader = store.read().await.unwrap();
    let found = reader
        .received_transfers_of(cast.bob.id, filter, ALL)
        .await
        .unwrap();
    let count = reader.received_transfer_count_of(cast.bob.id, filter).await;
    assert_eq!(count.unwrap(), found.len() as u64, "{store:?}: {filter:?}");
    found.into_iter().map(|it| it.id).collect()
}

/// Every filter alone, and every one together with every other.
#[tokio::test]
async fn a_list_has_what_its_filter_lets_through() {
    const MODES: [TransferMode; 2] = [TransferMode::AgentToAgent, TransferMode::HumanToAgent];
    const STATUSES: [TransferStatus; 2] = [TransferStatus::Active, TransferStatus::Deleted];

    for store in stores().await {
        let cast = Cast::of(&store).await;
        let second = crate::things::agent(&cast.alice, "second");
        let third = crate::things::agent(&cast.bob, "third");
        let new = [&second, &third].map(Clone::clone);
        write(&store, async move |tx| {
            for it in &new {
                tx.insert_agent(it).await?;
            }
            Ok(())
        })
        .await;
        let mut all = vec![];
        for n in 0..128_u32 {
            let bit = |place: u32| (n >> place) & 1;
            let from = [&cast.ann, &second][bit(0) as usize];
            let to = [&cast.ben, &third][bit(1) as usize];
            let mut it = transfer(from, to);
            it.mode = MODES[bit(2) as usize];
            it.status = STATUSES[bit(3) as usize];
            it.sender.label = ["one", "two"][bit(4) as usize].parse().unwrap();
            it.recipient = Recipient::Agent {
                account: to.account,
                agent: to.id,
                label: ["one", "two"][bit(5) as usize].to_owned(),
            };
            it.created_at = at([5, 6][bit(6) as usize]);
            all.push(it);
        }
        write_transfers(&store, &all.iter().collect::<Vec<_>>()).await;
        all.reverse();

        for n in 0..64_u32 {
            let chosen = |place: u32| (n >> place) & 1 == 1;
            let base = TransferFilter {
                agent: None,
                status: chosen(1).then_some(TransferStatus::Deleted),
                mode: chosen(2).then_some(TransferMode::HumanToAgent),
                sender: chosen(3).then(|| "two".parse().unwrap()),
                recipient: chosen(4).then(|| "two".parse().unwrap()),
                since: chosen(5).then_some(at(6)),
                now: at(0),
            };
            let through = |it: &&Transfer| {
                base.status.is_none_or(|status| it.status == status)
                    && base.mode.is_none_or(|mode| it.mode == mode)
                    && base
                        .sender
                        .as_ref()
                        .is_none_or(|label| it.sender.label == *label)
                    && base
                        .recipient
                        .as_ref()
                        .is_none_or(|label| it.recipient.label() == label.as_str())
                    && base.since.is_none_or(|since| it.created_at >= since)
            };
            let by_sender = TransferFilter {
                agent: chosen(0).then_some(second.id),
                ..base.clone()
            };
            let expected: Vec<_> = all.iter().filter(through).collect();
            let expected_sent = expected
                .iter()
                .filter(|it| by_sender.agent.is_none() || it.sender.agent == by_sender.agent);
            let expected_sent: Vec<_> = expected_sent.map(|it| it.id).collect();
            assert!(!expected_sent.is_empty());
            assert_eq!(
                sent(&store, &cast, &by_sender).await,
                expected_sent,
                "{by_sender:?}"
            );
            let by_recipient = TransferFilter {
                agent: chosen(0).then_some(third.id),
                ..base.clone()
            };
            let expected_received = expected.iter().filter(|it| {
                by_recipient
                    .agent
                    .is_none_or(|id| it.recipient.agent() == Some(id))
            });
            let expected_received: Vec<_> = expected_received.map(|it| it.id).collect();
            let found = received(&store, &cast, &by_recipient).await;
            assert_eq!(found, expected_received, "{by_recipient:?}");
        }
    }
}

#[tokio::test]
async fn a_list_sees_the_clock_as_the_rules_do() {
    const STATUSES: [TransferStatus; 6] = [
        TransferStatus::Pending,
        TransferStatus::Active,
        TransferStatus::PendingRecipient,
        TransferStatus::Downloaded,
        TransferStatus::Expired,
        TransferStatus::Deleted,
    ];

    for store in stores().await {
        let cast = Cast::of(&store).await;
        let mut all = STATUSES.map(|status| Transfer {
            status,
            ..transfer(&cast.ann, &cast.ben)
        });
        write_transfers(&store, &all.iter().collect::<Vec<_>>()).await;
        all.reverse();
        for now in [999, 1000, 1001].map(at) {
            for status in STATUSES {
                let filter = TransferFilter {
                    status: Some(status),
                    now,
                    ..everything()
                };
                let expected = all.iter().filter(|it| it.status_at(now) == status);
                let expected: Vec<_> = expected.map(|it| it.id).collect();
                assert_eq!(sent(&store, &cast, &filter).await, expected, "{filter:?}");
                assert_eq!(
                    received(&store, &cast, &filter).await,
                    expected,
                    "{filter:?}"
                );
            }
        }
        let expired = TransferFilter {
            status: Some(TransferStatus::Expired),
            now: at(1000),
            ..everything()
        };
        assert_eq!(
            sent(&store, &cast, &expired).await.len(),
            4,
            "three not yet swept"
        );
    }
}

#[tokio::test]
async fn pages_are_parts_of_the_whole() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let mut all: Vec<_> = (0..7).map(|_| transfer(&cast.ann, &cast.ben)).collect();
        write_transfers(&store, &all.iter().collect::<Vec<_>>()).await;
        all.reverse();
        let mut reader = store.read().await.unwrap();
        for limit in [0, 1, 3, 7, 8, u32::MAX] {
            for offset in [0, 1, 6, 7, 8, u32::MAX] {
                let page = Page {
                    limit,
                    offset,
                    behind: None,
                };
                let rest = all.iter().skip(offset as usize).take(limit as usize);
                let rest: Vec<_> = rest.cloned().collect();
                let (owner, filter) = (cast.alice.id, everything());
                let found = reader.sent_transfers_of(owner, &filter, page).await;
                assert_eq!(found.unwrap(), rest, "{store:?}: {page:?}");
                let found = reader.received_transfers_of(cast.bob.id, &filter, page);
                assert_eq!(found.await.unwrap(), rest, "{store:?}: {page:?}");
            }
        }
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

#[tokio::test]
async fn behind_an_entry_the_list_goes_on_while_others_come() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let all: Vec<_> = (0..5).map(|_| transfer(&cast.ann, &cast.ben)).collect();
        write_transfers(&store, &all.iter().collect::<Vec<_>>()).await;
        let (alice, bob, filter) = (cast.alice.id, cast.bob.id, everything());
        let (mut behind, mut walked) = (None, Vec::new());
        loop {
            let page = Page {
                limit: 2,
                offset: 0,
                behind,
            };
            let mut reader = store.read().await.unwrap();
            let sent = reader.sent_transfers_of(alice, &filter, page).await;
            let received = reader.received_transfers_of(bob, &filter, page).await;
            let sent = sent.unwrap();
            assert_eq!(sent, received.unwrap(), "{store:?}");
            let Some(last) = sent.last() else { break };
            behind = Some(last.id);
            walked.extend(sent.into_iter().map(|it| it.id));
            write_transfers(&store, &[&transfer(&cast.ann, &cast.ben)]).await;
        }
        let newest_first: Vec<_> = all.iter().rev().map(|it| it.id).collect();
        assert_eq!(walked, newest_first, "{store:?}");
        let mut reader = store.read().await.unwrap();
        let count = reader.sent_transfer_count_of(alice, &filter).await;
        assert_eq!(count.unwrap(), 8, "the count is of all pages: {store:?}");
    }
}
