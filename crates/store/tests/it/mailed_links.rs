use agentdrop_domain::mailed_links::LinkPurpose;
use agentdrop_store::Tx;
use agentdrop_testkit::engines::stores;

use crate::things::{Cast, at, digest, mailed_link, race, write};

#[tokio::test]
async fn a_newer_link_takes_the_place_of_an_older_one_of_its_purpose() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let [older, newer] = [(); 2].map(|()| mailed_link(&cast.alice, LinkPurpose::VerifyEmail));
        let other = mailed_link(&cast.alice, LinkPurpose::ResetPassword);
        let theirs = mailed_link(&cast.bob, LinkPurpose::VerifyEmail);
        let all = [&older, &other, &theirs, &newer].map(Clone::clone);
        write(&store, async move |tx| {
            for it in &all {
                tx.put_mailed_link(it).await?;
            }
            Ok(())
        })
        .await;
        let mut reader = store.read().await.unwrap();
        assert_eq!(reader.mailed_link(&older.digest).await.unwrap(), None);
        assert_eq!(reader.mailed_link(&digest()).await.unwrap(), None);
        for link in [newer, other, theirs] {
            let found = reader.mailed_link(&link.digest).await.unwrap();
            assert_eq!(found, Some(link), "{store:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_follow_a_link_one_does() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let link = mailed_link(&cast.alice, LinkPurpose::ResetPassword);
        let (digest, new) = (link.digest, link.clone());
        write(&store, async move |tx| tx.put_mailed_link(&new).await).await;
        let taken = race(8, |_| {
            let store = store.clone();
            async move {
                let take = async move |tx: &mut Tx| tx.take_mailed_link(&digest).await;
                store.write(take).await.unwrap()
            }
        });
        let taken: Vec<_> = taken.await.into_iter().flatten().collect();
        assert_eq!(taken, [link], "{store:?}");
    }
}

#[tokio::test]
async fn links_that_have_expired_are_forgotten() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let mut old = mailed_link(&cast.alice, LinkPurpose::VerifyEmail);
        old.expires_at = at(5);
        let live = mailed_link(&cast.bob, LinkPurpose::VerifyEmail);
        let deleted = write(&store, async move |tx| {
            tx.put_mailed_link(&old).await?;
            tx.put_mailed_link(&live).await?;
            let early = tx.delete_expired_mailed_links(at(4)).await?;
            Ok((early, tx.delete_expired_mailed_links(at(5)).await?))
        });
        assert_eq!(deleted.await, (0, 1), "{store:?}");
    }
}

#[tokio::test]
async fn a_link_of_one_purpose_goes_and_no_other() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let gone = mailed_link(&cast.alice, LinkPurpose::ResetPassword);
        let stay = [
            mailed_link(&cast.alice, LinkPurpose::VerifyEmail),
            mailed_link(&cast.bob, LinkPurpose::ResetPassword),
        ];
        let (owner, digests) = (cast.alice.id, stay.each_ref().map(|it| it.digest));
        let digest = gone.digest;
        write(&store, async move |tx| {
            for it in stay.iter().chain([&gone]) {
                tx.put_mailed_link(it).await?;
            }
            tx.delete_mailed_link_of(owner, LinkPurpose::ResetPassword)
                .await
        })
        .await;
        let mut reader = store.read().await.unwrap();
        assert_eq!(
            reader.mailed_link(&digest).await.unwrap(),
            None,
            "{store:?}"
        );
        for digest in digests {
            let found = reader.mailed_link(&digest).await.unwrap();
            assert!(found.is_some(), "{store:?}");
        }
    }
}
