use std::time::Duration;

use agentdrop_domain::accounts::AccountSettings;
use agentdrop_domain::mailed_links::LinkPurpose;
use agentdrop_domain::people::Standing;
use agentdrop_protocol::AgentRef;
use agentdrop_store::{Constraint, Error, Repeatable, Tx};
use agentdrop_testkit::engines::stores;

use crate::things::{
    Cast, account, account_id, agent, at, digest, dwell, mail, mailed_link, race, receive_password,
    session, texts, transfer, write, write_transfers,
};

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

#[tokio::test]
async fn with_an_account_goes_all_that_is_its() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        crate::upgrades::run_every_statement(&store, &cast).await;
        let (sent, mut swept) = (
            transfer(&cast.ann, &cast.ben),
            transfer(&cast.ben, &cast.ann),
        );
        swept.bytes_until = None;
        let others = transfer(&cast.ben, &cast.imp);
        write_transfers(&store, &[&sent, &swept, &others]).await;
        let (alice, own) = (cast.alice.clone(), sent.id);
        let with_bytes = write(&store, async move |tx| {
            tx.insert_session(&session(&alice), 9).await?;
            tx.put_mailed_link(&mailed_link(&alice, LinkPurpose::ResetPassword))
                .await?;
            tx.enqueue_mail(&mail(&alice)).await?;
            tx.put_receive_password(&receive_password(&alice)).await?;
            tx.insert_stranger(alice.id, own, Standing::Stranger, at(0))
                .await?;
            tx.hold_accounts(alice.id, alice.id).await?;
            tx.delete_account(alice.id).await
        })
        .await;
        assert!(with_bytes.contains(&(own, 1)), "{store:?}");
        let gone = |id| with_bytes.iter().all(|it| it.0 != id);
        assert!(gone(swept.id) && gone(others.id), "{store:?}");

        let (database, id) = (store.database(), cast.alice.id);
        for (table, column) in [
            ("accounts", "id"),
            ("agents", "account_id"),
            ("api_keys", "account_id"),
            ("channels", "a_account_id"),
            ("transfers", "sender_account_id"),
            ("transfers", "recipient_account_id"),
            ("connections", "inviter_account_id"),
            ("connections", "invitee_account_id"),
            ("pairings", "a_account_id"),
            ("invites", "account_id"),
            ("usage", "account_id"),
            ("blocks", "blocker_account_id"),
            ("sessions", "account_id"),
            ("mailed_links", "account_id"),
            ("mails", "account_id"),
            ("answers", "account_id"),
            ("receive_passwords", "account_id"),
            ("strangers", "account_id"),
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
        let agents = texts(database, "SELECT id FROM agents ORDER BY id").await;
        assert_eq!(agents, [cast.ben.id.to_string(), cast.imp.id.to_string()]);
        let left = texts(database, "SELECT id FROM transfers").await;
        assert_eq!(left, [others.id.to_string()], "{store:?}");
    }
}

/// Whoever sends holds the agent and then refers to the account; deleting takes them in the same
/// order, so that neither waits for the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_account_that_is_deleted_while_it_is_sent_to_leaves_nothing_behind() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        for n in 0..10 {
            let new = account(&format!("fleeting{n}"));
            let (theirs, own) = (agent(&new, "theirs"), cast.ann.clone());
            let id = new.id;
            let to = theirs.clone();
            write(&store, async move |tx| {
                tx.insert_account(&new).await?;
                tx.insert_agent(&theirs).await
            })
            .await;
            let sent = race(4, |_| {
                let (store, own, to) = (store.clone(), own.clone(), to.clone());
                async move {
                    let unit = async move |tx: &mut Tx| {
                        let named = AgentRef::Id(to.id);
                        let kept = tx.keep_agent_of(to.account, &named).await?;
                        if kept.is_some() {
                            tx.insert_transfer(&transfer(&own, &to)).await?;
                        }
                        Ok(kept.is_some())
                    };
                    store.write(unit).await
                }
            });
            let deleted = store.write(async move |tx: &mut Tx| {
                tx.hold_accounts(id, id).await?;
                tx.delete_account(id).await
            });
            let (sent, deleted) = tokio::join!(sent, deleted);
            let sent: Result<Vec<bool>, Error> = sent.into_iter().collect();
            let kept = sent.unwrap().into_iter().filter(|it| *it).count();
            assert_eq!(deleted.unwrap().len(), kept, "{store:?}");
            let left = texts(store.database(), "SELECT id FROM transfers").await;
            assert!(left.is_empty(), "{store:?}");
        }
    }
}

