use agentdrop_domain::accounts::Account;
use agentdrop_domain::receive_passwords::ReceivePassword;
use agentdrop_protocol::text::Email;
use agentdrop_testkit::engines::stores;

use crate::things::{Cast, account, at, receive_password, write};

#[tokio::test]
async fn what_is_set_takes_the_place_of_what_was() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let first = receive_password(&cast.alice);
        let second = ReceivePassword {
            public_key: [8; 32].try_into().unwrap(),
            set_at: at(7),
            ..first.clone()
        };
        let owner = cast.alice.id;
        for it in [first, second] {
            let set = it.clone();
            write(&store, async move |tx| tx.put_receive_password(&set).await).await;
            let mut reader = store.read().await.unwrap();
            let found = reader.receive_password_of(owner).await.unwrap();
            assert_eq!(found, Some(it), "{store:?}");
            assert_eq!(reader.receive_password_of(cast.bob.id).await.unwrap(), None);
        }
        for gone in [1, 0] {
            let deleted = write(&store, async move |tx| {
                tx.delete_receive_password_of(owner).await
            });
            assert_eq!(deleted.await, gone, "{store:?}");
        }
    }
}

#[tokio::test]
async fn a_key_is_there_for_an_address_that_is_known_whose_it_is() {
    for store in stores().await {
        let pat = Account {
            email_verified_at: None,
            ..account("pat")
        };
        let (new, owner, password) = (pat.clone(), pat.id, receive_password(&pat));
        write(&store, async move |tx| {
            tx.insert_account(&new).await?;
            tx.put_receive_password(&password).await
        })
        .await;
        let found = async |email: &str| {
            let email: Email = email.parse().unwrap();
            let mut reader = store.read().await.unwrap();
            reader.receive_key_for(&email).await.unwrap()
        };
        assert_eq!(found("pat@example.org").await, None, "{store:?}");
        write(&store, async move |tx| tx.verify_email(owner, at(1)).await).await;
        let key = receive_password(&pat).public_key;
        assert_eq!(found("Pat@EXAMPLE.org").await, Some(key), "{store:?}");
        assert_eq!(found("nobody@example.org").await, None, "{store:?}");
    }
}
