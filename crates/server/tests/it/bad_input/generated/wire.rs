//! A keep-alive connection that sends bytes, whatever they are.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::inputs::Input;
use crate::raw::connect;

/// How long an answer may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// What came back.
pub(super) struct Reply {
    /// 0 if the server closed without an answer.
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    /// Whether it has a header field that only an input could have named.
    pub(super) injected: bool,
    /// Whether bytes follow it, as they do where one request was taken for two.
    pub(super) followed: bool,
}

impl Reply {
    const fn none() -> Self {
        Self {
            status: 0,
            body: Vec::new(),
            injected: false,
            followed: false,
        }
    }

    pub(super) fn shown(&self) -> String {
        String::from_utf8_lossy(&self.body)
            .chars()
            .take(300)
            .collect()
    }
}

/// One caller, who connects again where the server has closed.
pub(super) struct Wire {
    url: String,
    stream: Option<TcpStream>,
}

impl Wire {
    pub(super) fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            stream: None,
        }
    }

    pub(super) async fn send(&mut self, input: &Input) -> Reply {
        let mut stream = match self.stream.take() {
            Some(stream) if !input.is_framing => stream,
            _ => {
                let stream = connect(&self.url).await;
                stream.set_nodelay(true).unwrap();
                stream
            }
        };
        // The server may have answered, and closed, before it has all of it.
        let is_written = stream.write_all(&input.bytes).await.is_ok();
        if input.is_framing {
            drop(stream.shutdown().await);
        }
        let read = timeout(PATIENCE, read(&mut stream)).await;
        let (reply, is_open) = read.expect("the server answers or closes");
        // A request that the server never saw, for it had closed the connection, is sent again.
        if reply.status == 0 && !input.is_framing {
            return self.again(input).await;
        }
        if is_open && is_written && !input.is_framing {
            self.stream = Some(stream);
        }
        reply
    }

    async fn again(&self, input: &Input) -> Reply {
        let mut stream = connect(&self.url).await;
        drop(stream.write_all(&input.bytes).await);
        let read = timeout(PATIENCE, read(&mut stream)).await;
        read.expect("the server answers or closes").0
    }
}

/// Reads one answer; answers whether another one may follow.
async fn read(stream: &mut TcpStream) -> (Reply, bool) {
    let mut bytes = Vec::new();
    loop {
        let Some(head) = head(stream, &mut bytes).await else {
            return (Reply::none(), false);
        };
        let status = head.split(' ').nth(1).and_then(|it| it.parse().ok());
        let status: u16 = status.unwrap_or_else(|| panic!("no status in {head:?}"));
        // That the body may come is not the answer.
        if status < 200 {
            continue;
        }
        let field = |name: &str| {
            let fields = head.lines().filter_map(|it| it.split_once(": "));
            let mut found = fields.filter(|it| it.0.eq_ignore_ascii_case(name));
            found.next().map(|it| it.1.to_ascii_lowercase())
        };
        let length = field("content-length").map(|it| it.parse::<usize>().unwrap());
        let closes = field("connection").is_some_and(|it| it == "close");
        let injected = field("x-injected").is_some();
        // What is written while it is read has no length, but a last chunk that is empty.
        let chunked = field("transfer-encoding").is_some_and(|it| it == "chunked");
        // A stream of events is not waited for: that it begins is its answer.
        let is_endless = field("content-type").is_some_and(|it| it == "text/event-stream");
        let is_last = |bytes: &[u8]| {
            let is_over = chunked && bytes.ends_with(b"\r\n0\r\n\r\n");
            is_over || (is_endless && !bytes.is_empty())
        };
        while length.is_none_or(|it| bytes.len() < it) && !is_last(&bytes) {
            if !more(stream, &mut bytes).await {
                break;
            }
        }
        let whole = length.is_some_and(|it| bytes.len() == it) || is_last(&bytes);
        let followed = length.is_some_and(|it| bytes.len() > it);
        bytes.truncate(length.unwrap_or(bytes.len()));
        let reply = Reply {
            status,
            body: bytes,
            injected,
            followed,
        };
        return (reply, whole && !closes && !is_endless);
    }
}

/// The head of an answer; what follows it stays in `bytes`.
async fn head(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<String> {
    loop {
        if let Some(end) = bytes.windows(4).position(|it| it == b"\r\n\r\n") {
            let rest = bytes.split_off(end + 4);
            let head = String::from_utf8_lossy(bytes).into_owned();
            *bytes = rest;
            return Some(head);
        }
        if !more(stream, bytes).await {
            return None;
        }
    }
}

async fn more(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> bool {
    // Reset is closed, too.
    stream.read_buf(bytes).await.is_ok_and(|it| it > 0)
}
