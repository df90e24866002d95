//! Transfers to whoever has an address.

use agentdrop_domain::accounts::Account;
use agentdrop_domain::people::Standing;
use agentdrop_domain::transfers::{File, Recipient, Sealing, Transfer};
use agentdrop_store::{Page, Store};
use agentdrop_testkit::engines::{Database, Engine, database, stores};

use crate::things::{
    Cast, account, agent, at, download, everything, receive_password, run_sql, texts, transfer,
    transfer_id, transfer_to_person, write, write_transfers,
};

const ALL: Page = Page {
    limit: 9,
    offset: 0,
    behind: None,
};

/// What an account sees: by its id, in its inbox, as often as it is counted, and in its export.
async fn seen_by(store: &Store, it: &Account, transfer: &Transfer) -> [bool; 5] {
    let (owner, id) = (it.id, transfer.id);
    let mut reader = store.read().await.unwrap();
    let all = everything();
    let listed = reader.received_transfers_of(owner, &all, ALL);
    let listed = listed.await.unwrap();
    let counted = reader.received_transfer_count_of(owner, &all);
    let counted = counted.await.unwrap();
    let exported = reader.received_transfers_to_export(owner, None, 9).await;
    let shown = reader.transfer_of(owner, id).await.unwrap();
    drop(reader);
    let held = write(store, async move |tx| tx.hold_transfer_of(owner, id).await).await;
    for found in [shown.as_ref(), held.as_ref(), listed.first()] {
        let account = found.map(|it| it.recipient.account());
        assert_eq!(account.unwrap_or(Some(owner)), Some(owner));
    }
    [
        shown.is_some(),
        held.is_some(),
        listed.iter().any(|it| it.id == id),
        counted == 1,
        exported.unwrap().iter().any(|it| it.id == id),
    ]
}

#[tokio::test]
async fn what_is_for_an_address_is_there_once_it_is_known_whose_it_is() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let sent = transfer_to_person(&cast.ann, "Pat@Example.org");
        write_transfers(&store, &[&sent]).await;
        let (sender, id) = (cast.alice.id, sent.id);
        let mut reader = store.read().await.unwrap();
        let as_sent = reader.transfer_of(sender, id).await.unwrap();
        assert_eq!(as_sent.as_ref(), Some(&sent), "{store:?}");
        drop(reader);

        let unverified = Account {
            email_verified_at: None,
            ..account("pat")
        };
        let pat = unverified.clone();
        write(&store, async move |tx| tx.insert_account(&pat).await).await;
        assert_eq!(seen_by(&store, &unverified, &sent).await, [false; 5]);

        let owner = unverified.id;
        write(&store, async move |tx| tx.verify_email(owner, at(1)).await).await;
        assert_eq!(seen_by(&store, &unverified, &sent).await, [true; 5]);
        assert_eq!(seen_by(&store, &cast.bob, &sent).await, [false; 5]);

        // To its agents it was not sent.
        let own = agent(&unverified, "own");
        let filter = agentdrop_store::TransferFilter {
            agent: Some(own.id),
            ..everything()
        };
        let mut reader = store.read().await.unwrap();
        let of_agent = reader.received_transfers_of(owner, &filter, ALL).await;
        assert_eq!(of_agent.unwrap(), [], "{store:?}");
    }
}

#[tokio::test]
async fn what_a_person_did_with_it_is_told_to_both_sides() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let sent = transfer_to_person(&cast.ann, "bob@example.org");
        write_transfers(&store, &[&sent]).await;
        let grant = agentdrop_domain::downloads::Download {
            transfer: sent.id,
            account: cast.bob.id,
            agent: None,
            ..download(&transfer(&cast.ann, &cast.ben))
        };
        let ended = agentdrop_domain::downloads::Download {
            outcome: Some(agentdrop_domain::downloads::Outcome {
                status: agentdrop_protocol::wire::transfers::DeliveryStatus::Received,
                reason: None,
                at: at(3),
                receipt: None,
            }),
            ..grant.clone()
        };
        write(&store, async move |tx| {
            tx.insert_download(&grant).await?;
            tx.update_download(&ended).await
        })
        .await;
        let mut reader = store.read().await.unwrap();
        for (owner, told) in [(&cast.alice, 1), (&cast.bob, 1), (&cast.mallory, 0)] {
            let ended = reader.ended_downloads_of(owner.id, sent.id).await;
            assert_eq!(ended.unwrap().len(), told, "{store:?}");
        }
    }
}

