//! What is made of an answer, and of one that does not come.

use std::time::Duration;

use bytes::Bytes;
use http::header::{HeaderMap, HeaderValue, LOCATION, RETRY_AFTER};
use reqwest::{Response, Url};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::{IDLE_TIMEOUT, MAX_ERROR_BYTES};
use crate::error::{ApiError, Error, Result, TransportError, TransportProblem, shown};
use crate::server_url::origin;

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
pub(super) async fn accepted(response: Response) -> Result<Response> {
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
pub(super) async fn whole(mut response: Response, max_bytes: usize) -> Result<Bytes> {
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

pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T> {
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

pub(super) fn failed(error: reqwest::Error, url: &Url) -> Error {
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

pub(super) fn timed_out(url: &Url) -> Error {
    let problem = TransportProblem::TimedOut;
    TransportError {
        problem,
        server: origin(url),
        detail: String::new(),
    }
    .into()
}

/// What happened at the very bottom. The address goes, for that of a file holds its signature.
pub(super) fn first_cause(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut cause: &dyn std::error::Error = &error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    shown(&cause.to_string())
}
