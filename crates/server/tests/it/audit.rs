//! The audit log of an account: what its owner reads, and what shows when somebody meddles with it.

use std::collections::BTreeMap;

use agentdrop_domain::audit::{Entry, Head};
use agentdrop_protocol::AccountId;
use agentdrop_server::{Config, Verified, admin};
use agentdrop_store::{Store, Tx};
use agentdrop_testkit::engines::Engine;
use agentdrop_testkit::server::{TestAccount, TestServer, text};
use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Value, json};

use crate::world::{World, rows};

/// All of an account's log, newest first.
pub(crate) async fn log(server: &TestServer, account: &TestAccount) -> Vec<Value> {
    let (mut entries, mut path) = (Vec::new(), "/v1/audit?limit=100".to_owned());
    loop {
        let part = server.http.get(&path, &account.key).await.expect(200);
        assert_eq!(part["account_id"], *account.id);
        entries.extend(part["entries"].as_array().unwrap().clone());
        assert_eq!(part["has_more"], part["next_cursor"].is_string());
        match part["next_cursor"].as_str() {
            Some(cursor) => path = format!("/v1/audit?limit=100&cursor={cursor}"),
            None => return entries,
        }
    }
}

/// Runs statements past the server.
async fn run_sql(server: &TestServer, sql: &str) {
    let url = server.database().url();
    match server.engine() {
        Engine::Sqlite => {
            let database = rusqlite::Connection::open(url.trim_start_matches("sqlite://")).unwrap();
            let patience = std::time::Duration::from_secs(10);
            database.busy_timeout(patience).unwrap();
            database.execute_batch(sql).unwrap();
        }
        Engine::Postgres => {
            let connecting = tokio_postgres::connect(url, tokio_postgres::NoTls).await;
            let (client, connection) = connecting.unwrap();
            tokio::spawn(connection);
            client.batch_execute(sql).await.unwrap();
        }
    }
}

/// Takes away what keeps the logs from being changed, as whoever may alter the schema can.
async fn unlock(server: &TestServer) {
    let triggers = match server.engine() {
        Engine::Sqlite => {
            "DROP TRIGGER audit_entries_change; DROP TRIGGER audit_entries_go;
             DROP TRIGGER audit_heads_go;"
        }
        Engine::Postgres => {
            "DROP TRIGGER audit_entries_change ON audit_entries;
             DROP TRIGGER audit_heads_go ON audit_heads;"
        }
    };
    run_sql(server, triggers).await;
}

async fn verify(server: &TestServer, only: Option<&str>) -> Option<Verified> {
    let mut config = Config::new(server.data_dir());
    config.database_url = Some(server.database().url().to_owned());
    Box::pin(admin::verify_audit(&config, only)).await.unwrap()
}

/// What the documentation has an entry hashed to, from nothing but what the API answers.
fn documented_hash(account: &str, entry: &Value) -> String {
    let field = |text: &str| {
        let length = u32::try_from(text.len()).unwrap().to_be_bytes();
        [&length, text.as_bytes()].concat()
    };
    let said = |it: &Value| field(it.as_str().unwrap_or_default());
    let mut bytes = field("agentdrop audit entry v1");
    bytes.extend(hex::decode(text(entry, "previous_hash")).unwrap());
    bytes.extend(field(account));
    bytes.extend(field(&entry["seq"].to_string()));
    bytes.extend(said(&entry["at"]));
    bytes.extend(said(&entry["action"]));
    let actor = &entry["actor"];
    for it in [&actor["kind"], &actor["id"], &actor["agent_id"]] {
        bytes.extend(said(it));
    }
    bytes.extend(said(&entry["address"]));
    bytes.extend(said(&entry["request_id"]));
    let subject: BTreeMap<String, Value> =
        serde_json::from_value(entry["subject"].clone()).unwrap();
    for (name, value) in &subject {
        bytes.extend(field(name));
        bytes.extend(said(value));
    }
    hex::encode(digest(&SHA256, &bytes))
}

