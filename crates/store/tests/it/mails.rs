use agentdrop_store::{QueuedMail, Tx};
use agentdrop_testkit::engines::stores;

use crate::things::{Cast, at, mail, race, write};

#[tokio::test]
async fn a_mail_is_claimed_when_it_is_due_and_again_when_nobody_came_back() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let [mut first, mut second] = [(); 2].map(|()| mail(&cast.alice));
        (first.due_at, second.due_at) = (at(10), at(20));
        let (one, two) = (first.clone(), second.clone());
        write(&store, async move |tx| {
            tx.enqueue_mail(&two).await?;
            tx.enqueue_mail(&one).await
        })
        .await;
        let claim = async |now: i64, until: i64| {
            write(&store, async move |tx| {
                tx.claim_mails(at(now), at(until), 1).await
            })
            .await
        };
        assert_eq!(claim(9, 99).await, [], "{store:?}");
        let claimed = QueuedMail {
            attempts: 1,
            due_at: at(99),
            ..first.clone()
        };
        assert_eq!(
            claim(20, 99).await,
            [claimed],
            "{store:?}: the one longest due"
        );
        let found = claim(20, 99).await;
        assert_eq!(found[0].id, second.id, "{store:?}");
        assert_eq!(claim(98, 200).await, [], "{store:?}: both are being sent");
        let (sent, put_off) = (second.id, first.id);
        let deleted = write(&store, async move |tx| {
            tx.put_mail_off(put_off, at(50)).await?;
            Ok((tx.delete_mail(sent).await?, tx.delete_mail(sent).await?))
        });
        assert_eq!(deleted.await, (1, 0), "{store:?}");
        let mut reader = store.read().await.unwrap();
        assert_eq!(reader.next_mail_due().await.unwrap(), Some(at(50)));
        assert_eq!(reader.mail_count().await.unwrap(), 1);
        let again = claim(50, 99).await;
        assert_eq!((again[0].id, again[0].attempts), (first.id, 2), "{store:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_claim_each_mail_is_claimed_once() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let all: Vec<_> = (0..8).map(|_| mail(&cast.alice)).collect();
        let mut ids: Vec<_> = all.iter().map(|it| it.id).collect();
        write(&store, async move |tx| {
            for it in &all {
                tx.enqueue_mail(it).await?;
            }
            Ok(())
        })
        .await;
        let claimed = race(4, |_| {
            let store = store.clone();
            async move {
                let mut claimed = Vec::new();
                loop {
                    let claim = async move |tx: &mut Tx| tx.claim_mails(at(0), at(99), 1).await;
                    let found = store.write(claim).await.unwrap();
                    if found.is_empty() {
                        return claimed;
                    }
                    claimed.extend(found.into_iter().map(|it| it.id));
                }
            }
        });
        let mut claimed: Vec<_> = claimed.await.into_iter().flatten().collect();
        claimed.sort();
        ids.sort();
        assert_eq!(claimed, ids, "{store:?}");
    }
}

#[tokio::test]
async fn a_mail_about_what_did_not_happen_is_not_there() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let new = mail(&cast.alice);
        let failed = store.write(
            async move |tx: &mut Tx| -> Result<(), agentdrop_store::Error> {
                tx.enqueue_mail(&new).await?;
                Err(agentdrop_store::Error::Stopped)
            },
        );
        failed.await.unwrap_err();
        let mut reader = store.read().await.unwrap();
        assert_eq!(reader.mail_count().await.unwrap(), 0, "{store:?}");
        assert_eq!(reader.next_mail_due().await.unwrap(), None, "{store:?}");
    }
}
