//! What agents publish of their keys.

use agentdrop_envelope::identity::Bundle;
use agentdrop_testkit::http::Http;
use agentdrop_testkit::server::text;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::audit::log;
use crate::identity::{Identity, later, publishing, put, rotating};
use crate::parties::Parties;
use crate::world::World;

const OTHER_KEY: &str = "3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08=";

async fn show(http: &Http, key: &str, agent: &str) -> Value {
    let path = format!("/v1/agents/{agent}/bundle");
    http.get(&path, key).await.expect(200)
}

#[tokio::test]
async fn what_an_agent_publishes_is_shown_as_it_signed_it() {
    for world in &World::each().await {
        let (http, key) = (&world.server.http, &world.account.key);
        let (_, agent_key) = world.agent_key("alice").await;
        let mut alice = Identity::of(&world.alice, 1);
        let none = http.get("/v1/agents/alice/bundle", key).await;
        none.expect_error(404, "NO_BUNDLE");

        let made = alice.publish(http, &agent_key).await.expect(200);
        let bundle = alice.signed(alice.last.as_ref().unwrap());
        assert_eq!(
            made,
            json!({
                "id": world.alice["id"], "agent_uuid": world.alice["id"], "agent_id": "alice",
                "bundle": STANDARD.encode(&bundle), "version": 1, "rotations": [],
                "key_fingerprint": alice.fingerprint(),
            })
        );
        assert_eq!(show(http, key, "alice").await, made);
        // Who knows of no bundles finds the same key where signatures are verified with it.
        let signing = STANDARD.encode(alice.public().as_bytes());
        let agent = world.get("/v1/agents/alice").await.expect(200);
        assert_eq!(agent["signing_public_key"], json!(signing));
        assert_eq!(agent["key_version"], 1);
        let keys = world.get("/v1/agents/alice/public-keys").await.expect(200);
        assert_eq!(keys["keys"][0]["signing_public_key"], json!(signing));

        // The same again changes nothing, under another credential either.
        let before = log(&world.server, &world.account).await;
        let again = put(http, key, "alice", &publishing(&bundle)).await;
        assert_eq!(again.expect(200), made);
        assert_eq!(log(&world.server, &world.account).await, before);
        let next = alice.publish(http, key).await.expect(200);
        assert_eq!(next["version"], 2);
        let late = put(http, key, "alice", &publishing(&bundle)).await;
        late.expect_error(409, "BUNDLE_CONFLICT");
        assert_eq!(show(http, key, "alice").await, next);
    }
}

