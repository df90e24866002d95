//! What breaks: clients that vanish, stall or drip, disks that are full, databases that are away.

use std::path::Path;
use std::process::Command;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use agentdrop_server::{Config, Timeouts};
use agentdrop_testkit::engines::Engine;
use agentdrop_testkit::server::{TestServer, text};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::raw::{connect, parsed, read_to_close};
use crate::uploads::{WHOLE, body as announcing, put, url};
use crate::world::{World, blobs, file_url, rows, until};

/// Time limits that a test can wait for.
fn impatient(config: &mut Config) {
    config.limits.timeouts = Timeouts {
        first_byte: Duration::from_millis(400),
        head: Duration::from_millis(400),
        body: Duration::from_millis(400),
        stalled: Duration::from_millis(400),
        linger: Duration::from_millis(400),
        grace: Duration::from_secs(5),
        ..Timeouts::default()
    };
}

/// The head of a request that sends a form with alice's file to bob, and the beginning of the form.
fn beginning(world: &World, length: usize) -> Vec<u8> {
    let form = "--b\r\nContent-Disposition: form-data; name=\"sender\"\r\n\r\nalice\r\n\
                --b\r\nContent-Disposition: form-data; name=\"recipient\"\r\n\r\nbob\r\n\
                --b\r\nContent-Disposition: form-data; name=\"files\"; filename=\"a\"\r\n\r\n";
    let head = format!(
        "POST /v1/transfers HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\
         Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {}\r\n\r\n",
        world.account.key,
        form.len() + length
    );
    [head, form.to_owned()].concat().into_bytes()
}

/// What is no larger is kept beside its row.
const SMALL: usize = 16 * 1024;

#[tokio::test]
async fn a_client_that_vanishes_in_the_middle_leaves_nothing() {
    for world in &World::each().await {
        let before = rows(&world.server).await;
        for sent in [0, 1, 100_000, 3_000_000] {
            let mut stream = connect(&world.server.url).await;
            stream
                .write_all(&beginning(world, 10_000_000))
                .await
                .unwrap();
            stream.write_all(&vec![7; sent]).await.unwrap();
            stream.flush().await.unwrap();
            // Of the first bytes there is no file yet.
            let files = usize::from(sent > SMALL);
            until("it began", async || blobs(&world.server).len() == files).await;
            drop(stream);
            until("nothing is left", async || blobs(&world.server).is_empty()).await;
        }
        assert_eq!(rows(&world.server).await, before);
    }
}

#[tokio::test]
async fn a_client_that_does_not_wait_for_the_answer_leaves_all_or_nothing() {
    for world in &World::each().await {
        for wait in 0..12 {
            let end = b"0123456789\r\n--b--\r\n";
            let mut stream = connect(&world.server.url).await;
            stream
                .write_all(&beginning(world, end.len()))
                .await
                .unwrap();
            stream.write_all(end).await.unwrap();
            sleep(Duration::from_millis(wait)).await;
            drop(stream);
        }
        let consistent = async || {
            let files = blobs(&world.server);
            let staged = files
                .iter()
                .any(|it| it.to_string_lossy().contains("staging"));
            let total = world.get("/v1/transfers?limit=100").await.expect(200);
            !staged && total["total"] == files.len()
        };
        until("each file has its transfer", consistent).await;
        sleep(Duration::from_millis(200)).await;
        assert!(consistent().await, "and keeps it");
        let all = world.get("/v1/transfers?limit=100").await.expect(200);
        for sent in all["transfers"].as_array().unwrap() {
            let grant = world.grant(sent).await.expect(200);
            let file = world.server.http.get(&file_url(&grant, 0), "").await;
            assert_eq!(file.bytes, b"0123456789");
        }
    }
}

/// A small disk of its own, which only root can make.
pub(crate) struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"])
            .arg(folder.path());
        let mounted = mount.status().is_ok_and(|it| it.success());
        assert!(
            mounted,
            "this test mounts a small disk: run it as root, with CAP_SYS_ADMIN"
        );
        Self(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: what is still open closes later.
        drop(Command::new("umount").arg("-l").arg(self.path()).status());
    }
}

