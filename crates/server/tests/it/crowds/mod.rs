//! Many at once who say little, take little, or ask for what they do not want: others are answered,
//! memory stays what it was, and their connections end.

mod frames;
mod http1;
mod http2;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use agentdrop_server::{Config, Timeouts};
use agentdrop_testkit::engines::Engine;
use agentdrop_testkit::http::Http;
use agentdrop_testkit::server::{TestServer, text};
use futures_util::future::join_all;
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::runtime::Builder;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::world::{World, file_url};

/// How many connect; `AGENTDROP_TEST_CROWD` says otherwise.
const CROWD: usize = 500;
/// So much more memory may be in use than before they came, by them and by whom they speak to.
const GROWTH_KIB: u64 = 64 * 1024;
/// Longer than any of the limits below, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(50);
/// What everybody has to have done who is not to be closed.
const LIMIT: Duration = Duration::from_secs(2);

/// A server that a crowd comes to.
struct Scene {
    world: World,
    /// How much memory this process had at the most, since they came.
    peak: Arc<AtomicU64>,
    before: u64,
    over: Arc<AtomicBool>,
    looking: JoinHandle<()>,
}

fn crowd() -> usize {
    let said = std::env::var("AGENTDROP_TEST_CROWD").ok();
    said.map_or(CROWD, |it| it.parse().unwrap())
}

impl Scene {
    async fn new() -> Self {
        // Both ends of all are in this process.
        let mut open_files = getrlimit(Resource::Nofile);
        open_files.current = open_files.maximum;
        setrlimit(Resource::Nofile, open_files).unwrap();
        let change = |config: &mut Config| {
            config.limits.max_connections = 2 * crowd();
            config.limits.max_connections_per_address = 2 * crowd();
            config.limits.timeouts = Timeouts {
                first_byte: LIMIT,
                head: LIMIT,
                body: LIMIT / 2,
                stalled: LIMIT,
                linger: LIMIT,
                ..Timeouts::default()
            };
        };
        let world = World::on(TestServer::start(Engine::Sqlite, change).await).await;
        for _ in 0..3 {
            honest(&world).await;
        }
        let before = memory();
        let (peak, over) = (Arc::new(AtomicU64::new(before)), Arc::default());
        let (seen, ends) = (Arc::clone(&peak), Arc::clone(&over));
        let looking = tokio::spawn(async move {
            while !AtomicBool::load(&ends, Ordering::Relaxed) {
                seen.fetch_max(memory(), Ordering::Relaxed);
                sleep(Duration::from_millis(20)).await;
            }
        });
        Self {
            world,
            peak,
            before,
            over,
            looking,
        }
    }

    /// So many connections, each of which has said this.
    async fn crowd(&self, said: impl Fn(usize) -> Vec<u8>) -> Vec<TcpStream> {
        self.connect(crowd(), said).await
    }

    /// A fifth as many.
    async fn fifth(&self, said: impl Fn(usize) -> Vec<u8>) -> Vec<TcpStream> {
        self.connect(crowd() / 5, said).await
    }

    async fn connect(&self, count: usize, said: impl Fn(usize) -> Vec<u8>) -> Vec<TcpStream> {
        let address = self.world.server.url.trim_start_matches("http://");
        let address = address.parse().unwrap();
        let connect = async |bytes: Vec<u8>| {
            let socket = TcpSocket::new_v4().unwrap();
            // What is never read is not to fill the kernel's memory.
            socket.set_recv_buffer_size(8 * 1024).unwrap();
            let mut stream = socket.connect(address).await.unwrap();
            // Whoever says too much may be closed before it is through.
            drop(stream.write_all(&bytes).await);
            stream
        };
        join_all((0..count).map(|n| connect(said(n)))).await
    }

    /// While they are there, others are served.
    async fn serves_others(&self) {
        for _ in 0..3 {
            honest(&self.world).await;
        }
    }

    /// Each of them is closed by the server, having been told what `is_right` finds right.
    async fn closes(&self, crowd: Vec<TcpStream>, is_right: impl Fn(&[u8]) -> bool) {
        let all = join_all(crowd.into_iter().map(told)).await;
        for it in all {
            assert!(is_right(&it), "{}", String::from_utf8_lossy(&it));
        }
        honest(&self.world).await;
    }

    /// Ends it: memory did not grow by more than it may.
    async fn ends(self) {
        self.over.store(true, Ordering::Relaxed);
        self.looking.await.unwrap();
        let grown = self.peak.load(Ordering::Relaxed) - self.before;
        assert!(grown < GROWTH_KIB, "{grown} KiB more");
    }
}

/// What a connection was told, from its beginning, until it was closed or reset.
async fn told(mut stream: TcpStream) -> Vec<u8> {
    let (mut told, mut piece) = (Vec::new(), [0; 1024]);
    let read = async {
        while let Ok(read @ 1..) = stream.read(&mut piece).await {
            if told.len() < piece.len() {
                told.extend_from_slice(&piece[..read]);
            }
        }
    };
    timeout(PATIENCE, read).await.expect("the server closes");
    told
}

/// One who comes, sends a file, and fetches it: apart from what keeps the server busy, or they would be
/// too slow themselves.
async fn honest(world: &World) {
    let (url, key) = (world.server.url.clone(), world.account.key.clone());
    let apart = move || {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(exchange(url, &key));
    };
    tokio::task::spawn_blocking(apart).await.unwrap();
}

async fn exchange(url: String, key: &str) {
    // On a connection of their own: one that was idle may be closed just when it is used again.
    let http = Http::new(url);
    let fields = [("sender", "alice"), ("recipient", "bob")];
    let sent = http.form("/v1/transfers", key, &fields, &[("a", b"0123456789")]);
    let sent = sent.await.expect(201);
    let path = format!("/v1/transfers/{}/download", text(&sent, "id"));
    let grant = http.get(&path, key).await.expect(200);
    let file = http.get(&file_url(&grant, 0), "").await;
    assert_eq!(file.bytes, b"0123456789");
}

/// What this process has in memory, in KiB.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|it| it.strip_prefix("VmRSS:"));
    let kib = line.and_then(|it| it.trim().strip_suffix(" kB"));
    kib.unwrap().parse().unwrap()
}
