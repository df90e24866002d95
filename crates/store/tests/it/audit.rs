//! Audit logs: added to, read by their owner, and never changed.

use agentdrop_domain::audit::{Action, Entry, Head, NewEntry, Subject, Who};
use agentdrop_protocol::AccountId;
use agentdrop_store::{AuditFilter, Error, Result, Store};
use agentdrop_testkit::engines::stores;

use crate::things::{Cast, agent_id, at, key_id, race, run_sql, session_id, texts, write};

/// Something that was done in an account, so many milliseconds after the beginning.
fn event(of: AccountId, action: Action, millis: i64) -> NewEntry {
    NewEntry {
        account: of,
        at: at(millis),
        action,
        who: Who::AccountKey(key_id()),
        address: Some("2001:db8::7".parse().unwrap()),
        request_id: Some("r-1".to_owned()),
        subject: Subject::of(&agent_id()),
    }
}

async fn append(store: &Store, events: &[NewEntry]) {
    let events = events.to_vec();
    write(store, async move |tx| tx.append_audit(events).await).await;
}

/// All of a log, oldest first, followed to its head.
async fn whole(store: &Store, of: AccountId) -> Vec<Entry> {
    let mut reader = store.read().await.unwrap();
    let records = reader.audit_records_of(of, None, 1_000).await.unwrap();
    let log: Vec<_> = records.into_iter().map(|it| it.entry.unwrap()).collect();
    let followed = log.iter().try_fold(Head::default(), Head::follow);
    let head = reader.audit_head_of(of).await.unwrap();
    assert_eq!(Some(followed.unwrap()), head);
    log
}

#[tokio::test]
async fn what_was_done_is_read_back_by_its_owner_alone() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let (alice, bob) = (cast.alice.id, cast.bob.id);
        assert_eq!(whole(&store, alice).await, []);
        let told = NewEntry {
            who: Who::Account(alice),
            address: None,
            request_id: None,
            ..event(bob, Action::ConnectionAccepted, 2)
        };
        let events = [
            event(bob, Action::KeyCreated, 1),
            event(alice, Action::ConnectionAccepted, 2),
            told,
        ];
        append(&store, &events).await;
        let more = [
            Who::AgentKey(key_id(), agent_id()),
            Who::Anonymous,
            Who::ConnectionToken(agent_id()),
            Who::Operator,
            Who::Session(session_id()),
        ];
        let more = more.map(|who| NewEntry {
            who,
            subject: Subject::default(),
            ..event(alice, Action::SessionRefused, 3)
        });
        append(&store, &more).await;
        let read = |log: Vec<Entry>| log.into_iter().map(|it| it.event).collect::<Vec<_>>();
        let (of_alice, of_bob) = (whole(&store, alice).await, whole(&store, bob).await);
        assert_eq!(read(of_bob), [events[0].clone(), events[2].clone()]);
        let expected: Vec<_> = events[1..2].iter().chain(&more).cloned().collect();
        assert_eq!(read(of_alice), expected, "{store:?}");
        assert_eq!(whole(&store, cast.mallory.id).await, []);
    }
}

#[tokio::test]
async fn a_list_is_newest_first_and_has_what_was_asked_for() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let alice = cast.alice.id;
        let actions = [Action::KeyCreated, Action::KeyRevoked];
        let events: Vec<_> = (0..6_u8)
            .map(|n| event(alice, actions[usize::from(n % 2)], n.into()))
            .collect();
        append(&store, &events).await;
        append(&store, &[event(cast.bob.id, Action::KeyCreated, 9)]).await;
        let mut reader = store.read().await.unwrap();
        for (action, since, least, before, limit, expected) in [
            (None, None, 1, 7, 10, vec![6, 5, 4, 3, 2, 1]),
            (None, None, 1, u64::MAX, 2, vec![6, 5]),
            (None, None, 3, 5, 10, vec![4, 3]),
            (Some(Action::KeyRevoked), None, 1, 7, 10, vec![6, 4, 2]),
            (Some(Action::AgentDeleted), None, 1, 7, 10, vec![]),
            (None, Some(at(3)), 1, 7, 10, vec![6, 5, 4]),
            (Some(Action::KeyCreated), Some(at(3)), 1, 7, 10, vec![5]),
        ] {
            let filter = AuditFilter { action, since };
            let found = reader
                .audit_entries_of(alice, &filter, least, before, limit)
                .await;
            let found: Vec<_> = found.unwrap().iter().map(|it| it.seq).collect();
            assert_eq!(found, expected, "{filter:?} {least} {before}");
        }
        let (mallory, all) = (cast.mallory.id, AuditFilter::default());
        let found = reader.audit_entries_of(mallory, &all, 1, 7, 10).await;
        assert_eq!(found.unwrap(), []);
        let behind = reader.audit_records_of(alice, Some(4), 1).await.unwrap();
        assert_eq!(behind[0].seq, Some(5));
        assert_eq!(behind.len(), 1);

        let all = reader.account_ids(None, 2).await.unwrap();
        let rest = reader.account_ids(Some(all[1]), 2).await.unwrap();
        assert_eq!([all, rest].concat(), [alice, cast.bob.id, cast.mallory.id]);
    }
}

