use agentdrop_domain::Scope;
use agentdrop_domain::plans::{Limits, PlanError};
use agentdrop_domain::transfers::{File, Transfer};
use agentdrop_domain::usage::Cycle;
use agentdrop_protocol::wire::plans::Plan;
use agentdrop_store::{Error, Store, Tx};
use agentdrop_testkit::engines::stores;

use crate::things::{Cast, agent, at, file, key, race, texts, transfer, write, write_transfers};

#[tokio::test]
async fn an_account_gets_another_plan_by_its_address_however_it_is_spelled() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let set = async |email: &'static str, plan| {
            let email = email.parse().unwrap();
            write(&store, async move |tx| {
                tx.set_account_plan(&email, plan).await
            })
            .await
        };
        let changed = set("ALICE@Example.org", Plan::Free).await.unwrap();
        let mut reader = store.read().await.unwrap();
        let found = reader.account(cast.alice.id).await.unwrap();
        assert_eq!(found.as_ref(), Some(&changed), "{store:?}");
        assert_eq!((changed.id, changed.plan), (cast.alice.id, Plan::Free));
        let other = reader.account(cast.bob.id).await.unwrap().unwrap();
        assert_eq!(other.plan, Plan::Enterprise, "{store:?}");
        assert_eq!(set("nobody@example.org", Plan::Free).await, None);
    }
}

/// A server that was brought up to date limits nobody.
#[tokio::test]
async fn whoever_has_no_plan_yet_has_the_largest() {
    for store in stores().await {
        Cast::of(&store).await;
        let insert = "INSERT INTO accounts (id, name, email, email_folded, created_at)
                      VALUES ('x', 'x', 'x@example.org', 'x@example.org', 1)";
        crate::things::run_sql(store.database(), insert).await;
        let plans = texts(store.database(), "SELECT plan FROM accounts WHERE id = 'x'").await;
        assert_eq!(plans, ["enterprise"], "{store:?}");
    }
}

#[tokio::test]
async fn keys_and_agents_are_counted_and_others_are_not() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let alice = cast.alice.id;
        let mut over = key(alice, Scope::Account);
        over.revoked_at = Some(at(1));
        let all = [
            key(alice, Scope::Account),
            key(alice, Scope::Account),
            over,
            key(alice, Scope::Agent(cast.ann.id)),
            key(cast.bob.id, Scope::Account),
        ];
        let second = agent(&cast.alice, "second");
        write(&store, async move |tx| {
            for it in &all {
                tx.insert_key(it).await?;
            }
            tx.insert_agent(&second).await
        })
        .await;
        let mut reader = store.read().await.unwrap();
        assert_eq!(reader.account_key_count_of(alice).await.unwrap(), 2);
        assert_eq!(reader.agent_count_of(alice).await.unwrap(), 2);
        assert_eq!(reader.account_key_count_of(cast.bob.id).await.unwrap(), 1);
        assert_eq!(reader.agent_count_of(cast.bob.id).await.unwrap(), 1);
    }
}

fn of_size(like: &Transfer, sizes: &[u64]) -> Transfer {
    let files = sizes.iter().map(|it| File {
        size: *it,
        ..file()
    });
    Transfer {
        files: files.collect(),
        ..like.clone()
    }
}

#[tokio::test]
async fn what_can_still_be_fetched_is_stored_by_its_sender() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let (alice, bob) = (cast.alice.id, cast.bob.id);
        let stored = async |now| {
            let mut reader = store.read().await.unwrap();
            reader.stored_bytes_of(alice, at(now)).await.unwrap()
        };
        assert_eq!(stored(0).await, 0, "{store:?}");
        let first = of_size(&transfer(&cast.ann, &cast.ben), &[5, 0, 1 << 40]);
        let second = of_size(&transfer(&cast.ann, &cast.ben), &[100]);
        let received = of_size(&transfer(&cast.ben, &cast.ann), &[7]);
        write_transfers(&store, &[&first, &second, &received]).await;
        assert_eq!(stored(0).await, (1 << 40) + 105, "{store:?}");
        assert_eq!(stored(999).await, (1 << 40) + 105, "{store:?}");
        assert_eq!(stored(1000).await, 0, "they have expired, swept or not");

        // Deleted and not swept yet, and swept.
        let deleted = first.delete(at(2)).unwrap();
        let swept = deleted.clone().sweep(at(2)).unwrap();
        for it in [deleted, swept] {
            write(&store, async move |tx| tx.update_transfer(&it).await).await;
            assert_eq!(stored(2).await, 100, "{store:?}");
        }
        let mut reader = store.read().await.unwrap();
        assert_eq!(reader.stored_bytes_of(bob, at(0)).await.unwrap(), 7);
        let ann = cast.ann.clone();
        write(&store, async move |tx| tx.delete_agent(&ann).await).await;
        assert_eq!(stored(0).await, 0, "{store:?}");
    }
}

#[tokio::test]
async fn a_month_counts_for_itself_and_gives_nothing_back() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let alice = cast.alice.id;
        let this = Cycle::at(at(0), at(0));
        let next = Cycle::at(at(0), this.ends_at);
        let sent = transfer(&cast.ann, &cast.ben);
        write_transfers(&store, &[&sent]).await;
        let ann = cast.ann.clone();
        write(&store, async move |tx| {
            for _ in 0..3 {
                tx.count_transfer_of(alice, this).await?;
            }
            tx.count_transfer_of(alice, next).await?;
            tx.delete_agent(&ann).await
        })
        .await;
        let mut reader = store.read().await.unwrap();
        let counted = [(alice, this, 3), (alice, next, 1), (cast.bob.id, this, 0)];
        for (owner, cycle, expected) in counted {
            let found = reader.transfers_counted_of(owner, cycle).await.unwrap();
            assert_eq!(found, expected, "{store:?}");
        }
    }
}

/// What a unit of work came to.
#[derive(Debug)]
enum Refusal {
    Plan(#[expect(dead_code, reason = "for the message of a test that fails")] PlanError),
    Store(#[expect(dead_code, reason = "for the message of a test that fails")] Error),
}

impl From<PlanError> for Refusal {
    fn from(it: PlanError) -> Self {
        Self::Plan(it)
    }
}

impl From<Error> for Refusal {
    fn from(it: Error) -> Self {
        Self::Store(it)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_send_at_once_no_more_than_the_plan_allows_are_counted() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let (alice, cycle) = (cast.alice.id, Cycle::at(at(0), at(0)));
        let limits = Limits::of(Plan::Free);
        let send = |store: Store| async move {
            store
                .write(async move |tx: &mut Tx| -> Result<(), Refusal> {
                    tx.hold_accounts(alice, alice).await?;
                    let have = tx.transfers_counted_of(alice, cycle).await?;
                    limits.require_transfer(have, cycle.ends_at.since(at(0)))?;
                    Ok(tx.count_transfer_of(alice, cycle).await?)
                })
                .await
        };
        let ends = race(64, |_| send(store.clone())).await;
        let refused: Vec<_> = ends.into_iter().filter_map(Result::err).collect();
        assert_eq!(refused.len(), 14, "{store:?}");
        assert!(
            refused.iter().all(|it| matches!(it, Refusal::Plan(_))),
            "{refused:?}"
        );
        let mut reader = store.read().await.unwrap();
        let counted = reader.transfers_counted_of(alice, cycle).await.unwrap();
        assert_eq!(counted, 50, "{store:?}");
    }
}