/// An account that goes takes what it was sent along; one that only said that the address was its
/// own takes nothing.
#[tokio::test]
async fn what_a_person_was_sent_goes_with_their_account() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let to_bob = transfer_to_person(&cast.ann, "bob@example.org");
        let to_pat = transfer_to_person(&cast.ann, "pat@example.org");
        write_transfers(&store, &[&to_bob, &to_pat]).await;
        let pat = Account {
            email_verified_at: None,
            ..account("pat")
        };
        let (bob, sender, id) = (cast.bob.id, cast.alice.id, to_pat.id);
        let with_bytes = write(&store, async move |tx| {
            tx.insert_account(&pat).await?;
            let mut gone = tx.delete_account(pat.id).await?;
            gone.extend(tx.delete_account(bob).await?);
            Ok(gone)
        });
        assert_eq!(with_bytes.await, [(to_bob.id, 1)], "{store:?}");
        let mut reader = store.read().await.unwrap();
        assert!(reader.transfer_of(sender, id).await.unwrap().is_some());
        let gone = reader.transfer_of(sender, to_bob.id).await.unwrap();
        assert_eq!(gone, None, "{store:?}");
    }
}

#[tokio::test]
async fn what_waits_is_activated_for_who_has_a_key_and_is_known() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let sent = transfer_to_person(&cast.ann, "Pat@example.org");
        let other = transfer_to_person(&cast.ann, "nobody@example.org");
        write_transfers(&store, &[&sent, &other]).await;
        let pat = Account {
            email_verified_at: None,
            ..account("pat")
        };
        let waits = async |time| {
            let mut reader = store.read().await.unwrap();
            let found = reader.transfers_to_activate(at(time), None, 9).await;
            let found: Vec<_> = found.unwrap().into_iter().map(|it| it.id).collect();
            found
        };
        let (owner, password) = (pat.id, receive_password(&pat));
        write(&store, async move |tx| tx.insert_account(&pat).await).await;
        assert_eq!(waits(0).await, [], "{store:?}");
        write(&store, async move |tx| {
            tx.put_receive_password(&password).await
        })
        .await;
        assert_eq!(waits(0).await, [], "{store:?}");
        write(&store, async move |tx| tx.verify_email(owner, at(1)).await).await;
        assert_eq!(waits(0).await, [sent.id], "{store:?}");
        assert_eq!(waits(1000).await, [], "{store:?}: it has expired");

        let sealing = Sealing {
            algorithm: Some("x".to_owned()),
            ..Sealing::default()
        };
        let moved = File {
            size: 99,
            blob: Some(4),
            ..sent.files[0].clone()
        };
        let active = sent.clone().activate(sealing, vec![moved], at(1)).unwrap();
        let active = Transfer {
            wrapped_key: vec![7],
            details: vec![8],
            ..active
        };
        let contents = active.clone();
        write(&store, async move |tx| {
            tx.update_transfer_contents(&contents).await
        })
        .await;
        assert_eq!(waits(0).await, [], "{store:?}");
        let mut reader = store.read().await.unwrap();
        let found = reader.transfer_of(owner, sent.id).await.unwrap().unwrap();
        let (of, expected) = (found.recipient.account(), active.recipient.clone());
        assert_eq!(of, Some(owner), "{store:?}");
        let recipient = expected;
        assert_eq!(Transfer { recipient, ..found }, active, "{store:?}");
        for (blob, needed) in [(0, false), (4, true)] {
            let asked = reader.needs_blob(sent.id, blob).await.unwrap();
            assert_eq!(asked, needed, "{store:?}: {blob}");
        }
    }
}

#[tokio::test]
async fn strangers_count_for_who_wrote_to_them_and_for_a_while() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let (alice, bob) = (cast.alice.id, cast.bob.id);
        let ids = [transfer_id(), transfer_id(), transfer_id()];
        write(&store, async move |tx| {
            tx.insert_stranger(alice, ids[0], Standing::Stranger, at(1))
                .await?;
            tx.insert_stranger(alice, ids[1], Standing::Stranger, at(2))
                .await?;
            // Whom somebody knows counts for nobody.
            tx.insert_stranger(alice, transfer_id(), Standing::Registered, at(2))
                .await?;
            tx.insert_stranger(bob, ids[2], Standing::Stranger, at(3))
                .await
        })
        .await;
        let counted = async |owner, since| {
            let mut reader = store.read().await.unwrap();
            reader.strangers_of(owner, at(since)).await.unwrap()
        };
        assert_eq!(counted(alice, 0).await, [at(2), at(1)], "{store:?}");
        assert_eq!(counted(alice, 1).await, [at(2)], "{store:?}");
        assert_eq!(counted(cast.mallory.id, 0).await, [], "{store:?}");
        let forget = async |tx: &mut agentdrop_store::Tx| tx.delete_strangers_before(at(2)).await;
        assert_eq!(write(&store, forget).await, 2, "{store:?}");
        assert_eq!(counted(alice, 0).await, [], "{store:?}");
        assert_eq!(counted(bob, 0).await, [at(3)], "{store:?}");
    }
}

