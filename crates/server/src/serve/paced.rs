//! A request body that has to keep coming.

use std::error::Error as StdError;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::runtime::Handle;
use tokio::time::{Instant, Sleep, sleep, timeout};

use crate::config::Timeouts;

/// So many bytes may be waited for a window long: 1 KiB a second.
pub(super) const WINDOW_BYTES: u64 = 30 * 1024;

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
/// Only waiting counts: a server that is slow to ask does not blame its client. What is dropped
/// before its end is taken for a while longer and thrown away, because closing a socket that has
/// unread bytes resets it, and with it goes the answer that says why.
pub(super) struct Paced {
    body: Option<Incoming>,
    timer: Pin<Box<Sleep>>,
    window: Duration,
    linger: Duration,
    /// Whether the client sends without being asked to, or was asked.
    comes: bool,
    waiting_since: Option<Instant>,
    /// Waiting that is left in this window.
    budget: Duration,
    received: u64,
}

impl Paced {
    pub(super) fn new(body: Incoming, timeouts: &Timeouts, comes: bool) -> Self {
        Self {
            body: Some(body),
            timer: Box::pin(sleep(timeouts.body)),
            window: timeouts.body,
            linger: timeouts.linger,
            comes,
            waiting_since: None,
            budget: timeouts.body,
            received: 0,
        }
    }

    fn received(&mut self, bytes: usize) {
        if let Some(since) = self.waiting_since.take() {
            self.budget = self.budget.saturating_sub(since.elapsed());
        }
        self.received += bytes as u64;
        if self.received >= WINDOW_BYTES {
            (self.received, self.budget) = (0, self.window);
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
        self.comes = true;
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        if let Poll::Ready(frame) = Pin::new(body).poll_frame(cx) {
            match &frame {
                Some(Ok(frame)) => self.received(frame.data_ref().map_or(0, Bytes::len)),
                // Nothing comes any more.
                Some(Err(_)) | None => self.body = None,
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
        // Whoever is this slow is not waited for once more.
        self.body = None;
        Poll::Ready(Some(Err(BodyTimedOut.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Incoming::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let hint = self.body.as_ref().map(Incoming::size_hint);
        hint.unwrap_or_else(|| SizeHint::with_exact(0))
    }
}

impl Drop for Paced {
    fn drop(&mut self) {
        let rest = self
            .body
            .take()
            .filter(|it| self.comes && !it.is_end_stream());
        if let (Some(mut rest), Ok(runtime)) = (rest, Handle::try_current()) {
            let linger = self.linger;
            let to_its_end = async move { while let Some(Ok(_)) = rest.frame().await {} };
            runtime.spawn(timeout(linger, to_its_end));
        }
    }
}
