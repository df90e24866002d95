//! How often may be asked: a credential, and an address that shows none that works.

use std::num::NonZeroU32;
use std::time::Duration;

use agentdrop_server::{Config, Rates};
use agentdrop_testkit::engines::Engine;
use agentdrop_testkit::http::{Answer, send};
use agentdrop_testkit::server::{TestServer, text};
use serde_json::json;

use crate::uploads::{WHOLE, body as announcing, put, url};
use crate::world::{World, file_url};

/// One a second, after five at once; of strangers, four a minute.
fn rates(config: &mut Config) {
    let number = |it| NonZeroU32::new(it).unwrap();
    config.rates = Some(Rates {
        per_minute: number(60),
        burst: number(5),
        anonymous_per_minute: number(4),
    });
}

/// A server of that kind on each engine, which nobody has asked for a while.
async fn each() -> Vec<World> {
    let mut all = Vec::new();
    for engine in Engine::ALL {
        let world = World::on(TestServer::start(engine, rates).await).await;
        world.server.clock.advance(Duration::from_hours(1));
        all.push(world);
    }
    all
}

/// What an answer tells of the rate: how many at once, how many are left, seconds until all are.
fn told(answer: &Answer) -> [&str; 3] {
    ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"].map(|it| answer.header(it))
}

#[tokio::test]
async fn whoever_asks_too_often_waits() {
    for world in &each().await {
        for expected in [
            ["5", "4", "1"],
            ["5", "3", "2"],
            ["5", "2", "3"],
            ["5", "1", "4"],
        ] {
            let answer = world.get("/v1/api-keys").await;
            answer.expect(200);
            assert_eq!(told(&answer), expected);
        }
        // What is refused counts, too, and tells.
        let missing = world.get("/v1/agents/nobody").await;
        missing.expect_error(404, "NOT_FOUND");
        assert_eq!(told(&missing), ["5", "0", "5"]);
        for path in ["/v1/api-keys", "/v1/usage", "/v1/agents/me"] {
            let refused = world.get(path).await;
            let error = refused.expect_error(429, "RATE_LIMITED");
            assert_eq!(error["retry_after"], 1);
            assert_eq!(refused.header("retry-after"), "1");
            assert_eq!(told(&refused), ["5", "0", "5"]);
        }
        world.server.clock.advance(Duration::from_secs(2));
        for status in [200, 200, 429] {
            assert_eq!(world.get("/v1/api-keys").await.status, status);
        }
    }
}

#[tokio::test]
async fn each_credential_has_its_own() {
    for world in &each().await {
        let (_, alice) = world.agent_key("alice").await;
        for _ in 0..5 {
            world.get("/v1/agents/me").await;
        }
        let refused = world.get("/v1/agents/me").await;
        refused.expect_error(429, "RATE_LIMITED");
        let answer = world.server.http.get("/v1/agents/me", &alice).await;
        answer.expect(200);
        assert_eq!(told(&answer), ["5", "4", "1"]);
    }
}

