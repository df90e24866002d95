//! A small load balancer: it takes the servers that say they are ready in turn, and tries the next
//! one where it cannot connect. What was said to one it never says to another.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use agentdrop_testkit::http::Http;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

/// How often it asks who is ready.
const EVERY: Duration = Duration::from_millis(100);
/// How long it looks for somebody to connect to.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs until it is dropped.
pub(super) struct Proxy {
    /// Where it is.
    pub(super) url: String,
    _running: JoinSet<()>,
}

struct Backend {
    at: SocketAddr,
    ready: AtomicBool,
}

impl Proxy {
    pub(super) async fn start(to: &[SocketAddr]) -> Self {
        let backend = |at: &SocketAddr| Backend {
            at: *at,
            ready: AtomicBool::new(false),
        };
        let backends: Arc<[_]> = to.iter().map(backend).collect();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let mut running = JoinSet::new();
        for n in 0..backends.len() {
            running.spawn(watch(Arc::clone(&backends), n));
        }
        running.spawn(accept(listener, backends));
        Self {
            url,
            _running: running,
        }
    }
}

async fn watch(backends: Arc<[Backend]>, n: usize) {
    let backend = &backends[n];
    let http = Http::new(format!("http://{}", backend.at));
    loop {
        let request = http
            .request("GET", "/readyz", "")
            .header("connection", "close");
        let answer = timeout(Duration::from_secs(2), request.send()).await;
        let is_ready = matches!(answer, Ok(Ok(it)) if it.status() == 200);
        backend.ready.store(is_ready, Ordering::Relaxed);
        sleep(EVERY).await;
    }
}

async fn accept(listener: TcpListener, backends: Arc<[Backend]>) {
    let (mut connections, next) = (JoinSet::new(), Arc::new(AtomicUsize::new(0)));
    loop {
        let (mut from, _) = listener.accept().await.unwrap();
        let (backends, next) = (Arc::clone(&backends), Arc::clone(&next));
        connections.spawn(async move {
            drop(from.set_nodelay(true));
            if let Some(mut to) = connect(&backends, &next).await {
                drop(to.set_nodelay(true));
                drop(tokio::io::copy_bidirectional(&mut from, &mut to).await);
            }
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn connect(backends: &[Backend], next: &AtomicUsize) -> Option<TcpStream> {
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        for _ in backends {
            let n = next.fetch_add(1, Ordering::Relaxed) % backends.len();
            let backend = &backends[n];
            if backend.ready.load(Ordering::Relaxed)
                && let Ok(stream) = TcpStream::connect(backend.at).await
            {
                return Some(stream);
            }
        }
        sleep(Duration::from_millis(10)).await;
    }
    None
}
