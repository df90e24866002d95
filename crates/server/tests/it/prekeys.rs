//! One-time prekeys: given to one sender each.

use std::collections::BTreeSet;

use agentdrop_envelope::Verdict;
use agentdrop_testkit::engines::Engine;
use agentdrop_testkit::http::{Answer, Http, send};
use agentdrop_testkit::server::{TestServer, text};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::identity::Identity;
use crate::parties::{Parties, Party};
use crate::world::World;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

fn adding(prekeys: &[Vec<u8>]) -> Value {
    let prekeys: Vec<_> = prekeys.iter().map(|it| STANDARD.encode(it)).collect();
    json!({ "prekeys": prekeys })
}

async fn claim(http: &Http, key: &str, agent: &str) -> Answer {
    let path = format!("/v1/agents/{agent}/prekeys/claim");
    send(http.request("POST", &path, key)).await
}

/// Alice with a bundle.
async fn alice(world: &World) -> Identity {
    let mut alice = Identity::of(&world.alice, 1);
    let published = alice.publish(&world.server.http, &world.account.key).await;
    published.expect(200);
    alice
}

#[tokio::test]
async fn each_prekey_is_given_once_and_the_oldest_first() {
    for world in &World::each().await {
        let (http, key) = (&world.server.http, &world.account.key);
        let path = "/v1/agents/alice/prekeys";
        let none = world.post(path, &adding(&[vec![1]])).await;
        none.expect_error(404, "NO_BUNDLE");
        claim(http, key, "alice")
            .await
            .expect_error(404, "NO_BUNDLE");
        let alice = alice(world).await;
        let old = alice.prekey(1, DAY);
        let added = world
            .post(path, &adding(std::slice::from_ref(&old)))
            .await
            .expect(200);
        assert_eq!(added, json!({ "prekeys_left": 1, "max_prekeys": 128 }));
        world
            .server
            .clock
            .advance(std::time::Duration::from_secs(1));
        // What is there already is not added again.
        let more = [alice.prekey(2, DAY), old.clone(), alice.prekey(3, DAY)];
        let added = world.post(path, &adding(&more)).await.expect(200);
        assert_eq!(added["prekeys_left"], 3);

        let first = claim(http, key, "alice").await.expect(200);
        assert_eq!(text(&first, "prekey"), STANDARD.encode(&old));
        let bundle = world.get("/v1/agents/alice/bundle").await.expect(200);
        for (field, value) in bundle.as_object().unwrap() {
            assert_eq!(&first[field], value, "{field}");
        }
        let mut got = BTreeSet::new();
        for _ in 0..2 {
            got.insert(text(&claim(http, key, "alice").await.expect(200), "prekey"));
        }
        let expected = [&more[0], &more[2]].map(|it| STANDARD.encode(it));
        assert_eq!(got, expected.into());
        let out = claim(http, key, "alice").await.expect(200);
        assert_eq!(out["prekey"], Value::Null);
        assert_eq!(out["bundle"], bundle["bundle"]);
        // Nor is one that somebody has had.
        let added = world.post(path, &adding(&more)).await.expect(200);
        assert_eq!(added["prekeys_left"], 0);
        assert_eq!(world.get(path).await.expect(200)["prekeys_left"], 0);
    }
}

#[tokio::test]
async fn what_is_no_prekey_of_the_agent_is_refused_and_nothing_is_added() {
    for world in &World::each().await {
        let alice = alice(world).await;
        let (bob, path) = (Identity::of(&world.bob, 2), "/v1/agents/alice/prekeys");
        let mut of_bob = Identity::of(&world.bob, 1);
        of_bob.agent = bob.agent;
        let mut in_her_name = Identity::of(&world.alice, 2);
        in_her_name.agent = alice.agent;
        let good = alice.prekey(1, DAY);
        let mut bent = good.clone();
        *bent.last_mut().unwrap() ^= 0x20;
        let bundle = alice.signed(alice.last.as_ref().unwrap());
        for (bad, says) in [
            (bob.prekey(2, DAY), "another agent"),
            (of_bob.prekey(2, DAY), "another agent"),
            (in_her_name.prekey(2, DAY), "not genuine"),
            (bent, "not genuine"),
            (bundle, "prekeys[1]"),
            (vec![0; 1536], "prekeys[1]"),
            (alice.prekey(2, 0), "over"),
            (alice.prekey(2, 90 * DAY + 1), "90 days"),
        ] {
            let answer = world.post(path, &adding(&[good.clone(), bad])).await;
            let error = answer.expect_error(400, "VALIDATION_ERROR").to_string();
            assert!(
                error.contains("prekeys[1]") && error.contains(says),
                "{error}"
            );
        }
        let many: Vec<_> = (0..101).map(|it| alice.prekey(it, DAY)).collect();
        for wrong in [&many[..], &[]] {
            let answer = world.post(path, &adding(wrong)).await;
            answer.expect_error(400, "VALIDATION_ERROR");
        }
        assert_eq!(world.get(path).await.expect(200)["prekeys_left"], 0);
        // Of what is good no more is kept than is said.
        let latest = alice.prekey(1_000, 90 * DAY);
        world.post(path, &adding(&[latest])).await.expect(200);
        world.post(path, &adding(&many[..100])).await.expect(200);
        let more: Vec<_> = (200..300).map(|it| alice.prekey(it, DAY)).collect();
        let full = world.post(path, &adding(&more)).await.expect(200);
        assert_eq!(full["prekeys_left"], 128);
    }
}

