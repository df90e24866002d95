//! One connection, kept open, with one request on it at a time.

use std::io;
use std::net::{IpAddr, SocketAddr};

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

/// A connection to a server.
pub(crate) struct Connection {
    stream: TcpStream,
    /// What came, and where of it the next answer begins.
    came: Vec<u8>,
    read: usize,
}

/// The head of an answer.
pub(crate) struct Head {
    pub(crate) status: u16,
    /// How long its body is; of a stream nobody knows.
    length: Option<usize>,
}

impl Connection {
    /// Connects to `server`; from an address of its own, if one is named.
    pub(crate) async fn open(server: SocketAddr, from: Option<IpAddr>) -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        if let Some(from) = from {
            socket.bind(SocketAddr::new(from, 0))?;
        }
        let stream = socket.connect(server).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            came: Vec::with_capacity(4 * 1024),
            read: 0,
        })
    }

    /// Sends a request; answers the status and the body.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> io::Result<(u16, &[u8])> {
        let head = self.begin(request).await?;
        let length = head
            .length
            .ok_or_else(|| wrong("an answer has no length"))?;
        while self.came.len() - self.read < length {
            self.more().await?;
        }
        let body = self.read..self.read + length;
        self.read = body.end;
        Ok((head.status, &self.came[body]))
    }

    /// Sends a request whose answer is to be JSON, with this status.
    pub(crate) async fn json(&mut self, request: &[u8], expected: u16) -> io::Result<Value> {
        let (status, body) = self.ask(request).await?;
        if status != expected {
            let body = String::from_utf8_lossy(body);
            return Err(wrong(&format!("answered {status}: {body}")));
        }
        serde_json::from_slice(body).map_err(io::Error::other)
    }

    /// Sends a request, and reads the head of the answer.
    pub(crate) async fn begin(&mut self, request: &[u8]) -> io::Result<Head> {
        self.came.clear();
        self.read = 0;
        self.stream.write_all(request).await?;
        loop {
            if let Some(end) = find(&self.came, b"\r\n\r\n") {
                self.read = end + 4;
                return head(&self.came[..end]);
            }
            self.more().await?;
        }
    }

    /// What came behind the head and was not taken yet, up to and with this; waits for it.
    pub(crate) async fn until(&mut self, end: &[u8]) -> io::Result<&[u8]> {
        let length = loop {
            if let Some(at) = find(&self.came[self.read..], end) {
                break at + end.len();
            }
            self.more().await?;
        };
        let taken = self.read..self.read + length;
        self.read = taken.end;
        Ok(&self.came[taken])
    }

    /// Waits until more came.
    async fn more(&mut self) -> io::Result<()> {
        if self.read == self.came.len() {
            self.came.clear();
            self.read = 0;
        }
        match self.stream.read_buf(&mut self.came).await? {
            0 => Err(wrong("the server closed the connection")),
            _ => Ok(()),
        }
    }
}

fn head(bytes: &[u8]) -> io::Result<Head> {
    let text = str::from_utf8(bytes).map_err(io::Error::other)?;
    let mut lines = text.lines();
    let status = lines
        .next()
        .and_then(|it| it.split(' ').nth(1)?.parse().ok());
    let length = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_length = name.eq_ignore_ascii_case("content-length");
        is_length.then(|| value.trim().parse().ok()).flatten()
    });
    Ok(Head {
        status: status.ok_or_else(|| wrong("what came is no answer"))?,
        length,
    })
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|it| it == wanted)
}

/// Something that should not be.
pub(crate) fn wrong(what: &str) -> io::Error {
    io::Error::other(what)
}

/// A request with a body, written out.
pub(crate) fn request(line: &str, key: &str, content_type: &str, body: &[u8]) -> Vec<u8> {
    let key = match key {
        "" => String::new(),
        key => format!("Authorization: Bearer {key}\r\n"),
    };
    let body_head = match content_type {
        "" => String::new(),
        it => format!("Content-Type: {it}\r\nContent-Length: {}\r\n", body.len()),
    };
    let head = format!("{line} HTTP/1.1\r\nHost: bench\r\n{key}{body_head}\r\n");
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// A connection to somebody who says these pieces, one after the other, and no more.
    async fn to(pieces: &'static [&'static str]) -> Connection {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut peer, _) = listener.accept().await.unwrap();
            for piece in pieces {
                // Pieces may arrive together: what is read is the same.
                peer.write_all(piece.as_bytes()).await.unwrap();
                tokio::task::yield_now().await;
            }
        });
        Connection::open(address, None).await.unwrap()
    }

    #[tokio::test]
    async fn answers_are_read_however_they_are_cut() {
        let pieces = &[
            "HTTP/1.1 201 Cre",
            "ated\r\ncontent-LENGTH: 4\r",
            "\n\r\nab",
            "cd",
        ];
        let mut connection = to(pieces).await;
        let (status, body) = connection.ask(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        assert_eq!((status, body), (201, b"abcd".as_slice()));
        let gone = connection.ask(b"GET / HTTP/1.1\r\n\r\n").await;
        assert!(gone.is_err(), "it was closed");
    }

    #[tokio::test]
    async fn a_stream_is_read_event_by_event() {
        let pieces = &[
            "HTTP/1.1 200 OK\r\n\r\n: connected\n\nevent: a\nda",
            "ta\n\nevent: a\n",
        ];
        let mut connection = to(pieces).await;
        let head = connection.begin(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        assert_eq!((head.status, head.length), (200, None));
        for taken in [": connected\n\nevent: a\n", "data\n\nevent: a\n"] {
            let found = connection.until(b"event: a\n").await.unwrap();
            assert_eq!(found, taken.as_bytes());
        }
        assert!(connection.until(b"event: a\n").await.is_err());
    }
}
