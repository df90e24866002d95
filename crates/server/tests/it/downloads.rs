//! Grants: how many there are, and how they end.

use std::time::Duration;

use agentdrop_testkit::http::{Answer, send};
use agentdrop_testkit::server::text;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::world::{World, blobs, file_url};

#[tokio::test]
async fn never_one_download_too_many_whoever_races() {
    for world in &World::everywhere().await {
        for allowed in [1, 2, 10] {
            let most = allowed.to_string();
            let sent = world.sent(&[("max_downloads", &most)]).await;
            let path = format!("/v1/transfers/{}/download", text(&sent, "id"));
            let racers = (0..64).map(|n| {
                let http = &world.server.http;
                let method = if n % 8 == 7 { "HEAD" } else { "GET" };
                send(http.request(method, &path, &world.account.key))
            });
            let answers = join_all(racers).await;
            let granted: Vec<_> = answers.iter().filter(|it| it.status == 200).collect();
            assert_eq!(granted.len(), allowed);
            for refused in answers.iter().filter(|it| it.status != 200) {
                if refused.status != 405 {
                    refused.expect_error(410, "GONE");
                }
            }
            let mut left: Vec<_> = granted
                .iter()
                .map(|it| it.json()["downloads_remaining"].as_u64().unwrap())
                .collect();
            left.sort_unstable();
            assert!(left.iter().copied().eq(0..allowed as u64), "{left:?}");
            let shown = world.shown(&sent).await;
            assert_eq!(shown["downloads"], allowed);
            assert_eq!(shown["status"], "downloaded");
            // Whoever has a grant may still fetch under it, again and again.
            for grant in granted {
                let url = file_url(&grant.json(), 0);
                for _ in 0..2 {
                    let file = world.server.http.get(&url, "").await;
                    assert_eq!((file.status, &*file.bytes), (200, &b"0123456789"[..]));
                }
            }
        }
    }
}

#[tokio::test]
async fn looking_with_head_takes_no_download() {
    for world in &World::each().await {
        let sent = world.sent(&[("max_downloads", "1")]).await;
        let path = format!("/v1/transfers/{}/download", text(&sent, "id"));
        let head = send(world.server.http.request("HEAD", &path, &world.account.key)).await;
        assert_eq!((head.status, head.header("allow")), (405, "GET"));
        world.grant(&sent).await.expect(200);
    }
}

#[tokio::test]
async fn a_grant_works_for_an_hour() {
    for world in &World::everywhere().await {
        let sent = world.sent(&[]).await;
        let grant = world.grant(&sent).await.expect(200);
        assert_eq!(grant["download_expires_at"], "2026-04-17T13:00:00.000Z");
        world.server.clock.advance(Duration::from_secs(3_599));
        let http = &world.server.http;
        assert_eq!(http.get(&file_url(&grant, 0), "").await.status, 200);
        world.server.clock.advance(Duration::from_secs(1));
        http.get(&file_url(&grant, 0), "")
            .await
            .expect_error(410, "GONE");
        world.grant(&sent).await.expect(200);
    }
}

async fn ack(world: &World, sent: &Value, grant: &Value, status: &str) -> Answer {
    let path = format!("/v1/transfers/{}/ack", text(sent, "id"));
    let body =
        json!({ "download_id": grant["download_id"], "status": status, "reason": "because" });
    world.post(&path, &body).await
}

