//! What must lie nowhere: keys, tokens, file names, messages, and what was in a plaintext file.

use std::io;
use std::sync::{Arc, Mutex};

use agentdrop_testkit::http::send;
use agentdrop_testkit::server::{PASSWORD, text};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::links::Link;
use crate::world::{World, everything, file_url, files_under};

const NAME: &str = "payroll-of-the-queen.pdf";
const MESSAGE: &str = "burn this after reading";
const PLAINTEXT: &str = "the treasure lies under the old oak";
const METADATA: &str = "ship-of-theseus";
const REQUEST: &str = "do-this-once-and-no-more";

/// A log that is kept.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The same text as it may lie among bytes.
fn guises(secret: &str) -> [Vec<u8>; 3] {
    let bytes = secret.as_bytes();
    // Less its end, which depends on what stands behind it.
    let whole = &bytes[..bytes.len() / 3 * 3];
    [
        bytes.to_vec(),
        hex::encode(bytes).into_bytes(),
        STANDARD.encode(whole).into_bytes(),
    ]
}

fn contains(hay: &[u8], needle: &[u8]) -> bool {
    hay.windows(needle.len()).any(|it| it == needle)
}

#[tokio::test]
async fn no_secret_lies_in_the_log_the_folder_or_the_database() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(
            "debug,agentdrop_server=trace,agentdrop_store=trace",
        ))
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish()
        .init();
    for world in &World::each().await {
        let (mut secrets, sent, before) = whole_life(world).await;
        let link = by_link(world).await;
        secrets.extend([NAME, MESSAGE, PLAINTEXT, METADATA, REQUEST].map(str::to_owned));
        let dumped = format!("{before}{:?}", everything(&world.server).await);
        let mut places = vec![("the database".to_owned(), dumped.into_bytes())];
        let logged = log.0.lock().unwrap().clone();
        assert!(
            contains(&logged, b"/v1/transfers/{transfer_id}/download"),
            "it is the log"
        );
        assert!(contains(&logged, b"/v1/d/{token}/downloads"), "it was used");
        assert!(
            contains(&places[0].1, sent.as_bytes()),
            "it is the database"
        );
        places.push(("the log".to_owned(), logged));
        let mut files = files_under(&world.server.data_dir());
        files.extend(
            world
                .server
                .database_folder()
                .map(files_under)
                .unwrap_or_default(),
        );
        assert!(files.len() > 2, "{files:?}");
        for file in files {
            places.push((file.display().to_string(), std::fs::read(&file).unwrap()));
        }
        // The mail itself lies in the outbox, which is a folder here.
        for (place, bytes) in places.iter().filter(|it| !it.0.contains("/outbox/")) {
            for guise in guises(link.trim_start_matches("agl_")) {
                assert!(!contains(bytes, &guise), "what a link has lies in {place}");
            }
        }
        for secret in &secrets {
            for (place, bytes) in &places {
                for guise in guises(secret) {
                    assert!(!contains(bytes, &guise), "{secret} lies in {place}");
                }
            }
        }
    }
}

/// What was sent to a person is looked at and fetched by the link that was mailed to them, whole and
/// cut; answers what the link has.
async fn by_link(world: &World) -> String {
    let http = &world.server.http;
    let account = world.get("/v1/account").await.expect(200);
    let session = world.server.sign_in(&text(&account, "email")).await;
    let link = Link::of(world, &session).await;
    let (mut cut, nothing) = (link.token.clone(), json!({}));
    cut.pop();
    for (token, status) in [(&link.token, 200), (&cut, 404)] {
        let path = format!("/v1/d/{token}");
        let shown = http.get(&path, "").await;
        assert_eq!(shown.status, status);
        for behind in ["downloads", "verify", "ack"] {
            let path = format!("{path}/{behind}");
            http.post(&path, &session, &nothing).await;
        }
        let query = format!("/d/{token}?token={token}");
        http.get(&query, "").await.expect_error(404, "NOT_FOUND");
    }
    link.token
}

