//! Tries that are counted, by whichever server.

use std::time::Duration;

use agentdrop_protocol::Timestamp;
use agentdrop_store::{Allowance, Store};
use agentdrop_testkit::engines::stores;

use crate::things::{at, race, write};

const NAME: [u8; 32] = [7; 32];
const ALLOWED: Allowance = Allowance {
    most: 10,
    period: Duration::from_mins(15),
};
const EACH: Duration = Duration::from_secs(90);

async fn count(store: &Store, name: [u8; 32], now: Timestamp) -> Option<Duration> {
    write(store, async move |tx| {
        tx.count_attempt(&name, ALLOWED, now).await
    })
    .await
}

#[tokio::test]
async fn so_many_at_once_and_then_one_after_the_other() {
    for store in &stores().await {
        let now = at(0);
        for _ in 0..10 {
            assert_eq!(count(store, NAME, now).await, None);
        }
        assert_eq!(count(store, NAME, now).await, Some(EACH));
        let half = now.plus(EACH / 2);
        assert_eq!(count(store, NAME, half).await, Some(EACH / 2));
        assert_eq!(count(store, [8; 32], now).await, None, "another");
        assert_eq!(count(store, NAME, now.plus(EACH)).await, None);
        assert_eq!(count(store, NAME, now.plus(EACH)).await, Some(EACH));
        // All are back.
        let later = now.plus(ALLOWED.period * 3);
        for _ in 0..10 {
            assert_eq!(count(store, NAME, later).await, None);
        }
        assert!(count(store, NAME, later).await.is_some());
    }
}

#[tokio::test]
async fn a_clock_that_is_set_back_shuts_nobody_out() {
    for store in &stores().await {
        let now = at(0);
        for _ in 0..10 {
            assert_eq!(count(store, NAME, now).await, None);
        }
        let back = now.minus(Duration::from_hours(24));
        assert_eq!(count(store, NAME, back).await, Some(EACH));
        assert_eq!(count(store, NAME, back.plus(EACH)).await, None);
    }
}

#[tokio::test]
async fn of_many_at_once_so_many_are_counted() {
    for store in &stores().await {
        let all = race(40, |_| {
            let store = Store::clone(store);
            async move { count(&store, NAME, at(0)).await }
        });
        let counted = all.await.iter().filter(|it| it.is_none()).count();
        assert_eq!(counted, 10);
    }
}

#[tokio::test]
async fn what_counts_no_more_is_forgotten() {
    for store in &stores().await {
        assert_eq!(count(store, NAME, at(0)).await, None);
        let forget = async |now: Timestamp| {
            write(store, async move |tx| tx.delete_attempts_until(now).await).await
        };
        assert_eq!(forget(at(0)).await, 0);
        assert_eq!(forget(at(0).plus(EACH)).await, 1);
    }
}

#[tokio::test]
async fn what_is_given_back_can_be_had_again_and_no_more_than_there_was() {
    for store in &stores().await {
        let give_back = async || {
            write(store, async move |tx| {
                tx.give_back_attempt(&NAME, ALLOWED).await
            })
            .await;
        };
        // Of what was never counted nothing is there to be given back.
        give_back().await;
        for _ in 0..10 {
            assert_eq!(count(store, NAME, at(0)).await, None);
        }
        assert!(count(store, NAME, at(0)).await.is_some());
        give_back().await;
        assert_eq!(count(store, NAME, at(0)).await, None);
        assert!(count(store, NAME, at(0)).await.is_some());
        for _ in 0..100 {
            give_back().await;
        }
        for _ in 0..10 {
            assert_eq!(count(store, NAME, at(0)).await, None);
        }
        assert!(count(store, NAME, at(0)).await.is_some());
    }
}
