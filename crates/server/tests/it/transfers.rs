//! Transfers: created, shown, listed, deleted, expired.

use std::time::Duration;

use agentdrop_testkit::http::send;
use agentdrop_testkit::server::text;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::raw::{connect, parsed, read_to_close};
use crate::world::{World, blobs, file_url};

/// The two generations of the documented call, as `curl -F` sends them.
#[tokio::test]
async fn both_documented_calls_work() {
    for world in &World::everywhere().await {
        let http = &world.server.http;
        for slug in ["data-pipeline", "analysis-agent"] {
            world.server.agent(&world.account, slug).await;
        }
        let files: [(&str, &[u8]); 2] = [("report.pdf", &[1; 1_000]), ("data.csv", b"a,b\n")];
        let newer = [
            ("sender", "data-pipeline"),
            ("recipient", "analysis-agent"),
            ("mode", "agent-to-agent"),
            ("is_encrypted", "true"),
            ("message", "Weekly report files"),
            ("auto_delete", "true"),
            ("max_downloads", "3"),
            ("expires_in", "12h"),
        ];
        let older = [
            ("sender", "data-pipeline"),
            ("recipient", "analysis-agent"),
            ("encrypted", "true"),
            ("max_downloads", "3"),
            ("expires_in", "12h"),
        ];
        let key = &world.account.key;
        for (fields, is_encrypted) in [(&newer[..], true), (&older[..], false)] {
            let sent = http.form("/v1/transfers", key, fields, &files).await;
            let sent = sent.expect(201);
            let id = text(&sent, "id");
            assert!(id.starts_with("tr_") && id.len() == 35, "{id}");
            let url = &world.server.url;
            for (field, value) in [
                ("url", json!(format!("{url}/t/{id}"))),
                (
                    "api_url",
                    json!(format!("{url}/v1/transfers/{id}/download")),
                ),
                ("status", json!("active")),
                ("pending_reason", Value::Null),
                ("mode", json!("agent-to-agent")),
                ("sender", json!("data-pipeline")),
                ("recipient", json!("analysis-agent")),
                ("recipient_account_id", json!(world.account.id)),
                ("file_count", json!(2)),
                ("total_size", json!(1_004)),
                ("max_downloads", json!(3)),
                ("downloads", json!(0)),
                ("download_count", json!(0)),
                ("is_encrypted", json!(is_encrypted)),
                ("encrypted", json!(true)),
                ("auto_delete", json!(is_encrypted)),
                ("created_at", json!("2026-04-17T12:00:00.000Z")),
                ("expires_at", json!("2026-04-18T00:00:00.000Z")),
            ] {
                assert_eq!(sent[field], value, "{field}");
            }
            let file = &sent["files"][1];
            assert_eq!(
                (&file["name"], &file["size"]),
                (&json!("data.csv"), &json!(4))
            );
            assert_eq!(file["type"], file["content_type"]);
            assert!(file["file_id"].is_string());
            let message = if is_encrypted {
                json!("Weekly report files")
            } else {
                Value::Null
            };
            assert_eq!(sent["message"], message);
            assert_eq!(world.shown(&sent).await, sent);
        }
    }
}

