//! Small files, which are kept beside their transfer's row and in no blob.

use std::time::Duration;

use agentdrop_testkit::at_rest::{Blob, small_bodies};
use agentdrop_testkit::engines::Engine;
use agentdrop_testkit::http::{Answer, send};
use agentdrop_testkit::person::ReceiveKey;
use agentdrop_testkit::s3::TestBucket;
use agentdrop_testkit::server::{PASSWORD, TestServer, text};
use serde_json::json;

use crate::activation;
use crate::parties::Parties;
use crate::receive_passwords::put;
use crate::uploads::bytes;
use crate::world::{World, everything, file_url, files_under, until};

/// What is stored of a file that is kept beside its row has at most as many bytes.
const SMALL: usize = 16 * 1024;
/// What the server adds to so few when it encrypts them.
const TAG: usize = 16;

const SEALED: &[(&str, &str)] = &[("is_encrypted", "true")];
const PLAIN: &[(&str, &str)] = &[];

/// What is kept beside rows.
fn beside(server: &TestServer) -> usize {
    let small = small_bodies(server.database());
    assert!(small.iter().all(|it| it.bytes.len() <= SMALL));
    small.len()
}

/// Files on the disk.
fn on_disk(server: &TestServer) -> usize {
    files_under(&server.data_dir().join("blobs")).len()
}

async fn nothing_is_left(server: &TestServer, of: &str) {
    server.sweep().await;
    let nothing = async || (beside(server), on_disk(server)) == (0, 0);
    until(&format!("nothing is left of what {of}"), nothing).await;
}

async fn fetch(world: &World, method: &str, url: &str, range: &str) -> Answer {
    let request = world.server.http.request(method, url, "");
    send(request.header("range", range)).await
}

#[tokio::test]
async fn a_file_of_any_size_comes_back_whole_and_by_ranges() {
    for world in &World::each().await {
        for (fields, added) in [(SEALED, 0), (PLAIN, TAG)] {
            for size in [
                0,
                1,
                SMALL - TAG,
                SMALL - TAG + 1,
                SMALL - 1,
                SMALL,
                SMALL + 1,
            ] {
                let whole = bytes(size, 7);
                let sent = world.send(fields, &[("a", &whole)]).await.expect(201);
                let is_small = size + added <= SMALL;
                let stored = (usize::from(is_small), usize::from(!is_small));
                let found = (beside(&world.server), on_disk(&world.server));
                assert_eq!(found, stored, "{size} {fields:?}");
                assert_eq!(sent["files"][0]["size"], size);
                let grant = world.grant(&sent).await.expect(200);
                let url = file_url(&grant, 0);
                let got = world.server.http.get(&url, "").await;
                assert!(got.status == 200 && got.bytes == whole, "{size}");
                let head = send(world.server.http.request("HEAD", &url, "")).await;
                assert_eq!(head.header("etag"), got.header("etag"));
                assert_eq!(head.header("content-length"), size.to_string());
                for (first, last) in [(0, 0), (1, 5), (size / 2, size), (size - size.min(1), size)]
                {
                    let part = fetch(world, "GET", &url, &format!("bytes={first}-{last}")).await;
                    if first >= size {
                        part.expect_error(416, "RANGE_NOT_SATISFIABLE");
                        continue;
                    }
                    assert_eq!(part.status, 206, "{size}");
                    assert!(part.bytes == whole[first..size.min(last + 1)], "{size}");
                }
                let path = format!("/v1/transfers/{}", text(&sent, "id"));
                world.delete(&path).await.expect(200);
                nothing_is_left(&world.server, "was deleted").await;
                let gone = world.server.http.get(&url, "").await;
                gone.expect_error(410, "GONE");
            }
        }
    }
}

#[tokio::test]
async fn of_a_transfer_some_are_beside_the_row_and_some_on_the_disk() {
    for world in &World::each().await {
        for fields in [SEALED, PLAIN] {
            let sizes = [10, 100_000, 0, SMALL + 1, 4_096];
            let files: Vec<_> = (1..).zip(sizes).map(|(n, it)| bytes(it, n)).collect();
            let named: Vec<_> = files.iter().map(|it| ("same", &it[..])).collect();
            let sent = world.send(fields, &named).await.expect(201);
            assert_eq!((beside(&world.server), on_disk(&world.server)), (3, 2));
            for (position, expected) in files.iter().enumerate() {
                assert!(world.downloaded(&sent, position).await == *expected);
            }
            let used = world.used().await.1;
            assert_eq!(used, sizes.iter().sum::<usize>());
            let path = format!("/v1/transfers/{}", text(&sent, "id"));
            world.delete(&path).await.expect(200);
            nothing_is_left(&world.server, "was deleted").await;
        }
    }
}

