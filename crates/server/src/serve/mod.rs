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

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, header};
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

/// All header fields of a request together, in bytes.
const HEADERS: u32 = 16 * 1024;
/// Requests at a time on one HTTP/2 connection.
const STREAMS: u32 = 64;

/// Serves until `stop`, then lets what is under way come to its end.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
) {
    let (tracker, gate) = (TaskTracker::new(), Gate::new(limits));
    while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
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
    async fn serve(self, stop: CancellationToken) {
        let Self {
            stream,
            peer,
            timeouts,
            router,
            _pass,
        } = self;
        let first = timeout(timeouts.first_byte, stream.readable());
        if !matches!(stop.run_until_cancelled(first).await, Some(Ok(Ok(())))) {
            return;
        }
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(timeouts.head)
            .max_buf_size(256 * 1024)
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS)
            .max_header_list_size(HEADERS)
            .max_pending_accept_reset_streams(Some(STREAMS as usize))
            .keep_alive_interval(Some(Duration::from_secs(20)))
            .keep_alive_timeout(Duration::from_secs(20));
        let service = hyper::service::service_fn(move |request: Request<Incoming>| {
            let router = router.clone();
            async move {
                // Taking a body asks for it: whoever waits to be asked, and is refused, is not.
                let asks = request.headers().contains_key(header::EXPECT);
                let mut request = request.map(|it| Body::new(Paced::new(it, &timeouts, !asks)));
                request
                    .extensions_mut()
                    .insert(axum::extract::ConnectInfo(peer));
                let Ok(response) = router.oneshot(request).await;
                Ok::<_, Infallible>(response)
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
            served = &mut connection => served,
            () = stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
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
