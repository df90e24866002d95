use agentdrop_store::{Constraint, Error};
use agentdrop_testkit::engines::stores;

use crate::things::{Cast, account, account_id, run_sql, texts, transfer, write, write_transfers};

#[tokio::test]
async fn what_is_written_is_read_back() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let mut reader = store.read().await.unwrap();
        let found = reader.account(cast.bob.id).await.unwrap();
        assert_eq!(found.as_ref(), Some(&cast.bob));
        assert_eq!(reader.account(account_id()).await.unwrap(), None);
        let all = reader.accounts().await.unwrap();
        assert_eq!(all, [cast.alice, cast.bob, cast.mallory], "oldest first");
    }
}

#[tokio::test]
async fn an_address_is_taken_once_however_it_is_spelled() {
    for store in stores().await {
        Cast::of(&store).await;
        let mut again = account("other");
        again.email = "ALICE@Example.org".parse().unwrap();
        let taken = store.write(async move |tx| tx.insert_account(&again).await);
        let taken = taken.await;
        assert!(
            matches!(taken, Err(Error::Conflict(Constraint::AccountEmail))),
            "{taken:?}"
        );
        let mut reader = store.read().await.unwrap();
        assert_eq!(reader.accounts().await.unwrap().len(), 3, "{store:?}");
    }
}

#[tokio::test]
async fn an_address_is_kept_as_it_was_spelled() {
    for store in stores().await {
        let mut dora = account("dora");
        dora.email = "Dora@Example.org".parse().unwrap();
        let new = dora.clone();
        write(&store, async move |tx| tx.insert_account(&new).await).await;
        let mut reader = store.read().await.unwrap();
        let found = reader.account(dora.id).await.unwrap().unwrap();
        assert_eq!(found.email.as_str(), "Dora@Example.org");
    }
}

/// No query deletes one yet; that nothing of it is left then, is for the schema to say.
#[tokio::test]
async fn with_an_account_goes_all_that_is_its() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        crate::upgrades::run_every_statement(&store, &cast).await;
        let sent = transfer(&cast.ann, &cast.ben);
        write_transfers(&store, &[&sent]).await;

        let (database, id) = (store.database(), cast.alice.id);
        run_sql(database, &format!("DELETE FROM accounts WHERE id = '{id}'")).await;
        for (table, column) in [
            ("agents", "account_id"),
            ("api_keys", "account_id"),
            ("channels", "a_account_id"),
            ("transfers", "sender_account_id"),
            ("connections", "inviter_account_id"),
            ("connections", "invitee_account_id"),
            ("pairings", "a_account_id"),
            ("invites", "account_id"),
            ("usage", "account_id"),
            ("blocks", "blocker_account_id"),
        ] {
            let left = texts(database, &format!("SELECT {column} FROM {table}")).await;
            assert!(!left.contains(&id.to_string()), "{store:?}: {table}");
        }
        for table in ["agent_keys", "connection_tokens"] {
            let left = texts(database, &format!("SELECT agent_id FROM {table}")).await;
            assert!(
                !left.contains(&cast.ann.id.to_string()),
                "{store:?}: {table}"
            );
        }
        for (table, column) in [("downloads", "id"), ("streamed_files", "file_id")] {
            let left = texts(database, &format!("SELECT {column} FROM {table}")).await;
            assert!(left.is_empty(), "{store:?}: {table}");
        }
        let others = texts(database, "SELECT id FROM agents ORDER BY id").await;
        assert_eq!(others, [cast.ben.id.to_string(), cast.imp.id.to_string()]);
    }
}

#[tokio::test]
async fn an_address_is_found_however_it_is_spelled() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let mut reader = store.read().await.unwrap();
        let spelled = "ALICE@Example.org".parse().unwrap();
        let found = reader.account_by_email(&spelled).await.unwrap();
        assert_eq!(found, Some(cast.alice), "{store:?}");
        let unknown = "nobody@example.org".parse().unwrap();
        assert_eq!(reader.account_by_email(&unknown).await.unwrap(), None);
    }
}
