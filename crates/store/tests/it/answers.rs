use std::time::Duration;

use agentdrop_protocol::AccountId;
use agentdrop_store::{Answer, Repeatable, Result, Store, Tx};
use agentdrop_testkit::engines::stores;

use crate::things::{Cast, at, connection_token, digest, dwell, race, write};

/// Long before any test.
const LONG_AGO: i64 = -1_000_000;

fn request() -> Repeatable {
    Repeatable {
        digest: digest(),
        body_digest: digest(),
    }
}

async fn claim(store: &Store, owner: AccountId, it: Repeatable, since: i64) -> Option<Answer> {
    write(store, async move |tx| {
        tx.claim_answer(owner, &it, at(since), at(0)).await
    })
    .await
}

async fn answer(store: &Store, it: Repeatable, status: u16, said: &'static [u8]) {
    write(store, async move |tx| {
        tx.update_answer(&it, status, said).await
    })
    .await;
}

async fn found(store: &Store, it: Repeatable, since: i64) -> Option<Answer> {
    write(store, async move |tx| tx.answer_of(&it, at(since)).await).await
}

#[tokio::test]
async fn what_is_written_is_read_back() {
    for store in stores().await {
        let (cast, request) = (Cast::of(&store).await, request());
        assert_eq!(found(&store, request, LONG_AGO).await, None);
        assert_eq!(
            claim(&store, cast.alice.id, request, LONG_AGO).await,
            None,
            "the first has the effect"
        );
        answer(&store, request, 201, b"\0made").await;
        let kept = Answer {
            body_digest: request.body_digest,
            status: 201,
            answer: b"\0made".to_vec(),
        };
        let other_body = Repeatable {
            body_digest: digest(),
            ..request
        };
        for again in [request, other_body] {
            let claimed = claim(&store, cast.alice.id, again, LONG_AGO).await;
            assert_eq!(claimed.as_ref(), Some(&kept), "{store:?}");
            let found = found(&store, again, LONG_AGO).await;
            assert_eq!(found.as_ref(), Some(&kept), "{store:?}");
        }
    }
}

#[tokio::test]
async fn what_is_too_old_is_as_good_as_not_there() {
    for store in stores().await {
        let (cast, request) = (Cast::of(&store).await, request());
        claim(&store, cast.alice.id, request, LONG_AGO).await;
        answer(&store, request, 201, b"made").await;
        // It was written down at this very moment.
        assert_eq!(found(&store, request, 0).await, None, "{store:?}");
        assert!(found(&store, request, -1).await.is_some(), "{store:?}");
        let anew = Repeatable {
            body_digest: digest(),
            ..request
        };
        let claimed = claim(&store, cast.alice.id, anew, 0).await;
        assert_eq!(claimed, None, "{store:?}");
        answer(&store, anew, 200, b"anew").await;
        let kept = found(&store, anew, -1).await.unwrap();
        assert_eq!(kept.body_digest, anew.body_digest, "{store:?}");
        assert_eq!((kept.status, &*kept.answer), (200, &b"anew"[..]));
        for (until, deleted) in [(-1, 0), (0, 1), (0, 0)] {
            let swept = write(&store, async move |tx| {
                tx.delete_answers_until(at(until)).await
            });
            assert_eq!(swept.await, deleted, "{store:?}");
        }
    }
}

#[tokio::test]
async fn a_claim_goes_with_the_unit_that_failed() {
    for store in stores().await {
        let (cast, request) = (Cast::of(&store).await, request());
        let owner = cast.alice.id;
        let failing = async move |tx: &mut Tx| -> Result<()> {
            tx.claim_answer(owner, &request, at(LONG_AGO), at(0))
                .await?;
            tx.insert_instance_value("n", b"").await?;
            tx.insert_instance_value("n", b"").await
        };
        assert!(store.write(failing).await.is_err(), "{store:?}");
        assert_eq!(found(&store, request, LONG_AGO).await, None, "{store:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_ask_the_same_one_has_the_effect() {
    for store in stores().await {
        let (cast, request) = (Cast::of(&store).await, request());
        let owner = cast.alice.id;
        let answers = race(16, |racer| {
            let store = store.clone();
            let unit = async move |tx: &mut Tx| -> Result<_> {
                let claimed = tx
                    .claim_answer(owner, &request, at(LONG_AGO), at(0))
                    .await?;
                if let Some(found) = claimed {
                    return Ok((false, found.answer));
                }
                dwell(Duration::from_millis(20));
                let said = racer.to_string().into_bytes();
                tx.update_answer(&request, 200, &said).await?;
                Ok((true, said))
            };
            async move { store.write(unit).await.unwrap() }
        });
        let answers = answers.await;
        let effects = answers.iter().filter(|(effect, _)| *effect).count();
        assert_eq!(effects, 1, "{store:?}");
        assert!(answers.iter().all(|it| it.1 == answers[0].1), "{store:?}");
    }
}

#[tokio::test]
async fn a_connection_token_leads_to_its_account_until_it_is_spent() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let token = connection_token(&cast.ann);
        let digest = token.digest;
        let owners = write(&store, async move |tx| {
            let none = tx.account_of_connection_token(&digest).await?;
            tx.insert_connection_token(&token).await?;
            let one = tx.account_of_connection_token(&digest).await?;
            tx.take_connection_token(&digest).await?;
            let spent = tx.account_of_connection_token(&digest).await?;
            Ok([none, one, spent])
        });
        assert_eq!(owners.await, [None, Some(cast.alice.id), None], "{store:?}");
    }
}