#[tokio::test]
async fn what_was_received_goes_and_what_was_rejected_stays() {
    for world in &World::each().await {
        let empty = blobs(&world.server);
        let sent = world.sent(&[("auto_delete", "true")]).await;
        let (first, second) = (
            world.grant(&sent).await.expect(200),
            world.grant(&sent).await.expect(200),
        );
        let rejected = ack(world, &sent, &first, "rejected").await.expect(200);
        assert_eq!(rejected["status"], "rejected");
        assert_eq!(rejected["reason"], "because");
        assert_eq!(rejected["at"], "2026-04-17T12:00:00.000Z");
        world.server.sweep().await;
        assert_eq!(world.shown(&sent).await["status"], "active");
        // What was said first stands.
        let again = ack(world, &sent, &first, "received").await.expect(200);
        assert_eq!(again["status"], "rejected");
        assert_eq!(world.shown(&sent).await["status"], "active");

        assert_eq!(
            ack(world, &sent, &second, "received").await.expect(200)["status"],
            "received"
        );
        world.server.sweep().await;
        let shown = world.shown(&sent).await;
        assert_eq!(shown["status"], "deleted");
        assert_eq!(shown["deliveries"].as_array().unwrap().len(), 2);
        world.has_blobs(&empty).await;
        world
            .server
            .http
            .get(&file_url(&second, 0), "")
            .await
            .expect_error(410, "GONE");
        ack(world, &sent, &second, "received").await.expect(200);

        // Without `auto_delete` an acknowledgement ends nothing.
        let kept = world.sent(&[]).await;
        let grant = world.grant(&kept).await.expect(200);
        ack(world, &kept, &grant, "received").await.expect(200);
        world.server.sweep().await;
        assert_eq!(world.shown(&kept).await["status"], "active");
        // And a grant is one of its transfer alone.
        let mixed = ack(world, &kept, &second, "received").await;
        mixed.expect_error(404, "NOT_FOUND");
    }
}

#[tokio::test]
async fn what_was_streamed_to_its_end_goes_after_a_while() {
    for world in &World::each().await {
        let (empty, http) = (blobs(&world.server), &world.server.http);
        for (most, after) in [("10", "deleted"), ("1", "downloaded")] {
            let fields = [("auto_delete", "true"), ("max_downloads", most)];
            let large = vec![7; 200_000];
            let files: [(&str, &[u8]); 3] = [("a", b"aaa"), ("empty", b""), ("b", &large)];
            let sent = world.send(&fields, &files).await.expect(201);
            let grant = world.grant(&sent).await.expect(200);
            // All but one, half of that one, and a look at it.
            for position in [0, 1] {
                assert_eq!(http.get(&file_url(&grant, position), "").await.status, 200);
            }
            let url = file_url(&grant, 2);
            let half = http
                .request("GET", &url, "")
                .header("range", "bytes=0-99999");
            assert_eq!(send(half).await.status, 206);
            assert_eq!(send(http.request("HEAD", &url, "")).await.status, 200);
            settle().await;
            world.server.clock.advance(Duration::from_mins(11));
            world.server.sweep().await;
            assert_ne!(world.shown(&sent).await["status"], "deleted");
            let rest = http
                .request("GET", &url, "")
                .header("range", "bytes=100000-");
            assert_eq!(send(rest).await.status, 206, "nothing is lost by then");
            settle().await;
            // Within the grace it may be fetched again.
            world.server.clock.advance(Duration::from_mins(9));
            world.server.sweep().await;
            assert_eq!(http.get(&url, "").await.status, 200);
            settle().await;
            world.server.clock.advance(Duration::from_mins(2));
            world.server.sweep().await;
            assert_eq!(world.shown(&sent).await["status"], after);
            world.has_blobs(&empty).await;
            http.get(&url, "").await.expect_error(410, "GONE");
        }
    }
}

/// Lets what is noted behind an answer be noted.
async fn settle() {
    tokio::time::sleep(Duration::from_millis(200)).await;
}

#[tokio::test]
async fn a_failed_download_and_a_look_by_the_sender_lose_nothing() {
    for world in &World::everywhere().await {
        let (_, alice) = world.agent_key("alice").await;
        let sent = world.sent(&[("auto_delete", "true")]).await;
        let path = format!("/v1/transfers/{}/download", text(&sent, "id"));
        let http = &world.server.http;
        let grant = http.get(&path, &alice).await.expect(200);
        assert_eq!(http.get(&file_url(&grant, 0), "").await.status, 200);
        settle().await;
        world.server.clock.advance(Duration::from_mins(15));
        world.server.sweep().await;
        assert_eq!(world.shown(&sent).await["status"], "active");
    }
}
