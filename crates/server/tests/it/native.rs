//! `AGENTDROP-2`: envelopes between agents, of which the server sees as little as can be.

use agentdrop_protocol::TransferId;
use agentdrop_testkit::http::Answer;
use agentdrop_testkit::server::{TestServer, text};
use serde_json::{Value, json};

use crate::identity::Identity;
use crate::uploads::{IN_PARTS, WHOLE};
use crate::world::{World, blobs, file_url, rows};

const MAX_ENVELOPE: usize = 26 + 256 * 1_200 + 4 + 4 * 1_024 * 1_024;
const FILES: [(&str, &[u8]); 2] = [("envelope", b"no business of the server"), ("1", b"sealed")];
type Field<'a> = (&'static str, &'a str);

fn id(server: &TestServer, chance: u8) -> String {
    let id = TransferId::new(server.clock.now(), [chance; 10]);
    id.to_string().trim_start_matches("tr_").to_owned()
}

/// The fields of a good form.
fn good(id: &str) -> [Field<'_>; 3] {
    [
        ("is_encrypted", "true"),
        ("encryption_algorithm", "AGENTDROP-2"),
        ("transfer_id", id),
    ]
}

/// Publishes the keys of both.
async fn publish(world: &World) {
    for (agent, chance) in [(&world.alice, 1), (&world.bob, 2)] {
        let mut identity = Identity::of(agent, chance);
        let published = identity.publish(&world.server.http, &world.account.key);
        published.await.expect(200);
    }
}