/// A recipient is an agent of an account, or an address, and nothing between.
#[tokio::test]
async fn no_transfer_is_for_half_a_recipient() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let sent = transfer(&cast.ann, &cast.ben);
        write_transfers(&store, &[&sent]).await;
        for half in [
            "recipient_agent_id = NULL",
            "recipient_account_id = NULL",
            "recipient_email_folded = 'x@example.org'",
            "recipient_agent_id = NULL, recipient_account_id = NULL",
        ] {
            let sql = format!("UPDATE transfers SET {half}");
            let refused = try_sql(store.database(), &sql).await;
            assert!(refused.is_err(), "{store:?}: {half}");
        }
    }
}

async fn try_sql(database: &Database, sql: &str) -> Result<(), String> {
    let url = database.url();
    match database.engine() {
        Engine::Sqlite => {
            let file = url.trim_start_matches("sqlite://");
            let connection = rusqlite::Connection::open(file).unwrap();
            connection.execute_batch(sql).map_err(|it| it.to_string())
        }
        Engine::Postgres => {
            let connecting = tokio_postgres::connect(url, tokio_postgres::NoTls);
            let (client, connection) = connecting.await.unwrap();
            tokio::spawn(connection);
            client.batch_execute(sql).await.map_err(|it| it.to_string())
        }
    }
}

/// The schema of either engine, as it was before there were transfers to people.
mod before {
    pub(super) mod sqlite {
        refinery::embed_migrations!("migrations/sqlite");
    }
    pub(super) mod postgres {
        refinery::embed_migrations!("migrations/postgres");
    }
}

const SENT_BEFORE: &str = "
    INSERT INTO accounts (id, name, email, email_folded, created_at, plan)
    VALUES ('019a9f3e-5c1a-7b2d-8e4f-000000000001', 'A', 'a@example.org', 'a@example.org', 1, 'free');
    INSERT INTO agents (id, account_id, slug, name, agent_type, metadata,
                        available_for_connections, status, key_version, created_at)
    VALUES ('019a9f3e-5c1a-7b2d-8e4f-000000000002', '019a9f3e-5c1a-7b2d-8e4f-000000000001', 'ann',
            'Ann', 'custom', '{}', TRUE, 'pending', 0, 1);
    INSERT INTO transfers (id, mode, sender_account_id, sender_agent_id, sender_label,
                           sender_key_id, recipient_account_id, recipient_agent_id,
                           recipient_label, wrapped_key, details, files, total_size, auto_delete,
                           max_downloads, downloads, status, bytes_until, created_at, expires_at)
    VALUES ('tr_019a9f3e5c1a7b2d8e4f000000000003', 'agent-to-agent',
            '019a9f3e-5c1a-7b2d-8e4f-000000000001', '019a9f3e-5c1a-7b2d-8e4f-000000000002', 'ann',
            'key_019a9f3e5c1a7b2d8e4f000000000004', '019a9f3e-5c1a-7b2d-8e4f-000000000001',
            '019a9f3e-5c1a-7b2d-8e4f-000000000002', 'ann', 'wrapped', 'said', '[]', 7, FALSE, 3, 1,
            'active', 9, 1, 9);
    INSERT INTO downloads (id, transfer_id, account_id, agent_id, granted_at, expires_at, outcome,
                           ended_at)
    VALUES ('dl_019a9f3e5c1a7b2d8e4f000000000005', 'tr_019a9f3e5c1a7b2d8e4f000000000003',
            '019a9f3e-5c1a-7b2d-8e4f-000000000001', '019a9f3e-5c1a-7b2d-8e4f-000000000002', 1, 9,
            'received', 2);
    INSERT INTO streamed_files (download_id, file_id)
    VALUES ('dl_019a9f3e5c1a7b2d8e4f000000000005', '019a9f3e-5c1a-7b2d-8e4f-000000000006');";

