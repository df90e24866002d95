//! Channels between two agents.

use agentdrop_testkit::http::send;
use agentdrop_testkit::server::text;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::world::World;

#[tokio::test]
async fn two_agents_have_one_channel_whoever_asks_and_by_whatever_name() {
    for world in &World::each().await {
        let (alice, bob) = (text(&world.alice, "id"), text(&world.bob, "id"));
        let ask = |one: &str, other: &str| json!({ "agent_id": one, "target_agent_id": other });
        let made = world
            .post("/v1/channels", &ask("alice", "bob"))
            .await
            .expect(200);
        assert_eq!(made["status"], "active");
        assert_eq!(made["my_public_key"], world.alice["public_key"]);
        assert_eq!(made["their_public_key"], world.bob["public_key"]);
        for (one, other) in [
            ("alice", "bob"),
            (&*alice, &*bob),
            ("bob", "alice"),
            (&*bob, "alice"),
        ] {
            let again = world
                .post("/v1/channels", &ask(one, other))
                .await
                .expect(200);
            assert_eq!(again["id"], made["id"]);
        }
        let shown = world
            .get(&format!("/v1/channels/{}", text(&made, "id")))
            .await
            .expect(200);
        let mut ids = [alice.clone(), bob.clone()];
        ids.sort();
        assert_eq!(
            [text(&shown, "agent_a_id"), text(&shown, "agent_b_id")],
            ids
        );
        assert_eq!(shown["agent_a_public_key"], world.alice["public_key"]);
        assert_eq!(shown["agent_b_key_version"], 1);
        assert_eq!(shown["revoked_at"], Value::Null);
        assert_eq!(
            world.get("/v1/channels").await.expect(200)["channels"],
            json!([shown])
        );

        let oneself = world.post("/v1/channels", &ask("alice", &alice)).await;
        let error = oneself.expect_error(400, "VALIDATION_ERROR");
        assert_eq!(error["details"][0]["field"], "target_agent_id");
        let later = json!({ "agent_id": "later" });
        world.post("/v1/agents/register", &later).await.expect(201);
        for (one, other) in [("alice", "later"), ("later", "alice"), ("alice", "nobody")] {
            let refused = world.post("/v1/channels", &ask(one, other)).await;
            refused.expect_error(404, "NOT_FOUND");
        }
    }
}

#[tokio::test]
async fn a_revoked_channel_stays_revoked_and_another_takes_its_place() {
    for world in &World::each().await {
        let ask = json!({ "agent_id": "alice", "target_agent_id": "bob" });
        let made = world.post("/v1/channels", &ask).await.expect(200);
        let path = format!("/v1/channels/{}", text(&made, "id"));
        assert!(world.delete(&path).await.expect(200)["message"].is_string());
        world
            .delete(&path)
            .await
            .expect_error(400, "ALREADY_REVOKED");
        assert_eq!(world.get(&path).await.expect(200)["status"], "revoked");
        let sealed = [
            ("is_encrypted", "true"),
            ("channel_id", &*text(&made, "id")),
        ];
        let refused = world.send(&sealed, &[("a", b"x")]).await;
        refused.expect_error(400, "VALIDATION_ERROR");
        let other = world.post("/v1/channels", &ask).await.expect(200);
        assert_ne!(other["id"], made["id"]);
        let listed = world.get("/v1/channels").await.expect(200);
        assert_eq!(listed["channels"].as_array().unwrap().len(), 2);
    }
}

#[tokio::test]
async fn of_many_who_ask_at_once_all_get_the_same_channel() {
    for world in &World::each().await {
        let ask = json!({ "agent_id": "alice", "target_agent_id": "bob" });
        let answers = join_all((0..16).map(|_| world.post("/v1/channels", &ask))).await;
        let first = answers[0].expect(200);
        for answer in answers {
            assert_eq!(answer.expect(200)["id"], first["id"]);
        }
    }
}

#[tokio::test]
async fn an_agent_deleted_meanwhile_is_an_agent_that_is_not_there() {
    for world in &World::each().await {
        for n in 0..10 {
            let slug = format!("short-lived-{n}");
            world.server.agent(&world.account, &slug).await;
            let ask = json!({ "agent_id": "alice", "target_agent_id": slug });
            let key = &world.account.key;
            let fields = [("sender", "alice"), ("recipient", &*slug)];
            let http = &world.server.http;
            let (gone, channel, sent) = tokio::join!(
                send(http.request("DELETE", &format!("/v1/agents/{slug}"), key)),
                world.post("/v1/channels", &ask),
                http.form("/v1/transfers", key, &fields, &[("a", b"x")]),
            );
            gone.expect(200);
            assert!(matches!(channel.status, 200 | 404), "{:?}", channel.json());
            assert!(matches!(sent.status, 201 | 403), "{:?}", sent.json());
        }
        let listed = world.get("/v1/channels").await.expect(200);
        assert_eq!(listed["channels"], json!([]));
        assert_eq!(world.get("/v1/transfers").await.expect(200)["total"], 0);
        assert_eq!(crate::world::blobs(&world.server).len(), 0);
    }
}
