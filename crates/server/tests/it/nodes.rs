//! Several servers on one database, with the same files and one key.

use std::collections::BTreeSet;
use std::time::Duration;

use agentdrop_protocol::wire::plans::Plan;
use agentdrop_protocol::{Timestamp, TransferId};
use agentdrop_server::{Config, Error, Server};
use agentdrop_store::Tx;
use agentdrop_testkit::engines::Engine;
use agentdrop_testkit::http::{Http, send};
use agentdrop_testkit::person::ReceiveKey;
use agentdrop_testkit::server::{TestServer, text};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::activation::opened;
use crate::events::Listener;
use crate::parties::{Parties, Party};
use crate::receive_passwords::put;
use crate::world::{blobs, run_sql, until};

/// Who looks this rarely hears of what others wrote only because they tell.
const NEVER: Duration = Duration::from_hours(1);
const FILES: [(&str, &[u8]); 1] = [("a.txt", b"what waits")];

fn deaf(config: &mut Config) {
    config.limits.timeouts.unheard = NEVER;
}

/// Two accounts on the first of three servers.
async fn three() -> (Parties, [TestServer; 2]) {
    let first = TestServer::start(Engine::Postgres, deaf).await;
    let others = [first.beside(deaf).await, first.beside(deaf).await];
    (Parties::on(first).await, others)
}

