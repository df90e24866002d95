//! Answers that have to be taken, and connections on which nothing is asked.
//!
//! On HTTP/2 a peer that gives a stream no room is written to as well as any other: its pings are
//! answered, and what its answers have in memory stays there. So what counts is when an answer is
//! asked for more of itself, whatever the protocol.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use http_body::{Frame, SizeHint};
use tokio::time::{Instant, sleep_until};

use super::paced::WINDOW_BYTES;
use crate::config::Timeouts;

/// Watches the answers on one connection. Clones watch the same.
#[derive(Clone)]
pub(super) struct Watch(Arc<(Timeouts, Mutex<Requests>)>);

struct Requests {
    next: u64,
    /// Those under way; and of those that handed something out, until when it has to be taken.
    under_way: BTreeMap<u64, Option<Instant>>,
    /// When the last one began or ended.
    changed: Instant,
}

/// A request under way, until it is dropped.
pub(super) struct UnderWay {
    watch: Watch,
    number: u64,
}

/// An answer that has to be taken.
pub(super) struct Taken {
    body: Body,
    request: UnderWay,
}

/// Why a connection is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Late {
    /// Nothing was asked for long.
    Idle,
    /// An answer is not taken.
    Stalled,
}

impl Watch {
    pub(super) fn new(timeouts: Timeouts) -> Self {
        let requests = Requests {
            next: 0,
            under_way: BTreeMap::new(),
            changed: Instant::now(),
        };
        Self(Arc::new((timeouts, Mutex::new(requests))))
    }

    /// Notes that a request begins.
    pub(super) fn begin(&self) -> UnderWay {
        let mut requests = self.requests();
        let number = requests.next;
        requests.next += 1;
        requests.under_way.insert(number, None);
        requests.changed = Instant::now();
        drop(requests);
        UnderWay {
            watch: self.clone(),
            number,
        }
    }

    /// Waits until the connection is to end.
    pub(super) async fn late(&self) -> Late {
        let patience = self.0.0.stalled;
        loop {
            let now = Instant::now();
            let until = {
                let requests = self.requests();
                let first = requests.under_way.values().flatten().min().copied();
                if first.is_some_and(|it| it <= now) {
                    return Late::Stalled;
                }
                if requests.under_way.is_empty() && requests.changed + patience <= now {
                    return Late::Idle;
                }
                let idle = requests.under_way.is_empty();
                let idle = idle.then(|| requests.changed + patience);
                // Whatever is handed out meanwhile has at least as long.
                first
                    .into_iter()
                    .chain(idle)
                    .fold(now + patience, Instant::min)
            };
            sleep_until(until).await;
        }
    }

    /// So many bytes have to be taken within this: slowly, but at 1 KiB a second.
    fn until_taken(&self, bytes: usize) -> Duration {
        let windows = u32::try_from(bytes as u64 / WINDOW_BYTES).unwrap_or(u32::MAX);
        let timeouts = &self.0.0;
        timeouts.stalled + timeouts.body.saturating_mul(windows)
    }

    fn requests(&self) -> MutexGuard<'_, Requests> {
        // Each change is one statement.
        self.0.1.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl UnderWay {
    /// The answer to it.
    pub(super) fn answer(self, body: Body) -> Taken {
        Taken {
            body,
            request: self,
        }
    }

    fn waits_for_peer(&self, until: Option<Instant>) {
        let mut requests = self.watch.requests();
        requests.under_way.insert(self.number, until);
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut requests = self.watch.requests();
        requests.under_way.remove(&self.number);
        requests.changed = Instant::now();
    }
}

impl http_body::Body for Taken {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        let until = match &frame {
            Poll::Ready(Some(Ok(frame))) => {
                let bytes = frame.data_ref().map_or(0, Bytes::len);
                Some(Instant::now() + self.request.watch.until_taken(bytes))
            }
            // There is nothing to take.
            _ => None,
        };
        self.request.waits_for_peer(until);
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;
    use tokio::time::{advance, timeout};

    use super::*;

    const LONG: Duration = Duration::from_hours(1);

    #[tokio::test(start_paused = true)]
    async fn a_connection_on_which_nothing_is_asked_is_idle() {
        let watch = Watch::new(Timeouts::default());
        let request = watch.begin();
        assert!(timeout(LONG, watch.late()).await.is_err(), "it is busy");
        drop(request);
        assert_eq!(timeout(LONG, watch.late()).await.unwrap(), Late::Idle);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_not_taken_is_late_and_one_that_is_slowly_is_not() {
        let watch = Watch::new(Timeouts::default());
        let piece = Bytes::from(vec![0; 256 * 1024]);
        let pieces = futures_util::stream::repeat_with(move || Ok::<_, axum::Error>(piece.clone()));
        let mut answer = watch.begin().answer(Body::from_stream(pieces));
        for _ in 0..10 {
            answer.frame().await.unwrap().unwrap();
            let watched = timeout(Duration::from_secs(250), watch.late()).await;
            assert!(watched.is_err(), "1 KiB a second is enough");
        }
        advance(Duration::from_mins(2)).await;
        assert_eq!(timeout(LONG, watch.late()).await.unwrap(), Late::Stalled);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_has_nothing_to_say_is_not_late() {
        let watch = Watch::new(Timeouts::default());
        let events = futures_util::stream::pending::<Result<Bytes, axum::Error>>();
        let mut answer = watch.begin().answer(Body::from_stream(events));
        tokio::select! {
            biased;
            _ = answer.frame() => panic!("nothing happens"),
            () = tokio::task::yield_now() => {}
        }
        assert!(timeout(LONG, watch.late()).await.is_err());
    }
}
