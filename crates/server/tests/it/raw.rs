//! HTTP as no client library would send it: bytes on a socket.

use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long a test waits for what should come at once.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connection to a server.
pub(crate) async fn connect(url: &str) -> TcpStream {
    let address = url.trim_start_matches("http://");
    TcpStream::connect(address).await.unwrap()
}

/// Sends bytes and reads until the server closes.
pub(crate) async fn exchange(url: &str, bytes: &[u8]) -> Vec<u8> {
    let mut stream = connect(url).await;
    // The server may have answered, and closed, before it has all of it.
    drop(stream.write_all(bytes).await);
    drop(stream.shutdown().await);
    read_to_close(&mut stream).await
}

/// What comes until the server closes.
pub(crate) async fn read_to_close(stream: &mut TcpStream) -> Vec<u8> {
    let mut answer = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    // Closed or reset: what came before is what counts.
    drop(read.expect("the server closes"));
    answer
}

/// The status of an answer, 0 if there is none, and its body if it is JSON.
pub(crate) fn parsed(answer: &[u8]) -> (u16, Value) {
    let text = String::from_utf8_lossy(answer);
    if text.is_empty() {
        return (0, Value::Null);
    }
    let status = text
        .split(' ')
        .nth(1)
        .and_then(|it| it.parse().ok())
        .unwrap_or_else(|| panic!("no answer in {text:?}"));
    let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}
