//! Requests that are repeated under one name have one effect, and one answer.

mod cut_off;
mod table;

use std::collections::BTreeSet;
use std::time::Duration;

use agentdrop_protocol::wire::plans::Plan;
use agentdrop_testkit::http::{Answer, send};
use agentdrop_testkit::server::{TestAccount, text};
use futures_util::future::join_all;
use reqwest::{RequestBuilder, multipart};
use serde_json::{Value, json};

use self::table::{Row, table};
use crate::operations::operations;
use crate::world::{World, blobs, rows, run_sql};

const HEADER: &str = "Idempotency-Key";
const NAME: &str = "1b671a64-40d5-491e-99b0-da01ff1f3341";
/// How many at once.
const MANY: usize = 50;

/// What is in the tables that the requests write to.
const TABLES: [&str; 8] = [
    "agent_keys",
    "agents",
    "api_keys",
    "blocks",
    "channels",
    "connections",
    "pairings",
    "transfers",
];

fn request(world: &World, row: &Row, body: &Value, name: &str) -> RequestBuilder {
    let request = world.server.http.request("POST", &row.path, &row.key);
    let request = request.header(HEADER, name);
    if row.operation != "transfers_create" {
        return request.json(body);
    }
    // Each with a boundary of its own.
    let message = body.as_str().unwrap_or("hello").to_owned();
    let part = multipart::Part::bytes(vec![7; 100_000]).file_name("a.bin");
    let form = multipart::Form::new().text("sender", "alice");
    let form = form.text("recipient", "bob").text("message", message);
    request.multipart(form.part("files", part))
}

async fn try_it(world: &World, row: &Row, body: &Value) -> Answer {
    send(request(world, row, body, NAME)).await
}

/// How many rows there are where effects are seen.
async fn effects(world: &World) -> Vec<(&'static str, usize)> {
    let rows = rows(&world.server).await;
    let count = |it: &&'static str| rows.get(*it).map_or(0, Vec::len);
    TABLES.iter().map(|it| (*it, count(it))).collect()
}

fn is_replay(answer: &Answer) -> bool {
    answer.header("idempotent-replayed") == "true"
}