#[tokio::test]
async fn a_full_disk_is_said_and_outlived() {
    for engine in Engine::ALL {
        let disk = SmallDisk::new();
        let place = disk.path().to_owned();
        let change = move |config: &mut Config| {
            config.data_dir = place.join("data");
            if engine == Engine::Sqlite {
                config.database_url = None;
            }
        };
        let world = World::on(TestServer::start(engine, change).await).await;
        let files = || crate::world::files_under(&disk.path().join("data/blobs"));
        let kept = world.sent(&[]).await;
        let before = files();
        for _ in 0..3 {
            for sealed in ["true", "false"] {
                let fields = [("is_encrypted", sealed)];
                let large = vec![7; 6_000_000];
                let refused = world.send(&fields, &[("a", b"x"), ("b", &large)]).await;
                let error = refused.expect_error(507, "STORAGE_UNAVAILABLE");
                assert!(!error.to_string().contains("os error"), "{error}");
                assert_eq!(files(), before);
                let more = json!({ "is_encrypted": sealed == "true" });
                let body = announcing(&[("b", large.len())], &more);
                let announced = world.post(WHOLE, &body).await.expect(201);
                let refused = put(&world.server.http, &url(&announced, 0), &large).await;
                refused.expect_error(507, "STORAGE_UNAVAILABLE");
                assert_eq!(files(), before);
                let path = format!("/v1/transfers/{}", text(&announced, "id"));
                world.delete(&path).await.expect(200);
            }
        }
        let live = "/v1/transfers?limit=100&status=active";
        assert_eq!(world.get(live).await.expect(200)["total"], 1);
        // Full to the last byte.
        let filler = disk.path().join("filler");
        let mut file = std::fs::File::create(&filler).unwrap();
        while std::io::Write::write_all(&mut file, &[0; 512]).is_ok() {}
        drop(file);
        let mut refused = 0;
        for _ in 0..40 {
            let answer = world.send(&[], &[("a", &vec![7; 20_000])]).await;
            assert!(matches!(answer.status, 201 | 507), "{:?}", answer.json());
            refused += usize::from(answer.status == 507);
        }
        assert!(refused > 0);
        world.server.http.get("/healthz", "").await.expect(200);
        let shown = world
            .get(&format!("/v1/transfers/{}", text(&kept, "id")))
            .await;
        assert_eq!(shown.expect(200)["status"], "active");
        let total = world.get(live).await.expect(200);
        // The first one is small, and is beside its row.
        assert_eq!(total["total"], files().len() + 1, "nothing is half there");
        if engine == Engine::Sqlite {
            let small = vec![7; SMALL];
            let fields = [("is_encrypted", "true")];
            let mut kept = Vec::new();
            let refused = loop {
                let answer = world.send(&fields, &[("a", &small)]).await;
                if answer.status == 507 {
                    break answer;
                }
                kept.push(answer.expect(201));
                assert!(kept.len() < 100, "there is no room for so many");
            };
            refused.expect_error(507, "STORAGE_UNAVAILABLE");
            let live = world.get(live).await.expect(200);
            assert_eq!(live["total"], files().len() + 1 + kept.len());
        }

        std::fs::remove_file(&filler).unwrap();
        let sent = world.sent(&[]).await;
        let grant = world.grant(&sent).await.expect(200);
        let file = world.server.http.get(&file_url(&grant, 0), "").await;
        assert_eq!(file.bytes, b"0123456789");
    }
}

/// A way to a database that a test can cut.
struct Wire {
    address: String,
    cut: tokio::sync::watch::Sender<bool>,
    stop: CancellationToken,
}

impl Wire {
    async fn new(target: Arc<OnceLock<String>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (cut, mut watched) = tokio::sync::watch::channel(false);
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        tokio::spawn(stop.run_until_cancelled_owned(async move {
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    accepted = listener.accept() => {
                        let (mut here, _) = accepted.unwrap();
                        if *watched.borrow() {
                            continue;
                        }
                        let mut there = TcpStream::connect(target.get().unwrap()).await.unwrap();
                        connections.spawn(async move {
                            drop(copy_bidirectional(&mut here, &mut there).await);
                        });
                    }
                    _ = watched.changed() => connections.abort_all(),
                }
            }
        }));
        Self {
            address,
            cut,
            stop: stopped,
        }
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

