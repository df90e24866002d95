//! Files that come to the bucket in parts.

use agentdrop_testkit::server::text;
use serde_json::{Value, json};

use super::{each, is_emptied, sealed};
use crate::uploads::{PART, bytes, part_url, put, stored, url};
use crate::world::World;

fn path(announced: &Value, end: &str) -> String {
    let (id, file) = (
        text(announced, "id"),
        text(&announced["files"][0], "file_id"),
    );
    format!("/v1/transfers/{id}/files/{file}/{end}")
}

fn completion(announced: &Value, etags: &[(u32, &str)]) -> Value {
    let parts = etags
        .iter()
        .map(|it| json!({ "part_number": it.0, "etag": it.1 }));
    let parts: Vec<_> = parts.collect();
    json!({ "upload_id": announced["files"][0]["upload_id"], "parts": parts })
}

async fn listed(world: &World, announced: &Value) -> Value {
    world.get(&path(announced, "parts")).await.expect(200)
}

#[tokio::test]
async fn parts_are_sent_to_the_bucket_listed_and_put_together_there() {
    for (world, bucket) in &each().await {
        let content = bytes(2 * PART + 10, 5);
        let files = [("a", content.len())];
        let announced = world.announce_in_parts(&files, &sealed()).await.expect(201);
        let complete = path(&announced, "complete-multipart");
        let mut etags = Vec::new();
        for (n, part) in content.chunks(PART).enumerate().rev() {
            let url = part_url(&announced, n + 1);
            assert!(url.starts_with(&bucket.config().endpoint));
            let seen = listed(world, &announced).await;
            assert_eq!(seen["parts"].as_array().unwrap().len(), 2 - n);
            etags.insert(0, stored(&put(&world.server.http, &url, part).await));
        }
        let seen = listed(world, &announced).await;
        assert_eq!(
            seen["parts"][2],
            json!({ "part_number": 3, "etag": etags[2], "size": 10 })
        );
        let [one, two, three] = &etags[..] else {
            panic!("three parts")
        };
        for (named, code) in [
            (
                &[(2, &**two), (1, one), (3, three)][..],
                "INVALID_PART_ORDER",
            ),
            (&[(1, one), (2, one), (3, three)], "INVALID_PART"),
            (&[(1, one), (2, two)], "PARTS_MISSING"),
            (&[(1, one), (1, one), (3, three)], "DUPLICATE_PART"),
            (&[], "PARTS_MISSING"),
        ] {
            let refused = world.post(&complete, &completion(&announced, named)).await;
            refused.expect_error(400, code);
        }
        world
            .confirm(&announced)
            .await
            .expect_error(400, "FILES_MISSING");
        let all = completion(&announced, &[(1, one), (2, two), (3, three)]);
        world.post(&complete, &all).await.expect(200);
        // Whoever did not get the answer asks again.
        world.post(&complete, &all).await.expect(200);
        let again = put(
            &world.server.http,
            &part_url(&announced, 1),
            &content[..PART],
        )
        .await;
        assert!(again.status >= 400, "nothing can come any more");
        world.confirm(&announced).await.expect(200);
        assert_eq!(bucket.objects().await.len(), 1, "one object, and no part");
        assert!(world.downloaded(&announced, 0).await == content);
    }
}

#[tokio::test]
async fn an_empty_file_comes_as_any_other() {
    for (world, _bucket) in &each().await {
        let files = [("a", 0), ("b", 3)];
        let whole = world.announce(&files, &sealed()).await.expect(201);
        stored(&put(&world.server.http, &url(&whole, 0), b"").await);
        stored(&put(&world.server.http, &url(&whole, 1), b"abc").await);
        world.confirm(&whole).await.expect(200);
        assert!(world.downloaded(&whole, 0).await.is_empty());
        assert_eq!(world.downloaded(&whole, 1).await, b"abc");
        let parts = world.announce_in_parts(&files[..1], &sealed()).await;
        let parts = parts.expect(201);
        let complete = path(&parts, "complete-multipart");
        let none = completion(&parts, &[]);
        world.post(&complete, &none).await.expect(200);
        world.confirm(&parts).await.expect(200);
        assert!(world.downloaded(&parts, 0).await.is_empty());
    }
}

#[tokio::test]
async fn an_aborted_file_leaves_nothing_in_the_bucket() {
    for (world, bucket) in &each().await {
        let announced = world
            .announce_in_parts(&[("a", 7)], &sealed())
            .await
            .expect(201);
        stored(&put(&world.server.http, &part_url(&announced, 1), b"0123456").await);
        let abort = json!({ "upload_id": announced["files"][0]["upload_id"] });
        let aborted = world
            .post(&path(&announced, "abort-multipart"), &abort)
            .await;
        aborted.expect(200);
        is_emptied(world, bucket).await;
        let late = put(&world.server.http, &part_url(&announced, 1), b"0123456").await;
        assert!(late.status >= 400, "{}", late.status);
        assert_eq!(world.used().await, (json!(0), json!(0)));
    }
}