#[tokio::test]
async fn every_operation_that_takes_a_name_is_tried_here() {
    for world in &World::each().await {
        let tried: BTreeSet<_> = table(world).await.iter().map(|it| it.operation).collect();
        let all = operations();
        let marked: BTreeSet<_> = all
            .iter()
            .filter(|it| it.parameters("header").iter().any(|it| it == HEADER))
            .map(|it| &*it.id)
            .collect();
        assert_eq!(marked, tried);
        let created = all.iter().filter(|it| it.method == "POST");
        let created = created.filter(|it| it.said["responses"].get("201").is_some());
        for it in created.filter(|it| it.takes_key()) {
            assert!(marked.contains(&*it.id), "{} creates", it.id);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_at_once_one_has_the_effect_and_all_the_answer() {
    for world in &World::each().await {
        for row in table(world).await {
            let what = format!("{} on {:?}", row.operation, world.server.engine());
            let before = effects(world).await;
            let all = (0..MANY).map(|_| try_it(world, &row, &row.body));
            let (good, busy): (Vec<_>, Vec<_>) = join_all(all)
                .await
                .into_iter()
                .partition(|it| it.status < 300);
            for it in busy {
                it.expect_error(409, "IDEMPOTENCY_IN_PROGRESS");
            }
            let fresh = good.iter().filter(|it| !is_replay(it)).count();
            assert_eq!(fresh, 1, "{what}");
            let later = try_it(world, &row, &row.body).await;
            assert!(is_replay(&later), "{what}: {:?}", later.json());
            for it in &good {
                let said = (it.status, &it.bytes, it.header("content-type"));
                let again = (later.status, &later.bytes, "application/json");
                assert_eq!(said, again, "{what}");
            }
            let (table, added) = row.effect;
            for ((name, had), (_, has)) in before.into_iter().zip(effects(world).await) {
                // An agent that comes with its key has a first version of it.
                let expected = if name == table { had + added } else { had };
                assert_eq!(has, expected, "{what}: {name}");
            }
            let other = try_it(world, &row, &row.other).await;
            other.expect_error(409, "IDEMPOTENCY_CONFLICT");
        }
        // Of what was sent fifty times, the bytes are there once.
        assert_eq!(blobs(&world.server).len(), 1);
    }
}

#[tokio::test]
async fn a_name_is_its_accounts_and_its_scopes() {
    for world in &World::each().await {
        let stranger = world.server.account().await;
        let (_, bobs) = world.agent_key("bob").await;
        let body = json!({ "name": "ci" });
        let ask = async |path: &str, body: &Value, key: &str, acting: Option<&str>| {
            let request = world.server.http.request("POST", path, key).json(body);
            let request = request.header(HEADER, NAME);
            let acting = acting.map(|it| ("x-agentdrop-agent", it.to_owned()));
            send(
                acting
                    .into_iter()
                    .fold(request, |to, (name, it)| to.header(name, it)),
            )
            .await
        };
        let mine = ask("/v1/api-keys", &body, &world.account.key, None).await;
        let mine = text(&mine.expect(201), "api_key");
        let theirs = ask("/v1/api-keys", &body, &stranger.key, None).await;
        assert!(!is_replay(&theirs));
        assert_ne!(text(&theirs.expect(201), "api_key"), mine);
        // Another key of the account may act as the same, and gets the same.
        let again = ask("/v1/api-keys", &body, &mine, None).await;
        assert!(is_replay(&again));
        assert_eq!(text(&again.expect(201), "api_key"), mine);
        let refused = ask("/v1/api-keys", &body, &bobs, None).await;
        refused.expect_error(403, "SCOPE_MISMATCH");
        // Who acts is part of what is asked, and so is the path.
        let acting = ask("/v1/api-keys", &body, &mine, Some("bob")).await;
        acting.expect_error(409, "IDEMPOTENCY_CONFLICT");
        let of_bob = ask("/v1/agents/bob/keys", &body, &mine, None).await;
        assert!(!is_replay(&of_bob), "another route has names of its own");
        of_bob.expect(201);
        let of_alice = ask("/v1/agents/alice/keys", &body, &mine, None).await;
        of_alice.expect_error(409, "IDEMPOTENCY_CONFLICT");
        // One agent is not told what another one, or the account, was.
        let channel = json!({ "agent_id": "bob", "target_agent_id": "alice" });
        ask("/v1/channels", &channel, &mine, None).await.expect(200);
        let as_bob = ask("/v1/channels", &channel, &bobs, None).await;
        assert!(!is_replay(&as_bob));
        as_bob.expect(200);
        let (_, alices) = world.agent_key("alice").await;
        let as_alice = ask("/v1/channels", &channel, &alices, None).await;
        as_alice.expect_error(403, "SCOPE_MISMATCH");
    }
}

#[tokio::test]
async fn a_name_is_free_again_after_a_day() {
    for world in &World::each().await {
        let body = json!({ "name": "ci" });
        let ask = async || {
            let request = world
                .server
                .http
                .request("POST", "/v1/api-keys", &world.account.key);
            send(request.header(HEADER, NAME).json(&body)).await
        };
        let first = ask().await;
        let kept = async || rows(&world.server).await["answers"].len();
        world
            .server
            .clock
            .advance(Duration::from_hours(24) - Duration::from_millis(1));
        world.server.sweep().await;
        assert_eq!(ask().await.bytes, first.bytes);
        world.server.clock.advance(Duration::from_millis(1));
        // Before it is swept, as after it.
        let second = ask().await;
        assert!(!is_replay(&second));
        assert_ne!(second.expect(201), first.expect(201));
        assert_eq!(kept().await, 1);
        world.server.clock.advance(Duration::from_hours(24));
        world.server.sweep().await;
        assert_eq!(kept().await, 0);
        assert!(!is_replay(&ask().await));
    }
}

#[tokio::test]
async fn what_was_refused_is_judged_anew() {
    for world in &World::each().await {
        let ask = async || {
            let http = &world.server.http;
            let request = http.request("POST", "/v1/agents/register", &world.account.key);
            let body = json!({ "agent_id": "bob" });
            send(request.header(HEADER, NAME).json(&body)).await
        };
        ask().await.expect_error(409, "AGENT_EXISTS");
        world.delete("/v1/agents/bob").await.expect(200);
        let made = ask().await;
        assert!(!is_replay(&made));
        made.expect(201);
        assert!(is_replay(&ask().await));
    }
}

#[tokio::test]
async fn a_name_that_is_none_is_refused() {
    for world in &World::each().await {
        let before = rows(&world.server).await;
        let long = "x".repeat(256);
        let names: [&[&[u8]]; 6] = [
            &[b""],
            &[b"a b"],
            &[long.as_bytes()],
            &["ä".as_bytes()],
            &[b"a", b"b"],
            &[b"a", b"a"],
        ];
        for values in names {
            for row in table_of_one(&world.account) {
                let mut request = request_without_name(world, &row);
                for value in values {
                    request = request.header(HEADER, *value);
                }
                let error = send(request).await.expect_error(400, "VALIDATION_ERROR");
                assert_eq!(error["details"][0]["field"], "idempotency-key", "{error}");
            }
        }
        assert_eq!(rows(&world.server).await, before);
    }
}

fn table_of_one(account: &TestAccount) -> [Row; 2] {
    let row = |operation, path: &str| Row {
        operation,
        path: path.to_owned(),
        body: json!({ "name": "ci" }),
        other: Value::Null,
        effect: ("", 0),
        key: account.key.clone(),
    };
    [
        row("keys_create", "/v1/api-keys"),
        row("transfers_create", "/v1/transfers"),
    ]
}

fn request_without_name(world: &World, row: &Row) -> RequestBuilder {
    let request = world.server.http.request("POST", &row.path, &row.key);
    request.json(&row.body)
}

#[tokio::test]
async fn a_form_is_the_same_whatever_its_order_and_another_with_other_bytes() {
    for world in &World::each().await {
        let ask = async |fields: &[(&'static str, &'static str)], name: &str, bytes: &[u8]| {
            let mut form = multipart::Form::new();
            for (name, value) in fields {
                form = form.text(*name, *value);
            }
            let part = multipart::Part::bytes(bytes.to_vec()).file_name(name.to_owned());
            let http = &world.server.http;
            let request = http.request("POST", "/v1/transfers", &world.account.key);
            send(
                request
                    .header(HEADER, NAME)
                    .multipart(form.part("files", part)),
            )
            .await
        };
        let fields = [
            ("sender", "alice"),
            ("recipient", "bob"),
            ("is_encrypted", "true"),
        ];
        let turned = [fields[2], fields[1], fields[0]];
        let first = ask(&fields, "a", b"one").await;
        let again = ask(&turned, "a", b"one").await;
        assert!(is_replay(&again));
        assert_eq!(
            (first.expect(201), &first.bytes),
            (again.expect(201), &again.bytes)
        );
        for (name, bytes) in [("a", &b"two"[..]), ("b", b"one"), ("a", b"one!")] {
            let other = ask(&fields, name, bytes).await;
            other.expect_error(409, "IDEMPOTENCY_CONFLICT");
        }
        assert_eq!(blobs(&world.server).len(), 1);
    }
}

#[tokio::test]
async fn what_used_up_the_plan_is_told_again() {
    for world in &World::each().await {
        world.server.set_plan(&world.account, Plan::Free).await;
        world.sent(&[]).await;
        let nearly = "UPDATE usage SET transfers = 49;
                      UPDATE transfers SET total_size = 250000000 - 10;";
        run_sql(&world.server, nearly).await;
        let ask = async |name: &str| {
            let part = multipart::Part::bytes(&b"0123456789"[..]).file_name("a");
            let form = multipart::Form::new()
                .text("sender", "alice")
                .text("recipient", "bob")
                .part("files", part);
            let http = &world.server.http;
            let request = http.request("POST", "/v1/transfers", &world.account.key);
            send(request.header(HEADER, name).multipart(form)).await
        };
        let (first, again) = (ask(NAME).await, ask(NAME).await);
        assert_eq!(first.expect(201), again.expect(201));
        assert!(is_replay(&again));
        let another = ask("another").await;
        another.expect_error(429, "TRANSFER_LIMIT_REACHED");
        run_sql(&world.server, "UPDATE usage SET transfers = 0").await;
        assert!(is_replay(&ask(NAME).await));
        ask("another").await.expect_error(413, "STORAGE_FULL");
        assert_eq!(blobs(&world.server).len(), 2);
    }
}
