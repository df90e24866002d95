//! What hostile and broken clients send: every operation, every field, each answered by the
//! documented error, and nothing stored.
//!
//! Driven by the API's document: an operation or a field that it gains is tried here too, and an
//! operation without a row in [`row`] fails the test.

use agentdrop_testkit::http::{Answer, send};
use agentdrop_testkit::server::text;
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::isolation::Trust;
use crate::operations::{Field, Operation, operations};
use crate::raw::{exchange, parsed};
use crate::world::{World, blobs, rows};
use agentdrop_protocol::LinkToken;
use agentdrop_testkit::server::PASSWORD;

const JSON: &str = "application/json";
const FORM: &str = "multipart/form-data";
const KEY: &str = "B6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw=";

/// A world with one of everything, so that what is wrong with a request is the field alone.
struct Things {
    world: World,
    /// Names in braces of a path, with what stands there.
    parameters: Vec<(&'static str, String)>,
    download: String,
    /// The address of its account, which has a password.
    email: String,
}

impl Things {
    async fn each() -> Vec<Self> {
        let mut things = Vec::new();
        for world in World::each().await {
            let sent = world.sent(&[]).await;
            let grant = world.grant(&sent).await.expect(200);
            let between = json!({ "agent_id": "alice", "target_agent_id": "bob" });
            let channel = world.post("/v1/channels", &between).await.expect(200);
            let (key_id, _) = world.agent_key("bob").await;
            let trust = Trust::of(&world).await;
            let session = world.server.session_of(&world.account).await;
            let sessions = world.server.http.get("/v1/sessions", &session).await;
            let session_id = text(&sessions.expect(200)["sessions"][0], "id");
            let account = world.get("/v1/account").await.expect(200);
            let parameters = vec![
                ("agent", "bob".to_owned()),
                ("block_id", trust.block),
                ("connection_id", trust.connection),
                ("pairing_id", trust.pairing),
                ("channel_id", text(&channel, "id")),
                ("download_id", text(&grant, "download_id")),
                ("file_id", text(&grant["files"][0], "file_id")),
                ("key_id", key_id),
                ("session_id", session_id),
                ("transfer_id", text(&sent, "id")),
            ];
            let download = text(&grant, "download_id");
            things.push(Self {
                world,
                parameters,
                download,
                email: text(&account, "email"),
            });
        }
        things
    }

    /// An operation's path, with what stands there for each parameter but one.
    fn path(&self, operation: &Operation, but: Option<(&str, &str)>) -> String {
        let mut path = operation.path.clone();
        if let Some((name, value)) = but {
            path = path.replace(&format!("{{{name}}}"), value);
        }
        for (name, value) in &self.parameters {
            path = path.replace(&format!("{{{name}}}"), value);
        }
        assert!(!path.contains('{'), "no value for a parameter of {path}");
        path
    }

    async fn try_body(&self, operation: &Operation, body: Vec<u8>) -> Answer {
        let path = self.path(operation, None);
        let request = self.request(operation, &path);
        send(request.header("content-type", JSON).body(body)).await
    }

