//! What agents were sent.

use agentdrop_testkit::http::send;
use agentdrop_testkit::server::text;
use serde_json::{Value, json};

use crate::world::World;

#[tokio::test]
async fn both_inboxes_show_what_an_agent_was_sent() {
    for world in &World::each().await {
        let (http, key) = (&world.server.http, &world.account.key);
        let mut sent = Vec::new();
        for _ in 0..3 {
            sent.push(world.sent(&[("message", "hello")]).await);
            world
                .server
                .clock
                .advance(std::time::Duration::from_secs(1));
        }
        let fields = [("sender", "bob"), ("recipient", "alice")];
        let back = http.form("/v1/transfers", key, &fields, &[("a", b"x")]);
        let back = back.await.expect(201);

        let by_slug = world.get("/v1/agents/bob/inbox").await.expect(200);
        assert_eq!(by_slug["agent_id"], "bob");
        assert_eq!(
            (&by_slug["total"], &by_slug["limit"]),
            (&json!(3), &json!(50))
        );
        assert_eq!(
            (&by_slug["offset"], &by_slug["has_more"]),
            (&json!(0), &json!(false))
        );
        assert_eq!(by_slug["transfers"][0], sent[2], "newest first, and whole");
        let by_id = format!("/v1/agents/{}/inbox", text(&world.bob, "id"));
        assert_eq!(world.get(&by_id).await.expect(200), by_slug);
        let request = http.request("GET", "/v1/transfers/inbox", key);
        let as_bob = send(request.header("x-agentdrop-agent", "bob")).await;
        assert_eq!(as_bob.expect(200), by_slug);

        let all = world.get("/v1/transfers/inbox").await.expect(200);
        assert_eq!((&all["agent_id"], &all["total"]), (&Value::Null, &json!(4)));
        assert_eq!(all["transfers"][0]["id"], back["id"]);
        for inbox in ["/v1/agents/bob/inbox", "/v1/transfers/inbox"] {
            let page = world
                .get(&format!("{inbox}?limit=1&offset=1"))
                .await
                .expect(200);
            assert_eq!(page["transfers"].as_array().unwrap().len(), 1);
            assert_eq!(page["has_more"], true);
            let none = world
                .get(&format!("{inbox}?status=expired"))
                .await
                .expect(200);
            assert_eq!(none["total"], 0);
        }
        // What cannot be downloaded any more is not waiting.
        let path = format!("/v1/transfers/{}", text(&sent[0], "id"));
        world.delete(&path).await.expect(200);
        let left = world.get("/v1/agents/bob/inbox").await.expect(200);
        assert_eq!(left["total"], 2);
        let deleted = world
            .get("/v1/agents/bob/inbox?status=deleted")
            .await
            .expect(200);
        assert_eq!(deleted["transfers"][0]["id"], sent[0]["id"]);
    }
}
