//! Plain HTTP, as `curl` would speak it: no client of ours in between.

use std::sync::Arc;

use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder, multipart};
use serde_json::Value;

/// Speaks HTTP to one server.
#[derive(Clone, Debug)]
pub struct Http {
    client: reqwest::Client,
    base: String,
}

/// An answer, read whole.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its header fields.
    pub headers: HeaderMap,
    /// Its body.
    pub bytes: Vec<u8>,
}

impl Http {
    /// Speaks to the server at `base`.
    pub fn new(base: String) -> Self {
        let client = client();
        Self { client, base }
    }

    /// A request to build upon; `key` is an API key or nothing.
    pub fn request(&self, method: &str, path: &str, key: &str) -> RequestBuilder {
        let url = if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("{}{path}", self.base)
        };
        let method = Method::from_bytes(method.as_bytes()).expect("it is a method");
        let request = self.client.request(method, url);
        if key.is_empty() {
            request
        } else {
            request.bearer_auth(key)
        }
    }

    /// Sends a request without a body.
    pub async fn get(&self, path: &str, key: &str) -> Answer {
        send(self.request("GET", path, key)).await
    }

    /// Sends a request without a body.
    pub async fn delete(&self, path: &str, key: &str) -> Answer {
        send(self.request("DELETE", path, key)).await
    }

    /// Sends JSON.
    pub async fn post(&self, path: &str, key: &str, body: &Value) -> Answer {
        send(self.request("POST", path, key).json(body)).await
    }

    /// Sends JSON.
    pub async fn patch(&self, path: &str, key: &str, body: &Value) -> Answer {
        send(self.request("PATCH", path, key).json(body)).await
    }

    /// Sends a form with text fields, and files each with its name.
    pub async fn form(
        &self,
        path: &str,
        key: &str,
        fields: &[(&'static str, &str)],
        files: &[(&str, &[u8])],
    ) -> Answer {
        let mut form = multipart::Form::new();
        for (name, value) in fields {
            form = form.text(*name, (*value).to_owned());
        }
        for (name, bytes) in files {
            let part = multipart::Part::bytes(bytes.to_vec()).file_name((*name).to_owned());
            form = form.part("files", part);
        }
        send(self.request("POST", path, key).multipart(form)).await
    }
}

/// Speaks HTTP as it is told to: without a proxy, and following nothing.
pub(crate) fn client() -> reqwest::Client {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has them")
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .expect("a client is built")
}

/// Sends a request and reads the answer whole; of a stream of events, how it begins.
pub async fn send(request: RequestBuilder) -> Answer {
    let mut response = request.send().await.expect("the server answers");
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let is_endless = headers
        .get("content-type")
        .is_some_and(|it| it == "text/event-stream");
    let bytes = if is_endless {
        let begin = response.chunk().await.expect("the stream begins");
        begin.expect("it is not over at once").to_vec()
    } else {
        let whole = response.bytes().await;
        whole.expect("the answer comes whole").to_vec()
    };
    Answer {
        status,
        headers,
        bytes,
    }
}

impl Answer {
    /// The body as JSON; of a stream of events, how it begins.
    pub fn json(&self) -> Value {
        if self.header("content-type") == "text/event-stream" {
            return serde_json::json!({ "begins": String::from_utf8_lossy(&self.bytes) });
        }
        serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|error| panic!("{error}: {:?}", String::from_utf8_lossy(&self.bytes)))
    }

    /// The body as JSON, of an answer that has to have this status.
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(
            self.status,
            status,
            "{}",
            String::from_utf8_lossy(&self.bytes)
        );
        self.json()
    }

    /// Checks that it is an error of this status and code; answers the error object.
    pub fn expect_error(&self, status: u16, code: &str) -> Value {
        let error = self.expect(status)["error"].clone();
        assert_eq!(error["code"], code, "{error}");
        assert_eq!(error["status"], status, "{error}");
        assert_eq!(error["request_id"], self.header("x-request-id"), "{error}");
        error
    }

    /// A header field, or an empty text.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|it| it.to_str().ok())
            .unwrap_or_default()
    }
}