    fn request(&self, operation: &Operation, path: &str) -> RequestBuilder {
        let key = &self.world.account.key;
        self.world.server.http.request(&operation.method, path, key)
    }
}

/// A good body of an operation; `None` for one that takes none.
fn row(operation: &str, things: &Things) -> Option<Value> {
    let good = match operation {
        "account_delete" => json!({ "password": PASSWORD }),
        "account_update" => json!({ "name": "A" }),
        "accounts_create" => json!({ "name": "A", "email": "a@example.org" }),
        "email_verifications_confirm" => json!({ "token": token() }),
        "password_resets_confirm" => json!({ "token": token(), "password": PASSWORD }),
        "password_resets_create" => json!({ "email": "nobody@example.org" }),
        "sessions_create" => json!({ "email": things.email, "password": PASSWORD }),
        "agent_keys_create" | "keys_create" => json!({ "name": "ci" }),
        "agents_connect" | "agents_rotate_key" => json!({ "public_key": KEY }),
        "agents_register" => json!({ "agent_id": "carol", "public_key": KEY }),
        "agents_update" => json!({ "name": "Bob" }),
        "channels_create" => json!({ "agent_id": "alice", "target_agent_id": "bob" }),
        "connections_create" => json!({ "email": "new@example.org" }),
        "pairings_create" => json!({ "my_agent_id": "alice", "their_agent_id": "dorian" }),
        "pairings_update" => json!({ "permission": "both" }),
        "downloads_acknowledge" => {
            json!({ "download_id": things.download, "status": "received" })
        }
        "account_export"
        | "account_show"
        | "agent_keys_list"
        | "agent_keys_revoke"
        | "agents_delete"
        | "agents_disconnect"
        | "agents_list"
        | "agents_list_public_keys"
        | "agents_list_sendable"
        | "agents_resolve"
        | "agents_show"
        | "agents_show_me"
        | "blocks_create"
        | "blocks_delete"
        | "blocks_list"
        | "channels_list"
        | "channels_revoke"
        | "channels_show"
        | "connections_accept"
        | "connections_list"
        | "connections_list_agents"
        | "connections_reject"
        | "connections_revoke"
        | "downloads_create"
        | "email_verifications_create"
        | "files_show"
        | "health_show"
        | "health_show_readiness"
        | "inbox_list"
        | "inbox_list_of_agent"
        | "keys_list"
        | "keys_revoke"
        | "pairings_confirm"
        | "pairings_list"
        | "pairings_revoke"
        | "sessions_end"
        | "sessions_list"
        | "transfers_create"
        | "transfers_delete"
        | "transfers_list"
        | "transfers_show" => return None,
        other => panic!("{other} has no row here"),
    };
    Some(good)
}

/// What a mailed link could have, and has not.
fn token() -> String {
    let token = LinkToken::new(&[7; 64]).unwrap();
    token.as_key().expose_secret().to_owned()
}

/// Those that take what works once, or take the account away.
fn works_once(operation: &str) -> bool {
    matches!(
        operation,
        "account_delete"
            | "agents_connect"
            | "email_verifications_confirm"
            | "password_resets_confirm"
    )
}

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
    let mut body = body.clone();
    let object = body.as_object_mut().unwrap();
    object.remove(field);
    let rest = serde_json::to_string(object).unwrap();
    let rest = rest.trim_start_matches('{').trim_end_matches('}');
    let comma = if rest.is_empty() { "" } else { "," };
    format!("{{\"{field}\":{raw}{comma}{rest}}}").into_bytes()
}

