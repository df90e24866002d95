//! How the server is talked to: TLS, time-outs, tries, and how much of an answer is read.
//!
//! No redirect is followed and no cookie kept. The API key goes to the server's own endpoints, never
//! to the addresses that it gives for files.

mod pause;
mod pulse;

pub(crate) use self::pause::{Repeat, pause, pause_of_part, pause_of_range};
pub(crate) use self::pulse::Pulse;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use agentdrop_protocol::AgentRef;
use agentdrop_protocol::api_key::ApiKey;
use agentdrop_protocol::idempotency_key::IDEMPOTENCY_KEY;
use bytes::Bytes;
use http::Method;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue};
use http::header::{ETAG, IF_RANGE, LOCATION, RANGE, RETRY_AFTER};
use reqwest::{Body, Response, Url};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::{sleep, timeout};

use crate::error::{ApiError, ConfigError, Error, Result, TransportError, TransportProblem, shown};
use crate::server_url::{ServerUrl, origin};

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

/// Bytes of a part that are given to the connection at a time.
const PUT_PIECE_BYTES: usize = 64 * 1024;

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

    /// Sends a body of known length, once. Each time bytes were taken from it, `pulse` has to beat.
    pub(crate) async fn upload<T: DeserializeOwned>(
        &self,
        url: Url,
        content_type: &str,
        length: u64,
        body: Body,
        pulse: &Pulse,
    ) -> Result<T> {
        let request = self
            .http
            .post(url.clone())
            .headers(self.headers())
            .header(CONTENT_TYPE, content_type)
            .header(CONTENT_LENGTH, length)
            .body(body);
        let answer = async {
            let response = request.send().await.map_err(|it| failed(it, &url))?;
            whole(accepted(response).await?, MAX_JSON_BYTES).await
        };
        tokio::select! {
            answer = answer => parse(&answer?),
            () = pulse.stopped(UPLOAD_IDLE_TIMEOUT) => Err(timed_out(&url)),
        }
    }

    /// Puts bytes where the server said that they go, without a key, once; answers their `ETag`.
    pub(crate) async fn put(&self, url: &Url, bytes: &Bytes) -> Result<String> {
        let pulse = Pulse::default();
        let (beat, pieces) = (pulse.clone(), pieces(bytes.clone()));
        let pieces = pieces
            .inspect(move |_| beat.beat())
            .map(Ok::<_, Infallible>);
        let body = Body::wrap_stream(futures_util::stream::iter(pieces));
        // No other header: what signed the address may have signed which ones there are.
        let request = self.http.put(url.clone());
        let request = request.header(CONTENT_LENGTH, bytes.len()).body(body);
        let answer = async {
            let response = request.send().await.map_err(|it| failed(it, url))?;
            let response = accepted(response).await?;
            let etag = response.headers().get(ETAG).and_then(|it| it.to_str().ok());
            let missing = || Error::Answer("it says no ETag of a part that was sent".to_owned());
            let etag = etag.map(str::to_owned).ok_or_else(missing)?;
            // So that the connection can be used again.
            whole(response, MAX_ERROR_BYTES).await?;
            Ok(etag)
        };
        tokio::select! {
            answer = answer => answer,
            () = pulse.stopped(UPLOAD_IDLE_TIMEOUT) => Err(timed_out(url)),
        }
    }

    /// Asks for an answer of any size, which is read piece by piece.
    pub(crate) async fn get_streamed(&self, url: &Url) -> Result<Response> {
        let request = self.http.get(url.clone()).headers(self.headers());
        let answer = async { accepted(request.send().await.map_err(|it| failed(it, url))?).await };
        timeout(IDLE_TIMEOUT, answer)
            .await
            .unwrap_or_else(|_| Err(timed_out(url)))
    }

    /// Asks for a file, without a key: from `begin` on, if it is still the one that `etag` names.
    pub(crate) async fn fetch(
        &self,
        url: &Url,
        begin: u64,
        etag: Option<&HeaderValue>,
    ) -> Result<Response> {
        let mut request = self.http.get(url.clone());
        if let Some(etag) = etag {
            request = request
                .header(RANGE, format!("bytes={begin}-"))
                .header(IF_RANGE, etag);
        }
        let answer = async { accepted(request.send().await.map_err(|it| failed(it, url))?).await };
        timeout(IDLE_TIMEOUT, answer)
            .await
            .unwrap_or_else(|_| Err(timed_out(url)))
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

/// The same bytes, a few at a time.
fn pieces(mut bytes: Bytes) -> impl Iterator<Item = Bytes> + Send {
    std::iter::from_fn(move || {
        let len = bytes.len().min(PUT_PIECE_BYTES);
        (len > 0).then(|| bytes.split_to(len))
    })
}

/// The next bytes of an answer, unless they come too slowly.
pub(crate) async fn chunk(response: &mut Response) -> Result<Option<Bytes>> {
    let next = timeout(IDLE_TIMEOUT, response.chunk()).await;
    match next {
        Ok(Ok(chunk)) => Ok(chunk),
        Ok(Err(error)) => Err(failed(error, response.url())),
        Err(_) => Err(timed_out(response.url())),
    }
}

/// The answer if it is a good one, and the error that it is otherwise.
async fn accepted(response: Response) -> Result<Response> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    if status.is_redirection() {
        let to = response
            .headers()
            .get(LOCATION)
            .map_or(&b""[..], HeaderValue::as_bytes);
        let to = shown(&String::from_utf8_lossy(to));
        return Err(Error::Answer(format!(
            "it redirects to `{to}` ({status}), which is not followed"
        )));
    }
    let retry_after = retry_after(response.headers());
    // Whatever is wrong with the body, the status is what happened.
    Err(match whole(response, MAX_ERROR_BYTES).await {
        Ok(body) => ApiError::read(status, &body, retry_after),
        Err(_) => ApiError::bare(status, retry_after),
    }
    .into())
}