#[tokio::test]
async fn an_owner_reads_who_did_what_when_and_from_where_and_can_check_it() {
    for world in &World::each().await {
        let (server, account) = (&world.server, &world.account);
        let (key_id, agent_key) = world.agent_key("alice").await;
        let form = reqwest::multipart::Form::new()
            .text("sender", "alice")
            .text("recipient", "bob")
            .part(
                "files",
                reqwest::multipart::Part::bytes(vec![1]).file_name("secret.txt"),
            );
        let request = server.http.request("POST", "/v1/transfers", &agent_key);
        let request = request.header("x-request-id", "mine-1").multipart(form);
        let sent = agentdrop_testkit::http::send(request).await.expect(201);

        let log = log(server, account).await;
        let seqs: Vec<_> = log.iter().map(|it| it["seq"].as_u64().unwrap()).collect();
        assert_eq!(seqs, [5, 4, 3, 2, 1]);
        let newest = &log[0];
        assert_eq!(newest["action"], "transfer.created");
        assert_eq!(newest["at"], "2026-04-17T12:00:00.000Z");
        let actor = json!({ "kind": "agent_key", "id": key_id, "agent_id": world.alice["id"] });
        assert_eq!(newest["actor"], actor);
        assert_eq!(newest["address"], "127.0.0.1");
        assert_eq!(newest["request_id"], "mine-1");
        assert_eq!(newest["subject"], json!({ "transfer_id": sent["id"] }));
        let first = log.last().unwrap();
        assert_eq!(first["action"], "account.created");
        let nobody = json!({ "kind": "anonymous", "id": null, "agent_id": null });
        assert_eq!(first["actor"], nobody);
        assert_eq!(first["previous_hash"], "0".repeat(64));
        assert_eq!(log[1]["subject"]["key_id"], key_id);

        for entry in &log {
            assert_eq!(documented_hash(&account.id, entry), text(entry, "hash"));
        }
        for pair in log.windows(2) {
            assert_eq!(pair[0]["previous_hash"], pair[1]["hash"]);
        }
        for secret in [&account.key, &agent_key, "secret.txt", "@example.org"] {
            assert!(!json!(log).to_string().contains(secret), "{secret}");
        }
    }
}

#[tokio::test]
async fn a_log_is_read_in_parts_and_by_what_was_done_and_when() {
    for server in TestServer::each().await {
        let (account, stranger) = (server.account().await, server.account().await);
        for n in 0..5 {
            let body = json!({ "name": format!("key {n}") });
            let made = server.http.post("/v1/api-keys", &account.key, &body);
            let made = made.await.expect(201);
            if n < 2 {
                let path = format!("/v1/api-keys/{}", text(&made, "id"));
                server.http.delete(&path, &account.key).await.expect(200);
            }
            server.clock.advance(std::time::Duration::from_mins(1));
        }
        // Made, made, ended, made, ended, and three more.
        let part = async |query: &str| {
            let path = format!("/v1/audit?{query}");
            let part = server.http.get(&path, &account.key).await.expect(200);
            let entries = part["entries"].as_array().unwrap();
            let seqs: Vec<_> = entries
                .iter()
                .map(|it| it["seq"].as_u64().unwrap())
                .collect();
            (seqs, part["next_cursor"].as_str().map(str::to_owned))
        };
        let (seqs, cursor) = part("limit=3").await;
        assert_eq!(seqs, [8, 7, 6]);
        let (seqs, cursor) = part(&format!("limit=3&cursor={}", cursor.unwrap())).await;
        assert_eq!(seqs, [5, 4, 3]);
        let (seqs, cursor) = part(&format!("limit=3&cursor={}", cursor.unwrap())).await;
        assert_eq!((seqs, cursor), (vec![2, 1], None));
        let (seqs, cursor) = part("action=key.revoked&limit=1").await;
        assert_eq!(seqs, [5]);
        let (seqs, _) = part(&format!("action=key.revoked&cursor={}", cursor.unwrap())).await;
        assert_eq!(seqs, [3]);
        let (seqs, _) = part("since=2026-04-17T12:03:00Z").await;
        assert_eq!(seqs, [8, 7]);
        assert_eq!(log(&server, &stranger).await.len(), 1, "its own beginning");

        for bad in [
            "action=key.eaten",
            "since=yesterday",
            "cursor=8",
            "limit=0",
            "cursor=%3D",
        ] {
            let answer = server
                .http
                .get(&format!("/v1/audit?{bad}"), &account.key)
                .await;
            answer.expect_error(400, "VALIDATION_ERROR");
        }
    }
}