/// Checks that an answer is the documented refusal of a field.
fn assert_refused(what: &str, answer: &Answer, field: &str) {
    if answer.status == 413 {
        answer.expect_error(413, "BODY_TOO_LARGE");
        return;
    }
    assert_eq!(answer.status, 400, "{what}: {:?}", answer.json());
    let error = answer.expect_error(400, "VALIDATION_ERROR");
    let details = error["details"].as_array().unwrap();
    assert!(!details.is_empty(), "{what}: {error}");
    let named = |it: &Value| {
        let said = it["field"].as_str().unwrap();
        said == "body"
            || said == field
            || said.starts_with(&format!("{field}."))
            || said.starts_with(&format!("{field}["))
    };
    assert!(details.iter().all(named), "{what}: {error}");
    assert!(answer.bytes.len() < 2_000, "{what}: {}", answer.bytes.len());
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

#[tokio::test]
async fn every_field_of_the_form_is_checked() {
    let mut tried = 0;
    for things in &Things::each().await {
        let (world, salt) = (&things.world, "A".repeat(43) + "=");
        let before = (rows(&world.server).await, blobs(&world.server));
        let create = operations()
            .into_iter()
            .find(|it| it.id == "transfers_create");
        let good = [
            ("sender", "alice"),
            ("recipient", "bob"),
            ("is_encrypted", "true"),
            ("encryption_salt", &*salt),
        ];
        for Field { name, .. } in create.unwrap().fields(FORM).unwrap() {
            let long = "x".repeat(70_000);
            let mut bad: Vec<Vec<u8>> = vec![
                b"\0".to_vec(),
                b"a\0b".to_vec(),
                b"\xff\xfe".to_vec(),
                b"\xc0\x80".to_vec(),
                b"\xed\xa0\x80".to_vec(),
                long.into_bytes(),
            ];
            let texts: &[&str] = match &*name {
                "auto_delete" | "encrypted" | "is_encrypted" => {
                    &["yes", "2", "truee", "null", "[]"]
                }
                "channel_id" => &["bob", "{}", "019A9F3E-5C1A-7B2D-8E4F-A1B2C3D4E5F6"],
                "encrypted_key" | "sender_signature" => &["%", "a b", "=", "\u{e9}"],
                "encryption_algorithm" => &["a b", "\u{7}", "\u{e9}", "\u{202e}"],
                "encryption_ivs" => &["[]", "[1]", "{}", "[\"AAAA\"]", "x", "[null,null]", "[["],
                "encryption_salt" => &["AAAA", "%", "[]"],
                "expires_in" => &[
                    "0m",
                    "-1h",
                    "1",
                    "h",
                    "366d",
                    "1e3h",
                    "99999999999999999999d",
                ],
                "max_downloads" => &["0", "-1", "1001", "1.5", "1e2", "NaN", "99999999999", "0x1"],
                "recipient_key_version" => &["0", "-1", "1.5", "v1", "99999999999"],
                "message" => &["\u{7}", "a\u{202e}b", "\u{1b}[2J"],
                "metadata" => &["[]", "1", "x", "{", "{\"a\":\"\\u0000\"}", "{\"a\":1e999}"],
                "mode" => &["agent", "agent-to-human", "AGENT-TO-AGENT", "[]"],
                "sender" => &["", " ", "\u{7}", "a\u{202e}b", "a\nb"],
                "files" | "recipient" | "recipient_account" => &[],
                other => panic!("{other} has no row here"),
            };
            bad.extend(texts.iter().map(|it| it.as_bytes().to_vec()));
            for value in bad {
                let mut form = FormBody::new();
                for (other, value) in good {
                    if other != name {
                        form.text(other, value.as_bytes());
                    }
                }
                form.text(&name, &value);
                form.file("a.txt", b"body");
                let answer = form.send(world).await;
                let shown = String::from_utf8_lossy(&value[..value.len().min(20)]).into_owned();
                assert_refused(&format!("{name}={shown}"), &answer, &name);
                tried += 1;
            }
            let mut form = FormBody::new();
            for (other, value) in good {
                form.text(other, value.as_bytes());
            }
            form.file("a.txt", b"body");
            if name == "files" {
                continue;
            }
            form.text(&name, b"1").text(&name, b"2");
            assert_refused(&format!("{name} twice"), &form.send(world).await, &name);
        }
        assert_eq!((rows(&world.server).await, blobs(&world.server)), before);
    }
    assert!(tried > 250, "{tried}");
}

#[tokio::test]
async fn what_is_no_form_is_refused_and_leaves_nothing() {
    for world in &World::each().await {
        let before = (rows(&world.server).await, blobs(&world.server));
        let mut whole = FormBody::new();
        whole.text("sender", b"alice").text("recipient", b"bob");
        whole.file("a.txt", &[7; 10_000]);
        let whole = whole.finish();

        // Cut off anywhere, though the length says that this is all.
        for cut in (0..whole.len())
            .step_by(701)
            .chain(whole.len() - 60..whole.len() - 4)
        {
            let answer = FormBody::send_raw(world, &whole[..cut]).await;
            assert_refused(&format!("cut at {cut}"), &answer, "body");
        }
        let long = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"files\"; filename=\"{}\"\r\n\r\nx\r\n--{BOUNDARY}--\r\n",
            "x".repeat(60_000)
        );
        let heads = format!(
            "--{BOUNDARY}\r\n{}\r\n\r\nx\r\n--{BOUNDARY}--\r\n",
            "a: b\r\n".repeat(100)
        );
        for bad in [
            &b""[..],
            b"\r\n",
            b"nothing of the kind",
            b"--other\r\n\r\n--other--",
            b"--BoUnDaRy",
            b"--BoUnDaRy--",
            b"--BoUnDaRy\r\n\r\n\r\n--BoUnDaRy--",
            b"--BoUnDaRy\r\nContent-Disposition: form-data\r\n\r\nx\r\n--BoUnDaRy--\r\n",
            b"--BoUnDaRy\r\nContent-Disposition: form-data; name=\"\xff\"\r\n\r\nx\r\n--BoUnDaRy--\r\n",
            b"--BoUnDaRy\r\nContent-Disposition: form-data; name=\"files\"\r\n\r\nx\r\n--BoUnDaRy--\r\n",
            b"--BoUnDaRy\r\nContent-Disposition: form-data; name=\"sender\"; filename=\"x\"\r\n\r\nx\r\n--BoUnDaRy--\r\n",
            b"--BoUnDaRy\r\nno header\r\n\r\nx\r\n--BoUnDaRy--\r\n",
            b"--BoUnDaRy\r\n\0: \0\r\n\r\nx\r\n--BoUnDaRy--\r\n",
            long.as_bytes(),
            heads.as_bytes(),
        ] {
            let shown = String::from_utf8_lossy(&bad[..bad.len().min(90)]).into_owned();
            let answer = FormBody::send_raw(world, bad).await;
            assert_eq!(answer.status, 400, "{shown:?}: {:?}", answer.json());
            let error = answer.expect_error(400, "VALIDATION_ERROR");
            assert!(!error["details"].as_array().unwrap().is_empty(), "{shown}");
        }
        for content_type in [
            "multipart/form-data",
            "multipart/form-data; boundary",
            "multipart/form-data; boundary=\"\u{e9}\"",
            "multipart/form-data; boundary=\"unclosed",
        ] {
            let answer = FormBody::send_as(world, content_type, &whole).await;
            assert!(matches!(answer.status, 400 | 415), "{content_type}");
        }
        for content_type in [
            "",
            "application/json",
            "multipart/mixed; boundary=x",
            "text/plain",
        ] {
            let answer = FormBody::send_as(world, content_type, &whole).await;
            answer.expect_error(415, "UNSUPPORTED_MEDIA_TYPE");
        }
        // Too many of anything.
        let mut form = FormBody::new();
        for n in 0..65 {
            form.text(&format!("field{n}"), b"x");
        }
        assert_refused("65 fields", &form.send(world).await, "body");
        let mut form = FormBody::new();
        for _ in 0..101 {
            form.file("a", b"");
        }
        assert_refused("101 files", &form.send(world).await, "files");
        for name in [
            "",
            ".",
            "..",
            "a/..",
            "../",
            "a\0b",
            "a\u{202e}b",
            "a\u{7}b",
            "\u{85}",
        ] {
            let mut form = FormBody::new();
            form.text("sender", b"alice").text("recipient", b"bob");
            form.file(name, b"x");
            let answer = form.send(world).await;
            assert_eq!(answer.status, 400, "{name:?}: {:?}", answer.json());
            answer.expect_error(400, "VALIDATION_ERROR");
        }
        assert_eq!((rows(&world.server).await, blobs(&world.server)), before);
    }
}

