//! A server whose files are in a bucket, of a real S3 server.

mod activated;
mod direct;
mod hostile;
mod outage;
mod parts;

use std::time::{Duration, SystemTime};

use agentdrop_testkit::engines::Engine;
use agentdrop_testkit::s3::TestBucket;
use agentdrop_testkit::server::text;
use serde_json::{Value, json};

use crate::uploads::{bytes, part_url, put, stored, url};
use crate::world::{World, file_url, files_under, until};

/// Fields of a form, or of an announcement, whose files their sender sealed.
fn sealed() -> Value {
    json!({ "is_encrypted": true })
}

const SEALED: &[(&str, &str)] = &[("is_encrypted", "true")];

/// A world on each engine, each with its bucket.
async fn each() -> Vec<(World, TestBucket)> {
    let mut worlds = Vec::new();
    for engine in Engine::ALL {
        let bucket = TestBucket::new().await;
        worlds.push((World::in_bucket(engine, &bucket).await, bucket));
    }
    worlds
}

/// Waits until a bucket has nothing.
async fn is_emptied(world: &World, bucket: &TestBucket) {
    world.server.sweep().await;
    let swept = async || bucket.is_empty().await;
    until("nothing is in the bucket", swept).await;
}

#[tokio::test]
async fn what_is_sent_by_form_is_received_and_goes_when_it_is_deleted() {
    for (world, bucket) in &each().await {
        for (fields, name) in [(SEALED, "sealed"), (&[], "plain")] {
            let (small, large) = (bytes(10, 1), bytes(9 << 20, 2));
            let files = [("a.txt", &small[..]), ("b.txt", &large[..])];
            let sent = world.send(fields, &files).await.expect(201);
            assert_eq!(bucket.objects().await.len(), 2, "{name}");
            assert!(world.downloaded(&sent, 0).await == small);
            assert!(world.downloaded(&sent, 1).await == large);
            let path = format!("/v1/transfers/{}", text(&sent, "id"));
            world.delete(&path).await.expect(200);
            is_emptied(world, bucket).await;
        }
        let local = files_under(&world.server.data_dir());
        let names: Vec<_> = local.iter().map(|it| it.file_name().unwrap()).collect();
        assert_eq!(
            names,
            ["server.key", "server.lock"],
            "{:?}",
            world.server.engine()
        );
    }
}

#[tokio::test]
async fn a_range_is_a_range_wherever_it_is_fetched_from() {
    for (world, _bucket) in &each().await {
        let large = bytes(3 << 20, 4);
        for fields in [SEALED, &[]] {
            let sent = world.send(fields, &[("a", &large)]).await.expect(201);
            let url = file_url(&world.grant(&sent).await.expect(200), 0);
            for (range, from, to) in [
                ("bytes=0-0", 0, 1),
                ("bytes=70000-140000", 70_000, 140_001),
                ("bytes=1048570-2097160", 1_048_570, 2_097_161),
                ("bytes=-5", large.len() - 5, large.len()),
            ] {
                let request = world.server.http.request("GET", &url, "");
                let got = agentdrop_testkit::http::send(request.header("range", range)).await;
                assert_eq!(got.status, 206, "{range}");
                assert!(got.bytes == large[from..to], "{range}");
            }
        }
    }
}

#[tokio::test]
async fn what_has_expired_goes_from_the_bucket() {
    for (world, bucket) in &each().await {
        world.send(SEALED, &[("a", b"x")]).await.expect(201);
        world
            .send(&[], &[("a", &bytes(1 << 20, 1))])
            .await
            .expect(201);
        world.announce(&[("b", 7)], &json!({})).await.expect(201);
        world
            .announce_in_parts(&[("b", 7)], &sealed())
            .await
            .expect(201);
        assert!(bucket.uploads().await.contains("<Upload>"));
        world.server.clock.advance(Duration::from_hours(25));
        is_emptied(world, bucket).await;
        assert_eq!(world.used().await.1, json!(0));
    }
}

#[tokio::test]
async fn the_bucket_tells_nobody_what_was_sent() {
    let (plain, name) = (
        b"the quick brown fox jumps over the lazy dog",
        "fox-and-dog.txt",
    );
    for (world, bucket) in &each().await {
        let message = [("message", "mind the fox")];
        world.send(&message, &[(name, plain)]).await.expect(201);
        let announced = world
            .announce(&[(name, plain.len())], &json!({}))
            .await
            .expect(201);
        stored(&put(&world.server.http, &url(&announced, 0), plain).await);
        world.confirm(&announced).await.expect(200);
        let objects = bucket.objects().await;
        assert_eq!(objects.len(), 2);
        for (key, _) in objects {
            let stored = bucket.read(&key).await;
            let clear = |needle: &[u8]| stored.windows(needle.len()).any(|it| it == needle);
            assert!(!clear(b"quick brown") && !clear(b"fox"), "{key}");
            assert!(!key.contains("fox"), "{key}");
        }
    }
}

#[tokio::test]
async fn what_belongs_to_no_transfer_is_deleted_and_nothing_else() {
    for (world, bucket) in &each().await {
        let kept = world.send(SEALED, &[("a", b"kept")]).await.expect(201);
        let coming = world
            .announce_in_parts(&[("b", 7)], &sealed())
            .await
            .expect(201);
        let whole = world.announce(&[("c", 3)], &sealed()).await.expect(201);
        stored(&put(&world.server.http, &url(&whole, 0), b"abc").await);
        let gone = world.announce(&[("d", 3)], &sealed()).await.expect(201);
        let late = url(&gone, 0);
        let path = format!("/v1/transfers/{}", text(&gone, "id"));
        world.delete(&path).await.expect(200);
        world.server.sweep().await;
        // Its sender has an address that still works, and nobody to stop it.
        stored(&put(&world.server.http, &late, b"abc").await);
        assert_eq!(bucket.objects().await.len(), 3);
        #[expect(
            clippy::disallowed_methods,
            reason = "the bucket has the machine's time"
        )]
        let soon = SystemTime::now() + Duration::from_mins(1);
        world.server.delete_orphans(soon).await;
        assert_eq!(bucket.objects().await.len(), 2);
        assert!(bucket.uploads().await.contains("<Upload>"));
        assert!(world.downloaded(&kept, 0).await == b"kept");
        world.confirm(&whole).await.expect(200);
        let part = part_url(&coming, 1);
        stored(&put(&world.server.http, &part, b"0123456").await);
    }
}
