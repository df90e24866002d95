//! Files that come whole.

use std::time::Duration;

use agentdrop_testkit::http::send;
use agentdrop_testkit::server::text;
use serde_json::{Value, json};

use super::{bytes, put, stored, url};
use crate::world::{World, blobs, file_url, files_under, rows};

#[tokio::test]
async fn what_is_announced_sent_and_confirmed_is_received() {
    for world in &World::everywhere().await {
        let http = &world.server.http;
        let files = [bytes(200_000, 1), Vec::new(), b"0123456789".to_vec()];
        let sizes = [("a.bin", 200_000), ("empty", 0), ("b.txt", 10)];
        let more = json!({ "message": "hello", "metadata": { "a": 1 }, "auto_delete": true,
                           "max_downloads": 3, "expires_in": "12h" });
        let announced = world.announce(&sizes, &more).await.expect(201);
        assert_eq!(announced["status"], "pending");
        let id = text(&announced, "id");
        let confirm = format!("{}/v1/transfers/{id}/confirm", world.server.url);
        assert_eq!(announced["confirm_url"], confirm);
        for (slot, (name, _)) in announced["upload_urls"]
            .as_array()
            .unwrap()
            .iter()
            .zip(sizes)
        {
            assert_eq!(slot["file_name"], name);
            assert_eq!(slot["method"], "PUT");
            assert_eq!(slot["headers"], json!({ "Content-Type": "text/plain" }));
        }
        // Its sender's alone until it is confirmed.
        let (_, bobs) = world.agent_key("bob").await;
        let shown = format!("/v1/transfers/{id}");
        let is_seen = async || {
            let inbox = http.get("/v1/transfers/inbox", &bobs).await.expect(200);
            let seen = http.get(&shown, &bobs).await.status == 200;
            let granted = http.get(&format!("{shown}/download"), &bobs).await.status;
            assert_eq!(inbox["total"], u64::from(seen));
            assert_eq!(granted, if seen { 200 } else { 404 });
            seen
        };
        let mut tags = Vec::new();
        for (n, file) in files.iter().enumerate() {
            assert!(!is_seen().await);
            tags.push(stored(&put(http, &url(&announced, n), file).await));
        }
        tags.dedup();
        assert_eq!(tags.len(), 3);
        let mine = world.get(&shown).await.expect(200);
        assert_eq!(
            (&mine["status"], &mine["total_size"]),
            (&json!("pending"), &json!(200_010))
        );
        let early = world.grant(&announced).await;
        early.expect_error(410, "GONE");
        let confirmed = world.confirm(&announced).await.expect(200);
        assert_eq!(
            (&confirmed["id"], &confirmed["status"]),
            (&json!(id), &json!("active"))
        );
        assert!(is_seen().await);
        let grant = world.grant(&announced).await.expect(200);
        assert_eq!(grant["message"], "hello");
        assert_eq!(grant["expires_at"], announced["expires_at"]);
        for (n, file) in files.iter().enumerate() {
            let got = http.get(&file_url(&grant, n), "").await;
            assert_eq!((got.status, &got.bytes), (200, file));
        }
        let ranged = http.request("GET", &file_url(&grant, 0), "");
        let ranged = send(ranged.header("range", "bytes=65530-131080")).await;
        assert_eq!(
            (ranged.status, &*ranged.bytes),
            (206, &files[0][65_530..=131_080])
        );
    }
}