#[tokio::test]
async fn what_is_soon_over_is_given_to_nobody_and_swept_when_it_is() {
    for world in &World::each().await {
        let (http, key) = (&world.server.http, &world.account.key);
        let (alice, path) = (alice(world).await, "/v1/agents/alice/prekeys");
        let soon = [alice.prekey(1, HOUR), alice.prekey(2, HOUR + 1)];
        world.post(path, &adding(&soon)).await.expect(200);
        let first = claim(http, key, "alice").await.expect(200);
        assert_eq!(text(&first, "prekey"), STANDARD.encode(&soon[1]));
        let none = claim(http, key, "alice").await.expect(200);
        assert_eq!(none["prekey"], Value::Null);
        assert_eq!(world.get(path).await.expect(200)["prekeys_left"], 1);
        let rows = async || {
            let all = crate::world::everything(&world.server).await;
            all.get("prekeys").map_or(0, Vec::len)
        };
        assert_eq!(rows().await, 2);
        world
            .server
            .clock
            .advance(std::time::Duration::from_hours(1));
        assert_eq!(world.get(path).await.expect(200)["prekeys_left"], 0);
        world.server.sweep().await;
        assert_eq!(
            rows().await,
            1,
            "what was given away stays as long as it is good"
        );
        world
            .server
            .clock
            .advance(std::time::Duration::from_millis(1));
        world.server.sweep().await;
        assert_eq!(rows().await, 0);
    }
}

#[tokio::test]
async fn whoever_may_send_is_given_prekeys_and_nobody_else() {
    for parties in &Parties::each().await {
        let (http, alex, jamie) = (&parties.server.http, &parties.alex, &parties.jamie);
        let agent = alex.get("/v1/agents/data-pipeline").await.expect(200);
        let id = text(&agent, "id");
        let mut identity = Identity::of(&agent, 1);
        identity.publish(http, &alex.account.key).await.expect(200);
        let path = format!("/v1/agents/{id}/prekeys");
        let prekeys: Vec<_> = (0..3).map(|it| identity.prekey(it, DAY)).collect();
        alex.post(&path, &adding(&prekeys)).await.expect(200);
        let key = &jamie.account.key;
        for agent in ["data-pipeline", &id] {
            claim(http, key, agent).await.expect_error(404, "NOT_FOUND");
        }
        let connection = parties.connect().await;
        claim(http, key, &id).await.expect_error(404, "NOT_FOUND");
        let agents = ["data-pipeline", "analysis-bot"];
        let pairing = alex.pair(jamie, &connection, agents, "send_only").await;
        claim(http, key, &id)
            .await
            .expect_error(403, "SHARE_REQUIRED");
        let both = json!({ "permission": "both" });
        alex.patch(&format!("/v1/pairings/{pairing}"), &both)
            .await
            .expect(200);
        jamie.confirm(&pairing).await.expect(200);
        assert!(claim(http, key, &id).await.expect(200)["prekey"].is_string());
        // As the agent that is paired, and not as another one.
        parties.server.agent(&jamie.account, "other").await;
        for (agent, status) in [("analysis-bot", 200), ("other", 404)] {
            let made = json!({ "name": "x" });
            let made = jamie.post(&format!("/v1/agents/{agent}/keys"), &made).await;
            let agent_key = text(&made.expect(201), "api_key");
            assert_eq!(claim(http, &agent_key, &id).await.status, status, "{agent}");
        }
        // They are the owner's to count and to add to.
        jamie.get(&path).await.expect_error(404, "NOT_FOUND");
        let answer = jamie.post(&path, &adding(&prekeys)).await;
        answer.expect_error(404, "NOT_FOUND");
        assert_eq!(alex.get(&path).await.expect(200)["prekeys_left"], 1);
    }
}