#[tokio::test]
async fn what_is_said_of_the_sealing_comes_back_as_it_was() {
    for world in &World::everywhere().await {
        let between = json!({ "agent_id": "alice", "target_agent_id": "bob" });
        let channel = world.post("/v1/channels", &between).await.expect(200);
        let (channel, salt) = (text(&channel, "id"), "A".repeat(43) + "=");
        let nonces = r#"["AAAAAAAAAAAAAAAA",null]"#;
        let fields = [
            ("is_encrypted", "true"),
            ("encryption_algorithm", "X25519-CHANNEL-HKDF-AES-256-GCM"),
            ("encrypted_key", "AAAA"),
            ("channel_id", &*channel),
            ("encryption_salt", &*salt),
            ("encryption_ivs", nonces),
            ("sender_signature", "BBBB"),
            ("recipient_key_version", "1"),
            ("metadata", r#"{"a":[1,{"b":null}]}"#),
        ];
        let files: [(&str, &[u8]); 2] = [("a", b"sealed"), ("b", b"")];
        let sent = world.send(&fields, &files).await.expect(201);
        assert_eq!(sent["channel_id"], channel);
        assert_eq!(sent["encryption_salt"], salt);
        assert_eq!(sent["metadata"], json!({ "a": [1, { "b": null }] }));
        // The keys of the time it was sent, whatever becomes of the agents.
        let rotate = json!({ "public_key": "3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08=" });
        world
            .post("/v1/agents/alice/rotate-key", &rotate)
            .await
            .expect(200);
        world
            .delete(&format!("/v1/channels/{channel}"))
            .await
            .expect(200);
        let grant = world.grant(&sent).await.expect(200);
        for (field, value) in [
            ("id", &sent["id"]),
            ("is_encrypted", &json!(true)),
            (
                "encryption_algorithm",
                &json!("X25519-CHANNEL-HKDF-AES-256-GCM"),
            ),
            ("encrypted_key", &json!("AAAA")),
            ("channel_id", &json!(channel)),
            ("encryption_salt", &json!(salt)),
            ("sender_signature", &json!("BBBB")),
            ("sender_public_key", &world.alice["public_key"]),
            ("recipient_public_key", &world.bob["public_key"]),
            ("recipient_key_version", &json!(1)),
            ("downloads", &json!(1)),
            ("downloads_remaining", &json!(9)),
            ("sender", &json!("alice")),
        ] {
            assert_eq!(&grant[field], value, "{field}");
        }
        let file = &grant["files"][0];
        assert_eq!(
            (&file["name"], &file["file_name"]),
            (&json!("a"), &json!("a"))
        );
        assert_eq!(file["encryption_iv"], "AAAAAAAAAAAAAAAA");
        assert_eq!(grant["files"][1]["encryption_iv"], Value::Null);
        let http = &world.server.http;
        assert_eq!(http.get(&file_url(&grant, 0), "").await.bytes, b"sealed");
        assert_eq!(http.get(&file_url(&grant, 1), "").await.bytes, b"");
    }
}

#[tokio::test]
async fn the_recipient_is_an_agent_that_is_there_and_the_sender_any_label() {
    for world in &World::each().await {
        let http = &world.server.http;
        let (alice, bob) = (text(&world.alice, "id"), text(&world.bob, "id"));
        let key = &world.account.key;
        for (sender, recipient, agent) in [
            ("alice", "bob", &world.alice["id"]),
            (&*alice, &*bob, &world.alice["id"]),
            ("nightly job #7 – größe", "bob", &Value::Null),
            ("nobody", &*bob, &Value::Null),
        ] {
            let fields = [("sender", sender), ("recipient", recipient)];
            let sent = http.form("/v1/transfers", key, &fields, &[("a", b"x")]);
            let sent = sent.await.expect(201);
            assert_eq!(&sent["sender_agent_id"], agent);
            assert_eq!(sent["recipient"], "bob");
            assert_eq!(sent["recipient_agent_id"], world.bob["id"]);
        }
        let before = blobs(&world.server);
        for recipient in ["nobody", "bob@example.org", "Bob", "bob "] {
            let fields = [("sender", "alice"), ("recipient", recipient)];
            let refused = http.form("/v1/transfers", key, &fields, &[("a", b"x")]);
            refused.await.expect_error(403, "SHARE_REQUIRED");
        }
        assert_eq!(blobs(&world.server), before);
    }
}

#[tokio::test]
async fn what_expires_is_expired_before_and_after_the_sweep() {
    for world in &World::each().await {
        let empty = blobs(&world.server);
        let sent = world.sent(&[("expires_in", "30m")]).await;
        let grant = world.grant(&sent).await.expect(200);
        assert_eq!(grant["download_expires_at"], "2026-04-17T12:30:00.000Z");
        world.server.clock.advance(Duration::from_secs(30 * 60 - 1));
        world.grant(&sent).await.expect(200);
        world.server.clock.advance(Duration::from_secs(1));
        for swept in [false, true] {
            assert_eq!(world.shown(&sent).await["status"], "expired");
            world.grant(&sent).await.expect_error(410, "GONE");
            let file = world.server.http.get(&file_url(&grant, 0), "").await;
            file.expect_error(410, "GONE");
            for (status, total) in [("active", 0), ("expired", 1)] {
                let path = format!("/v1/transfers?status={status}");
                assert_eq!(
                    world.get(&path).await.expect(200)["total"],
                    total,
                    "{status} {swept}"
                );
                let path = format!("/v1/agents/bob/inbox?status={status}");
                assert_eq!(
                    world.get(&path).await.expect(200)["total"],
                    total,
                    "{status} {swept}"
                );
            }
            world.server.sweep().await;
        }
        world.has_blobs(&empty).await;
    }
}

#[tokio::test]
async fn a_deleted_transfer_is_gone_at_once_and_its_record_stays() {
    for world in &World::each().await {
        let empty = blobs(&world.server);
        let (_, bob) = world.agent_key("bob").await;
        for by in [&world.account.key, &bob] {
            let sent = world.sent(&[]).await;
            let grant = world.grant(&sent).await.expect(200);
            let path = format!("/v1/transfers/{}", text(&sent, "id"));
            let http = &world.server.http;
            let gone = http.delete(&path, by).await.expect(200);
            assert_eq!(gone["id"], sent["id"]);
            assert_eq!(gone["status"], "deleted");
            assert_eq!(gone["deleted_at"], "2026-04-17T12:00:00.000Z");
            http.delete(&path, by).await.expect_error(404, "NOT_FOUND");
            assert_eq!(world.shown(&sent).await["status"], "deleted");
            world.grant(&sent).await.expect_error(410, "GONE");
            http.get(&file_url(&grant, 0), "")
                .await
                .expect_error(410, "GONE");
        }
        world.server.sweep().await;
        world.has_blobs(&empty).await;
    }
}

#[tokio::test]
async fn transfers_are_listed_newest_first_filtered_and_in_pages() {
    for world in &World::everywhere().await {
        let mut sent = Vec::new();
        for _ in 0..5 {
            sent.push(text(&world.sent(&[]).await, "id"));
            world.server.clock.advance(Duration::from_mins(1));
        }
        let http = &world.server.http;
        let fields = [("sender", "a label"), ("recipient", "alice")];
        let key = &world.account.key;
        let other = http.form("/v1/transfers", key, &fields, &[("a", b"x")]);
        sent.push(text(&other.await.expect(201), "id"));
        sent.reverse();
        let ids = |list: &Value| {
            let list = list["transfers"].as_array().unwrap();
            list.iter().map(|it| text(it, "id")).collect::<Vec<_>>()
        };
        let all = world.get("/v1/transfers").await.expect(200);
        assert_eq!(ids(&all), sent);
        assert_eq!((&all["total"], &all["limit"]), (&json!(6), &json!(20)));
        assert_eq!(all["has_more"], false);
        let page = world
            .get("/v1/transfers?limit=2&offset=1")
            .await
            .expect(200);
        assert_eq!(ids(&page), sent[1..3]);
        assert_eq!(
            (&page["has_more"], &page["offset"]),
            (&json!(true), &json!(1))
        );
        let beyond = world.get("/v1/transfers?offset=99").await.expect(200);
        assert_eq!(
            (ids(&beyond).len(), &beyond["has_more"]),
            (0, &json!(false))
        );
        for (query, total) in [
            ("sender=alice", 5),
            ("sender=a%20label", 1),
            ("recipient=alice", 1),
            ("recipient=bob&sender=alice", 5),
            ("mode=agent-to-agent", 6),
            ("mode=agent-to-human", 0),
            ("status=active", 6),
            ("status=deleted", 0),
            ("since=2026-04-17T12:03:00Z", 3),
            ("since=2026-04-17T12:03:00.001Z", 2),
            ("limit=100", 6),
        ] {
            let found = world
                .get(&format!("/v1/transfers?{query}"))
                .await
                .expect(200);
            assert_eq!(found["total"], total, "{query}");
        }
        let request = http.request("GET", "/v1/transfers", key);
        let as_bob = send(request.header("x-agentdrop-agent", "bob")).await;
        assert_eq!(as_bob.expect(200)["total"], 0);
    }
}

#[tokio::test]
async fn a_file_larger_than_the_server_takes_is_refused_and_leaves_nothing() {
    use agentdrop_testkit::engines::Engine;
    use agentdrop_testkit::server::TestServer;
    for engine in Engine::ALL {
        let change = |config: &mut agentdrop_server::Config| config.limits.max_file_bytes = 1_000;
        let world = World::on(TestServer::start(engine, change).await).await;
        world.send(&[], &[("a", &[0; 1_000])]).await.expect(201);
        let before = blobs(&world.server);
        for size in [1_001, 20_000_000] {
            let refused = world.send(&[], &[("a", b"x"), ("b", &vec![0; size])]).await;
            refused.expect_error(413, "FILE_TOO_LARGE");
        }
        assert_eq!(blobs(&world.server), before);
    }
}

#[tokio::test]
async fn what_is_sealed_for_a_key_that_was_replaced_is_refused() {
    for world in &World::each().await {
        let rotate = json!({ "public_key": "3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08=" });
        world
            .post("/v1/agents/bob/rotate-key", &rotate)
            .await
            .expect(200);
        let sealed = |version| [("is_encrypted", "true"), ("recipient_key_version", version)];
        let late = world.send(&sealed("1"), &[("a", b"sealed")]).await;
        late.expect_error(409, "KEY_CHANGED");
        let listed = world.get("/v1/transfers").await.expect(200);
        assert_eq!(listed["total"], 0);
        world
            .send(&sealed("2"), &[("a", b"sealed")])
            .await
            .expect(201);
    }
}

/// Its files may take long to come; until they have, its credential may have been stolen, and ended.
#[tokio::test]
async fn what_is_asked_for_with_a_credential_that_is_ended_meanwhile_is_not_sent() {
    let form = "--b\r\nContent-Disposition: form-data; name=\"sender\"\r\n\r\nalice\r\n\
                --b\r\nContent-Disposition: form-data; name=\"recipient\"\r\n\r\nbob\r\n\
                --b\r\nContent-Disposition: form-data; name=\"files\"; filename=\"a\"\r\n\r\n\
                0123456789\r\n--b--\r\n";
    for world in &World::each().await {
        let made = world.post("/v1/api-keys", &json!({ "name": "ci" })).await;
        let made = made.expect(201);
        let session = world.server.session_of(&world.account).await;
        let revoke = format!("/v1/api-keys/{}", text(&made, "id"));
        for (credential, path, by, code) in [
            (
                text(&made, "api_key"),
                &*revoke,
                &world.account.key,
                "KEY_REVOKED",
            ),
            (
                session.clone(),
                "/v1/sessions/current",
                &session,
                "UNAUTHORIZED",
            ),
        ] {
            let head = format!(
                "POST /v1/transfers HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {credential}\r\n\
                 Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {}\r\n\
                 Connection: close\r\nExpect: 100-continue\r\n\r\n",
                form.len()
            );
            let mut stream = connect(&world.server.url).await;
            stream.write_all(head.as_bytes()).await.unwrap();
            let mut wanted = [0; "HTTP/1.1 100 Continue\r\n\r\n".len()];
            stream.read_exact(&mut wanted).await.unwrap();
            world.server.http.delete(path, by).await.expect(200);
            stream.write_all(form.as_bytes()).await.unwrap();
            let (status, said) = parsed(&read_to_close(&mut stream).await);
            assert_eq!((status, &said["error"]["code"]), (401, &json!(code)));
        }
        let sent = world.get("/v1/transfers").await.expect(200);
        assert_eq!(sent["total"], 0);
        assert!(blobs(&world.server).is_empty());
    }
}