#[tokio::test]
async fn what_is_over_leaves_nothing_beside_its_row() {
    for world in &World::each().await {
        let large = bytes(30_000, 7);
        let files: &[(&str, &[u8])] = &[("a", b"0123456789"), ("b", &large)];
        // It expires.
        world.send(PLAIN, files).await.expect(201);
        world.server.clock.advance(Duration::from_hours(24 * 90));
        nothing_is_left(&world.server, "expired").await;

        // It was received.
        let sent = world.send(&[("auto_delete", "true")], files).await;
        let sent = sent.expect(201);
        let grant = world.grant(&sent).await.expect(200);
        let body = json!({ "download_id": grant["download_id"], "status": "received" });
        let path = format!("/v1/transfers/{}/ack", text(&sent, "id"));
        world.post(&path, &body).await.expect(200);
        nothing_is_left(&world.server, "was received").await;

        // It was fetched to its end, and nobody said anything.
        let sent = world.sent(&[("auto_delete", "true")]).await;
        let grant = world.grant(&sent).await.expect(200);
        world.server.http.get(&file_url(&grant, 0), "").await;
        let streamed = async || !everything(&world.server).await["streamed_files"].is_empty();
        until("that it was fetched is written", streamed).await;
        world.server.clock.advance(Duration::from_hours(1));
        nothing_is_left(&world.server, "was fetched").await;

        // It is refused in the unit of work that it comes in.
        let unknown = [("sender", "alice"), ("recipient", "nobody")];
        let (http, key) = (&world.server.http, &world.account.key);
        let refused = http.form("/v1/transfers", key, &unknown, files).await;
        assert_eq!(refused.status / 100, 4, "{:?}", refused.json());
        assert_eq!((beside(&world.server), on_disk(&world.server)), (0, 0));

        // Its agent is deleted.
        world.send(PLAIN, files).await.expect(201);
        world.delete("/v1/agents/bob").await.expect(200);
        nothing_is_left(&world.server, "an agent was sent").await;
    }
}

#[tokio::test]
async fn a_deleted_account_leaves_none_of_its_small_files() {
    for Parties { server, alex, .. } in &Parties::each().await {
        let [a, b] = ["data-pipeline", "data-pipeline"];
        alex.send(a, b, &[]).await.expect(201);
        assert_eq!(beside(server), 1);
        let session = server.session_of(&alex.account).await;
        let request = server.http.request("DELETE", "/v1/account", &session);
        let deleted = send(request.json(&json!({ "password": PASSWORD }))).await;
        deleted.expect(200);
        nothing_is_left(server, "its account had").await;
    }
}

/// What the server could read is gone with the switch, and not behind it.
#[tokio::test]
async fn what_waited_beside_its_row_is_replaced_with_the_row() {
    for parties in &Parties::each().await {
        let Parties { server, jamie, .. } = parties;
        // Sealed for a person, the third is too large.
        let edge = bytes(SMALL - TAG, 3);
        let files = [("a", &b"0123456789"[..]), ("b", b""), ("c", &edge)];
        let sent = activation::send(parties, &jamie.email, &files).await;
        assert_eq!((beside(server), on_disk(server)), (3, 0));
        let before = small_bodies(server.database());
        let key = ReceiveKey::new();
        let session = server.session_of(&jamie.account).await;
        put(server, &session, &key.password()).await.expect(200);
        server.activate().await;
        let path = format!("/v1/transfers/{}", text(&sent, "id"));
        let active = async || jamie.get(&path).await.expect(200)["status"] == "active";
        until("it is activated", active).await;
        // With the envelope.
        assert_eq!((beside(server), on_disk(server)), (3, 1));
        for now in small_bodies(server.database()) {
            let is_there = |it: &Blob| it.name == now.name || it.bytes == now.bytes;
            assert!(!before.iter().any(is_there), "{}", now.name);
        }
        let grant = jamie.get(&format!("{path}/download")).await.expect(200);
        let found = activation::opened(jamie, server, &grant, &key).await;
        let expected = files.map(|(name, bytes)| (name.to_owned(), bytes.to_vec()));
        assert_eq!(found, expected);
        jamie.delete(&path).await.expect(200);
        nothing_is_left(server, "was activated").await;
    }
}

/// Whoever fetches from a bucket fetches all from there.
#[tokio::test]
async fn in_a_bucket_no_file_is_small() {
    for engine in Engine::ALL {
        let bucket = TestBucket::new().await;
        let world = World::in_bucket(engine, &bucket).await;
        let sent = world.send(SEALED, &[("a", b"x"), ("b", b"")]).await;
        let sent = sent.expect(201);
        assert_eq!(small_bodies(world.server.database()).len(), 0);
        assert_eq!(bucket.objects().await.len(), 2);
        assert!(world.downloaded(&sent, 0).await == b"x");
    }
}