#[tokio::test]
async fn what_is_not_the_next_bundle_of_the_agent_is_refused() {
    for world in &World::each().await {
        let (http, key) = (&world.server.http, &world.account.key);
        let mut alice = Identity::of(&world.alice, 1);
        let refuse = async |bundle: Vec<u8>, status, code, says: &str| {
            let answer = put(http, key, "alice", &publishing(&bundle)).await;
            let error = answer.expect_error(status, code);
            assert!(error.to_string().contains(says), "{error}");
        };
        let first = alice.next();
        let changed = |change: &dyn Fn(&mut Bundle)| {
            let mut bundle = alice.next();
            change(&mut bundle);
            alice.signed(&bundle)
        };
        // Of itself: these bytes would be refused by whoever reads them.
        let mut forged = alice.signed(&first);
        *forged.last_mut().unwrap() ^= 0x20;
        refuse(forged, 400, "VALIDATION_ERROR", "not genuine").await;
        let bob = Identity::of(&world.bob, 2);
        let of_bob = bob.signed(&bob.next());
        refuse(of_bob, 400, "VALIDATION_ERROR", "another agent").await;
        let over = changed(&|it| it.not_after = later(0));
        refuse(over, 400, "VALIDATION_ERROR", "over").await;
        let strong = changed(&|it| it.min_suite = 2);
        refuse(strong, 400, "VALIDATION_ERROR", "min_suite").await;
        let mut longer = alice.signed(&first);
        longer.push(0);
        refuse(longer, 400, "VALIDATION_ERROR", "bundle").await;
        refuse(vec![0; 1536], 400, "VALIDATION_ERROR", "bundle").await;
        refuse(vec![0; 1537], 400, "VALIDATION_ERROR", "1536").await;
        // Of the agent, as it is.
        let other_key = OTHER_KEY.parse().unwrap();
        let other = changed(&|it| it.compatible = other_key);
        refuse(other, 409, "KEY_CHANGED", "compatible").await;
        let gap = changed(&|it| (it.version, it.previous) = (2, Some([0; 32])));
        refuse(gap, 409, "BUNDLE_CONFLICT", "version 1").await;
        let none = http.get("/v1/agents/alice/bundle", key).await;
        none.expect_error(404, "NO_BUNDLE");

        alice.publish(http, key).await.expect(200);
        let mut careful = alice.next();
        careful.min_suite = 1;
        let body = publishing(&alice.signed(&careful));
        put(http, key, "alice", &body).await.expect(200);
        alice.last = Some(careful);
        let before = show(http, key, "alice").await;
        let changed = |change: &dyn Fn(&mut Bundle)| {
            let mut bundle = alice.next();
            bundle.min_suite = 1;
            change(&mut bundle);
            alice.signed(&bundle)
        };
        let conflict = "BUNDLE_CONFLICT";
        let rolled_back = changed(&|it| (it.version, it.previous) = (1, None));
        refuse(rolled_back, 409, conflict, "version 3").await;
        let second = changed(&|it| it.version = 2);
        refuse(second, 409, conflict, "version 3").await;
        let gap = changed(&|it| it.version = 4);
        refuse(gap, 409, conflict, "version 3").await;
        let forked = changed(&|it| it.previous = Some([1; 32]));
        refuse(forked, 409, conflict, "contradicts").await;
        let weaker = changed(&|it| it.min_suite = 0);
        refuse(weaker, 409, conflict, "weaker").await;
        let mut thief = Identity::of(&world.alice, 66);
        thief.last = alice.last.clone();
        let stolen = thief.signed(&thief.next());
        refuse(stolen, 409, conflict, "another identity key").await;
        assert_eq!(show(http, key, "alice").await, before);
    }
}