/// Two logs a unit, named in either order: nobody waits for somebody who waits for them.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_add_none_is_lost_and_no_number_is_left_out() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let both = [cast.alice.id, cast.bob.id];
        let done: Vec<Result<()>> = race(64, |n| {
            let (store, mut both) = ((*store).clone(), both);
            both.rotate_left(n % 2);
            async move {
                let events = both.map(|it| event(it, Action::TransferCreated, 0));
                store.write(async |tx| tx.append_audit(events).await).await
            }
        })
        .await;
        assert!(done.iter().all(Result::is_ok), "{done:?}");
        for account in both {
            assert_eq!(whole(&store, account).await.len(), 64, "{store:?}");
        }
    }
}

#[tokio::test]
async fn a_unit_that_fails_adds_nothing() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let alice = cast.alice.id;
        let events = [event(alice, Action::KeyCreated, 1)];
        append(&store, &events).await;
        let failed: Result<()> = store
            .write(async move |tx| {
                tx.append_audit(events).await?;
                Err(Error::Stopped)
            })
            .await;
        assert!(matches!(failed, Err(Error::Stopped)), "{failed:?}");
        append(&store, &[event(alice, Action::KeyRevoked, 2)]).await;
        assert_eq!(whole(&store, alice).await.len(), 2);
    }
}

#[tokio::test]
async fn the_engine_refuses_to_change_or_delete_an_entry() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        append(&store, &[event(cast.alice.id, Action::KeyCreated, 1)]).await;
        for sql in [
            "UPDATE audit_entries SET at = 0",
            "UPDATE audit_entries SET seq = 2",
            "DELETE FROM audit_entries",
            "DELETE FROM audit_heads",
        ] {
            let said = refusal(&store, sql).await;
            assert!(said.contains("only added to"), "{store:?} {sql}: {said}");
        }
        assert_eq!(whole(&store, cast.alice.id).await.len(), 1);
    }
}

#[tokio::test]
async fn a_log_goes_with_its_account() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let (alice, bob) = (cast.alice.id, cast.bob.id);
        let events = [alice, bob].map(|it| event(it, Action::KeyCreated, 1));
        append(&store, &events).await;
        let delete = format!("DELETE FROM accounts WHERE id = '{alice}'");
        run_sql(store.database(), &delete).await;
        for table in ["audit_entries", "audit_heads"] {
            let sql = format!("SELECT DISTINCT account_id FROM {table} ORDER BY 1");
            let left = texts(store.database(), &sql).await;
            assert!(!left.contains(&alice.to_string()), "{store:?} {table}");
            assert!(left.contains(&bob.to_string()), "{store:?} {table}");
        }
        let gone = events[0].clone();
        let late: Result<()> = store.write(async |tx| tx.append_audit([gone]).await).await;
        assert!(matches!(late, Err(Error::Corrupt { .. })), "{late:?}");
    }
}

#[tokio::test]
async fn accounts_from_before_there_were_logs_get_one() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let (engine, cascade) = match store.database().folder() {
            Some(_) => ("sqlite", "DROP TRIGGER accounts_begin_audit;"),
            None => (
                "postgres",
                "DROP FUNCTION audit_begins CASCADE; DROP FUNCTION audit_is_only_added_to CASCADE;",
            ),
        };
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
        let made = std::fs::read_to_string(root.join(engine).join("V0016__audit.sql")).unwrap();
        let tables = "DROP TABLE audit_entries; DROP TABLE audit_heads;";
        run_sql(store.database(), &format!("{tables} {cascade} {made}")).await;
        let alice = cast.alice.id;
        append(&store, &[event(alice, Action::KeyCreated, 1)]).await;
        assert_eq!(whole(&store, alice).await.len(), 1);
        assert_eq!(whole(&store, cast.bob.id).await, []);
    }
}