#[tokio::test]
async fn a_database_that_is_away_is_said_and_waited_for() {
    let target = Arc::new(OnceLock::new());
    let wire = Wire::new(Arc::clone(&target)).await;
    let change = |config: &mut Config| {
        let url = config.database_url.take().unwrap();
        let (user, place) = url.rsplit_once('@').unwrap();
        let (address, name) = place.split_once('/').unwrap();
        target.set(address.to_owned()).unwrap();
        config.database_url = Some(format!("{user}@{}/{name}", wire.address));
    };
    let world = World::on(TestServer::start(Engine::Postgres, change).await).await;
    let sent = world.sent(&[]).await;
    let grant = world.grant(&sent).await.expect(200);
    let before = (rows(&world.server).await, blobs(&world.server));
    for _ in 0..2 {
        wire.cut.send(true).unwrap();
        sleep(Duration::from_millis(50)).await;
        for answer in [
            world.get("/v1/agents").await,
            world.post("/v1/api-keys", &json!({ "name": "x" })).await,
            world.send(&[], &[("a", b"x")]).await,
            world.grant(&sent).await,
            world.get(&file_url(&grant, 0)).await,
        ] {
            let error = answer.expect_error(503, "UNAVAILABLE");
            assert_eq!(error["retry_after"], 5);
            assert_eq!(answer.header("retry-after"), "5");
            assert!(!error.to_string().contains("127.0.0.1"), "{error}");
        }
        let ready = world.get("/readyz").await.expect(503);
        assert_eq!(ready["database"], "unavailable");
        world.get("/healthz").await.expect(200);
        wire.cut.send(false).unwrap();
        until("it recovers", async || {
            world.get("/v1/agents").await.status == 200
        })
        .await;
        assert_eq!((rows(&world.server).await, blobs(&world.server)), before);
    }
    // Connections that the database ends are replaced.
    let url = world.server.database().url();
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE datname = current_database() AND pid <> pg_backend_pid()";
    client.query(end, &[]).await.unwrap();
    let answer = world.get("/v1/agents").await;
    assert!(matches!(answer.status, 200 | 503), "{:?}", answer.json());
    until("it recovers", async || {
        world.get("/v1/agents").await.status == 200
    })
    .await;
    world.sent(&[]).await;
}

#[tokio::test]
async fn whoever_says_too_little_is_closed() {
    let world = World::on(TestServer::start(Engine::Sqlite, impatient).await).await;
    let url = &world.server.url;
    for said in [
        &b""[..],
        b"P",
        b"PRI * HTTP/2.0\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ",
        // After an answer, too.
        b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
    ] {
        if said.starts_with(b"PRI") && said.len() > 20 {
            // Begins well; what keeps such a connection is its pings.
            continue;
        }
        let mut stream = connect(url).await;
        stream.write_all(said).await.unwrap();
        let begun = Instant::now();
        drop(read_to_close(&mut stream).await);
        let took = begun.elapsed();
        let shown = String::from_utf8_lossy(said);
        assert!(took < Duration::from_secs(3), "{shown:?} took {took:?}");
    }
    // Heads and bodies that drip.
    let mut stream = connect(url).await;
    let head = b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: abcdefghijklmnopqrstuvwxyz";
    let dripping = async {
        for byte in head {
            stream.write_all(&[*byte]).await?;
            sleep(Duration::from_millis(40)).await;
        }
        stream.read_u8().await
    };
    assert!(dripping.await.is_err(), "it is closed before it is through");

    let key = &world.account.key;
    for (path, content_type) in [
        ("/v1/api-keys", "application/json"),
        ("/v1/transfers", "multipart/form-data; boundary=b"),
    ] {
        let mut stream = connect(url).await;
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\
             Content-Type: {content_type}\r\nContent-Length: 1000\r\n\r\n--b\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let (mut from, mut to) = stream.into_split();
        let dripping = tokio::spawn(async move {
            while to.write_all(b"x").await.is_ok() {
                sleep(Duration::from_millis(50)).await;
            }
        });
        let mut answer = Vec::new();
        let read = timeout(Duration::from_secs(5), from.read_to_end(&mut answer)).await;
        drop(read.expect("it is closed"));
        let (status, body) = parsed(&answer);
        assert_eq!(
            (status, &body["error"]["code"]),
            (408, &json!("REQUEST_TIMEOUT")),
            "{path}"
        );
        dripping.abort();
    }
    assert_eq!(blobs(&world.server).len(), 0);
}

