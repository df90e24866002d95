//! A socket whose peer has to say which protocol it speaks, and to keep taking what is sent to it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// How every HTTP/2 connection begins, RFC 9113 §3.4.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A stream that fails if it cannot be written to for too long, or does not begin.
///
/// Without it, whoever asks for a large file and never reads it holds a connection for ever, and
/// so does whoever sends the `P` of a method or of HTTP/2's preface and no more: hyper waits for
/// what tells the two apart without a timer.
pub(super) struct StallGuard<S> {
    stream: S,
    patience: Duration,
    timer: Pin<Box<Sleep>>,
    stalled: bool,
    opening: Option<Opening>,
}

/// What has come so far may be the beginning of either protocol.
struct Opening {
    /// Bytes of the preface that have come.
    matched: usize,
    until: Pin<Box<Sleep>>,
}

impl<S> StallGuard<S> {
    pub(super) fn new(stream: S, opening: Duration, patience: Duration) -> Self {
        Self {
            stream,
            patience,
            timer: Box::pin(sleep(patience)),
            stalled: false,
            opening: Some(Opening {
                matched: 0,
                until: Box::pin(sleep(opening)),
            }),
        }
    }

    fn guard<T>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = false;
            return written;
        }
        if !self.stalled {
            self.stalled = true;
            self.timer.as_mut().reset(Instant::now() + self.patience);
        }
        self.timer
            .as_mut()
            .poll(cx)
            .map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for StallGuard<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        let Some(opening) = &mut self.opening else {
            return read;
        };
        if read.is_pending() {
            let late = opening.until.as_mut().poll(cx);
            return late.map(|()| Err(io::ErrorKind::TimedOut.into()));
        }
        let came = buffer.filled().get(before..).unwrap_or_default();
        let rest = PREFACE.get(opening.matched..).unwrap_or_default();
        opening.matched += came.len();
        if came.len() >= rest.len() || !rest.starts_with(came) {
            self.opening = None;
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for StallGuard<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.guard(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, pieces);
        self.guard(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::time::timeout;

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_takes_nothing_is_given_up() {
        let (ours, _theirs) = tokio::io::duplex(16);
        let mut guard = StallGuard::new(ours, Duration::from_secs(10), Duration::from_mins(1));
        guard.write_all(&[0; 16]).await.unwrap();
        let error = guard.write_all(&[0; 16]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_does_not_say_what_it_speaks_is_given_up() {
        let (head, long) = (Duration::from_secs(10), Duration::from_hours(1));
        for (said, is_clear) in [
            (&b"P"[..], false),
            (b"PRI * HTTP/2.0\r\n\r\n", false),
            (b"PO", true),
            (b"G", true),
            (PREFACE, true),
        ] {
            let (ours, mut theirs) = tokio::io::duplex(64);
            let mut guard = StallGuard::new(ours, head, long);
            for byte in said {
                theirs.write_all(&[*byte]).await.unwrap();
                assert_eq!(guard.read_u8().await.unwrap(), *byte);
            }
            let read = timeout(long, guard.read_u8()).await;
            assert_eq!(read.is_err(), is_clear, "{said:?}: {read:?}");
        }
    }
}