/// The whole body, unless it is larger than `max_bytes`.
async fn whole(mut response: Response, max_bytes: usize) -> Result<Bytes> {
    let too_large = || Error::Answer(format!("it is larger than {max_bytes} bytes"));
    let announced = response.content_length().unwrap_or_default();
    if announced > max_bytes as u64 {
        return Err(too_large());
    }
    let mut body = Vec::new();
    while let Some(chunk) = chunk(&mut response).await? {
        if body.len() + chunk.len() > max_bytes {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.into())
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T> {
    serde_json::from_slice(body).map_err(|error| Error::Answer(shown(&error.to_string())))
}

/// Seconds; the other form of RFC 9110 §10.2.3, a date, would need the server's clock to be ours.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()?;
    Some(Duration::from_secs(seconds))
}

fn failed(error: reqwest::Error, url: &Url) -> Error {
    let problem = if error.is_connect() {
        TransportProblem::Unreachable
    } else if error.is_timeout() {
        TransportProblem::TimedOut
    } else {
        TransportProblem::BrokenOff
    };
    TransportError {
        problem,
        server: origin(url),
        detail: first_cause(error),
    }
    .into()
}

fn timed_out(url: &Url) -> Error {
    let problem = TransportProblem::TimedOut;
    TransportError {
        problem,
        server: origin(url),
        detail: String::new(),
    }
    .into()
}

/// What happened at the very bottom. The address goes, for that of a file holds its signature.
fn first_cause(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut cause: &dyn std::error::Error = &error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    shown(&cause.to_string())
}

fn header(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("keys, slugs and ids are printable ASCII")
}

/// TLS 1.3 and 1.2 with the system's certificates.
fn tls(server: &ServerUrl) -> Result<ClientConfig> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| ConfigError::Tls(error.to_string()))?;
    let mut config = match Verifier::new(provider) {
        Ok(verifier) => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth(),
        // A machine without certificates can use the server that runs on it; every other is unknown.
        Err(_) if server.is_plain() => builder
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth(),
        Err(_) => return Err(ConfigError::Roots.into()),
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