/// Whoever takes prekeys to leave none for others has to wait for more, while others are served.
#[tokio::test]
async fn nobody_drains_the_prekeys_of_another() {
    for parties in &Parties::each().await {
        parties.pair("both").await;
        let (http, alex, jamie) = (&parties.server.http, &parties.alex, &parties.jamie);
        let agent = alex.get("/v1/agents/data-pipeline").await.expect(200);
        let id = text(&agent, "id");
        let mut identity = Identity::of(&agent, 1);
        identity.publish(http, &alex.account.key).await.expect(200);
        let prekeys: Vec<_> = (0..64).map(|it| identity.prekey(it, DAY)).collect();
        let path = format!("/v1/agents/{id}/prekeys");
        alex.post(&path, &adding(&prekeys)).await.expect(200);
        let given = async |by: &Party| {
            let claimed = claim(http, &by.account.key, &id).await.expect(200);
            claimed["prekey"].is_string()
        };
        // As many as there are more than few, and then a few.
        for _ in 0..32 + 8 {
            assert!(given(jamie).await);
        }
        for _ in 0..3 {
            assert!(!given(jamie).await);
        }
        assert_eq!(alex.get(&path).await.expect(200)["prekeys_left"], 24);
        assert!(given(alex).await);
        parties
            .server
            .clock
            .advance(std::time::Duration::from_mins(8));
        assert!(given(jamie).await);
        assert!(!given(jamie).await);
        assert_eq!(alex.get(&path).await.expect(200)["prekeys_left"], 22);
        // Where there are enough it is sixty an hour.
        let more: Vec<_> = (64..164).map(|it| identity.prekey(it, DAY)).collect();
        alex.post(&path, &adding(&more)).await.expect(200);
        // Of 41 that were taken, and four times that there was none, 8 are back.
        for _ in 0..60 - 41 - 4 + 8 {
            assert!(given(jamie).await);
        }
        assert!(!given(jamie).await);
    }
}

/// The secret half of a prekey that is never used lies at its agent for a year. Whoever takes them and
/// sends nothing is given none any more, before the agent has so many that it makes none for anybody.
#[tokio::test]
async fn who_uses_none_is_given_no_more_until_one_is_used() {
    for parties in &Parties::each().await {
        parties.pair("both").await;
        let (http, alex, jamie) = (&parties.server.http, &parties.alex, &parties.jamie);
        let agent = alex.get("/v1/agents/data-pipeline").await.expect(200);
        let id = text(&agent, "id");
        let mut identity = Identity::of(&agent, 1);
        identity.publish(http, &alex.account.key).await.expect(200);
        let path = format!("/v1/agents/{id}/prekeys");
        let given = async |by: &Party| {
            let claimed = claim(http, &by.account.key, &id).await.expect(200);
            claimed["prekey"].is_string()
        };
        let (mut made, mut taken) = (0, 0);
        loop {
            if taken % 60 == 0 {
                let more: Vec<_> = (made..made + 100)
                    .map(|it| identity.prekey(it, 80 * DAY))
                    .collect();
                made += 100;
                alex.post(&path, &adding(&more)).await.expect(200);
                let hour = std::time::Duration::from_hours(1);
                parties.server.clock.advance(hour);
            }
            if !given(jamie).await {
                break;
            }
            taken += 1;
            assert!(taken < 300, "there is no end of it");
        }
        // In these hours one or two came back.
        assert!((256..260).contains(&taken), "{taken}");
        assert!(given(alex).await, "others are served");

        let sent = jamie.send("analysis-bot", "data-pipeline", &[]).await;
        let sent = sent.expect(201);
        let transfer = format!("/v1/transfers/{}", text(&sent, "id"));
        let grant = alex.get(&format!("{transfer}/download")).await.expect(200);
        let receipt = identity.receipt(&text(&sent, "id"), Verdict::Placed);
        let told = json!({
            "download_id": grant["download_id"], "status": "received", "receipt": receipt,
        });
        for _ in 0..2 {
            let told = alex.post(&format!("{transfer}/ack"), &told).await;
            told.expect(200);
        }
        assert!(given(jamie).await, "for the one that was used");
        assert!(!given(jamie).await, "and for no other");
    }
}

/// On two servers at once, each prekey goes to one.
#[tokio::test]
async fn of_many_who_claim_at_once_each_has_another_prekey() {
    for engine in Engine::ALL {
        let server = TestServer::start(engine, |_| {}).await;
        let world = World::on(server).await;
        let key = &world.account.key;
        let beside = match engine {
            Engine::Postgres => Some(world.server.beside(|_| {}).await),
            Engine::Sqlite => None,
        };
        let alice = alice(&world).await;
        let prekeys: Vec<_> = (0..20).map(|it| alice.prekey(it, DAY)).collect();
        let path = "/v1/agents/alice/prekeys";
        world.post(path, &adding(&prekeys)).await.expect(200);
        let there = beside.as_ref().map_or(&world.server.http, |it| &it.http);
        let https = [&world.server.http, there];
        let racing = (0..40).map(|it| claim(https[it % 2], key, "alice"));
        let mut given = Vec::new();
        for answer in join_all(racing).await {
            given.extend(answer.expect(200)["prekey"].as_str().map(str::to_owned));
        }
        assert_eq!(given.len(), 20);
        let each: BTreeSet<_> = given.into_iter().collect();
        let all: BTreeSet<_> = prekeys.iter().map(|it| STANDARD.encode(it)).collect();
        assert_eq!(each, all);
    }
}
