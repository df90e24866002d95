//! A socket whose first request says the length of an upload in one way only.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How the requests begin that are looked at.
const UPLOAD: &[u8] = b"PUT /v1/uploads/";
/// A longer head is left as it is, for others to refuse.
const LONGEST: usize = 16 * 1024;
const END: &[u8] = b"\r\n\r\n";

/// A stream that mends the head of its first request, if that is an upload.
///
/// The published Python client sends `Transfer-Encoding: chunked` beside the `Content-Length`, and
/// then the bytes as they are, in no chunks: its HTTP library adds the field by itself. RFC 9112
/// §6.3 would have them read as chunks. Here the length counts, and the connection is closed behind
/// the answer: what a proxy in front may have taken for something else is never read as a request.
pub(super) struct Framing<S> {
    stream: S,
    first: First,
}

enum First {
    /// The head comes.
    Comes(Vec<u8>),
    /// What came is handed on.
    Goes(Bytes),
    /// It is through.
    Gone,
}

impl<S> Framing<S> {
    pub(super) const fn new(stream: S) -> Self {
        Self {
            stream,
            first: First::Comes(Vec::new()),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Framing<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let it = self.get_mut();
        loop {
            match &mut it.first {
                First::Gone => return Pin::new(&mut it.stream).poll_read(cx, buffer),
                First::Goes(rest) if rest.is_empty() => it.first = First::Gone,
                First::Goes(rest) => {
                    let piece = rest.split_to(rest.len().min(buffer.remaining()));
                    buffer.put_slice(&piece);
                    return Poll::Ready(Ok(()));
                }
                First::Comes(head) => {
                    let mut space = [0; 4 * 1024];
                    let mut piece = ReadBuf::new(&mut space);
                    ready!(Pin::new(&mut it.stream).poll_read(cx, &mut piece))?;
                    let is_over = piece.filled().is_empty();
                    head.extend_from_slice(piece.filled());
                    if !is_over && may_be_upload(head) {
                        continue;
                    }
                    let head = std::mem::take(head);
                    if head.is_empty() {
                        it.first = First::Gone;
                        return Poll::Ready(Ok(()));
                    }
                    it.first = First::Goes(mended(&head).unwrap_or(head).into());
                }
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Framing<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, pieces)
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

/// Whether what came is the beginning of the head of an upload, and not yet all of it.
fn may_be_upload(came: &[u8]) -> bool {
    let shared = came.len().min(UPLOAD.len());
    came.get(..shared) == UPLOAD.get(..shared) && came.len() < LONGEST && end_of(came).is_none()
}

fn end_of(came: &[u8]) -> Option<usize> {
    came.windows(END.len()).position(|it| it == END)
}

/// The same with one length, if it had two of the kind that is known; nothing, if it is to be read
/// as it is.
fn mended(came: &[u8]) -> Option<Vec<u8>> {
    let (head, mut body) = came.split_at_checked(end_of(came)?)?;
    body.advance(END.len());
    let head = std::str::from_utf8(head).ok()?;
    if head.len() > LONGEST || !head.as_bytes().starts_with(UPLOAD) {
        return None;
    }
    let (mut lengths, mut encodings, mut kept) = (0, 0, Vec::new());
    for line in head.split("\r\n") {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let (name, value) = (name.to_ascii_lowercase(), value.trim());
        match &*name {
            "content-length" => {
                let digits = !value.is_empty() && value.bytes().all(|it| it.is_ascii_digit());
                lengths += if digits { 1 } else { 2 };
                kept.push(line);
            }
            "transfer-encoding" => {
                encodings += if value.eq_ignore_ascii_case("chunked") {
                    1
                } else {
                    2
                };
            }
            // A line that goes on may say anything.
            _ if line.starts_with([' ', '\t']) => return None,
            _ => kept.push(line),
        }
    }
    if (lengths, encodings) != (1, 1) {
        return None;
    }
    kept.push("Connection: close\r\n\r\n");
    Some([kept.join("\r\n").as_bytes(), body].concat())
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    /// What is read of what comes in pieces of so many bytes.
    async fn read(sent: &str, step: usize) -> String {
        let (mut client, server) = duplex(step);
        let sent = sent.to_owned();
        let sending = tokio::spawn(async move {
            for piece in sent.as_bytes().chunks(step) {
                client.write_all(piece).await.unwrap();
            }
        });
        let mut read = String::new();
        Framing::new(server)
            .read_to_string(&mut read)
            .await
            .unwrap();
        sending.await.unwrap();
        read
    }

    #[tokio::test]
    async fn an_upload_of_two_lengths_has_the_one_in_bytes() {
        let sent = "PUT /v1/uploads/x HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\
                    transfer-encoding: Chunked\r\nConnection: keep-alive\r\n\r\n\r\n\r\n";
        let mended = "PUT /v1/uploads/x HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\
                      Connection: keep-alive\r\nConnection: close\r\n\r\n\r\n\r\n";
        for step in [1, 7, 1_000] {
            assert_eq!(read(sent, step).await, mended, "{step}");
        }
    }

    #[tokio::test]
    async fn all_else_is_left_as_it_is() {
        let (length, chunked) = ("Content-Length: 4\r\n", "Transfer-Encoding: chunked\r\n");
        let put = "PUT /v1/uploads/x HTTP/1.1\r\n";
        let long = "x".repeat(LONGEST);
        for sent in [
            String::new(),
            "PUT /v1/uplo".to_owned(),
            format!("{put}{length}\r\nbody"),
            format!("{put}{chunked}\r\n0\r\n\r\n"),
            format!("{put}{length}{length}{chunked}\r\nbody"),
            format!("{put}{length}{chunked}{chunked}\r\nbody"),
            format!("{put}Content-Length: +4\r\n{chunked}\r\nbody"),
            format!("{put}{length}Transfer-Encoding: gzip, chunked\r\n\r\nbody"),
            format!("{put}{length}{chunked} x\r\n\r\nbody"),
            format!("{put}{length}{chunked}"),
            format!("{put}X: {long}\r\n{length}{chunked}\r\nbody"),
            format!("POST /v1/transfers HTTP/1.1\r\n{length}{chunked}\r\nbody"),
            format!("GET / HTTP/1.1\r\n\r\n{put}{length}{chunked}\r\nbody"),
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
        ] {
            assert_eq!(read(&sent, 5_000).await, sent);
        }
    }
}