/// Whoever asks for something under a name claims the answer before they hold the account; deleting
/// holds the account first, and must not wait for them.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_account_is_deleted_while_answers_of_it_are_claimed() {
    for store in stores().await {
        let new = account("fleeting");
        let id = new.id;
        write(&store, async move |tx| tx.insert_account(&new).await).await;
        let asking = store.clone();
        let asked = race(4, move |_| {
            let store = asking.clone();
            let request = Repeatable {
                digest: digest(),
                body_digest: digest(),
            };
            async move {
                // The other one has begun.
                tokio::time::sleep(Duration::from_millis(50)).await;
                let unit = async move |tx: &mut Tx| {
                    tx.claim_answer(id, &request, at(-1), at(0)).await?;
                    Ok(tx.hold_accounts(id, id).await?.len())
                };
                store.write(unit).await
            }
        });
        let deleted = store.write(async move |tx: &mut Tx| {
            tx.hold_accounts(id, id).await?;
            dwell(Duration::from_millis(200));
            tx.delete_account(id).await
        });
        let (asked, deleted) = tokio::join!(asked, deleted);
        assert!(deleted.is_ok(), "{store:?}: {deleted:?}");
        let asked: Result<Vec<usize>, Error> = asked.into_iter().collect();
        assert_eq!(asked.unwrap(), [0; 4], "{store:?}");
    }
}

#[tokio::test]
async fn what_an_owner_sets_is_read_back_and_is_nobody_elses() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let (alice, bob) = (cast.alice.id, cast.bob.id);
        let Ok(hash) = "$argon2id$x".parse();
        let settings = AccountSettings {
            password: Some(hash),
            require_encryption: true,
        };
        let (set, mut renamed) = (settings.clone(), cast.alice.clone());
        renamed.name = "Alice & Co".parse().unwrap();
        let new = renamed.clone();
        write(&store, async move |tx| {
            tx.update_account(&new).await?;
            tx.update_account_settings(alice, &set).await
        })
        .await;
        let mut reader = store.read().await.unwrap();
        let found = reader.account_settings(alice).await.unwrap();
        assert_eq!(found, Some(settings.clone()), "{store:?}");
        let shouted = "ALICE@example.ORG".parse().unwrap();
        let found = reader.account_to_sign_in(&shouted).await.unwrap();
        assert_eq!(found, Some((renamed, settings)), "{store:?}");
        let found = reader.account_settings(bob).await.unwrap();
        assert_eq!(found, Some(AccountSettings::default()), "{store:?}");
        let nobody = "nobody@example.org".parse().unwrap();
        let found = reader.account_to_sign_in(&nobody).await.unwrap();
        assert_eq!(found, None, "{store:?}");
        for (one, other, required) in [
            (alice, bob, true),
            (bob, alice, true),
            (bob, cast.mallory.id, false),
        ] {
            let found = reader.is_encryption_required(one, other).await.unwrap();
            assert_eq!(found, required, "{store:?}");
        }
    }
}

#[tokio::test]
async fn an_address_is_verified_once() {
    for store in stores().await {
        let mut dora = account("dora");
        dora.email_verified_at = None;
        let (new, id) = (dora.clone(), dora.id);
        let verified = write(&store, async move |tx| {
            tx.insert_account(&new).await?;
            let first = tx.verify_email(id, at(5)).await?;
            Ok((first, tx.verify_email(id, at(6)).await?))
        })
        .await;
        assert_eq!(verified, (1, 0), "{store:?}");
        let mut reader = store.read().await.unwrap();
        let found = reader.account(id).await.unwrap().unwrap();
        assert_eq!(found.email_verified_at, Some(at(5)), "{store:?}");
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