#[tokio::test]
async fn the_head_of_a_part_cannot_fill_the_memory() {
    for world in &World::each().await {
        let before = blobs(&world.server);
        let much = vec![b'x'; 8 * 1024 * 1024];
        let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"");
        for start in ["", &*head] {
            let mut body = start.as_bytes().to_vec();
            body.extend_from_slice(&much);
            let answer = FormBody::send_raw(world, &body).await;
            answer.expect_error(413, "BODY_TOO_LARGE");
        }
        assert_eq!(blobs(&world.server), before);
    }
}

#[tokio::test]
async fn what_names_nothing_is_not_found() {
    let long = "a".repeat(4_000);
    for things in &Things::each().await {
        let before = rows(&things.world.server).await;
        for operation in operations() {
            for parameter in operation.parameters("path") {
                for bad in [
                    "%00",
                    "a%00b",
                    "a%2Fb",
                    "..%2F..%2Fetc%2Fpasswd",
                    "%2e%2e%2f",
                    "%ff",
                    "%c0%80",
                    "%ed%a0%80",
                    "%F0%9F%92%A9",
                    "0",
                    "-1",
                    "9999999999999999999999",
                    "%27%20OR%201%3D1%20--",
                    "%0d%0aX-Injected:%201",
                    "%E2%80%AE",
                    "%7Bagent%7D",
                    "txfr_abc123",
                    "tr_00000000000000000000000000000000",
                    "00000000-0000-0000-0000-000000000000",
                    &*long,
                ] {
                    let path = things.path(&operation, Some((&parameter, bad)));
                    let mut request = things.request(&operation, &path);
                    if let Some(good) = row(&operation.id, things) {
                        request = request.json(&good);
                    }
                    let answer = send(request).await;
                    assert_eq!(answer.status, 404, "{} {bad}", operation.id);
                    answer.expect_error(404, "NOT_FOUND");
                    assert_eq!(answer.header("x-injected"), "");
                }
            }
        }
        for path in [
            "/",
            "/v1",
            "/v1/",
            "/v1/agents/",
            "/v2/agents",
            "/v1/agents/bob/",
            "//v1/agents",
            "/v1/agents/bob/keys/",
            "/.git/config",
            "/v1/../healthz/",
            "/metrics",
        ] {
            things.world.get(path).await.expect_error(404, "NOT_FOUND");
        }
        assert_eq!(rows(&things.world.server).await, before);
    }
}

