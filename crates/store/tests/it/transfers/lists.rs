//! Lists of transfers, and their pages.

use agentdrop_domain::transfers::{Recipient, Transfer};
use agentdrop_protocol::TransferId;
use agentdrop_protocol::wire::transfers::{TransferMode, TransferStatus};
use agentdrop_store::{Page, TransferFilter};
use agentdrop_testkit::engines::{TestStore, stores};

use crate::things::{Cast, at, everything, transfer, write, write_transfers};

pub(super) const ALL: Page = Page {
    limit: 200,
    offset: 0,
    behind: None,
};

/// What Alice sent; the count is seen to agree.
pub(super) async fn sent(
    store: &TestStore,
    cast: &Cast,
    filter: &TransferFilter,
) -> Vec<TransferId> {
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
pub(super) async fn received(
    store: &TestStore,
    cast: &Cast,
    filter: &TransferFilter,
) -> Vec<TransferId> {
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