#[tokio::test]
async fn another_identity_key_follows_with_the_word_of_the_old_one() {
    for parties in &Parties::each().await {
        parties.pair("both").await;
        let (http, alex) = (&parties.server.http, &parties.alex);
        let key = &alex.account.key;
        let agent = alex.get("/v1/agents/data-pipeline").await.expect(200);
        let path = &text(&agent, "id");
        let mut old = Identity::of(&agent, 1);
        old.publish(http, key).await.expect(200);
        let prekeys = format!("/v1/agents/{path}/prekeys");
        let signed = json!({ "prekeys": [STANDARD.encode(old.prekey(1, 3_600_001))] });
        let added = alex.post(&prekeys, &signed).await.expect(200);
        assert_eq!(added["prekeys_left"], 1);

        let mut new = Identity::of(&agent, 2);
        new.last = old.last.clone();
        let bundle = new.signed(&new.next());
        let good = new.rotation(&old);
        let thief = Identity::of(&agent, 3);
        for (rotation, status, code) in [
            // By the new key, by a third, to a third, from later on, behind another bundle.
            (new.signed_rotation(&good), 400, "VALIDATION_ERROR"),
            (
                thief.signed_rotation(&thief.rotation(&old)),
                400,
                "VALIDATION_ERROR",
            ),
            (
                old.signed_rotation(&thief.rotation(&old)),
                409,
                "BUNDLE_CONFLICT",
            ),
            (
                old.signed_rotation(&{
                    let mut it = good.clone();
                    it.since = 3;
                    it
                }),
                409,
                "BUNDLE_CONFLICT",
            ),
            (
                old.signed_rotation(&{
                    let mut it = good.clone();
                    it.previous = [0; 32];
                    it
                }),
                409,
                "BUNDLE_CONFLICT",
            ),
            (vec![1; 513], 400, "VALIDATION_ERROR"),
        ] {
            let answer = put(http, key, path, &rotating(&bundle, &rotation)).await;
            answer.expect_error(status, code);
        }
        assert_eq!(show(http, key, path).await["rotations"], json!([]));
        let rotation = old.signed_rotation(&good);
        // With a bundle of the old key it means nothing.
        let same = old.signed(&old.next());
        let answer = put(http, key, path, &rotating(&same, &rotation)).await;
        answer.expect_error(400, "VALIDATION_ERROR");

        let body = rotating(&bundle, &rotation);
        let rotated = put(http, key, path, &body).await.expect(200);
        assert_eq!(rotated["rotations"], json!([STANDARD.encode(&rotation)]));
        assert_eq!(rotated["key_fingerprint"], json!(new.fingerprint()));
        assert_eq!(put(http, key, path, &body).await.expect(200), rotated);
        // What the old key signed is not handed out any more, and not taken.
        let left = alex.get(&prekeys).await.expect(200);
        assert_eq!(left["prekeys_left"], 0);
        let signed = json!({ "prekeys": [STANDARD.encode(old.prekey(2, 3_600_001))] });
        let answer = alex.post(&prekeys, &signed).await;
        answer.expect_error(400, "VALIDATION_ERROR");
        let late = put(http, key, path, &publishing(&same)).await;
        late.expect_error(409, "BUNDLE_CONFLICT");
        // The other side can look it up: when it changed, and by whose word.
        let theirs = show(http, &parties.jamie.account.key, path).await;
        assert_eq!(theirs, rotated);
        let told = parties.jamie.get("/v1/audit").await.expect(200);
        assert_eq!(told["entries"][0]["action"], "agent.bundle_published");
    }
}

/// Of many who publish the next bundle at once, one does; of many who publish the same, all do.
#[tokio::test]
async fn of_many_who_publish_at_once_one_does() {
    for world in &World::each().await {
        let (http, key) = (&world.server.http, &world.account.key);
        let mut alice = Identity::of(&world.alice, 1);
        alice.publish(http, key).await.expect(200);
        let bodies: Vec<_> = (0..8)
            .map(|it| {
                let mut next = alice.next();
                next.not_after = later(1_000 + it);
                publishing(&alice.signed(&next))
            })
            .collect();
        let racing = bodies.iter().map(|it| put(http, key, "alice", it));
        let answers = join_all(racing).await;
        let won: Vec<_> = answers.iter().filter(|it| it.status == 200).collect();
        assert_eq!(won.len(), 1);
        for lost in answers.iter().filter(|it| it.status != 200) {
            lost.expect_error(409, "BUNDLE_CONFLICT");
        }
        assert_eq!(show(http, key, "alice").await, won[0].json());

        let mut bob = Identity::of(&world.bob, 2);
        let body = publishing(&bob.signed(&bob.next()));
        let same = join_all((0..8).map(|_| put(http, key, "bob", &body))).await;
        assert!(same.iter().all(|it| it.status == 200));
        bob.last = Some(bob.next());
        assert_eq!(bob.publish(http, key).await.expect(200)["version"], 2);
    }
}

