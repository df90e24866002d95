//! Bodies in JSON: every field of every one.

use agentdrop_testkit::http::send;
use agentdrop_testkit::server::text;
use serde_json::{Value, json};

use super::{JSON, KEY, Things, assert_refused, row, with_raw, works_once};
use crate::operations::{Field, operations};
use crate::world::rows;

/// Values that no field of this kind takes.
fn bad_values(kind: &str) -> Vec<String> {
    let texts = [
        r#""\u0000""#.to_owned(),
        r#""a\u0000b""#.to_owned(),
        r#""a\u0007b""#.to_owned(),
        r#""\u001b[2J""#.to_owned(),
        r#""a\u202eb""#.to_owned(),
        r#""a\u2066b""#.to_owned(),
        r#""\ud800""#.to_owned(),
        r#""\udc00\ud800""#.to_owned(),
        r#""a\xb""#.to_owned(),
        format!("\"{}\"", "x".repeat(20_000)),
        format!("\"{}\"", "\u{1f4a9}".repeat(9_000)),
    ];
    let numbers = ["0", "-1", "1.5", "1e308", "1e999", "-0", "NaN", "Infinity"];
    let huge = "9".repeat(400);
    let nested = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let objects = format!("{}1{}", "{\"a\":".repeat(10_000), "}".repeat(10_000));
    let mut values: Vec<String> = texts.to_vec();
    values.extend(numbers.map(str::to_owned));
    values.extend([huge, nested, objects]);
    values.extend(["[]", "[1]", "[null]"].map(str::to_owned));
    if kind == "object" {
        values.extend([
            r#"{"a":"\u0000"}"#.to_owned(),
            r#"{"a\u0000":1}"#.to_owned(),
            r#"{"a":[{"b":["\u0000"]}]}"#.to_owned(),
            format!("{{\"a\":\"{}\"}}", "x".repeat(17_000)),
            format!("{{\"a\":{}1{}}}", "[".repeat(200), "]".repeat(200)),
        ]);
    } else {
        values.extend(["{}", r#"{"a":1}"#].map(str::to_owned));
    }
    if kind != "boolean" {
        values.extend(["true", "false"].map(str::to_owned));
    }
    if kind == "boolean" {
        values.extend([r#""true""#, r#""false""#, "1", r#""""#].map(str::to_owned));
    }
    values
}

fn with(body: &Value, field: &str, raw: &str) -> Vec<u8> {
    with_raw(body, field, raw.as_bytes())
}

#[tokio::test]
async fn every_field_of_every_json_body_is_checked() {
    let (mut tried, mut things) = (0, Things::each().await);
    for things in &mut things {
        let later = json!({ "agent_id": "later" });
        let later = things.world.post("/v1/agents/register", &later).await;
        let token = text(&later.expect(201), "connection_token");
        let before = rows(&things.world.server).await;
        for operation in operations() {
            let Some(good) = row(&operation.id, things) else {
                assert_eq!(operation.fields(JSON).map(|it| it.len()), None);
                continue;
            };
            let key = things.world.account.key.clone();
            if operation.id == "agents_connect" {
                things.world.account.key.clone_from(&token);
            }
            for Field {
                name,
                required,
                kind,
            } in operation.fields(JSON).unwrap()
            {
                let mut bad = bad_values(&kind);
                if required {
                    bad.push("null".to_owned());
                    let mut without = good.clone();
                    without.as_object_mut().unwrap().remove(&name);
                    let without = serde_json::to_vec(&without).unwrap();
                    let answer = things.try_body(&operation, without).await;
                    assert_refused(&format!("{} less {name}", operation.id), &answer, &name);
                    let error = answer.json();
                    assert_eq!(error["error"]["details"][0]["field"], *name);
                }
                // Of a file that has none it is a good one.
                let may_be_empty = (&*operation.id, &*name) == ("uploads_complete", "parts");
                bad.retain(|it| !(may_be_empty && it == "[]"));
                for value in bad {
                    let shown: String = value.chars().take(40).collect();
                    let what = format!("{} {name}={shown}", operation.id);
                    let body = with(&good, &name, &value);
                    let answer = things.try_body(&operation, body).await;
                    assert_refused(&what, &answer, &name);
                    tried += 1;
                }
                // Twice, of which each reader could take another one.
                let twice = with(&good, &name, &format!("null,\"{name}\":null"));
                let answer = things.try_body(&operation, twice).await;
                assert_refused(&format!("{} {name} twice", operation.id), &answer, &name);
            }
            things.world.account.key = key;
        }
        assert_eq!(rows(&things.world.server).await, before);
    }
    assert!(tried > 1_500, "{tried}");
}

#[tokio::test]
async fn a_body_that_is_no_object_is_refused() {
    for things in &Things::each().await {
        let before = rows(&things.world.server).await;
        let large = format!("{{\"name\":\"{}\"}}", "x".repeat(10 * 1024 * 1024));
        let deep = "[".repeat(100_000);
        let array = format!("[\"a\",\"{KEY}\"]");
        let bodies: [&[u8]; 15] = [
            array.as_bytes(),
            b"null",
            b"[]",
            b"1",
            b"\"x\"",
            b"true",
            b"{",
            b"{\"name\":",
            b"{\"name\":\"x\"} {}",
            b"\xef\xbb\xbf{}",
            b"{\"name\":\"\xff\xfe\"}",
            b"{\"name\":\"\xc0\x80\"}",
            b"a=1&b=2",
            deep.as_bytes(),
            large.as_bytes(),
        ];
        for operation in operations() {
            if row(&operation.id, things).is_none() || operation.id == "agents_connect" {
                continue;
            }
            for body in bodies {
                let shown = String::from_utf8_lossy(&body[..body.len().min(20)]).into_owned();
                let answer = things.try_body(&operation, body.to_vec()).await;
                let what = format!("{} {shown}", operation.id);
                if answer.status == 413 {
                    answer.expect_error(413, "BODY_TOO_LARGE");
                } else {
                    assert_eq!(answer.status, 400, "{what}");
                    let error = answer.expect_error(400, "VALIDATION_ERROR");
                    assert!(!error["details"].as_array().unwrap().is_empty(), "{what}");
                }
            }
            let path = things.path(&operation, None);
            for content_type in [
                "text/plain",
                "application/x-www-form-urlencoded",
                "json",
                "",
            ] {
                let request = things.request(&operation, &path).body("{}");
                let answer = send(request.header("content-type", content_type)).await;
                answer.expect_error(415, "UNSUPPORTED_MEDIA_TYPE");
            }
        }
        assert_eq!(rows(&things.world.server).await, before);
    }
}

#[tokio::test]
async fn unknown_fields_are_ignored_and_null_is_absent() {
    for things in &Things::each().await {
        for operation in operations() {
            let Some(good) = row(&operation.id, things) else {
                continue;
            };
            if works_once(&operation.id) {
                continue;
            }
            let mut more = good.clone();
            for field in operation.fields(JSON).unwrap() {
                if !field.required && good.get(&field.name).is_none() {
                    more[field.name] = Value::Null;
                }
            }
            // What an answer has, sent back as input, changes nothing either.
            for (name, value) in [
                ("id", json!("019a9f3e-5c1a-7b2d-8e4f-a1b2c3d4e5f6")),
                ("account_id", json!("019a9f3e-5c1a-7b2d-8e4f-a1b2c3d4e5f6")),
                ("scope", json!("account")),
                ("api_key", json!("agd_live_chosen")),
                ("key_version", json!(99)),
                ("connection_status", json!("connected")),
                ("created_at", json!("2000-01-01T00:00:00.000Z")),
                ("last_used_at", json!(["\u{0}"])),
                ("__proto__", json!({ "admin": true })),
            ] {
                more[name] = value;
            }
            let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
            let body = with(&more, "unknown", &deep);
            let answer = things.try_body(&operation, body).await;
            let good = (200..300).contains(&answer.status);
            assert!(good, "{}: {:?}", operation.id, answer.json());
            let said = answer.json();
            for (name, value) in [
                ("key_version", json!(99)),
                ("api_key", json!("agd_live_chosen")),
            ] {
                assert_ne!(said[name], value, "{}", operation.id);
            }
            let id = "019a9f3e-5c1a-7b2d-8e4f-a1b2c3d4e5f6";
            assert_ne!(said["id"], id, "{}", operation.id);
        }
        let all = format!("{:?}", rows(&things.world.server).await);
        assert!(!all.contains("a1b2c3d4e5f6") && !all.contains("chosen"));
    }
}