/// To SQLite a text is no bytes.
const BLOBS: &str = "CAST('wrapped' AS BLOB), CAST('said' AS BLOB)";

/// SQLite makes the table anew, which must not take along what refers to it.
#[tokio::test]
async fn no_transfer_and_no_download_is_lost_when_the_table_is_made_anew() {
    for engine in Engine::ALL {
        let database = database(engine).await;
        let last = refinery::Target::Version(16);
        match engine {
            Engine::Sqlite => {
                let file = database.folder().unwrap().join("store.db");
                let mut connection = rusqlite::Connection::open(file).unwrap();
                let runner = before::sqlite::migrations::runner().set_target(last);
                runner.run(&mut connection).unwrap();
            }
            Engine::Postgres => {
                let connecting = tokio_postgres::connect(database.url(), tokio_postgres::NoTls);
                let (mut client, connection) = connecting.await.unwrap();
                tokio::spawn(connection);
                let runner = before::postgres::migrations::runner().set_target(last);
                runner.run_async(&mut client).await.unwrap();
            }
        }
        let sent = match engine {
            Engine::Sqlite => SENT_BEFORE.replace("'wrapped', 'said'", BLOBS),
            Engine::Postgres => SENT_BEFORE.to_owned(),
        };
        run_sql(&database, &sent).await;

        let store = database.open().await;
        let owner = "019a9f3e-5c1a-7b2d-8e4f-000000000001".parse().unwrap();
        let id = "tr_019a9f3e5c1a7b2d8e4f000000000003".parse().unwrap();
        let mut reader = store.read().await.unwrap();
        let found = reader.transfer_of(owner, id).await.unwrap().unwrap();
        let to = Recipient::Agent {
            account: owner,
            agent: "019a9f3e-5c1a-7b2d-8e4f-000000000002".parse().unwrap(),
            label: "ann".to_owned(),
        };
        assert_eq!(found.recipient, to, "{engine:?}");
        assert_eq!((found.max_downloads, found.downloads), (3, 1));
        assert_eq!(
            (found.wrapped_key, found.details),
            (b"wrapped".to_vec(), b"said".to_vec())
        );
        assert_eq!(reader.ended_downloads_of(owner, id).await.unwrap().len(), 1);
        let streamed = texts(&database, "SELECT file_id FROM streamed_files").await;
        assert_eq!(streamed.len(), 1, "{engine:?}");
        // What refers to it still goes with it.
        run_sql(&database, "DELETE FROM transfers;").await;
        let left = texts(&database, "SELECT id FROM downloads").await;
        assert!(left.is_empty(), "{engine:?}");
    }
}

/// Both ways, each by the address that is known to be the other's, as long as there is something
/// left of it.
#[tokio::test]
async fn what_two_sent_each_other_as_people_is_found() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let there = transfer_to_person(&cast.ann, "Bob@example.org");
        let back = transfer_to_person(&cast.ben, "alice@example.org");
        let others = transfer_to_person(&cast.imp, "bob@example.org");
        let to_other = transfer_to_person(&cast.ann, "mallory@example.org");
        let between_agents = transfer(&cast.ann, &cast.ben);
        let deleted = transfer_to_person(&cast.ann, "bob@example.org").delete(at(1));
        let mut swept = transfer_to_person(&cast.ann, "bob@example.org");
        swept.bytes_until = None;
        let all = [
            &there,
            &back,
            &others,
            &to_other,
            &between_agents,
            &deleted.unwrap(),
            &swept,
        ];
        write_transfers(&store, &all).await;
        let (alice, bob) = (cast.alice.id, cast.bob.id);
        let found = async || {
            let found = write(&store, async move |tx| {
                let one = tx.hold_live_transfers_between_people(alice, bob).await?;
                let other = tx.hold_live_transfers_between_people(bob, alice).await?;
                assert_eq!(one, other);
                Ok(one)
            });
            found.await.iter().map(|it| it.id).collect::<Vec<_>>()
        };
        assert_eq!(found().await, [there.id, back.id], "{store:?}");
        let sql = "UPDATE accounts SET email_verified_at = NULL WHERE email = 'bob@example.org'";
        run_sql(store.database(), sql).await;
        assert_eq!(found().await, [back.id], "{store:?}");
    }
}
