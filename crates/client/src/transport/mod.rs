//! How the server is talked to: TLS, time-outs, tries, and how much of an answer is read.
//!
//! No redirect is followed and no cookie kept. The API key goes to the server's own endpoints, never
//! to the addresses that it gives for files.

mod answer;
mod files;
mod pause;
mod pulse;
mod tls;

use std::time::Duration;

use agentdrop_protocol::AgentRef;
use agentdrop_protocol::api_key::ApiKey;
use agentdrop_protocol::idempotency_key::IDEMPOTENCY_KEY;
use bytes::Bytes;
use http::Method;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::Url;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::{sleep, timeout};

pub(crate) use self::answer::chunk;
use self::answer::{accepted, failed, first_cause, parse, timed_out, whole};
pub(crate) use self::pause::{Repeat, pause, pause_of_part, pause_of_range};
pub(crate) use self::pulse::Pulse;
use self::tls::tls;
use crate::error::{ConfigError, Result};
use crate::server_url::ServerUrl;

/// Names this client and its version.
const USER_AGENT: &str = concat!("agentdrop/", env!("CARGO_PKG_VERSION"));
/// Which agent acts, where the key is the whole account's.
const ACTING_AGENT: &str = "x-agentdrop-agent";

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// A whole call that carries no files.
const CALL_TIMEOUT: Duration = Duration::from_mins(2);
/// The wait for the next bytes of a file, or for the answer that announces them.
const IDLE_TIMEOUT: Duration = Duration::from_mins(1);
/// The same while sending: after the last byte the server still has to bring all of them to its disk.
const UPLOAD_IDLE_TIMEOUT: Duration = Duration::from_mins(2);

/// A page of a hundred transfers with a hundred files each is a tenth of this.
const MAX_JSON_BYTES: usize = 8 * 1024 * 1024;
const MAX_ERROR_BYTES: usize = 64 * 1024;

#[derive(Debug)]
pub(crate) struct Transport {
    http: reqwest::Client,
    pub(crate) server: ServerUrl,
    authorization: Option<HeaderValue>,
    acting_agent: Option<HeaderValue>,
}

impl Transport {
    pub(crate) fn new(
        server: ServerUrl,
        key: Option<&ApiKey>,
        acting_agent: Option<&AgentRef>,
    ) -> Result<Self> {
        let mut http = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .tls_backend_preconfigured(tls(&server)?)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .connect_timeout(CONNECT_TIMEOUT);
        if server.is_plain() {
            // A proxy would read the key of a server that is meant to be on this machine.
            http = http.no_proxy();
        }
        let http = http
            .build()
            .map_err(|error| ConfigError::Tls(first_cause(error)))?;
        let authorization = key.map(|key| {
            let text = format!("Bearer {}", key.expose_secret());
            let mut value = header(&text);
            value.set_sensitive(true);
            value
        });
        let acting_agent = acting_agent.map(|it| header(&it.to_string()));
        Ok(Self {
            http,
            server,
            authorization,
            acting_agent,
        })
    }

    pub(crate) async fn get<T: DeserializeOwned>(&self, url: Url) -> Result<T> {
        self.call(Method::GET, url, None, Repeat::Safe).await
    }

    /// A GET that has an effect each time.
    pub(crate) async fn get_once<T: DeserializeOwned>(&self, url: Url) -> Result<T> {
        self.call(Method::GET, url, None, Repeat::Never).await
    }

    pub(crate) async fn delete<T: DeserializeOwned>(&self, url: Url) -> Result<T> {
        self.call(Method::DELETE, url, None, Repeat::Never).await
    }

    pub(crate) async fn send_json<T: DeserializeOwned>(
        &self,
        method: Method,
        url: Url,
        body: &(impl Serialize + Sync),
        repeat: Repeat,
    ) -> Result<T> {
        let body =
            serde_json::to_vec(body).expect("what is sent has text keys and no failing field");
        self.call(method, url, Some(body.into()), repeat).await
    }

    pub(crate) async fn post_nothing<T: DeserializeOwned>(&self, url: Url) -> Result<T> {
        self.call(Method::POST, url, None, Repeat::Never).await
    }

    /// A POST that the server does once, however often it comes under this name.
    pub(crate) async fn post_once<T: DeserializeOwned>(
        &self,
        url: Url,
        body: Option<Bytes>,
        name: &str,
    ) -> Result<T> {
        self.repeat(Method::POST, url, body, Repeat::Safe, Some(name))
            .await
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        url: Url,
        body: Option<Bytes>,
        repeat: Repeat,
    ) -> Result<T> {
        self.repeat(method, url, body, repeat, None).await
    }

    async fn repeat<T: DeserializeOwned>(
        &self,
        method: Method,
        url: Url,
        body: Option<Bytes>,
        repeat: Repeat,
        name: Option<&str>,
    ) -> Result<T> {
        for tries in 1.. {
            let answer = self.try_call(&method, &url, body.clone(), name);
            let answer = timeout(CALL_TIMEOUT, answer).await;
            let error = match answer.unwrap_or_else(|_| Err(timed_out(&url))) {
                Ok(answer) => return parse(&answer),
                Err(error) => error,
            };
            match pause(&error, repeat, tries) {
                Some(pause) => sleep(pause).await,
                None => return Err(error),
            }
        }
        unreachable!("the last try ends the loop")
    }

    async fn try_call(
        &self,
        method: &Method,
        url: &Url,
        body: Option<Bytes>,
        name: Option<&str>,
    ) -> Result<Bytes> {
        let mut request = self
            .http
            .request(method.clone(), url.clone())
            .headers(self.headers());
        if let Some(name) = name {
            request = request.header(IDEMPOTENCY_KEY, name);
        }
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/json").body(body);
        }
        let response = request.send().await.map_err(|it| failed(it, url))?;
        whole(accepted(response).await?, MAX_JSON_BYTES).await
    }

    fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(authorization) = &self.authorization {
            headers.insert(AUTHORIZATION, authorization.clone());
        }
        if let Some(agent) = &self.acting_agent {
            headers.insert(ACTING_AGENT, agent.clone());
        }
        headers
    }
}

fn header(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("keys, slugs and ids are printable ASCII")
}