#[tokio::test]
async fn whoever_guesses_keys_is_stopped_and_harms_nobody() {
    for world in &each().await {
        let later = json!({ "agent_id": "later" });
        let later = world.post("/v1/agents/register", &later).await.expect(201);
        let token = text(&later, "connection_token");
        let old = world.post("/v1/api-keys", &json!({ "name": "old" })).await;
        let old = old.expect(201);
        let path = format!("/v1/api-keys/{}", text(&old, "id"));
        world.delete(&path).await.expect(200);

        let http = &world.server.http;
        let connect = "/v1/agents/connect";
        let key = json!({ "public_key": "B6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw=" });
        let guesses = [
            http.get("/v1/api-keys", "").await,
            http.get("/v1/api-keys", "guessed").await,
            http.get("/v1/api-keys", &text(&old, "api_key")).await,
            http.post(connect, "guessed", &key).await,
        ];
        for (guess, left) in guesses.iter().zip(["3", "2", "1", "0"]) {
            assert_eq!(guess.status, 401, "{:?}", guess.json());
            assert_eq!(told(guess)[..2], ["4", left]);
        }
        for refused in [
            http.get("/v1/api-keys", "guessed").await,
            // What the client says of itself does not make it another one.
            {
                let request = http.request("GET", "/v1/api-keys", "guessed");
                send(request.header("x-forwarded-for", "192.0.2.1")).await
            },
            http.post("/v1/accounts", "", &json!({})).await,
            http.post(connect, "guessed", &key).await,
        ] {
            refused.expect_error(429, "RATE_LIMITED");
            assert_eq!(refused.header("retry-after"), "15");
            assert_eq!(told(&refused), ["4", "0", "60"]);
        }
        // From the same address.
        world.get("/v1/api-keys").await.expect(200);
        http.post(connect, &token, &key).await.expect(200);
        world.server.clock.advance(Duration::from_secs(15));
        for status in [401, 429] {
            let guess = http.get("/v1/api-keys", "guessed").await;
            assert_eq!(guess.status, status);
        }
    }
}

#[tokio::test]
async fn whoever_makes_accounts_waits() {
    for engine in Engine::ALL {
        let server = TestServer::start(engine, rates).await;
        for (n, status) in [201, 201, 201, 201, 429, 429].into_iter().enumerate() {
            let body = json!({ "name": "A", "email": format!("a{n}@example.org") });
            let made = server.http.post("/v1/accounts", "", &body).await;
            assert_eq!(made.status, status, "{n}");
        }
    }
}

#[tokio::test]
async fn files_and_what_tells_of_the_server_are_free() {
    for world in &each().await {
        let sent = world.sent(&[]).await;
        let grant = world.grant(&sent).await.expect(200);
        let url = file_url(&grant, 0);
        for path in ["/healthz", "/readyz", "/openapi.json", &url] {
            for _ in 0..10 {
                let answer = world.server.http.get(path, "").await;
                assert_eq!(answer.status, 200, "{path}");
                assert_eq!(told(&answer), [""; 3], "{path}");
            }
        }
    }
}

#[tokio::test]
async fn the_rates_can_be_switched_off() {
    for engine in Engine::ALL {
        let world = &World::on(TestServer::start(engine, |it| it.rates = None).await).await;
        let answer = world.get("/v1/api-keys").await;
        assert_eq!((answer.status, told(&answer)), (200, [""; 3]));
    }
}

/// What was announced was paid for; what comes again, and what is guessed, is not.
#[tokio::test]
async fn a_part_that_comes_again_counts_and_so_does_an_address_that_does_not_work() {
    for world in &each().await {
        let http = &world.server.http;
        let files: Vec<_> = (0..8).map(|_| ("a", 1)).collect();
        let body = announcing(&files, &json!({}));
        let announced = world.post(WHOLE, &body).await.expect(201);
        for n in 0..8 {
            assert_eq!(put(http, &url(&announced, n), b"x").await.status, 200);
        }
        for left in ["3", "2", "1", "0"] {
            let again = put(http, &url(&announced, 0), b"y").await;
            assert_eq!((again.status, told(&again)[1]), (200, left));
        }
        let refused = put(http, &url(&announced, 0), b"z").await;
        refused.expect_error(429, "RATE_LIMITED");
        assert_eq!(refused.header("retry-after"), "1");
        let guessed = url(&announced, 0).replace("part=1", "part=2");
        for status in [404, 404, 404, 404, 429] {
            assert_eq!(put(http, &guessed, b"x").await.status, status);
        }
        // Whoever guesses keeps nobody from sending what they announced.
        world.server.clock.advance(Duration::from_secs(10));
        let id = text(&announced, "id");
        let path = format!("/v1/transfers/{id}/confirm");
        world.post(&path, &json!({})).await.expect(200);
        let grant = world.grant(&announced).await.expect(200);
        assert_eq!(http.get(&file_url(&grant, 0), "").await.bytes, b"y");
    }
}
