//! Plans: what they allow, exactly, whoever races.

use std::time::Duration;

use agentdrop_protocol::wire::plans::Plan;
use agentdrop_testkit::engines::Engine;
use agentdrop_testkit::http::Answer;
use agentdrop_testkit::server::{TestServer, text};
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;

use crate::parties::{Parties, Party};
use crate::raw::{connect, exchange, parsed};
use crate::world::{World, blobs, rows, run_sql};

const RACERS: usize = 64;

/// Checks that of all these answers `allowed` have the status, and all others the refusal.
fn assert_allowed(answers: &[Answer], status: u16, allowed: usize, refusal: (u16, &str)) {
    let (done, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|it| it.status == status);
    for it in &refused {
        it.expect_error(refusal.0, refusal.1);
    }
    assert_eq!(done.len(), allowed, "{}", answers.len());
}

async fn usage(world: &World) -> Value {
    world.get("/v1/usage").await.expect(200)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_of_the_account_are_limited() {
    for world in &World::each().await {
        world.server.set_plan(&world.account, Plan::Free).await;
        // Those of agents do not count.
        for _ in 0..3 {
            world.agent_key("alice").await;
        }
        let body = json!({ "name": "spare" });
        let racers = (0..RACERS).map(|_| world.post("/v1/api-keys", &body));
        let answers = join_all(racers).await;
        assert_allowed(&answers, 201, 1, (403, "KEY_LIMIT_REACHED"));
        assert_eq!(
            usage(world).await["api_keys"],
            json!({ "used": 2, "limit": 2 })
        );
        let made = answers.iter().find(|it| it.status == 201).unwrap().json();
        let path = format!("/v1/api-keys/{}", text(&made, "id"));
        world.delete(&path).await.expect(200);
        world.post("/v1/api-keys", &body).await.expect(201);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn agents_are_limited() {
    for server in TestServer::each().await {
        let account = server.account().await;
        server.set_plan(&account, Plan::Free).await;
        let register = async |n: usize| {
            let body = json!({ "agent_id": format!("agent-{n}") });
            let path = "/v1/agents/register";
            server.http.post(path, &account.key, &body).await
        };
        let answers = join_all((0..RACERS).map(register)).await;
        assert_allowed(&answers, 201, 2, (403, "PLAN_LIMIT_REACHED"));
        let agents = server.http.get("/v1/agents", &account.key).await;
        let agents = agents.expect(200)["agents"].as_array().unwrap().clone();
        assert_eq!(agents.len(), 2);
        // Whoever registers the same again learns that it is there.
        let slug = text(&agents[0], "agent_id");
        let n = slug.trim_start_matches("agent-").parse().unwrap();
        let again = register(n).await;
        again.expect_error(409, "AGENT_EXISTS");
        let path = format!("/v1/agents/{slug}");
        server.http.delete(&path, &account.key).await.expect(200);
        register(999).await.expect(201);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_are_limited_for_whoever_invites_and_for_whoever_accepts() {
    for Parties {
        server,
        alex,
        jamie,
    } in &Parties::each().await
    {
        server.set_plan(&alex.account, Plan::Free).await;
        let emails: Vec<_> = (0..RACERS).map(|n| format!("new{n}@example.org")).collect();
        let answers = join_all(emails.iter().map(|it| alex.invite(it))).await;
        assert_allowed(&answers, 201, 3, (403, "PLAN_LIMIT_REACHED"));
        let invites = async || {
            let list = alex.get("/v1/connections").await.expect(200);
            list["pending_outgoing"].as_array().unwrap().clone()
        };
        assert_eq!(invites().await.len(), 3);
        // Taken back, it leaves room for another; refusals did not count against the hour.
        let path = format!("/v1/connections/{}", text(&invites().await[0], "id"));
        alex.delete(&path).await.expect(200);
        alex.invite("another@example.org").await.expect(201);

        // What others send uses up nothing.
        server.set_plan(&jamie.account, Plan::Free).await;
        let mut waiting = Vec::new();
        for n in 0..8 {
            let email = format!("inviter{n}@example.org");
            let inviter = Party::new(server, "Inviter", &email).await;
            let invited = inviter.invite(&jamie.email).await.expect(201);
            waiting.push(format!("/v1/connections/{}/accept", text(&invited, "id")));
        }
        let nothing = json!({});
        let racers = (0..RACERS).map(|n| jamie.post(&waiting[n % waiting.len()], &nothing));
        let answers = join_all(racers).await;
        let accepted = answers.iter().filter(|it| it.status == 200).count();
        assert_eq!(accepted, 3);
        for refused in answers.iter().filter(|it| it.status != 200) {
            let code = refused.json()["error"]["code"].clone();
            assert!(
                code == "PLAN_LIMIT_REACHED" || code == "ALREADY_PROCESSED",
                "{code}"
            );
        }
        let invited = jamie.invite("new@example.org").await;
        invited.expect_error(403, "PLAN_LIMIT_REACHED");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_invitations_ten_an_hour_are_sent() {
    for Parties { server, alex, .. } in &Parties::each().await {
        let emails: Vec<_> = (0..RACERS).map(|n| format!("new{n}@example.org")).collect();
        let answers = join_all(emails.iter().map(|it| alex.invite(it))).await;
        assert_allowed(&answers, 201, 10, (429, "RATE_LIMITED"));
        server.clock.advance(Duration::from_hours(1));
        alex.invite("new@example.org").await.expect(201);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pairings_are_limited_for_whoever_proposes_and_for_whoever_confirms() {
    for Parties {
        server,
        alex,
        jamie,
    } in &Parties::each().await
    {
        let connection = alex.connect(jamie).await;
        for n in 0..8 {
            let slug = format!("agent-{n}");
            server.agent(&alex.account, &slug).await;
            server.agent(&jamie.account, &slug).await;
        }
        let slugs: Vec<_> = (0..8).map(|n| format!("agent-{n}")).collect();
        let propose = async |by: &Party, n: usize| {
            let agents = [&*slugs[n / 8], &*slugs[n % 8]];
            by.propose(&connection, agents, "both").await
        };
        // One side may propose more than the other has room for.
        let proposed = join_all((0..RACERS).map(|n| propose(alex, n))).await;
        assert_allowed(&proposed, 201, RACERS, (0, ""));
        let ids: Vec<_> = proposed.iter().map(|it| text(&it.json(), "id")).collect();
        server.set_plan(&jamie.account, Plan::Free).await;
        server.agent(&alex.account, "extra").await;
        let own = jamie
            .propose(&connection, ["agent-0", "extra"], "both")
            .await;
        let own = text(&own.expect(201), "id");
        let answers = join_all(ids.iter().map(|it| jamie.confirm(it))).await;
        assert_allowed(&answers, 200, 1, (403, "PLAN_LIMIT_REACHED"));
        alex.confirm(&own).await.expect(200);
        // What would make a waiting one its own, for the other to confirm, is no way round.
        let waiting = answers.iter().position(|it| it.status != 200).unwrap();
        let active = answers.iter().position(|it| it.status == 200).unwrap();
        let change = json!({ "permission": "send_only" });
        let path = format!("/v1/pairings/{}", ids[waiting]);
        let refused = jamie.patch(&path, &change).await;
        refused.expect_error(403, "PLAN_LIMIT_REACHED");
        let path = format!("/v1/pairings/{}", ids[active]);
        jamie.patch(&path, &change).await.expect(200);
        jamie.patch(&path, &change).await.expect(200);

        // The proposer's side, anew.
        let path = format!("/v1/connections/{connection}");
        alex.delete(&path).await.expect(200);
        let connection = alex.connect(jamie).await;
        server.set_plan(&alex.account, Plan::Free).await;
        let racers = (0..RACERS).map(async |n| {
            let agents = [&*slugs[n / 8], &*slugs[n % 8]];
            alex.propose(&connection, agents, "both").await
        });
        let answers = join_all(racers).await;
        assert_allowed(&answers, 201, 2, (403, "PLAN_LIMIT_REACHED"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transfers_of_a_month_are_limited_and_deleting_gives_none_back() {
    for world in &World::each().await {
        world.server.set_plan(&world.account, Plan::Free).await;
        let files: [(&str, &[u8]); 1] = [("a.txt", b"0123456789")];
        let answers = join_all((0..RACERS).map(|_| world.send(&[], &files))).await;
        assert_allowed(&answers, 201, 50, (429, "TRANSFER_LIMIT_REACHED"));
        assert_eq!(
            blobs(&world.server).len(),
            50,
            "what is refused leaves none"
        );
        let used = usage(world).await;
        assert_eq!(used["transfers"], json!({ "used": 50, "limit": 50 }));
        let storage = json!({ "used": 500, "limit": 250_000_000 });
        assert_eq!(used["storage_bytes"], storage);
        assert_eq!(used["cycle"]["ends_at"], "2026-05-17T12:00:00.000Z");

        let sent = answers.iter().find(|it| it.status == 201).unwrap().json();
        let path = format!("/v1/transfers/{}", text(&sent, "id"));
        world.delete(&path).await.expect(200);
        world.delete("/v1/agents/alice").await.expect(200);
        world.server.agent(&world.account, "alice").await;
        let used = usage(world).await;
        assert_eq!(used["transfers"]["used"], 50);
        assert_eq!(used["storage_bytes"]["used"], 0);
        world.server.clock.advance(Duration::from_secs(10));
        let refused = world.send(&[], &files).await;
        let error = refused.expect_error(429, "TRANSFER_LIMIT_REACHED");
        assert_eq!(error["retry_after"], 30 * 86_400 - 10);
        assert_eq!(
            refused.header("retry-after"),
            (30 * 86_400 - 10).to_string()
        );

        world
            .server
            .clock
            .advance(Duration::from_secs(30 * 86_400 - 10));
        world.send(&[], &files).await.expect(201);
        assert_eq!(usage(world).await["transfers"]["used"], 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_stored_is_limited_and_deleting_makes_room_at_once() {
    for world in &World::each().await {
        world.server.set_plan(&world.account, Plan::Free).await;
        let first = world.sent(&[]).await;
        let nearly = "UPDATE transfers SET total_size = 250000000 - 100";
        run_sql(&world.server, nearly).await;
        let files: [(&str, &[u8]); 2] = [("a", b"01234"), ("b", b"56789")];
        let answers = join_all((0..RACERS).map(|_| world.send(&[], &files))).await;
        assert_allowed(&answers, 201, 10, (413, "STORAGE_FULL"));
        assert_eq!(
            blobs(&world.server).len(),
            21,
            "what is refused leaves none"
        );
        let used = usage(world).await;
        assert_eq!(used["storage_bytes"]["used"], 250_000_000);
        assert_eq!(
            used["transfers"]["used"], 11,
            "what is refused is not counted"
        );
        world.send(&[], &[("empty", b"")]).await.expect(201);

        let path = format!("/v1/transfers/{}", text(&first, "id"));
        world.delete(&path).await.expect(200);
        assert_eq!(usage(world).await["storage_bytes"]["used"], 100);
        world.send(&[], &files).await.expect(201);
        // The recipient stores nothing, and what has expired is no longer stored.
        world.server.clock.advance(Duration::from_hours(24));
        assert_eq!(usage(world).await["storage_bytes"]["used"], 0);
    }
}

/// The head of a form from alice to bob whose length is told so, and its beginning.
fn beginning(world: &World, length: &str) -> Vec<u8> {
    let head = format!(
        "POST /v1/transfers HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
         Authorization: Bearer {}\r\nContent-Type: multipart/form-data; boundary=b\r\n\
         {length}\r\n\r\n",
        world.account.key
    );
    head.into_bytes()
}

const FORM: &str = "--b\r\nContent-Disposition: form-data; name=\"files\"; filename=\"a\"\r\n\r\n";

/// A form that has not begun to come when it is refused: whoever would wait for it, or read it,
/// would find it cut off.
#[tokio::test]
async fn what_is_too_much_is_refused_before_it_has_come() {
    for world in &World::each().await {
        for (plan, length, code) in [
            (Plan::Free, "300000000", "STORAGE_FULL"),
            (Plan::Enterprise, "99999999999999", "FILE_TOO_LARGE"),
        ] {
            world.server.set_plan(&world.account, plan).await;
            let before = rows(&world.server).await;
            let head = beginning(world, &format!("Content-Length: {length}"));
            let (status, said) = parsed(&exchange(&world.server.url, &head).await);
            assert_eq!((status, &said["error"]["code"]), (413, &json!(code)));
            assert_eq!(rows(&world.server).await, before);
            assert!(blobs(&world.server).is_empty());
        }
    }
}

#[tokio::test]
async fn what_does_not_tell_its_length_is_cut_off_where_the_room_ends() {
    for engine in Engine::ALL {
        let soon = Duration::from_millis(400);
        let server = TestServer::start(engine, |it| it.limits.timeouts.linger = soon).await;
        let world = &World::on(server).await;
        world.server.set_plan(&world.account, Plan::Free).await;
        world.sent(&[]).await;
        let nearly = "UPDATE transfers SET total_size = 250000000 - 1000000";
        run_sql(&world.server, nearly).await;
        let before = (rows(&world.server).await, blobs(&world.server));
        // A lie about the length ends the body where it says, in the middle of the form.
        let short = format!("Content-Length: {}", FORM.len());
        let head = beginning(world, &short);
        let whole = [&head, FORM.as_bytes(), &vec![7; 100_000]].concat();
        let (status, _) = parsed(&exchange(&world.server.url, &whole).await);
        assert_eq!(status, 400);

        let stream = connect(&world.server.url).await;
        let (mut reading, mut writing) = stream.into_split();
        let head = [
            beginning(world, "Transfer-Encoding: chunked"),
            format!("{:x}\r\n{FORM}\r\n", FORM.len()).into_bytes(),
        ];
        let writer = tokio::spawn(async move {
            let piece = [&b"10000\r\n"[..], &vec![7; 0x10000], b"\r\n"].concat();
            let mut written = writing.write_all(&head.concat()).await;
            // Without end, until nobody listens.
            while written.is_ok() {
                written = writing.write_all(&piece).await;
            }
        });
        let mut answer = vec![0; 4096];
        let read = tokio::io::AsyncReadExt::read(&mut reading, &mut answer);
        let read = tokio::time::timeout(Duration::from_secs(20), read).await;
        let length = read.expect("it is answered").unwrap();
        let (status, said) = parsed(&answer[..length]);
        assert_eq!(
            (status, &said["error"]["code"]),
            (413, &json!("STORAGE_FULL"))
        );
        drop(reading);
        writer.await.unwrap();
        assert_eq!((rows(&world.server).await, blobs(&world.server)), before);
    }
}

#[tokio::test]
async fn a_file_may_be_as_large_as_the_plan_says_before_it_is_sealed() {
    let server = TestServer::start(Engine::Sqlite, |_| {}).await;
    let world = &World::on(server).await;
    world.server.set_plan(&world.account, Plan::Free).await;
    let bytes = vec![7; 50_000_000 + 17];
    let sealed = [("is_encrypted", "true")];
    for (more, size, status) in [
        (&sealed[..], 50_000_016, 201),
        (&sealed, 50_000_017, 413),
        (&[], 50_000_000, 201),
        (&[], 50_000_001, 413),
    ] {
        let before = (rows(&world.server).await, blobs(&world.server));
        let answer = world.send(more, &[("a", &bytes[..size])]).await;
        if status == 201 {
            answer.expect(201);
        } else {
            answer.expect_error(status, "FILE_TOO_LARGE");
            assert_eq!((rows(&world.server).await, blobs(&world.server)), before);
        }
    }
}

#[tokio::test]
async fn a_transfer_lives_as_long_as_the_plan_says() {
    for world in &World::each().await {
        world.server.set_plan(&world.account, Plan::Free).await;
        world.sent(&[("expires_in", "24h")]).await;
        let before = (rows(&world.server).await, blobs(&world.server));
        let files: [(&str, &[u8]); 1] = [("a", b"x")];
        let refused = world.send(&[("expires_in", "25h")], &files).await;
        let error = refused.expect_error(400, "VALIDATION_ERROR");
        assert_eq!(
            error["details"],
            json!([{ "field": "expires_in",
                     "message": "must be at most 1d, which is what the plan allows" }])
        );
        assert_eq!((rows(&world.server).await, blobs(&world.server)), before);
        world.server.set_plan(&world.account, Plan::Builder).await;
        world.sent(&[("expires_in", "14d")]).await;
    }
}

#[tokio::test]
async fn a_smaller_plan_takes_nothing_away() {
    for world in &World::each().await {
        for slug in ["carol", "dora"] {
            world.server.agent(&world.account, slug).await;
        }
        let spare = json!({ "name": "spare" });
        for _ in 0..3 {
            world.post("/v1/api-keys", &spare).await.expect(201);
        }
        let sent = world.sent(&[("expires_in", "300d")]).await;
        world.server.set_plan(&world.account, Plan::Free).await;
        let used = usage(world).await;
        assert_eq!(used["plan"], "free");
        assert_eq!(used["agents"], json!({ "used": 4, "limit": 2 }));
        assert_eq!(used["api_keys"], json!({ "used": 4, "limit": 2 }));
        let kept = world.shown(&sent).await;
        assert_eq!(kept["expires_at"], sent["expires_at"]);
        world.grant(&sent).await.expect(200);
        world.sent(&[]).await;
        let refused = world.post("/v1/api-keys", &spare).await;
        refused.expect_error(403, "KEY_LIMIT_REACHED");
        let agent = json!({ "agent_id": "eve" });
        let refused = world.post("/v1/agents/register", &agent).await;
        refused.expect_error(403, "PLAN_LIMIT_REACHED");
    }
}

#[tokio::test]
async fn an_account_learns_its_plan_and_what_it_uses_of_it() {
    for engine in Engine::ALL {
        let server = TestServer::start(engine, |it| it.default_plan = Plan::Team).await;
        let world = &World::on(server).await;
        world.sent(&[]).await;
        assert_eq!(
            usage(world).await,
            json!({
                "plan": "team",
                "cycle": { "starts_at": "2026-04-17T12:00:00.000Z",
                           "ends_at": "2026-05-17T12:00:00.000Z" },
                "transfers": { "used": 1, "limit": 5_000 },
                "storage_bytes": { "used": 10, "limit": 100_000_000_000_u64 },
                "api_keys": { "used": 1, "limit": 50 },
                "agents": { "used": 2, "limit": 50 },
                "connections": { "used": 0, "limit": 50 },
                "max_file_bytes": 2_000_000_000,
                "max_expires_in_seconds": 30 * 86_400,
            })
        );
        let me = world.get("/v1/agents/me").await.expect(200);
        assert_eq!(me["account"]["plan"], "team");
        assert_eq!(
            me["plan_limits"],
            json!({ "transfers_per_month": 5_000, "storage_bytes": 100_000_000_000_u64,
                    "max_file_size": 2_000_000_000, "max_agents": 50, "max_connections": 50 })
        );
        world
            .server
            .set_plan(&world.account, Plan::Enterprise)
            .await;
        let used = usage(world).await;
        assert_eq!(used["transfers"], json!({ "used": 1, "limit": null }));
        assert_eq!(used["storage_bytes"], json!({ "used": 10, "limit": null }));
    }
}