#[tokio::test]
async fn every_field_of_every_query_is_checked() {
    for things in &Things::each().await {
        for operation in operations() {
            let path = things.path(&operation, None);
            for name in operation.parameters("query") {
                let long = "a".repeat(5_000);
                for bad in ["%00", "a%00b", "%E2%80%AE", "%07", &*long] {
                    let answer = things.request(&operation, &format!("{path}?{name}={bad}"));
                    let answer = send(answer).await;
                    let what = format!("{} {name}={bad}", operation.id);
                    assert!(
                        matches!(answer.status, 400 | 404),
                        "{what}: {}",
                        answer.status
                    );
                    if answer.status == 400 {
                        assert_refused(
                            &what,
                            &answer,
                            if name == "account" { "agent_id" } else { &name },
                        );
                    }
                }
                let twice = format!("{path}?{name}=1&{name}=2");
                let answer = send(things.request(&operation, &twice)).await;
                assert!(
                    matches!(answer.status, 400 | 404),
                    "{name} twice: {}",
                    answer.status
                );
            }
            for (name, least) in [("limit", true), ("offset", false)] {
                if !operation.parameters("query").contains(&name.to_owned()) {
                    continue;
                }
                let low = if least { "0" } else { "-0x1" };
                for bad in [
                    low,
                    "-1",
                    "101x",
                    "1.5",
                    "1e3",
                    "%2B%2B1",
                    "99999999999",
                    "",
                    "null",
                ] {
                    let answer = things.request(&operation, &format!("{path}?{name}={bad}"));
                    let answer = send(answer).await;
                    if bad.is_empty() {
                        assert_eq!(answer.status, 200);
                    } else {
                        assert_refused(&format!("{name}={bad}"), &answer, name);
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn whoever_is_not_known_is_told_so_by_every_operation() {
    for things in &Things::each().await {
        let before = rows(&things.world.server).await;
        let key = &things.world.account.key;
        let mut typo = key.clone().into_bytes();
        typo[20] = if typo[20] == b'x' { b'y' } else { b'x' };
        let typo = String::from_utf8(typo).unwrap();
        let unknown = "agd_live_0123456789ABCDEFGHIJKLMNOPQRSTUV0K69qe";
        for operation in operations().into_iter().filter(Operation::takes_key) {
            let path = things.path(&operation, None);
            let http = &things.world.server.http;
            for value in [
                &b""[..],
                b"Bearer",
                b"Bearer ",
                b"bearer \xff\xfe",
                b"\xff",
                b"Basic YTpi",
                b"Bearer null",
                format!("Bearer {typo}").as_bytes(),
                format!("Bearer {unknown}").as_bytes(),
                format!("Bearer {key} x").as_bytes(),
                format!("Bearer {key}{key}").as_bytes(),
                key.as_bytes(),
                format!("Token {key}").as_bytes(),
                format!("Bearer,{key}").as_bytes(),
                format!("Bearer {}", "x".repeat(8_000)).as_bytes(),
            ] {
                let value = reqwest::header::HeaderValue::from_bytes(value).unwrap();
                let request = http.request(&operation.method, &path, "");
                let answer = send(request.header("authorization", value)).await;
                answer.expect_error(401, "UNAUTHORIZED");
                assert_eq!(answer.header("www-authenticate"), "Bearer");
            }
            // One that works, and another beside it.
            for other in ["Bearer x".to_owned(), format!("Bearer {key}")] {
                let request = http.request(&operation.method, &path, key);
                let answer = send(request.header("authorization", other)).await;
                answer.expect_error(401, "UNAUTHORIZED");
            }
        }
        assert_eq!(rows(&things.world.server).await, before);
    }
}

#[tokio::test]
async fn what_is_hardly_http_is_answered_or_closed_and_harms_nothing() {
    for world in &World::each().await {
        let before = (rows(&world.server).await, blobs(&world.server));
        let (url, key) = (&world.server.url, &world.account.key);
        let head = format!(
            "Host: x\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\nConnection: close\r\n"
        );
        let form = format!(
            "Host: x\r\nAuthorization: Bearer {key}\r\nContent-Type: multipart/form-data; boundary={BOUNDARY}\r\n"
        );
        let part = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"files\"; filename=\"a\"\r\n\r\nabc"
        );
        let cases: Vec<(String, &[u16])> = vec![
            (format!("POST /v1/api-keys HTTP/1.1\r\n{head}Content-Length: 99\r\n\r\n{{\"name\":"), &[400]),
            (format!("POST /v1/api-keys HTTP/1.1\r\n{head}Transfer-Encoding: chunked\r\n\r\nzz\r\ngarbage"), &[400]),
            (format!("POST /v1/api-keys HTTP/1.1\r\n{head}Transfer-Encoding: chunked\r\n\r\n5\r\n{{\"nam"), &[400]),
            (format!("POST /v1/api-keys HTTP/1.1\r\n{head}Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n{{"), &[400]),
            (format!("POST /v1/api-keys HTTP/1.1\r\n{head}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), &[400]),
            (format!("POST /v1/api-keys HTTP/1.1\r\n{head}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"), &[400]),
            (format!("POST /v1/api-keys HTTP/1.1\r\n{head}Content-Length: -1\r\n\r\n"), &[400]),
            (format!("POST /v1/transfers HTTP/1.1\r\n{form}Content-Length: 9999\r\n\r\n{part}"), &[400]),
            (format!("POST /v1/transfers HTTP/1.1\r\n{form}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{part}\r\nxyz", part.len()), &[400]),
            ("GET /v1/agents\r\n\r\n".to_owned(), &[400]),
            ("GET /v1/agents HTTP/9.9\r\n\r\n".to_owned(), &[400, 505]),
            ("\0\0\0\0\r\n\r\n".to_owned(), &[400]),
            ("GET /v1/agents HTTP/1.1\r\nHost: x\r\n folded: y\r\n\r\n".to_owned(), &[400]),
            ("GET /v1/agents HTTP/1.1\r\nbad header: y\r\n\r\n".to_owned(), &[400]),
            ("GET /v1/agents HTTP/1.1\r\nX-Null: a\0b\r\n\r\n".to_owned(), &[400]),
            (format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(70_000)), &[400, 414]),
            (format!("GET /v1/agents HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(200)), &[400, 431]),
            (format!("GET /v1/agents HTTP/1.1\r\na: {}\r\n\r\n", "b".repeat(300_000)), &[400, 431]),
            ("GET http://evil.example/healthz HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n".to_owned(), &[200]),
            ("CONNECT evil.example:80 HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(), &[400, 404, 405]),
            ("GET * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".to_owned(), &[400, 404]),
        ];
        for (bytes, expected) in cases {
            let (status, body) = parsed(&exchange(url, bytes.as_bytes()).await);
            let shown: String = bytes.chars().take(60).collect();
            // Whoever closes in the middle of a request may get no answer.
            let fits = status == 0 || expected.contains(&status);
            assert!(fits, "{shown}: {status} {body}");
            if !body.is_null() && status == 400 {
                assert_eq!(body["error"]["code"], "VALIDATION_ERROR", "{shown}");
            }
        }
        assert_eq!((rows(&world.server).await, blobs(&world.server)), before);
        world.get("/v1/agents").await.expect(200);
    }
}

const BOUNDARY: &str = "BoUnDaRy";

/// A form, part by part, with no library to mend it.
struct FormBody(Vec<u8>);

impl FormBody {
    const fn new() -> Self {
        Self(Vec::new())
    }

    fn text(&mut self, name: &str, value: &[u8]) -> &mut Self {
        let head =
            format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
        self.part(&head, value)
    }

    fn file(&mut self, name: &str, bytes: &[u8]) -> &mut Self {
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"files\"; filename=\"{name}\"\r\n\r\n"
        );
        self.part(&head, bytes)
    }

    fn part(&mut self, head: &str, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(head.as_bytes());
        self.0.extend_from_slice(bytes);
        self.0.extend_from_slice(b"\r\n");
        self
    }

    fn finish(&self) -> Vec<u8> {
        [&self.0[..], format!("--{BOUNDARY}--\r\n").as_bytes()].concat()
    }

    async fn send(&self, world: &World) -> Answer {
        Self::send_raw(world, &self.finish()).await
    }

    async fn send_raw(world: &World, body: &[u8]) -> Answer {
        let content_type = format!("multipart/form-data; boundary={BOUNDARY}");
        Self::send_as(world, &content_type, body).await
    }

    async fn send_as(world: &World, content_type: &str, body: &[u8]) -> Answer {
        let http = &world.server.http;
        let request = http.request("POST", "/v1/transfers", &world.account.key);
        let request = request.header("content-type", content_type);
        send(request.body(body.to_vec())).await
    }
}