#[tokio::test]
async fn what_its_sender_did_not_encrypt_the_server_does_and_else_it_is_left_alone() {
    for world in &World::each().await {
        let http = &world.server.http;
        let text = b"the treasure lies under the old oak".repeat(10);
        let is_stored_plain = || {
            let files = files_under(&world.server.data_dir().join("blobs"));
            let mut files = files.iter().map(|it| std::fs::read(it).unwrap());
            files.any(|it| it.windows(20).any(|it| *it == text[..20]))
        };
        for sealed in [false, true] {
            let more = json!({ "is_encrypted": sealed, "encryption_ivs": ["AAAAAAAAAAAAAAAA"] });
            let announced = world.announce(&[("a", text.len())], &more).await;
            let announced = announced.expect(201);
            stored(&put(http, &url(&announced, 0), &text).await);
            assert_eq!(is_stored_plain(), sealed);
            world.confirm(&announced).await.expect(200);
            let grant = world.grant(&announced).await.expect(200);
            let nonce = if sealed {
                json!("AAAAAAAAAAAAAAAA")
            } else {
                Value::Null
            };
            assert_eq!(grant["files"][0]["encryption_iv"], nonce);
            let got = http.get(&file_url(&grant, 0), "").await;
            assert_eq!(got.bytes, text);
            world
                .delete(&format!(
                    "/v1/transfers/{}",
                    announced["id"].as_str().unwrap()
                ))
                .await;
            world.has_blobs(&[]).await;
        }
    }
}

#[tokio::test]
async fn the_last_whole_try_counts_until_it_is_confirmed() {
    for world in &World::each().await {
        let http = &world.server.http;
        let announced = world.announce(&[("a", 10)], &json!({})).await.expect(201);
        let url = url(&announced, 0);
        let first = stored(&put(http, &url, b"first try.").await);
        put(http, &url, b"too short")
            .await
            .expect_error(400, "SIZE_MISMATCH");
        let second = stored(&put(http, &url, b"second try").await);
        assert_ne!(first, second);
        put(http, &url, b"far too long")
            .await
            .expect_error(400, "SIZE_MISMATCH");
        assert_eq!(
            blobs(&world.server).len(),
            1,
            "of the first nothing is left"
        );
        world.confirm(&announced).await.expect(200);
        assert_eq!(world.downloaded(&announced, 0).await, b"second try");
        let late = put(http, &url, b"third try!").await;
        late.expect_error(409, "ALREADY_CONFIRMED");
        world
            .confirm(&announced)
            .await
            .expect_error(409, "ALREADY_CONFIRMED");
        assert_eq!(world.downloaded(&announced, 0).await, b"second try");
    }
}

#[tokio::test]
async fn an_address_is_for_one_file_until_one_time() {
    for world in &World::each().await {
        let http = &world.server.http;
        let sizes = [("a", 1), ("b", 1)];
        let announced = world.announce(&sizes, &json!({})).await.expect(201);
        let other = world.announce(&sizes, &json!({})).await.expect(201);
        let good = url(&announced, 0);
        let before = (rows(&world.server).await, blobs(&world.server));
        let (path, query) = good.split_once('?').unwrap();
        let ids = |it: &Value| (text(it, "id"), text(&it["upload_urls"][1], "file_id"));
        let ((id, second), (other, _)) = (ids(&announced), ids(&other));
        let first = text(&announced["upload_urls"][0], "file_id");
        let signature = query.split("signature=").nth(1).unwrap();
        let mut typo = good.clone();
        let last = typo.pop().unwrap();
        typo.push(if last == 'A' { 'E' } else { 'A' });
        for bad in [
            path.to_owned(),
            typo,
            good.replace(&id, &other),
            good.replace(&first, &second),
            good.replace("part=1", "part=2"),
            good.replace("part=1", "part=01"),
            good.replace("part=1&", ""),
            good.replace("expires=", "expires=1"),
            good.replace("expires=", "expires=0"),
            good.replace(signature, ""),
            format!("{good}&part=1"),
            format!("{good}="),
        ] {
            put(http, &bad, b"x").await.expect_error(404, "NOT_FOUND");
        }
        // What downloads are signed with signs nothing here, and the other way round.
        let sent = world.sent(&[]).await;
        let grant = world.grant(&sent).await.expect(200);
        let signed = file_url(&grant, 0);
        let (_, theirs) = signed.split_once('?').unwrap();
        put(http, &format!("{path}?part=1&{theirs}"), b"x")
            .await
            .expect_error(404, "NOT_FOUND");
        for method in ["GET", "POST", "DELETE", "PATCH"] {
            let asked = send(http.request(method, &good, "")).await;
            asked.expect_error(405, "METHOD_NOT_ALLOWED");
        }
        let path = format!("/v1/transfers/{}", text(&sent, "id"));
        world.delete(&path).await.expect(200);
        world.has_blobs(&before.1).await;
        world
            .server
            .clock
            .advance(Duration::from_hours(24) - Duration::from_millis(1));
        stored(&put(http, &good, b"x").await);
        world.server.clock.advance(Duration::from_millis(1));
        // As S3 says it.
        put(http, &good, b"x").await.expect_error(403, "FORBIDDEN");
        world.confirm(&announced).await.expect_error(410, "GONE");
    }
}