/// What is looked for and is not there costs the same, however long the log is.
#[tokio::test]
async fn a_part_of_a_long_log_may_be_empty_and_more_be_there() {
    for server in TestServer::each().await {
        let account = server.account().await;
        let fill = format!(
            "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 20001)
             INSERT INTO audit_entries
             SELECT account_id, i, at, 'key.created', actor_kind, actor_id, actor_agent_id, address,
                    request_id, subject, previous, hash
             FROM n, audit_entries WHERE account_id = '{0}' AND seq = 1;
             UPDATE audit_heads SET seq = 20001 WHERE account_id = '{0}';",
            account.id
        );
        run_sql(&server, &fill).await;
        let mut path = "/v1/audit?action=account.created".to_owned();
        let mut counts = Vec::new();
        loop {
            let part = server.http.get(&path, &account.key).await.expect(200);
            counts.push(part["entries"].as_array().unwrap().len());
            let Some(cursor) = part["next_cursor"].as_str() else {
                break;
            };
            path = format!("/v1/audit?action=account.created&cursor={cursor}");
        }
        assert_eq!(counts, [0, 0, 1], "{:?}", server.engine());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_leave_a_whole_log() {
    for server in TestServer::each().await {
        let account = server.account().await;
        let all: tokio::task::JoinSet<_> = (0..64)
            .map(|n| {
                let (http, key) = (server.http.clone(), account.key.clone());
                async move {
                    let body = json!({ "name": format!("key {n}") });
                    http.post("/v1/api-keys", &key, &body).await.expect(201)
                }
            })
            .collect();
        let ids: Vec<_> = all
            .join_all()
            .await
            .iter()
            .map(|it| text(it, "id"))
            .collect();
        let log = log(&server, &account).await;
        let seqs: Vec<_> = log.iter().map(|it| it["seq"].as_u64().unwrap()).collect();
        assert_eq!(seqs, (1..=65).rev().collect::<Vec<_>>());
        let mut made: Vec<_> = log[..64]
            .iter()
            .map(|it| text(&it["subject"], "key_id"))
            .collect();
        let mut ids = ids;
        made.sort();
        ids.sort();
        assert_eq!(made, ids);
        let verified = verify(&server, None).await.unwrap();
        assert_eq!((verified.logs, verified.records), (1, 65));
        assert_eq!(verified.broken, []);
    }
}

#[tokio::test]
async fn what_is_refused_is_in_no_log() {
    for world in &World::each().await {
        let before = rows(&world.server).await;
        let own = log(&world.server, &world.account).await;
        let own_key = text(&own.last().unwrap()["subject"], "key_id");
        world
            .delete(&format!("/v1/api-keys/{own_key}"))
            .await
            .expect_error(409, "SELF_REVOKE");
        let taken = json!({ "agent_id": "alice" });
        world
            .post("/v1/agents/register", &taken)
            .await
            .expect_error(409, "AGENT_EXISTS");
        let unshared = [("recipient_account", "nobody")];
        world
            .send(&unshared, &[("a", b"x")])
            .await
            .expect_error(403, "SHARE_REQUIRED");
        assert_eq!(rows(&world.server).await, before);
        assert_eq!(log(&world.server, &world.account).await, own);
    }
}

/// An account of which six things are known, the first that it was made.
async fn six(server: &TestServer) -> TestAccount {
    let account = server.account().await;
    for n in 0..5 {
        let body = json!({ "name": format!("key {n}") });
        let made = server.http.post("/v1/api-keys", &account.key, &body);
        made.await.expect(201);
    }
    account
}

/// What is done to the log `{a}`, and what the verifier says of it.
const MEDDLING: &[(&str, u64, &str)] = &[
    (
        "DELETE FROM audit_entries WHERE account_id = '{a}' AND seq = 1",
        1,
        "missing",
    ),
    (
        "DELETE FROM audit_entries WHERE account_id = '{a}' AND seq = 3",
        3,
        "missing",
    ),
    (
        "DELETE FROM audit_entries WHERE account_id = '{a}' AND seq IN (3, 4)",
        3,
        "missing",
    ),
    (
        "DELETE FROM audit_entries WHERE account_id = '{a}' AND seq = 6",
        6,
        "missing",
    ),
    (
        "DELETE FROM audit_entries WHERE account_id = '{a}'",
        1,
        "missing",
    ),
    (
        "DELETE FROM audit_heads WHERE account_id = '{a}'",
        1,
        "head_missing",
    ),
    (
        "UPDATE audit_entries SET at = at + 1 WHERE account_id = '{a}' AND seq = 3",
        3,
        "changed",
    ),
    (
        "UPDATE audit_entries SET action = 'key.revoked' WHERE account_id = '{a}' AND seq = 3",
        3,
        "changed",
    ),
    (
        "UPDATE audit_entries SET action = 'eaten' WHERE account_id = '{a}' AND seq = 3",
        3,
        "changed",
    ),
    (
        "UPDATE audit_entries SET actor_kind = 'operator', actor_id = NULL WHERE account_id = '{a}' AND seq = 3",
        3,
        "changed",
    ),
    (
        "UPDATE audit_entries SET actor_id = 'key_019a9f3e5c1a7b2d8e4fa1b2c3d4e5f6' WHERE account_id = '{a}' AND seq = 3",
        3,
        "changed",
    ),
    (
        "UPDATE audit_entries SET actor_agent_id = account_id WHERE account_id = '{a}' AND seq = 3",
        3,
        "changed",
    ),
    (
        "UPDATE audit_entries SET address = '192.0.2.1' WHERE account_id = '{a}' AND seq = 3",
        3,
        "changed",
    ),
    (
        "UPDATE audit_entries SET address = NULL WHERE account_id = '{a}' AND seq = 3",
        3,
        "changed",
    ),
    (
        "UPDATE audit_entries SET request_id = 'x' WHERE account_id = '{a}' AND seq = 3",
        3,
        "changed",
    ),
    (
        "UPDATE audit_entries SET subject = '{}' WHERE account_id = '{a}' AND seq = 3",
        3,
        "changed",
    ),
    (
        "UPDATE audit_entries SET subject = '' WHERE account_id = '{a}' AND seq = 3",
        3,
        "changed",
    ),
    (
        "UPDATE audit_entries SET previous = hash WHERE account_id = '{a}' AND seq = 3",
        3,
        "changed",
    ),
    (
        "UPDATE audit_entries SET hash = previous WHERE account_id = '{a}' AND seq = 3",
        3,
        "changed",
    ),
    (
        "UPDATE audit_entries SET hash = previous WHERE account_id = '{a}' AND seq = 6",
        6,
        "changed",
    ),
    // Two swap their places.
    (
        "UPDATE audit_entries SET seq = -4 WHERE account_id = '{a}' AND seq = 4;
      UPDATE audit_entries SET seq = 4 WHERE account_id = '{a}' AND seq = 3;
      UPDATE audit_entries SET seq = 3 WHERE account_id = '{a}' AND seq = -4",
        3,
        "changed",
    ),
    // One is put in between, and those behind it make room.
    (
        "UPDATE audit_entries SET seq = -seq WHERE account_id = '{a}' AND seq >= 3;
      UPDATE audit_entries SET seq = 1 - seq WHERE account_id = '{a}' AND seq < 0;
      INSERT INTO audit_entries SELECT account_id, 3, at, action, actor_kind, actor_id,
          actor_agent_id, address, request_id, subject, previous, hash
      FROM audit_entries WHERE account_id = '{a}' AND seq = 2",
        3,
        "changed",
    ),
    // One is put in front, and one behind.
    (
        "INSERT INTO audit_entries SELECT account_id, 0, at, action, actor_kind, actor_id,
          actor_agent_id, address, request_id, subject, previous, hash
      FROM audit_entries WHERE account_id = '{a}' AND seq = 1",
        1,
        "changed",
    ),
    (
        "INSERT INTO audit_entries SELECT account_id, 7, at, action, actor_kind, actor_id,
          actor_agent_id, address, request_id, subject, previous, hash
      FROM audit_entries WHERE account_id = '{a}' AND seq = 6",
        7,
        "changed",
    ),
    (
        "UPDATE audit_heads SET seq = 5 WHERE account_id = '{a}'",
        6,
        "beyond_head",
    ),
    (
        "UPDATE audit_heads SET seq = 7 WHERE account_id = '{a}'",
        7,
        "missing",
    ),
    (
        "UPDATE audit_heads SET hash = (SELECT hash FROM audit_entries
          WHERE account_id = '{a}' AND seq = 5) WHERE account_id = '{a}'",
        6,
        "head_mismatch",
    ),
];

#[tokio::test]
async fn whatever_is_done_to_a_log_the_verifier_names_the_first_bad_record() {
    for server in TestServer::each().await {
        let whole = six(&server).await;
        let mut expected = Vec::new();
        for (_, seq, fault) in MEDDLING {
            expected.push((six(&server).await.id, *seq, *fault));
        }
        let before = verify(&server, None).await.unwrap();
        assert_eq!(before.logs, MEDDLING.len() as u64 + 1);
        assert_eq!(before.records, 6 * before.logs);
        assert_eq!(before.broken, []);

        unlock(&server).await;
        for ((sql, ..), (account, ..)) in MEDDLING.iter().zip(&expected) {
            run_sql(&server, &sql.replace("{a}", account)).await;
        }
        let found = verify(&server, None).await.unwrap();
        let named = found.broken.iter();
        let named: BTreeMap<_, _> = named
            .map(|it| (it.account.to_string(), (it.seq, it.fault.as_str())))
            .collect();
        for ((account, seq, fault), (sql, ..)) in expected.iter().zip(MEDDLING) {
            let engine = server.engine();
            assert_eq!(
                named.get(account),
                Some(&(*seq, *fault)),
                "{engine:?}: {sql}"
            );
        }
        assert_eq!(named.len(), expected.len(), "one is whole");

        let one = verify(&server, Some(&expected[1].0)).await.unwrap();
        assert_eq!((one.logs, one.records, one.broken.len()), (1, 2, 1));
        let one = verify(&server, Some(&whole.id)).await.unwrap();
        assert_eq!((one.logs, one.records, one.broken.len()), (1, 6, 0));
        assert_eq!(verify(&server, Some("nobody@example.org")).await, None);
        assert_eq!(verify(&server, Some("nobody")).await, None);
    }
}

/// Whoever knows how entries are hashed writes one that is well-formed: it shows by the next one,
/// or by the head.
#[tokio::test]
async fn a_well_formed_entry_in_the_wrong_place_shows() {
    for server in TestServer::each().await {
        let (forked, last, behind) = (six(&server).await, six(&server).await, six(&server).await);
        unlock(&server).await;
        let store = server.database().open().await;
        for (account, place) in [(&forked, 3), (&last, 6)] {
            let log = entries(&store, account).await;
            let mut entry = log[place - 1].clone();
            entry.event.request_id = Some("another".to_owned());
            let entry = Head::of(&log[place - 2]).append(entry.event);
            let hash = hex::encode(entry.hash);
            let hash = match server.engine() {
                Engine::Sqlite => format!("x'{hash}'"),
                Engine::Postgres => format!("'\\x{hash}'"),
            };
            let sql = format!(
                "UPDATE audit_entries SET request_id = 'another', hash = {hash}
                 WHERE account_id = '{}' AND seq = {place}",
                account.id
            );
            run_sql(&server, &sql).await;
        }
        // Added as the server does it, and the head put back.
        let event = entries(&store, &behind).await[5].event.clone();
        let add = async move |tx: &mut Tx| tx.append_audit([event]).await;
        let put_back = format!(
            "UPDATE audit_heads SET seq = 6, hash = (SELECT hash FROM audit_entries
             WHERE account_id = '{0}' AND seq = 6) WHERE account_id = '{0}'",
            behind.id
        );
        store.write(add).await.unwrap();
        run_sql(&server, &put_back).await;

        let found = verify(&server, None).await.unwrap();
        let named = found.broken.iter();
        let named: BTreeMap<_, _> = named
            .map(|it| (it.account.to_string(), (it.seq, it.fault.as_str())))
            .collect();
        let expected = [
            (forked.id, (4, "forked")),
            (last.id, (6, "head_mismatch")),
            (behind.id, (7, "beyond_head")),
        ];
        assert_eq!(named, BTreeMap::from(expected), "{:?}", server.engine());
    }
}

async fn entries(store: &Store, account: &TestAccount) -> Vec<Entry> {
    let id: AccountId = account.id.parse().unwrap();
    let mut reader = store.read().await.unwrap();
    let records = reader.audit_records_of(id, None, 100).await.unwrap();
    records.into_iter().map(|it| it.entry.unwrap()).collect()
}
