//! Files that come by signed addresses.

mod confirm;
mod hostile;
mod life;
mod parts;
mod whole;

use agentdrop_testkit::http::{Answer, Http, send};
use agentdrop_testkit::server::text;
use serde_json::{Value, json};

use crate::world::{World, file_url};

pub(crate) const WHOLE: &str = "/v1/transfers/presigned";
pub(crate) const IN_PARTS: &str = "/v1/transfers/presigned/multipart";
/// Bytes of the smallest parts.
pub(crate) const PART: usize = 5 << 20;

/// A body that announces files of these sizes from alice to bob.
pub(crate) fn body(files: &[(&str, usize)], more: &Value) -> Value {
    let files = files.iter().map(|(name, size)| {
        json!({
            "name": name, "size": size, "content_type": "text/plain", "encryption_iv": null,
            "part_size": PART,
        })
    });
    let files: Vec<_> = files.collect();
    let mut body = json!({ "sender": "alice", "recipient": "bob", "mode": "agent-to-agent" });
    body["files"] = files.into();
    for (name, value) in more.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    body
}

impl World {
    /// Announces files from alice to bob.
    pub(crate) async fn announce(&self, files: &[(&str, usize)], more: &Value) -> Answer {
        self.post(WHOLE, &body(files, more)).await
    }

    pub(crate) async fn announce_in_parts(&self, files: &[(&str, usize)], more: &Value) -> Answer {
        self.post(IN_PARTS, &body(files, more)).await
    }

    pub(crate) async fn confirm(&self, announced: &Value) -> Answer {
        let path = format!("/v1/transfers/{}/confirm", text(announced, "id"));
        self.post(&path, &json!({})).await
    }

    /// What a file of a transfer has, as it is downloaded.
    pub(crate) async fn downloaded(&self, transfer: &Value, position: usize) -> Vec<u8> {
        let grant = self.grant(transfer).await.expect(200);
        let got = self.server.http.get(&file_url(&grant, position), "").await;
        assert_eq!(got.status, 200);
        got.bytes
    }

    pub(crate) async fn used(&self) -> (Value, Value) {
        let usage = self.get("/v1/usage").await.expect(200);
        let (transfers, bytes) = (&usage["transfers"], &usage["storage_bytes"]);
        (transfers["used"].clone(), bytes["used"].clone())
    }
}

/// Where a file of an announced transfer is sent to.
pub(crate) fn url(announced: &Value, position: usize) -> String {
    text(&announced["upload_urls"][position], "upload_url")
}

/// Where a part of its first file is.
pub(crate) fn part_url(announced: &Value, number: usize) -> String {
    text(
        &announced["files"][0]["part_urls"][number - 1],
        "upload_url",
    )
}

/// Sends bytes as the clients do: with their length, and without a key.
pub(crate) async fn put(http: &Http, url: &str, bytes: &[u8]) -> Answer {
    send(http.request("PUT", url, "").body(bytes.to_vec())).await
}

/// Checks that bytes were taken in; answers their `ETag` without its quotes.
pub(crate) fn stored(answer: &Answer) -> String {
    let said = String::from_utf8_lossy(&answer.bytes);
    assert_eq!((answer.status, &*said), (200, ""));
    let etag = answer.header("etag");
    let etag = etag.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
    etag.unwrap().to_owned()
}

/// Some bytes of which no two stretches are alike.
pub(crate) fn bytes(count: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    std::iter::repeat_with(next).take(count).collect()
}

/// A transfer whose only file has come, in its only part.
pub(crate) struct Begun {
    pub(crate) transfer: String,
    pub(crate) file: String,
    pub(crate) upload: String,
    pub(crate) etag: String,
}

impl Begun {
    /// Sent by one agent of an account to another.
    pub(crate) async fn new(http: &Http, key: &str, [sender, recipient]: [&str; 2]) -> Self {
        let between = json!({ "sender": sender, "recipient": recipient });
        let announced = http.post(IN_PARTS, key, &body(&[("a", 1)], &between)).await;
        let announced = announced.expect(201);
        let etag = stored(&put(http, &part_url(&announced, 1), b"x").await);
        Self {
            transfer: text(&announced, "id"),
            file: text(&announced["files"][0], "file_id"),
            upload: text(&announced["files"][0], "upload_id"),
            etag,
        }
    }

    /// What puts it together.
    pub(crate) fn complete(&self) -> Value {
        let parts = json!([{ "part_number": 1, "etag": self.etag }]);
        json!({ "upload_id": self.upload, "parts": parts })
    }
}

/// A good body of what announces, with every field of it.
pub(crate) fn full_body(sender: &str, recipient: &str) -> Value {
    body(
        &[("a", 1), ("b", 1)],
        &json!({
            "sender": sender, "recipient": recipient, "message": "hello", "metadata": { "a": 1 },
            "expires_in": "1h", "max_downloads": 3, "auto_delete": false, "is_encrypted": true,
            "encryption_algorithm": "x", "encrypted_key": "AAAA", "sender_signature": "AAAA",
        }),
    )
}