#[tokio::test]
async fn what_cannot_be_announced_is_refused_and_takes_no_room() {
    for world in &World::everywhere().await {
        let before = rows(&world.server).await;
        let part_size = |it: u64| json!({ "files": [{ "name": "a", "size": 1, "part_size": it }] });
        for (more, field) in [
            (json!({ "files": [] }), "files"),
            (
                json!({ "files": vec![json!({ "name": "a", "size": 1 }); 101] }),
                "files",
            ),
            (
                json!({ "files": [{ "name": "..", "size": 1 }] }),
                "files[0].name",
            ),
            (json!({ "files": [{ "name": "a" }] }), "files[0].size"),
            (
                json!({ "files": [{ "name": "a", "size": -1 }] }),
                "files[0].size",
            ),
            (
                json!({ "files": [{ "name": "a", "size": 1, "content_type": "x" }] }),
                "files[0].content_type",
            ),
            (
                json!({ "is_encrypted": true, "encryption_ivs": [] }),
                "encryption_ivs",
            ),
            (
                json!({ "is_encrypted": true, "encryption_ivs": ["x"] }),
                "encryption_ivs",
            ),
            (
                json!({ "is_encrypted": true, "encryption_salt": "AAAA" }),
                "encryption_salt",
            ),
            (json!({ "mode": "agent-to-human" }), "recipient"),
            (json!({ "expires_in": "366d" }), "expires_in"),
            (json!({ "metadata": { "a": "\u{0}" } }), "metadata"),
            (part_size((5 << 20) - 1), "files[0].part_size"),
            (part_size((5 << 30) + 1), "files[0].part_size"),
            (
                json!({ "files": [{ "name": "a", "size": 10_001_u64 * (5 << 20), "part_size": 5 << 20 }] }),
                "files",
            ),
        ] {
            let refused = world.announce_in_parts(&[("a", 1)], &more).await;
            let error = refused.expect_error(400, "VALIDATION_ERROR");
            assert_eq!(error["details"][0]["field"], field, "{more}: {error}");
        }
        let large = json!({ "files": [{ "name": "a", "size": u64::MAX }] });
        let refused = world.announce(&[], &large).await;
        refused.expect_error(413, "FILE_TOO_LARGE");
        for recipient in [
            "nobody",
            "bob@example.org",
            "019a9f3e-5c1a-7b2d-8e4f-a1b2c3d4e5f6",
        ] {
            let refused = world
                .announce(&[("a", 1)], &json!({ "recipient": recipient }))
                .await;
            refused.expect_error(403, "SHARE_REQUIRED");
        }
        let path = "/v1/account";
        world
            .patch(path, &json!({ "require_encryption": true }))
            .await
            .expect(200);
        let refused = world.announce(&[("a", 1)], &json!({})).await;
        refused.expect_error(400, "ENCRYPTION_REQUIRED");
        world
            .patch(path, &json!({ "require_encryption": false }))
            .await
            .expect(200);
        let after = rows(&world.server).await;
        for table in ["transfers", "parts", "usage", "answers"] {
            assert_eq!(after[table], before[table], "{table}");
        }
    }
}