async fn send_to(http: &Http, from: &Party, to: &str, more: &[(&'static str, &str)]) -> Value {
    let mut fields = vec![("sender", "data-pipeline"), ("recipient", to)];
    fields.extend_from_slice(more);
    let sent = http.form("/v1/transfers", &from.account.key, &fields, &FILES);
    sent.await.expect(201)
}

#[tokio::test]
async fn whoever_listens_at_one_is_told_at_once_of_what_happens_at_another() {
    let (parties, [second, third]) = three().await;
    let Parties { server, alex, .. } = &parties;
    let key = &alex.account.key;
    let mut there = Listener::new(&second.http, key, "", None).await;
    for http in [&server.http, &third.http, &server.http] {
        let sent = send_to(http, alex, "data-pipeline", &[]).await;
        let told = there.expect("transfer.created").await;
        assert_eq!(told.data["id"], sent["id"]);
    }
    // Their connections end, and are made anew.
    let url = server.database().url();
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    let listening = async || -> BTreeSet<i32> {
        let pids = "SELECT pid FROM pg_stat_activity
                    WHERE query IN ('LISTEN agentdrop_told', 'NOTIFY agentdrop_told')
                      AND datname = current_database()";
        let rows = client.query(pids, &[]).await.unwrap();
        rows.iter().map(|it| it.get(0)).collect()
    };
    let before = listening().await;
    assert_eq!(before.len(), 3);
    for pid in &before {
        let end = "SELECT pg_terminate_backend($1)";
        client.execute(end, &[pid]).await.unwrap();
    }
    until("all listen again", async || {
        let now = listening().await;
        now.len() == 3 && now.is_disjoint(&before)
    })
    .await;
    let sent = send_to(&third.http, alex, "data-pipeline", &[]).await;
    let told = there.expect("transfer.created").await;
    assert_eq!(told.data["id"], sent["id"]);
}

#[tokio::test]
async fn a_stream_that_its_server_ends_goes_on_at_another_without_a_gap() {
    let (parties, [mut second, third]) = three().await;
    let Parties { server, alex, .. } = &parties;
    let key = &alex.account.key;
    let mut listener = Listener::new(&second.http, key, "", None).await;
    let first = send_to(&server.http, alex, "data-pipeline", &[]).await;
    let told = listener.expect("transfer.created").await;
    assert_eq!(told.data["id"], first["id"]);
    second.stop().await;
    assert_eq!(
        listener.block().await.as_deref(),
        Some(": the server stops\nretry: 500")
    );
    assert!(listener.block().await.is_none());
    let missed = send_to(&server.http, alex, "data-pipeline", &[]).await;
    let mut listener = Listener::new(&third.http, key, "", Some(told.id)).await;
    let next = send_to(&server.http, alex, "data-pipeline", &[]).await;
    for sent in [missed, next] {
        assert_eq!(
            listener.expect("transfer.created").await.data["id"],
            sent["id"]
        );
    }
}

/// What waits is activated by one of them, whoever asks for it, and each of them has it whole.
#[tokio::test(flavor = "multi_thread")]
async fn of_many_servers_that_activate_one_does() {
    let (parties, [second, third]) = three().await;
    let Parties {
        server,
        alex,
        jamie,
    } = &parties;
    let mut sent = Vec::new();
    for _ in 0..8 {
        let more = [("mode", "agent-to-human")];
        sent.push(send_to(&second.http, alex, &jamie.email, &more).await);
    }
    let key = ReceiveKey::new();
    let session = server.session_of(&jamie.account).await;
    put(server, &session, &key.password()).await.expect(200);
    let all = [server, &second, &third];
    join_all((0..12).map(|n| all[n % 3].activate())).await;
    let active = "/v1/transfers/inbox?status=active&limit=1";
    let are_all = async || jamie.get(active).await.expect(200)["total"] == sent.len();
    until("all are activated", are_all).await;
    for (n, it) in sent.iter().enumerate() {
        let path = format!("/v1/transfers/{}/download", text(it, "id"));
        let grant = all[n % 3].http.get(&path, &jamie.account.key).await;
        let found = opened(jamie, all[(n + 1) % 3], &grant.expect(200), &key).await;
        assert_eq!(found, [("a.txt".to_owned(), FILES[0].1.to_vec())]);
    }
    let once = "SELECT 1 / CASE WHEN COUNT(*) = COUNT(DISTINCT subject) THEN 1 ELSE 0 END
                FROM audit_entries WHERE action = 'transfer.activated'";
    run_sql(server, once).await;
    until("only what is needed is left", async || {
        blobs(server).len() == 2 * sent.len()
    })
    .await;
}

/// Who claimed it died: nobody takes it over while they may be at it, and somebody does behind that.
#[tokio::test]
async fn what_a_server_died_over_is_taken_over_by_another() {
    let (parties, [second, third]) = three().await;
    let Parties {
        server,
        alex,
        jamie,
    } = &parties;
    let key = ReceiveKey::new();
    let session = server.session_of(&jamie.account).await;
    put(server, &session, &key.password()).await.expect(200);
    run_sql(server, "UPDATE accounts SET email_verified_at = NULL").await;
    let more = [("mode", "agent-to-human")];
    let sent = send_to(&server.http, alex, &jamie.email, &more).await;
    let id: TransferId = text(&sent, "id").parse().unwrap();
    let now = server.clock.now();
    let store = server.database().open().await;
    let until = now.plus(Duration::from_secs(30));
    let claim = async move |tx: &mut Tx| tx.claim_activation(id, now, until).await;
    assert_eq!(store.write(claim).await.unwrap(), Some(1));
    let again = async move |tx: &mut Tx| tx.claim_activation(id, now, until).await;
    assert_eq!(store.write(again).await.unwrap(), None, "it is claimed");
    run_sql(server, "UPDATE accounts SET email_verified_at = 1").await;
    let status = async || {
        let path = format!("/v1/transfers/{id}");
        text(&alex.get(&path).await.expect(200), "status")
    };
    second.activate().await;
    assert_eq!(status().await, "pending_recipient");
    server.clock.advance(Duration::from_secs(30));
    join_all([&second, &third].map(TestServer::activate)).await;
    assert_eq!(status().await, "active");
    // The dead one comes to life, and says that it is still at it: too late.
    let late = async move |tx: &mut Tx| {
        let far = Timestamp::from_millis(i64::MAX);
        tx.put_activation_off(id, 1, far).await
    };
    assert_eq!(store.write(late).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_idempotency_key_at_several_servers_has_one_effect() {
    let (parties, [second, third]) = three().await;
    let Parties { server, alex, .. } = &parties;
    let all = [server, &second, &third];
    for round in 0..8 {
        let name = format!("1b671a64-40d5-491e-99b0-00000000000{round}");
        let asked = (0..24).map(|n| {
            let form = reqwest::multipart::Form::new()
                .text("sender", "data-pipeline")
                .text("recipient", "data-pipeline")
                .part(
                    "files",
                    reqwest::multipart::Part::bytes(vec![7; 10_000]).file_name("a"),
                );
            let request = all[n % 3]
                .http
                .request("POST", "/v1/transfers", &alex.account.key);
            send(request.header("Idempotency-Key", &name).multipart(form))
        });
        let mut ids = BTreeSet::new();
        for answer in join_all(asked).await {
            match answer.status {
                201 => drop(ids.insert(text(&answer.json(), "id"))),
                409 => drop(answer.expect_error(409, "IDEMPOTENCY_IN_PROGRESS")),
                other => panic!("{other}: {:?}", answer.json()),
            }
        }
        assert_eq!(ids.len(), 1, "round {round}");
        let listed = alex.get("/v1/transfers?limit=1").await.expect(200);
        assert_eq!(listed["total"], round + 1);
    }
    until("nobody's bytes are left but one's", async || {
        blobs(server).len() == 8
    })
    .await;
}

/// What a plan allows, it allows at all servers together, however many ask at once.
#[tokio::test(flavor = "multi_thread")]
async fn the_limits_of_a_plan_are_those_of_all_servers_together() {
    let (parties, [second, third]) = three().await;
    let Parties { server, alex, .. } = &parties;
    server.set_plan(&alex.account, Plan::Free).await;
    let (all, key) = ([server, &second, &third], &alex.account.key);
    let registered = (0..12).map(|n| {
        let body = json!({ "agent_id": format!("agent-{n}") });
        let http = &all[n % 3].http;
        async move { http.post("/v1/agents/register", key, &body).await.status }
    });
    let registered = join_all(registered).await;
    // Of two, one is there.
    assert_eq!(registered.iter().filter(|it| **it == 201).count(), 1);
    let sent = (0..72).map(|n| {
        let fields = [("sender", "data-pipeline"), ("recipient", "data-pipeline")];
        let http = &all[n % 3].http;
        async move {
            http.form("/v1/transfers", key, &fields, &FILES)
                .await
                .status
        }
    });
    let sent = join_all(sent).await;
    assert_eq!(sent.iter().filter(|it| **it == 201).count(), 50, "{sent:?}");
    let listed = alex.get("/v1/transfers?limit=1").await.expect(200);
    assert_eq!(listed["total"], 50);
    until("nobody's bytes are left but theirs", async || {
        blobs(server).len() == 50
    })
    .await;
}

/// Each server more is not as many guesses more.
#[tokio::test]
async fn passwords_are_tried_ten_times_at_all_servers_together() {
    let (parties, [second, third]) = three().await;
    let all = [&parties.server, &second, &third];
    let tries = async |n: usize, email: &str| {
        all[n % 3]
            .try_password(email, "not the password")
            .await
            .status
    };
    for email in [&*parties.jamie.email, "nobody@example.org"] {
        for n in 0..10 {
            assert_eq!(tries(n, email).await, 401);
        }
        for server in all {
            let refused = server.try_password(email, "not the password").await;
            refused.expect_error(429, "RATE_LIMITED");
            assert_eq!(refused.header("retry-after"), "90");
        }
        parties.server.clock.advance(Duration::from_secs(90));
        assert_eq!(tries(1, email).await, 401);
        assert_eq!(tries(2, email).await, 429);
    }
}

/// With a key of its own a server could open nothing of the others', and they nothing of its.
#[tokio::test]
async fn a_server_with_another_key_does_not_start() {
    let first = TestServer::start(Engine::Postgres, |_| {}).await;
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::new(folder.path().join("data"));
    config.listen = ([127, 0, 0, 1], 0).into();
    config.database_url = Some(first.database().url().to_owned());
    config.blobs = Some(first.data_dir().join("blobs"));
    let refused = Server::start(&config).await.unwrap_err();
    assert!(matches!(refused, Error::ServerKeyMissing(_)), "{refused:?}");
    let path = folder.path().join("data/server.key");
    assert!(!path.exists(), "none is made");
    let mut key = std::fs::read(first.data_dir().join("server.key")).unwrap();
    key[31] ^= 1;
    std::io::Write::write_all(&mut std::fs::File::create(&path).unwrap(), &key).unwrap();
    let refused = Server::start(&config).await.unwrap_err();
    assert!(matches!(refused, Error::OtherServerKey(_)), "{refused:?}");
    std::fs::copy(first.data_dir().join("server.key"), &path).unwrap();
    Server::start(&config).await.unwrap();
}

/// It would take all that lies there for abandoned.
#[tokio::test]
async fn a_server_with_the_files_of_another_database_does_not_start() {
    for engine in Engine::ALL {
        let first = TestServer::start(engine, |_| {}).await;
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::new(folder.path().join("data"));
        config.listen = ([127, 0, 0, 1], 0).into();
        config.blobs = Some(first.data_dir().join("blobs"));
        let refused = Server::start(&config).await.unwrap_err();
        assert!(matches!(refused, Error::OtherBlobs(_)), "{refused:?}");
        // With a folder of its own it does, and then not with the other one either.
        config.blobs = None;
        drop(Server::start(&config).await.unwrap());
        config.blobs = Some(first.data_dir().join("blobs"));
        let refused = Server::start(&config).await.unwrap_err();
        assert!(matches!(refused, Error::OtherBlobs(_)), "{refused:?}");
        // A copy of the files without that file is as good as the files.
        config.blobs = Some(folder.path().join("copy"));
        drop(Server::start(&config).await.unwrap());
    }
}

/// It is not to be sent anybody any more, and works until the time is over.
#[tokio::test]
async fn a_server_that_is_to_stop_says_so_first() {
    for engine in Engine::ALL {
        let drain = |config: &mut Config| config.limits.timeouts.drain = Duration::from_secs(2);
        let mut server = TestServer::start(engine, drain).await;
        let http = server.http.clone();
        http.get("/readyz", "").await.expect(200);
        let stopping = async {
            server.stop().await;
        };
        let looking = async {
            let says = async || http.get("/readyz", "").await.status == 503;
            until("it says that it stops", says).await;
            let answer = http.get("/healthz", "").await;
            assert_eq!(answer.status, 200);
            assert_eq!(answer.header("connection"), "close");
            let parts = http.get("/readyz", "").await.expect(503);
            assert_eq!(
                parts,
                json!({ "status": "unavailable", "database": "ok", "blobs": "ok" })
            );
        };
        tokio::join!(stopping, looking);
        assert!(http.request("GET", "/healthz", "").send().await.is_err());
    }
}
