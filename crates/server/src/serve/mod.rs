//! The accept loop.
//!
//! `axum::serve` installs no timer, so none of hyper's time limits would work under it; this loop
//! does, and adds the limits that hyper has not: for the first byte, for bodies that drip, for
//! readers that stall, and for the number of connections.

mod counted;
mod framing;
mod gate;
mod paced;
mod stall;
mod taken;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Request, Version, header};
use futures_util::FutureExt as _;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use crate::config::{Limits, Timeouts};
use crate::metrics::Metrics;
use counted::Counted;
use framing::Framing;
use gate::{Gate, Pass};
use paced::Paced;
pub(crate) use paced::body_timed_out;
use stall::StallGuard;
use taken::{Late, Watch};

/// All header fields of a request together, in bytes.
const HEADERS: u32 = 16 * 1024;
/// Requests at a time on one HTTP/2 connection.
const STREAMS: u32 = 64;

/// Bytes of an answer that wait for room on their way, but for the piece that came last; and of what
/// comes, at a time.
const WAITING: usize = 64 * 1024;
/// A connection on which nothing is asked is told that it ends, and may take so many times as long
/// as it was idle to take the rest of its last answers.
const LAST_ANSWERS: u32 = 5;

/// A connection that came just before the end has so long to say something.
const LATE: Duration = Duration::from_millis(250);

/// When it is to end.
#[derive(Clone)]
pub(crate) struct Stop {
    /// Soon: callers are sent elsewhere.
    pub(crate) draining: CancellationToken,
    /// Now.
    pub(crate) close: CancellationToken,
}

/// Serves until it is told to stop, then lets what is under way come to its end.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    metrics: Arc<Metrics>,
    stop: Stop,
) {
    let (tracker, gate) = (TaskTracker::new(), Gate::new(limits));
    loop {
        let accepted = stop.close.run_until_cancelled(listener.accept()).await;
        // What the kernel took before it is told not to is served: its peer counts as connected.
        let accepted = accepted.or_else(|| listener.accept().now_or_never());
        let Some(accepted) = accepted else {
            break;
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                after_failed_accept(&error).await;
                continue;
            }
        };
        // Small answers go out at once.
        drop(stream.set_nodelay(true));
        let Some(pass) = gate.enter(peer.ip()) else {
            // Closed at once: whoever has this many has no claim to an explanation.
            metrics.connections_refused.inc();
            continue;
        };
        let connection = Connection {
            stream: Counted::new(stream, Arc::clone(&metrics)),
            peer,
            timeouts: limits.timeouts,
            router: router.clone(),
            _pass: pass,
        };
        tracker.spawn(connection.serve(stop.clone()));
    }
    drop(listener);
    tracker.close();
    if timeout(limits.timeouts.grace, tracker.wait())
        .await
        .is_err()
    {
        tracing::warn!(
            left = tracker.len(),
            "stopped with requests still under way"
        );
    }
}

/// A connection, and its place among all.
struct Connection {
    stream: Counted<TcpStream>,
    peer: SocketAddr,
    timeouts: Timeouts,
    router: Router,
    _pass: Pass,
}

impl Connection {
    async fn serve(self, stop: Stop) {
        let Self {
            stream,
            peer,
            timeouts,
            router,
            _pass,
        } = self;
        let first = timeout(timeouts.first_byte, stream.readable());
        let is_late = async {
            stop.close.cancelled().await;
            sleep(LATE).await;
        };
        tokio::select! {
            said = first => if !matches!(said, Ok(Ok(()))) { return },
            () = is_late => return,
        }
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(timeouts.head)
            .max_buf_size(WAITING)
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS)
            .max_send_buf_size(WAITING)
            .max_header_list_size(HEADERS)
            .max_pending_accept_reset_streams(Some(STREAMS as usize))
            .keep_alive_interval(Some(Duration::from_secs(20)))
            .keep_alive_timeout(Duration::from_secs(20));
        let (begun, watch) = (Arc::new(AtomicBool::new(false)), Watch::new(timeouts));
        let (begins, draining, asked) = (Arc::clone(&begun), stop.draining, watch.clone());
        let service = hyper::service::service_fn(move |request: Request<Incoming>| {
            begins.store(true, Ordering::Relaxed);
            let (router, draining) = (router.clone(), draining.clone());
            let under_way = asked.begin();
            async move {
                let is_http1 = request.version() < Version::HTTP_2;
                // Taking a body asks for it: whoever waits to be asked, and is refused, is not.
                let asks = request.headers().contains_key(header::EXPECT);
                let mut request = request.map(|it| Body::new(Paced::new(it, &timeouts, !asks)));
                request
                    .extensions_mut()
                    .insert(axum::extract::ConnectInfo(peer));
                let Ok(mut response) = router.oneshot(request).await;
                // The next request is to go elsewhere. (HTTP/2 says so by itself, at the end.)
                if is_http1 && draining.is_cancelled() {
                    let close = HeaderValue::from_static("close");
                    response.headers_mut().insert(header::CONNECTION, close);
                }
                Ok::<_, Infallible>(response.map(|it| under_way.answer(it)))
            }
        });
        let io = TokioIo::new(StallGuard::new(
            Framing::new(stream),
            timeouts.head,
            timeouts.stalled,
        ));
        let connection = builder.serve_connection(io, service);
        tokio::pin!(connection);
        let served = tokio::select! {
            // In this order: what has come and waits to be read is no silence.
            biased;
            served = &mut connection => served,
            late = watch.late() => {
                tracing::debug!(?late, "a connection is given up");
                if late == Late::Stalled {
                    return;
                }
                connection.as_mut().graceful_shutdown();
                match timeout(timeouts.stalled * LAST_ANSWERS, connection).await {
                    Ok(served) => served,
                    Err(_) => return,
                }
            }
            () = stop.close.cancelled() => {
                let mut late = None;
                if !begun.load(Ordering::Relaxed) {
                    // Told to end before it has read anything, it would read nothing.
                    late = timeout(LATE, &mut connection).await.ok();
                }
                if let Some(served) = late {
                    served
                } else {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            }
        };
        if let Err(error) = served {
            // Clients that go away in the middle are everyday.
            tracing::debug!(%error, "a connection ended early");
        }
    }
}

/// What is wrong with one connection is passed over; where the machine has no room for another,
/// trying again at once would only burn its time.
async fn after_failed_accept(error: &io::Error) {
    let of_the_peer = [
        io::ErrorKind::ConnectionAborted,
        io::ErrorKind::ConnectionRefused,
        io::ErrorKind::ConnectionReset,
    ];
    if !of_the_peer.contains(&error.kind()) {
        tracing::warn!(%error, "no connection can be accepted");
        sleep(Duration::from_millis(500)).await;
    }
}
