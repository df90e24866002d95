//! What an announced transfer takes, and gives back.

use std::time::Duration;

use agentdrop_protocol::wire::plans::Plan;
use agentdrop_testkit::server::text;
use futures_util::future::join_all;
use serde_json::json;

use super::parts::abort;
use super::{PART, WHOLE, body, bytes, part_url, put, stored, url};
use crate::world::{World, blobs, rows};

const RACERS: usize = 64;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_announce_as_many_find_room_as_there_is() {
    for world in &World::everywhere().await {
        world.server.set_plan(&world.account, Plan::Free).await;
        // The plan stores 250 MB.
        let body = body(&[("a", 40_000_000)], &json!({}));
        let racers = (0..RACERS).map(|_| world.post(WHOLE, &body));
        let answers = join_all(racers).await;
        let (made, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|it| it.status == 201);
        assert_eq!(made.len(), 6);
        for it in refused {
            it.expect_error(413, "STORAGE_FULL");
        }
        assert_eq!(world.used().await, (json!(6), json!(240_000_000)));
        // A form finds as little room.
        let form = world.send(&[], &[("a", &vec![0; 10_000_001])]).await;
        form.expect_error(413, "STORAGE_FULL");
        let path = format!("/v1/transfers/{}", text(&made[0].json(), "id"));
        world.delete(&path).await.expect(200);
        assert_eq!(world.used().await, (json!(5), json!(200_000_000)));
        world.post(WHOLE, &body).await.expect(201);
    }
}

#[tokio::test]
async fn what_is_given_up_gives_its_place_back_once() {
    for world in &World::each().await {
        world.server.set_plan(&world.account, Plan::Free).await;
        world.sent(&[]).await;
        let before = blobs(&world.server);
        let announced = world
            .announce_in_parts(&[("a", PART)], &json!({}))
            .await
            .expect(201);
        stored(
            &put(
                &world.server.http,
                &part_url(&announced, 1),
                &bytes(PART, 3),
            )
            .await,
        );
        assert_eq!(world.used().await, (json!(2), json!(PART + 10)));
        assert_eq!(
            abort(world, &announced).await.expect(200)["status"],
            "deleted"
        );
        assert_eq!(world.used().await, (json!(1), json!(10)));
        abort(world, &announced).await.expect_error(410, "GONE");
        let path = format!("/v1/transfers/{}", text(&announced, "id"));
        world.delete(&path).await.expect_error(404, "NOT_FOUND");
        world.has_blobs(&before).await;
        let late = put(
            &world.server.http,
            &part_url(&announced, 1),
            &bytes(PART, 3),
        )
        .await;
        late.expect_error(410, "GONE");
        assert_eq!(world.used().await, (json!(1), json!(10)));
        assert_eq!(rows(&world.server).await["parts"], Vec::<String>::new());
    }
}

#[tokio::test]
async fn what_nobody_confirms_goes_after_a_day_with_its_place() {
    for world in &World::each().await {
        let more = json!({ "expires_in": "7d" });
        let announced = world
            .announce(&[("a", 10), ("b", 10)], &more)
            .await
            .expect(201);
        let short = world
            .announce(&[("a", 10)], &json!({ "expires_in": "1h" }))
            .await
            .expect(201);
        assert_eq!(short["upload_expires_at"], short["expires_at"]);
        let http = &world.server.http;
        stored(&put(http, &url(&announced, 0), b"0123456789").await);
        stored(&put(http, &url(&short, 0), b"0123456789").await);
        world.server.set_plan(&world.account, Plan::Team).await;
        assert_eq!(world.used().await, (json!(2), json!(30)));
        world.server.clock.advance(Duration::from_hours(1));
        world.confirm(&short).await.expect_error(410, "GONE");
        world.server.sweep().await;
        assert_eq!(world.used().await, (json!(1), json!(20)));
        assert_eq!(blobs(&world.server).len(), 1);
        world.server.clock.advance(Duration::from_hours(23));
        world.confirm(&announced).await.expect_error(410, "GONE");
        // What was never there is swept once.
        for _ in 0..2 {
            world.server.sweep().await;
            assert_eq!(world.used().await, (json!(0), json!(0)));
            world.has_blobs(&[]).await;
        }
        assert_eq!(world.shown(&announced).await["status"], "expired");
        let (_, bobs) = world.agent_key("bob").await;
        let inbox = http.get("/v1/transfers/inbox", &bobs).await.expect(200);
        assert_eq!(inbox["total"], 0);
    }
}

#[tokio::test]
async fn with_an_agent_goes_what_it_announced() {
    for world in &World::each().await {
        let announced = world.announce(&[("a", 10)], &json!({})).await.expect(201);
        let url = url(&announced, 0);
        stored(&put(&world.server.http, &url, b"0123456789").await);
        world.delete("/v1/agents/bob").await.expect(200);
        assert_eq!(blobs(&world.server), Vec::<std::path::PathBuf>::new());
        put(&world.server.http, &url, b"0123456789")
            .await
            .expect_error(404, "NOT_FOUND");
        world
            .confirm(&announced)
            .await
            .expect_error(404, "NOT_FOUND");
        assert_eq!(blobs(&world.server), Vec::<std::path::PathBuf>::new());
    }
}
