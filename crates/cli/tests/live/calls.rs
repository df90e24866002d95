//! What callers of a server do, each answering nothing where the server is gone, or says that it is
//! its own fault that it cannot.

use agentdrop_testkit::http::Http;
use agentdrop_testkit::server::text;
use reqwest::RequestBuilder;
use serde_json::{Value, json};

/// Bytes of the smallest parts.
const PART: usize = 5 << 20;

/// An account at a server.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) http: Http,
    pub(crate) key: String,
    pub(crate) health: Health,
}

/// What a server has to work with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Health {
    /// Everything.
    Well,
    /// A disk that fails: it may say that it cannot.
    Ill,
}

impl Caller {
    pub(crate) fn new(http: &Http, key: &str) -> Self {
        Self {
            http: http.clone(),
            key: key.to_owned(),
            health: Health::Well,
        }
    }

    /// Sends a file in a form; answers the transfer.
    pub(crate) async fn send(&self, label: &str, bytes: Vec<u8>) -> Option<String> {
        let file = reqwest::multipart::Part::bytes(bytes).file_name("file");
        let form = reqwest::multipart::Form::new()
            .text("sender", label.to_owned())
            .text("recipient", "bob")
            .text("max_downloads", "1000")
            .text("expires_in", "7d")
            .part("files", file);
        let sent = self.request("POST", "/v1/transfers").multipart(form);
        Some(text(&self.expect(sent, 201).await?, "id"))
    }

    /// The same by a signed address: announced, sent, confirmed.
    pub(crate) async fn send_by_address(&self, label: &str, bytes: Vec<u8>) -> Option<String> {
        let announced = self.announce("presigned", label, bytes.len()).await?;
        let url = text(&announced["upload_urls"][0], "upload_url");
        self.put(&url, bytes).await?;
        self.confirm(&announced).await
    }

    /// The same in parts, which are then put together.
    pub(crate) async fn send_in_parts(&self, label: &str, bytes: Vec<u8>) -> Option<String> {
        let path = "presigned/multipart";
        let announced = self.announce(path, label, bytes.len()).await?;
        let (file, mut parts) = (&announced["files"][0], Vec::new());
        let urls = file["part_urls"].as_array().unwrap();
        assert_eq!(urls.len(), bytes.len().div_ceil(PART));
        for (url, part) in urls.iter().zip(bytes.chunks(PART)) {
            let etag = self.put(&text(url, "upload_url"), part.to_owned()).await?;
            parts.push(json!({ "part_number": url["part_number"], "etag": etag }));
        }
        let (id, file_id) = (text(&announced, "id"), text(file, "file_id"));
        let path = format!("/v1/transfers/{id}/files/{file_id}/complete-multipart");
        let body = json!({ "upload_id": file["upload_id"], "parts": parts });
        self.expect(self.request("POST", &path).json(&body), 200)
            .await?;
        self.confirm(&announced).await
    }

    /// Fetches the one file of a transfer; answers the download, too.
    pub(crate) async fn fetch(&self, id: &str) -> Option<(String, Vec<u8>)> {
        let path = format!("/v1/transfers/{id}/download");
        let grant = self.expect(self.request("GET", &path), 200).await?;
        let url = text(&grant["files"][0], "download_url");
        let response = self.http.request("GET", &url, "").send().await.ok()?;
        let status = response.status().as_u16();
        if self.may_fail(status) {
            return None;
        }
        assert_eq!(status, 200, "{url}");
        let bytes = response.bytes().await.ok()?.to_vec();
        Some((text(&grant, "download_id"), bytes))
    }

    /// Says that a download came to its end.
    pub(crate) async fn acknowledge(&self, id: &str, download: &str) -> Option<()> {
        let path = format!("/v1/transfers/{id}/ack");
        let body = json!({ "download_id": download, "status": "received" });
        let answer = self.expect(self.request("POST", &path).json(&body), 200);
        answer.await.map(drop)
    }

    pub(crate) async fn delete(&self, id: &str) -> Option<()> {
        let path = format!("/v1/transfers/{id}");
        let answer = self.expect(self.request("DELETE", &path), 200);
        answer.await.map(drop)
    }

    async fn announce(&self, how: &str, label: &str, size: usize) -> Option<Value> {
        let file = json!({ "name": "file", "size": size, "part_size": PART });
        // Of what is sealed the bytes need not come by the server.
        let sealed = size.is_multiple_of(2);
        let body = json!({
            "sender": label, "recipient": "bob", "max_downloads": 1000, "files": [file],
            "is_encrypted": sealed, "expires_in": "7d",
        });
        let path = format!("/v1/transfers/{how}");
        self.expect(self.request("POST", &path).json(&body), 201)
            .await
    }

    /// Sends bytes to a signed address; answers what names them.
    async fn put(&self, url: &str, bytes: Vec<u8>) -> Option<String> {
        let request = self.http.request("PUT", url, "").body(bytes);
        let response = request.send().await.ok()?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let said = response.text().await.ok()?;
        if self.may_fail(status) {
            return None;
        }
        assert_eq!(status, 200, "{said}");
        let etag = headers.get("etag").map(|it| it.to_str().unwrap());
        Some(etag.unwrap_or_default().to_owned())
    }

    async fn confirm(&self, announced: &Value) -> Option<String> {
        let id = text(announced, "id");
        let path = format!("/v1/transfers/{id}/confirm");
        let confirmed = self.request("POST", &path).json(&json!({}));
        self.expect(confirmed, 200).await.map(|_| id)
    }

    fn request(&self, method: &str, path: &str) -> RequestBuilder {
        self.http.request(method, path, &self.key)
    }

    /// The answer, if the server lived to give it and could; it has to have this status.
    async fn expect(&self, request: RequestBuilder, status: u16) -> Option<Value> {
        let response = request.send().await.ok()?;
        let (url, got) = (response.url().path().to_owned(), response.status().as_u16());
        let answer: Value = response.json().await.ok()?;
        if self.may_fail(got) {
            assert!(answer["error"]["code"].is_string(), "{url}: {answer}");
            return None;
        }
        assert_eq!(got, status, "{url}: {answer}");
        Some(answer)
    }

    fn may_fail(&self, status: u16) -> bool {
        self.health == Health::Ill && status >= 500
    }
}
