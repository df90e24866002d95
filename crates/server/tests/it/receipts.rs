//! What recipients sign of what they were sent.

use agentdrop_envelope::Verdict;
use agentdrop_testkit::http::Answer;
use agentdrop_testkit::server::text;
use serde_json::{Value, json};

use crate::identity::{Identity, put, rotating};
use crate::world::World;

async fn acknowledge(world: &World, sent: &Value, grant: &Value, more: Value) -> Answer {
    let mut body = json!({ "download_id": grant["download_id"], "status": "received" });
    body.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let path = format!("/v1/transfers/{}/ack", text(sent, "id"));
    world.post(&path, &body).await
}

#[tokio::test]
async fn the_sender_is_shown_what_the_recipient_signed() {
    for world in &World::each().await {
        let (http, key) = (&world.server.http, &world.account.key);
        let mut bob = Identity::of(&world.bob, 2);
        bob.publish(http, key).await.expect(200);
        let alice = Identity::of(&world.alice, 1);
        for (status, good, bad) in [
            ("received", Verdict::Placed, Verdict::Refused),
            ("received", Verdict::Quarantined, Verdict::Refused),
            ("rejected", Verdict::Refused, Verdict::Placed),
        ] {
            let sent = world.sent(&[]).await;
            let other = world.sent(&[]).await;
            let grant = world.grant(&sent).await.expect(200);
            let id = text(&sent, "id");
            let with = |receipt: &str| json!({ "status": status, "receipt": receipt });
            let longer = format!("{}AAAA", bob.receipt(&id, good));
            for wrong in [
                bob.receipt(&id, bad),
                bob.receipt(&text(&other, "id"), good),
                alice.receipt(&id, good),
                longer,
                "AAAA".to_owned(),
            ] {
                let answer = acknowledge(world, &sent, &grant, with(&wrong)).await;
                let error = answer.expect_error(400, "VALIDATION_ERROR");
                assert_eq!(error["details"][0]["field"], "receipt");
            }
            assert!(world.shown(&sent).await.get("deliveries").is_none());

            let receipt = bob.receipt(&id, good);
            let told = acknowledge(world, &sent, &grant, with(&receipt)).await;
            let told = told.expect(200);
            assert_eq!(told["receipt"], json!(receipt));
            let shown = world.shown(&sent).await;
            assert_eq!(shown["deliveries"], json!([told]));
            // What was said first stands, with its receipt.
            let again = acknowledge(
                world,
                &sent,
                &grant,
                with(&bob.receipt(&id, Verdict::Quarantined)),
            )
            .await;
            assert_eq!(again.expect(200), told);
        }
        // One that says nothing more is told of as before.
        let sent = world.sent(&[]).await;
        let grant = world.grant(&sent).await.expect(200);
        let told = acknowledge(world, &sent, &grant, json!({}))
            .await
            .expect(200);
        assert!(told.get("receipt").is_none(), "{told}");
    }
}

#[tokio::test]
async fn a_receipt_that_was_signed_before_a_rotation_is_taken_after_it() {
    for world in &World::each().await {
        let (http, key) = (&world.server.http, &world.account.key);
        let mut old = Identity::of(&world.bob, 2);
        old.publish(http, key).await.expect(200);
        let mut new = Identity::of(&world.bob, 3);
        new.last = old.last.clone();
        let next = new.next();
        let rotation = old.signed_rotation(&new.rotation(&old));
        let body = rotating(&new.signed(&next), &rotation);
        let put = put(http, key, &text(&world.bob, "id"), &body).await;
        put.expect(200);
        for signer in [&old, &new] {
            let sent = world.sent(&[]).await;
            let grant = world.grant(&sent).await.expect(200);
            let id = text(&sent, "id");
            let thief = Identity::of(&world.bob, 4).receipt(&id, Verdict::Placed);
            let more = json!({ "receipt": thief });
            let refused = acknowledge(world, &sent, &grant, more).await;
            refused.expect_error(400, "VALIDATION_ERROR");
            let receipt = signer.receipt(&id, Verdict::Placed);
            let more = json!({ "receipt": receipt });
            let told = acknowledge(world, &sent, &grant, more).await.expect(200);
            assert_eq!(told["receipt"], json!(receipt));
        }
    }
}

/// Of whoever has published no key, nothing tells whose a signature is; its sender may know.
#[tokio::test]
async fn a_receipt_of_an_agent_without_a_bundle_stands_as_it_came() {
    for world in &World::each().await {
        let sent = world.sent(&[]).await;
        let grant = world.grant(&sent).await.expect(200);
        let receipt = Identity::of(&world.bob, 7).receipt(&text(&sent, "id"), Verdict::Placed);
        let more = json!({ "receipt": receipt });
        let told = acknowledge(world, &sent, &grant, more).await.expect(200);
        assert_eq!(told["receipt"], json!(receipt));
    }
}