#[tokio::test]
async fn whoever_does_not_read_is_closed() {
    let world = World::on(TestServer::start(Engine::Sqlite, impatient).await).await;
    let size = 40_000_000;
    let sent = world
        .send(&[("is_encrypted", "true")], &[("a", &vec![7; size])])
        .await;
    let grant = world.grant(&sent.expect(201)).await.expect(200);
    let path = file_url(&grant, 0).replace(&world.server.url, "");
    let mut stream = connect(&world.server.url).await;
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    sleep(Duration::from_millis(1_500)).await;
    let answer = read_to_close(&mut stream).await;
    assert!(answer.len() < size, "{}", answer.len());
    // The file is there for whoever reads.
    let whole = world.server.http.get(&file_url(&grant, 0), "").await;
    assert_eq!(whole.bytes.len(), size);
}

#[tokio::test]
async fn one_address_has_no_more_connections_than_allowed() {
    let change = |config: &mut Config| config.limits.max_connections_per_address = 4;
    let server = TestServer::start(Engine::Sqlite, change).await;
    let mut held = Vec::new();
    for _ in 0..4 {
        held.push(connect(&server.url).await);
    }
    sleep(Duration::from_millis(100)).await;
    for _ in 0..8 {
        let mut refused = connect(&server.url).await;
        let begun = Instant::now();
        assert_eq!(read_to_close(&mut refused).await, b"");
        assert!(begun.elapsed() < Duration::from_secs(2));
    }
    drop(held);
    until("places come back", async || {
        let mut stream = connect(&server.url).await;
        let asked = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        drop(stream.write_all(asked).await);
        parsed(&read_to_close(&mut stream).await).0 == 200
    })
    .await;
}

#[tokio::test]
async fn a_server_that_stops_finishes_what_it_sends() {
    for mut world in World::each().await {
        let size = 30_000_000;
        let sent = world.send(&[], &[("a", &vec![7; size])]).await.expect(201);
        let grant = world.grant(&sent).await.expect(200);
        let path = file_url(&grant, 0).replace(&world.server.url, "");
        let url = world.server.url.clone();
        let mut stream = connect(&url).await;
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        assert_eq!(stream.read_u8().await.unwrap(), b'H');
        let idle = connect(&url).await;
        let reading = async {
            sleep(Duration::from_millis(300)).await;
            assert!(
                TcpStream::connect(url.trim_start_matches("http://"))
                    .await
                    .is_err()
            );
            read_to_close(&mut stream).await
        };
        let ((), rest) = tokio::join!(world.server.stop(), reading);
        assert!(rest.len() > size, "{}", rest.len());
        drop(idle);
    }
}

#[tokio::test]
async fn whoever_is_refused_reads_why_though_still_sending() {
    for world in &World::each().await {
        let large = vec![b'x'; 20_000_000];
        for (path, key, status) in [
            ("/v1/transfers", "", 401),
            ("/v1/api-keys", &*world.account.key, 413),
            ("/v1/nothing", "", 404),
        ] {
            let request = world.server.http.request("POST", path, key);
            let request = request.header("content-type", "application/json");
            let answer = agentdrop_testkit::http::send(request.body(large.clone())).await;
            assert_eq!(answer.status, status, "{path}");
        }
        // Whoever asks first is not asked for what is not wanted.
        let mut stream = connect(&world.server.url).await;
        let head = "POST /v1/transfers HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n\
                    Content-Length: 9999999\r\n\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        let answer = read_to_close(&mut stream).await;
        assert!(
            answer.starts_with(b"HTTP/1.1 401"),
            "{}",
            String::from_utf8_lossy(&answer)
        );
    }
}
