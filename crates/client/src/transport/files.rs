//! Bytes of files on their way: to the server or a bucket, and from there.

use std::convert::Infallible;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderValue, IF_RANGE, RANGE};
use reqwest::{Body, Response, Url};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::answer::{accepted, failed, parse, timed_out, whole};
use super::{IDLE_TIMEOUT, MAX_ERROR_BYTES, MAX_JSON_BYTES, Pulse, Transport, UPLOAD_IDLE_TIMEOUT};
use crate::error::{Error, Result};

/// Bytes of a part that are given to the connection at a time.
const PUT_PIECE_BYTES: usize = 64 * 1024;

impl Transport {
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
}

/// The same bytes, a few at a time.
fn pieces(mut bytes: Bytes) -> impl Iterator<Item = Bytes> + Send {
    std::iter::from_fn(move || {
        let len = bytes.len().min(PUT_PIECE_BYTES);
        (len > 0).then(|| bytes.split_to(len))
    })
}