/// Announces the same, as JSON.
async fn announce(
    world: &World,
    path: &str,
    fields: &[Field<'_>],
    files: &[(&str, u64)],
) -> Answer {
    let mut body = json!({ "sender": "alice", "recipient": "bob" });
    for (name, value) in fields {
        body[*name] = match *name {
            "is_encrypted" => json!(*value == "true"),
            "metadata" | "encryption_ivs" => serde_json::from_str(value).unwrap(),
            _ => json!(value),
        };
    }
    let files = files
        .iter()
        .map(|(name, size)| json!({ "name": name, "size": size }));
    body["files"] = files.collect();
    world.post(path, &body).await
}

#[tokio::test]
async fn an_envelope_goes_from_one_agent_to_another_as_it_is() {
    for world in &World::everywhere_relayed().await {
        publish(world).await;
        let id = id(&world.server, 1);
        let sent = world.send(&good(&id), &FILES).await.expect(201);
        assert_eq!(text(&sent, "id"), format!("tr_{id}"));
        let grant = world.grant(&sent).await.expect(200);
        assert_eq!(grant["encryption_algorithm"], "AGENTDROP-2");
        assert_eq!(grant["is_encrypted"], true);
        for (at, (name, bytes)) in FILES.iter().enumerate() {
            assert_eq!(grant["files"][at]["name"], json!(name));
            let got = world.server.http.get(&file_url(&grant, at), "").await;
            assert_eq!(got.bytes, *bytes);
        }
        // As many files as any other, and the envelope.
        let mut many = vec![FILES[0]];
        let names: Vec<_> = (1..=101).map(|it: u32| it.to_string()).collect();
        many.extend(names.iter().map(|it| (&**it, &b"x"[..])));
        let next = self::id(&world.server, 2);
        world.send(&good(&next), &many[..101]).await.expect(201);
        let next = self::id(&world.server, 3);
        let refused = world.send(&good(&next), &many).await;
        refused.expect_error(400, "VALIDATION_ERROR");
    }
}

#[tokio::test]
async fn announced_it_is_the_same() {
    for world in &World::each().await {
        publish(world).await;
        let files = [("envelope", MAX_ENVELOPE as u64), ("1", 20_000_000)];
        for (path, chance) in [(WHOLE, 1), (IN_PARTS, 2)] {
            let id = id(&world.server, chance);
            let made = announce(world, path, &good(&id), &files).await.expect(201);
            assert_eq!(text(&made, "id"), format!("tr_{id}"));
        }
    }
}

#[tokio::test]
async fn what_would_stand_in_the_open_is_refused() {
    for world in &World::each().await {
        publish(world).await;
        let before = (rows(&world.server).await, blobs(&world.server));
        let id = id(&world.server, 1);
        let refuses = async |fields: &[Field<'_>], files: &[(&str, &[u8])], field: &str| {
            let lengths: Vec<_> = files.iter().map(|it| (it.0, it.1.len() as u64)).collect();
            for answer in [
                world.send(fields, files).await,
                announce(world, WHOLE, fields, &lengths).await,
                announce(world, IN_PARTS, fields, &lengths).await,
            ] {
                let error = answer.expect_error(400, "VALIDATION_ERROR");
                assert_eq!(error["details"][0]["field"], field, "{error}");
            }
        };
        let channel = json!({ "agent_id": "alice", "target_agent_id": "bob" });
        let channel = world.post("/v1/channels", &channel).await.expect(200);
        let before = (rows(&world.server).await, before.1);
        let ivs = r#"["AAAAAAAAAAAAAAAA","AAAAAAAAAAAAAAAA"]"#;
        let salt = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        for beside in [
            ("message", "in the open"),
            ("metadata", r#"{"a":1}"#),
            ("metadata", "{}"),
            ("encrypted_key", "AAAA"),
            ("encryption_salt", salt),
            ("channel_id", &text(&channel, "id")),
            ("encryption_ivs", ivs),
        ] {
            let fields = [&good(&id)[..], &[beside]].concat();
            refuses(&fields, &FILES, beside.0).await;
        }
        refuses(&good(&id)[..2], &FILES, "transfer_id").await;
        // Said to be plain, it would be taken for a file like any other.
        let plain = [("is_encrypted", "false"), good(&id)[1], good(&id)[2]];
        refuses(&plain, &FILES, "is_encrypted").await;
        refuses(&good(&id)[1..], &FILES, "is_encrypted").await;

        let (envelope, file) = (FILES[0], FILES[1]);
        refuses(&good(&id), &[envelope], "files").await;
        refuses(&good(&id), &[file, envelope], "files[0]").await;
        let told = ("report.pdf", file.1);
        refuses(&good(&id), &[envelope, told], "files[1]").await;
        refuses(&good(&id), &[envelope, ("2", b"x"), file], "files[1]").await;
        let large = vec![0; MAX_ENVELOPE + 1];
        refuses(&good(&id), &[("envelope", &large), file], "files[0]").await;
        assert_eq!((rows(&world.server).await, blobs(&world.server)), before);
    }
}

#[tokio::test]
async fn both_must_have_published_their_keys() {
    for world in &World::each().await {
        let (http, key) = (&world.server.http, &world.account.key);
        let id = id(&world.server, 1);
        let sends = async |more: &[Field<'_>]| -> [Answer; 2] {
            let fields = [&good(&id)[..], more].concat();
            let files = [("envelope", 100), ("1", 100)];
            [
                world.send(&fields, &FILES).await,
                announce(world, WHOLE, &fields, &files).await,
            ]
        };
        for answer in sends(&[]).await {
            let error = answer.expect_error(400, "VALIDATION_ERROR");
            assert_eq!(error["details"][0]["field"], "sender");
        }
        let mut alice = Identity::of(&world.alice, 1);
        alice.publish(http, key).await.expect(200);
        for answer in sends(&[]).await {
            answer.expect_error(409, "KEY_CHANGED");
        }
        let mut bob = Identity::of(&world.bob, 2);
        bob.publish(http, key).await.expect(200);
        // In another mode there is no such algorithm.
        for answer in sends(&[("mode", "agent-to-human")]).await {
            let error = answer.expect_error(400, "VALIDATION_ERROR");
            let mut details = error["details"].as_array().unwrap().iter();
            assert!(details.any(|it| it["field"] == "encryption_algorithm"));
        }
        // What has no name as an agent has no key.
        let fields = [
            &good(&id)[..],
            &[("sender", "a label"), ("recipient", "bob")],
        ]
        .concat();
        let labelled = http.form("/v1/transfers", key, &fields, &FILES).await;
        let error: Value = labelled.expect_error(400, "VALIDATION_ERROR");
        assert_eq!(error["details"][0]["field"], "sender");
        let disconnect = "/v1/agents/bob/disconnect";
        world.post(disconnect, &json!({})).await.expect(200);
        for answer in sends(&[]).await {
            answer.expect_error(409, "KEY_CHANGED");
        }
    }
}