/// Wiped keys take the bundle along; what comes after goes on from it all the same, or whoever
/// knows the agent would take it for set back.
#[tokio::test]
async fn a_disconnected_agent_has_no_bundle_and_goes_on_from_the_last() {
    for world in &World::each().await {
        let (http, key) = (&world.server.http, &world.account.key);
        let mut alice = Identity::of(&world.alice, 1);
        alice.publish(http, key).await.expect(200);
        let first = publishing(&alice.signed(alice.last.as_ref().unwrap()));
        let prekeys = json!({ "prekeys": [STANDARD.encode(alice.prekey(1, 3_600_001))] });
        let path = "/v1/agents/alice/prekeys";
        world.post(path, &prekeys).await.expect(200);
        let disconnect = "/v1/agents/alice/disconnect";
        world.post(disconnect, &json!({})).await.expect(200);
        for path in ["/v1/agents/alice/bundle", "/v1/agents/alice/prekeys/claim"] {
            let method = if path.ends_with("claim") {
                "POST"
            } else {
                "GET"
            };
            let answer = agentdrop_testkit::http::send(http.request(method, path, key)).await;
            answer.expect_error(404, "NO_BUNDLE");
        }
        assert_eq!(world.get(path).await.expect(200)["prekeys_left"], 0);
        // Without a key of the compatible formats there is none that the bundle could have.
        let answer = alice.publish(http, key).await;
        answer.expect_error(409, "KEY_CHANGED");
        let new = json!({ "public_key": OTHER_KEY });
        let rotate = "/v1/agents/alice/rotate-key";
        world.post(rotate, &new).await.expect(200);
        put(http, key, "alice", &first)
            .await
            .expect_error(409, "KEY_CHANGED");
        let agent = world.get("/v1/agents/alice").await.expect(200);
        let mut again = Identity::of(&agent, 1);
        let answer = again.publish(http, key).await;
        answer.expect_error(409, "BUNDLE_CONFLICT");
        again.last = alice.last.clone();
        let second = again.publish(http, key).await.expect(200);
        assert_eq!(second["version"], 2);
        // Another key of the compatible formats leaves it as it is.
        world
            .post(rotate, &json!({ "public_key": world.alice["public_key"] }))
            .await
            .expect(200);
        assert_eq!(show(http, key, "alice").await, second);
    }
}

/// Whoever may come to pair with an agent can compare its keys before, and nobody else.
#[tokio::test]
async fn those_who_may_pair_with_an_agent_see_its_bundle() {
    for parties in &Parties::each().await {
        let (http, alex, jamie) = (&parties.server.http, &parties.alex, &parties.jamie);
        let agent = alex.get("/v1/agents/data-pipeline").await.expect(200);
        let id = text(&agent, "id");
        let mut identity = Identity::of(&agent, 1);
        let key = &alex.account.key;
        identity.publish(http, key).await.expect(200);
        let paths = [
            format!("/v1/agents/{id}/bundle"),
            "/v1/agents/data-pipeline/bundle".to_owned(),
            format!("/v1/agents/{id}/bundle?account={}", alex.email),
        ];
        let sees = async |status: u16| {
            for path in &paths {
                let answer = jamie.get(path).await;
                assert_eq!(answer.status, status, "{path}");
                if status == 404 {
                    answer.expect_error(404, "NOT_FOUND");
                }
            }
        };
        sees(404).await;
        let connection = parties.connect().await;
        sees(200).await;
        let elsewhere = format!("{}?account=somebody", paths[0]);
        jamie.get(&elsewhere).await.expect_error(404, "NOT_FOUND");
        let hide = |it: bool| json!({ "available_for_connections": it });
        let agent = format!("/v1/agents/{id}");
        alex.patch(&agent, &hide(false)).await.expect(200);
        sees(404).await;
        alex.patch(&agent, &hide(true)).await.expect(200);
        let agents = ["data-pipeline", "analysis-bot"];
        let proposed = alex.propose(&connection, agents, "send_only").await;
        let pairing = text(&proposed.expect(201), "id");
        alex.patch(&agent, &hide(false)).await.expect(200);
        sees(200).await;
        jamie.confirm(&pairing).await.expect(200);
        sees(200).await;
        alex.delete(&format!("/v1/connections/{connection}"))
            .await
            .expect(200);
        sees(404).await;
    }
}
