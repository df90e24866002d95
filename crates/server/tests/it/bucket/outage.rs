//! A bucket that is away for a while.

use agentdrop_testkit::engines::Engine;
use agentdrop_testkit::http::Answer;
use agentdrop_testkit::s3::OwnServer;
use agentdrop_testkit::server::text;
use serde_json::json;

use super::{SEALED, sealed};
use crate::uploads::{bytes, put, stored, url};
use crate::world::{World, file_url, until};

fn is_away(answer: &Answer) {
    answer.expect_error(503, "UNAVAILABLE");
    assert_eq!(answer.header("retry-after"), "5");
}

#[tokio::test]
async fn while_the_bucket_is_away_all_is_refused_and_nothing_that_was_kept_is_lost() {
    let mut s3 = OwnServer::start().await;
    let bucket = s3.bucket();
    let world = World::in_bucket(Engine::Sqlite, &bucket).await;
    let (small, large) = (bytes(100, 1), bytes(9 << 20, 2));
    let plain = world
        .send(&[], &[("a", &small), ("b", &large)])
        .await
        .expect(201);
    let announced = world.announce(&[("c", 5)], &sealed()).await.expect(201);
    stored(&put(&world.server.http, &url(&announced, 0), b"abcde").await);
    let grant = world.grant(&plain).await.expect(200);
    let used = world.used().await;
    world.get("/readyz").await.expect(200);

    s3.stop();
    is_away(&world.send(&[], &[("a", &small)]).await);
    is_away(&world.send(SEALED, &[("a", &large)]).await);
    is_away(&world.confirm(&announced).await);
    is_away(&world.announce_in_parts(&[("d", 5)], &sealed()).await);
    is_away(&world.server.http.get(&file_url(&grant, 1), "").await);
    let ready = world.get("/readyz").await.expect(503);
    assert_eq!(ready["blobs"], json!("unavailable"));
    assert_eq!(ready["database"], json!("ok"));
    // What is deleted meanwhile goes later.
    let gone = format!("/v1/transfers/{}", text(&plain, "id"));
    assert_eq!(world.used().await, used, "nothing was taken in");

    s3.start_again().await;
    let back = async || world.get("/readyz").await.status == 200;
    until("the bucket is back", back).await;
    assert!(world.downloaded(&plain, 0).await == small);
    assert!(world.downloaded(&plain, 1).await == large);
    world.confirm(&announced).await.expect(200);
    assert!(world.downloaded(&announced, 0).await == b"abcde");
    world.send(&[], &[("a", &small)]).await.expect(201);
    world.delete(&gone).await.expect(200);
}
