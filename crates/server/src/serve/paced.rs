//! A request body that has to keep coming.

use std::error::Error as StdError;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep, sleep};

/// Each so many bytes may be waited for this long: 1 KiB a second.
const WINDOW_BYTES: u64 = 30 * 1024;
const WINDOW: Duration = Duration::from_secs(30);

/// The body came too slowly.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the body came too slowly")]
struct BodyTimedOut;

/// Whether this is why a body could not be read.
pub(crate) fn body_timed_out(error: &(dyn StdError + 'static)) -> bool {
    error.is::<BodyTimedOut>()
}

/// A body that fails if it is waited for too long.
///
/// Only waiting counts: a server that is slow to ask does not blame its client.
pub(super) struct Paced {
    body: Incoming,
    timer: Pin<Box<Sleep>>,
    waiting_since: Option<Instant>,
    /// Waiting that is left in this window.
    budget: Duration,
    received: u64,
}

impl Paced {
    pub(super) fn new(body: Incoming) -> Self {
        let timer = Box::pin(sleep(WINDOW));
        Self {
            body,
            timer,
            waiting_since: None,
            budget: WINDOW,
            received: 0,
        }
    }

    fn received(&mut self, bytes: usize) {
        if let Some(since) = self.waiting_since.take() {
            self.budget = self.budget.saturating_sub(since.elapsed());
        }
        self.received += bytes as u64;
        if self.received >= WINDOW_BYTES {
            (self.received, self.budget) = (0, WINDOW);
        }
    }
}

impl Body for Paced {
    type Data = Bytes;
    type Error = Box<dyn StdError + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            if let Some(Ok(frame)) = &frame {
                self.received(frame.data_ref().map_or(0, Bytes::len));
            }
            return Poll::Ready(frame.map(|it| it.map_err(Into::into)));
        }
        if self.waiting_since.is_none() {
            let now = Instant::now();
            self.waiting_since = Some(now);
            let until = now + self.budget;
            self.timer.as_mut().reset(until);
        }
        ready!(self.timer.as_mut().poll(cx));
        Poll::Ready(Some(Err(BodyTimedOut.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