/// A transfer from before its agents to after its end, and much that is refused; answers the
/// secrets of it, its id, and what the database had in the middle of it.
async fn whole_life(world: &World) -> (Vec<String>, String, String) {
    let (http, mut secrets) = (&world.server.http, vec![world.account.key.clone()]);
    let later = json!({ "agent_id": "later" });
    let later = world.post("/v1/agents/register", &later).await.expect(201);
    let token = text(&later, "connection_token");
    let keys = json!({ "public_key": world.alice["public_key"] });
    http.post("/v1/agents/connect", &token, &keys)
        .await
        .expect(200);
    http.post("/v1/agents/connect", &token, &keys)
        .await
        .expect_error(401, "UNAUTHORIZED");
    let unused = json!({ "agent_id": "unused" });
    let unused = world.post("/v1/agents/register", &unused).await.expect(201);
    let (_, agent_key) = world.agent_key("bob").await;
    let made = world
        .post("/v1/api-keys", &json!({ "name": "ci" }))
        .await
        .expect(201);
    // An answer that is kept for a repetition, with what is shown this once in it.
    let request = http.request("POST", "/v1/api-keys", &world.account.key);
    let request = request.header("idempotency-key", REQUEST);
    let kept = send(request.json(&json!({ "name": "once" }))).await;
    secrets.push(text(&kept.expect(201), "api_key"));
    secrets.extend([
        token,
        text(&unused, "connection_token"),
        text(&made, "api_key"),
    ]);

    // A person, and one who guesses.
    let guess = "hunter2 hunter2";
    let session = world.server.session_of(&world.account).await;
    let account = http.get("/v1/account", &session).await.expect(200);
    let email = text(&account, "email");
    let wrong = world.server.try_password(&email, guess).await;
    wrong.expect_error(401, "UNAUTHORIZED");
    let short = json!({ "email": email, "password": ["hunter3 hunter3"] });
    http.post("/v1/sessions", "", &short)
        .await
        .expect_error(400, "VALIDATION_ERROR");
    secrets.extend([PASSWORD, guess, "hunter3 hunter3"].map(str::to_owned));
    secrets.push(session);

    let metadata = format!("{{\"a\":\"{METADATA}\"}}");
    let fields = [
        ("message", MESSAGE),
        ("metadata", &*metadata),
        ("auto_delete", "true"),
    ];
    let body = PLAINTEXT.repeat(5_000);
    let sent = world
        .send(&fields, &[(NAME, body.as_bytes())])
        .await
        .expect(201);
    world.sent(&[("message", MESSAGE)]).await;
    let path = format!("/v1/transfers/{}", text(&sent, "id"));
    let grant = http
        .get(&format!("{path}/download"), &agent_key)
        .await
        .expect(200);
    let url = file_url(&grant, 0);
    let signature = url.rsplit_once('=').unwrap().1.to_owned();
    assert_eq!(http.get(&url, "").await.bytes, body.as_bytes());
    http.get(&url.replace("expires=1", "expires=2"), "")
        .await
        .expect_error(404, "NOT_FOUND");
    secrets.extend([agent_key.clone(), signature]);

    // What is refused is not logged either.
    let mut bad = world.account.key.clone();
    bad.replace_range(12..13, if bad.as_bytes()[12] == b'x' { "y" } else { "x" });
    http.get("/v1/agents", &bad)
        .await
        .expect_error(401, "UNAUTHORIZED");
    http.get(&format!("/v1/agents?api_key={agent_key}"), "")
        .await
        .expect_error(401, "UNAUTHORIZED");
    http.get(&format!("/v1/{agent_key}/{NAME}"), "")
        .await
        .expect_error(404, "NOT_FOUND");
    let inside = json!({ "name": ["x"], "email": &bad, "note": MESSAGE });
    world
        .post("/v1/api-keys", &inside)
        .await
        .expect_error(400, "VALIDATION_ERROR");
    let refused = [("recipient", "x"), ("message", MESSAGE)];
    world
        .send(&refused, &[(NAME, body.as_bytes())])
        .await
        .expect_error(400, "VALIDATION_ERROR");
    let shouted = http
        .request("GET", "/v1/agents", &bad)
        .header("x-request-id", "a b\u{e9}");
    send(shouted.header("user-agent", MESSAGE))
        .await
        .expect_error(401, "UNAUTHORIZED");
    secrets.push(bad);
    let dumped = format!("{:?}", everything(&world.server).await);

    let ack = json!({ "download_id": grant["download_id"], "status": "received" });
    http.post(&format!("{path}/ack"), &agent_key, &ack)
        .await
        .expect(200);
    world.server.sweep().await;

    (secrets, text(&sent, "id"), dumped)
}
