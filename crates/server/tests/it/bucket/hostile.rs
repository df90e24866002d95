//! Addresses in the bucket that somebody tampers with.

use std::time::Duration;

use agentdrop_testkit::engines::Engine;
use agentdrop_testkit::http::{Http, send};
use agentdrop_testkit::s3::TestBucket;
use serde_json::json;

use super::sealed;
use crate::uploads::{PART, part_url, put, url};
use crate::world::{World, until};

/// What the bucket answers to bytes that are sent there.
async fn status(http: &Http, url: &str, bytes: &[u8]) -> u16 {
    put(http, url, bytes).await.status
}

#[tokio::test]
async fn the_bucket_takes_what_was_announced_and_nothing_else() {
    let bucket = TestBucket::new().await;
    let world = World::in_bucket(Engine::Sqlite, &bucket).await;
    let http = &world.server.http;
    let whole = world
        .announce(&[("a", 5), ("b", 5)], &sealed())
        .await
        .expect(201);
    let parts = world
        .announce_in_parts(&[("a", PART + 5)], &sealed())
        .await
        .expect(201);
    let (first, second, part) = (url(&whole, 0), url(&whole, 1), part_url(&parts, 2));
    for good in [&first, &part] {
        for other in [&b""[..], b"1234", b"123456"] {
            let answered = status(http, good, other).await;
            assert!(matches!(answered, 400 | 403), "{answered}: another length");
        }
        let (path, query) = good.split_once('?').unwrap();
        let forged = good.replace("X-Amz-Signature=", "X-Amz-Signature=0");
        let longer = good.replace("X-Amz-Expires=", "X-Amz-Expires=1");
        let elsewhere = format!("{path}x?{query}");
        for bad in [path, &forged, &longer, &elsewhere] {
            let answered = status(http, bad, b"12345").await;
            assert!(matches!(answered, 400 | 403), "{answered}: {bad}");
        }
        assert_eq!(status(http, good, b"12345").await, 200);
    }
    let swapped = first.replace(
        first.split_once('?').unwrap().0,
        second.split_once('?').unwrap().0,
    );
    assert_eq!(status(http, &swapped, b"12345").await, 403);
    let another = part.replace("partNumber=2", "partNumber=3");
    assert_ne!(another, part);
    assert_eq!(status(http, &another, b"12345").await, 403);
    let read = world.server.http.get(&first, "").await;
    assert_eq!(read.status, 403, "an address to write is none to read");
    let chunked = of_unknown_length(b"12345");
    let unsaid = send(http.request("PUT", &second, "").body(chunked)).await;
    assert!(
        unsaid.status >= 400,
        "a length that is not said is no length"
    );
    let missing = world
        .confirm(&whole)
        .await
        .expect_error(400, "FILES_MISSING");
    assert_eq!(missing["details"][0]["field"], json!("files[1]"));
}

/// A body whose length nobody knows beforehand.
fn of_unknown_length(bytes: &'static [u8]) -> reqwest::Body {
    reqwest::Body::wrap(http_body_util::StreamBody::new(futures_util::stream::iter(
        [Ok::<_, std::io::Error>(http_body::Frame::data(
            bytes::Bytes::from_static(bytes),
        ))],
    )))
}

#[tokio::test]
async fn an_address_works_no_longer_than_the_announcement() {
    let bucket = TestBucket::new().await;
    let world = World::in_bucket(Engine::Sqlite, &bucket).await;
    let brief = json!({ "is_encrypted": true, "expires_in": "1m" });
    let announced = world.announce(&[("a", 5)], &brief).await.expect(201);
    let to = url(&announced, 0);
    assert!(to.contains("X-Amz-Expires=60&"), "{to}");
    world.server.clock.advance(Duration::from_secs(59));
    // The bucket's own clock runs on: what is left of a minute is a second.
    let second = world.announce(&[("a", 5)], &brief).await.expect(201);
    assert!(url(&second, 0).contains("X-Amz-Expires=60&"));
    world.server.clock.advance(Duration::from_secs(2));
    world.confirm(&announced).await.expect_error(410, "GONE");
}

#[tokio::test]
async fn a_refused_announcement_leaves_nothing_coming() {
    let bucket = TestBucket::new().await;
    let world = World::in_bucket(Engine::Sqlite, &bucket).await;
    let nobody = json!({ "is_encrypted": true, "recipient": "nobody" });
    let refused = world
        .announce_in_parts(&[("a", 5), ("b", 5)], &nobody)
        .await;
    assert!(refused.status >= 400);
    until("all is given up", async || bucket.is_empty().await).await;
}
