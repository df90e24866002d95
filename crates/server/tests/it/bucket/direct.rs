//! What their sender sealed, sent to the bucket and fetched from it without us.

use agentdrop_server::Route;
use agentdrop_testkit::engines::Engine;
use agentdrop_testkit::http::send;
use agentdrop_testkit::s3::TestBucket;
use agentdrop_testkit::server::TestServer;
use serde_json::json;

use super::{SEALED, each, sealed};
use crate::uploads::{bytes, part_url, put, stored, url};
use crate::world::{World, file_url};

#[tokio::test]
async fn sealed_files_go_to_the_bucket_and_come_from_it() {
    for (world, bucket) in &each().await {
        let endpoint = bucket.config().endpoint;
        let (one, two) = (bytes(300_000, 3), bytes(1, 4));
        let files = [("a", one.len()), ("b", two.len())];
        let announced = world.announce(&files, &sealed()).await.expect(201);
        assert!(bucket.objects().await.is_empty());
        let missing = world.confirm(&announced).await;
        let missing = missing.expect_error(400, "FILES_MISSING");
        assert_eq!(missing["details"].as_array().unwrap().len(), 2);
        for (position, content) in [&one, &two].into_iter().enumerate() {
            let url = url(&announced, position);
            assert!(url.starts_with(&endpoint), "not to us");
            stored(&put(&world.server.http, &url, content).await);
            // Sent again it counts as well.
            stored(&put(&world.server.http, &url, content).await);
        }
        let headers = &announced["upload_urls"][0]["headers"];
        assert_eq!(
            *headers,
            json!({ "Content-Type": "application/octet-stream" })
        );
        world.confirm(&announced).await.expect(200);
        world
            .confirm(&announced)
            .await
            .expect_error(409, "ALREADY_CONFIRMED");
        assert_eq!(world.used().await, (json!(1), json!(300_001)));

        let grant = world.grant(&announced).await.expect(200);
        for (position, content) in [&one, &two].into_iter().enumerate() {
            let url = file_url(&grant, position);
            assert!(url.starts_with(&endpoint), "not from us");
            let got = world.server.http.get(&url, "").await;
            assert_eq!(got.status, 200);
            assert!(got.bytes == *content);
            assert_eq!(got.header("content-type"), "application/octet-stream");
            assert_eq!(got.header("content-disposition"), "attachment");
        }
    }
}

#[tokio::test]
async fn what_we_encrypt_and_what_goes_after_its_delivery_comes_through_us() {
    let bucket = TestBucket::new().await;
    let world = World::in_bucket(Engine::Sqlite, &bucket).await;
    let once = [SEALED, &[("auto_delete", "true")]].concat();
    for (fields, direct) in [(SEALED, true), (&[], false), (&once[..], false)] {
        let sent = world
            .send(fields, &[("a", b"0123456789")])
            .await
            .expect(201);
        let url = file_url(&world.grant(&sent).await.expect(200), 0);
        assert_eq!(
            url.starts_with(&bucket.config().endpoint),
            direct,
            "{fields:?}"
        );
        assert!(world.downloaded(&sent, 0).await == b"0123456789");
    }
    let announced = world.announce(&[("a", 3)], &json!({})).await.expect(201);
    let to = url(&announced, 0);
    assert!(
        to.starts_with(&world.server.url),
        "what is not sealed comes through us"
    );
}

#[tokio::test]
async fn an_operator_may_have_all_of_it_go_through_the_server() {
    let bucket = TestBucket::new().await;
    let mut s3 = bucket.config();
    (s3.downloads, s3.uploads) = (Route::Relayed, Route::Relayed);
    let server = TestServer::start(Engine::Sqlite, |it| it.s3 = Some(s3)).await;
    let world = World::on(server).await;
    let sent = world
        .send(SEALED, &[("a", b"0123456789")])
        .await
        .expect(201);
    let from = file_url(&world.grant(&sent).await.expect(200), 0);
    assert!(from.starts_with(&world.server.url));
    assert!(world.downloaded(&sent, 0).await == b"0123456789");

    let announced = world.announce(&[("a", 3)], &sealed()).await.expect(201);
    let to = url(&announced, 0);
    assert!(to.starts_with(&world.server.url), "{to}");
    stored(&put(&world.server.http, &to, b"abc").await);
    world.confirm(&announced).await.expect(200);
    assert!(world.downloaded(&announced, 0).await == b"abc");
    let coming = world.announce_in_parts(&[("b", 7)], &sealed()).await;
    let to = part_url(&coming.expect(201), 1);
    assert!(to.starts_with(&world.server.url), "{to}");
}

#[tokio::test]
async fn what_is_put_in_the_place_of_confirmed_bytes_is_not_handed_out() {
    for (world, bucket) in &each().await {
        let announced = world.announce(&[("a", 3)], &sealed()).await.expect(201);
        let to = url(&announced, 0);
        stored(&put(&world.server.http, &to, b"abc").await);
        world.confirm(&announced).await.expect(200);
        assert!(world.downloaded(&announced, 0).await == b"abc");
        // The address works until it expires, and the bucket knows of no confirmation.
        stored(&put(&world.server.http, &to, b"xyz").await);
        let grant = world.grant(&announced).await.expect(200);
        let from = file_url(&grant, 0);
        assert!(!from.starts_with(&bucket.config().endpoint));
        let got = world.server.http.get(&from, "").await;
        got.expect_error(410, "GONE");
    }
}

#[tokio::test]
async fn a_grant_is_for_what_it_names_and_for_reading_alone() {
    let bucket = TestBucket::new().await;
    let world = World::in_bucket(Engine::Sqlite, &bucket).await;
    let sent = world
        .send(SEALED, &[("a", b"0123456789"), ("b", b"b")])
        .await
        .expect(201);
    let grant = world.grant(&sent).await.expect(200);
    let (first, second) = (file_url(&grant, 0), file_url(&grant, 1));
    let swapped = {
        let path = |it: &str| it.split_once('?').unwrap().0.to_owned();
        first.replace(&path(&first), &path(&second))
    };
    let unsigned = first.split_once('?').unwrap().0.to_owned();
    let longer = first.replace("X-Amz-Expires=3600", "X-Amz-Expires=360000");
    assert_ne!(longer, first);
    for bad in [swapped, unsigned, longer] {
        assert_eq!(world.server.http.get(&bad, "").await.status, 403);
    }
    for method in ["PUT", "DELETE"] {
        let request = world.server.http.request(method, &first, "");
        assert_eq!(send(request.body("x")).await.status, 403, "{method}");
    }
}