/// Whoever takes a log away finds no new one begun in its place.
#[tokio::test]
async fn a_head_that_is_gone_is_not_made_anew() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let alice = cast.alice.id;
        run_sql(
            store.database(),
            &format!("{} DELETE FROM audit_heads;", unlocked(&store)),
        )
        .await;
        let events = [event(alice, Action::KeyCreated, 1)];
        let added: Result<()> = store.write(async |tx| tx.append_audit(events).await).await;
        assert!(matches!(added, Err(Error::Corrupt { .. })), "{added:?}");
        let mut reader = store.read().await.unwrap();
        assert_eq!(reader.audit_head_of(alice).await.unwrap(), None);
    }
}

/// What is not to the letter what a server writes is no entry, though it would hash the same.
#[tokio::test]
async fn what_no_server_writes_is_not_read() {
    for store in stores().await {
        let cast = Cast::of(&store).await;
        let alice = cast.alice.id;
        let events = [1, 2, 3, 4].map(|it| event(alice, Action::KeyCreated, it));
        append(&store, &events).await;
        let change = format!(
            "{} UPDATE audit_entries SET subject = subject || ' ' WHERE seq = 1;
                UPDATE audit_entries SET address = '2001:db8:0::7' WHERE seq = 2;
                UPDATE audit_entries SET action = 'key.eaten' WHERE seq = 3;
                UPDATE audit_entries SET actor_id = NULL WHERE seq = 4;",
            unlocked(&store)
        );
        run_sql(store.database(), &change).await;
        let mut reader = store.read().await.unwrap();
        let records = reader.audit_records_of(alice, None, 10).await.unwrap();
        let read: Vec<_> = records
            .iter()
            .map(|it| (it.seq, it.entry.is_some()))
            .collect();
        let expected = [1, 2, 3, 4].map(|it| (Some(it), false));
        assert_eq!(read, expected, "{store:?}");
    }
}

/// What takes the triggers away, as whoever may alter the schema can.
fn unlocked(store: &agentdrop_testkit::engines::TestStore) -> String {
    let on = |table: &str| match store.database().folder() {
        Some(_) => String::new(),
        None => format!(" ON {table}"),
    };
    let entries = on("audit_entries");
    let mut sql = format!("DROP TRIGGER audit_entries_change{entries};");
    if store.database().folder().is_some() {
        sql.push_str("DROP TRIGGER audit_entries_go;");
    }
    sql + &format!("DROP TRIGGER audit_heads_go{};", on("audit_heads"))
}

/// What the engine says to a statement past the store that it refuses.
async fn refusal(store: &agentdrop_testkit::engines::TestStore, sql: &'static str) -> String {
    if let Some(folder) = store.database().folder() {
        let connection = rusqlite::Connection::open(folder.join("store.db")).unwrap();
        return connection.execute_batch(sql).unwrap_err().to_string();
    }
    let url = store.database().url();
    let connecting = tokio_postgres::connect(url, tokio_postgres::NoTls).await;
    let (client, connection) = connecting.unwrap();
    tokio::spawn(connection);
    let error = client.batch_execute(sql).await.unwrap_err();
    error.as_db_error().unwrap().message().to_owned()
}

/// Those of [`crate::upgrades`].
pub(crate) async fn run_those_of_audit(store: &Store, cast: &Cast) {
    let alice = cast.alice.id;
    append(store, &[event(alice, Action::KeyCreated, 1)]).await;
    let mut reader = store.read().await.unwrap();
    assert!(reader.audit_head_of(alice).await.unwrap().is_some());
    let all = AuditFilter::default();
    let found = reader.audit_entries_of(alice, &all, 1, u64::MAX, 1).await;
    assert_eq!(found.unwrap().len(), 1);
    let records = reader.audit_records_of(alice, None, 1).await.unwrap();
    assert!(records[0].entry.is_some());
    assert_eq!(reader.account_ids(None, 1).await.unwrap(), [alice]);
}
