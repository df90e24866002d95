//! Fetching one file: exactly as long as announced, and resumed where the connection broke.

use http::StatusCode;
use http::header::{CONTENT_RANGE, ETAG, HeaderValue};
use reqwest::{Response, Url};
use tokio::time::sleep;

use super::landing::Landing;
use crate::error::{Error, Result, TransportError, TransportProblem};
use crate::server_url::origin;
use crate::transport::{Repeat, Transport, chunk, pause, pause_of_range};

/// A try that came this far was worth it, and does not count against the number of tries.
const WORTHWHILE_BYTES: u64 = 1024 * 1024;

pub(super) struct Fetch<'a> {
    transport: &'a Transport,
    url: Url,
    bytes: u64,
    done: u64,
    moved: bool,
    /// What names the file that `done` bytes are here of. Without it no try can go on where another ended.
    etag: Option<HeaderValue>,
    landing: Landing<'a>,
}

impl<'a> Fetch<'a> {
    pub(super) fn new(
        transport: &'a Transport,
        url: Url,
        bytes: u64,
        landing: Landing<'a>,
    ) -> Self {
        Self {
            transport,
            url,
            bytes,
            done: 0,
            moved: false,
            etag: None,
            landing,
        }
    }

    /// Goes on behind the first `done` bytes, if the file is still the one that `etag` names.
    pub(super) fn behind(mut self, done: u64, etag: HeaderValue) -> Self {
        (self.done, self.etag) = (done, Some(etag));
        self
    }

    /// Whether anything came.
    pub(super) fn moved(&self) -> bool {
        self.moved
    }

    /// Fetches all of it.
    pub(super) async fn run(&mut self, report: impl Fn(u64) + Sync) -> Result<()> {
        let fetched = self.tries(&report).await;
        // What came before an error is of use to the next process.
        let ended = self.landing.end(fetched.is_ok()).await;
        fetched?;
        ended
    }

    async fn tries(&mut self, report: &(impl Fn(u64) + Sync)) -> Result<()> {
        self.landing.go_on_behind(self.done).await?;
        let mut tries = 0;
        loop {
            let before = self.done;
            let Err(error) = self.once(report).await else {
                return Ok(());
            };
            let moved = self.done.saturating_sub(before);
            tries = if moved >= WORTHWHILE_BYTES {
                1
            } else {
                tries + 1
            };
            let wait = if self.moved || self.done > 0 {
                pause_of_range(&error, tries)
            } else {
                pause(&error, Repeat::Safe, tries)
            };
            match wait {
                Some(pause) => sleep(pause).await,
                None => return Err(error),
            }
        }
    }

    async fn once(&mut self, report: &(impl Fn(u64) + Sync)) -> Result<()> {
        if self.etag.is_none() {
            self.start_over().await?;
        }
        let etag = self.etag.as_ref().filter(|_| self.done > 0);
        let mut response = self.transport.fetch(&self.url, self.done, etag).await?;
        match response.status() {
            StatusCode::PARTIAL_CONTENT if self.done > 0 => self.check_range(&response)?,
            // From its beginning: it was asked for so, or is another file than before.
            StatusCode::OK => {
                // Before what is here is thrown away for it: it may be some page of somebody in between.
                let etag = strong_etag(&response);
                let is_it = match response.content_length() {
                    Some(length) => length == self.bytes,
                    None => self.done == 0 || etag == self.etag,
                };
                if !is_it {
                    return Err(self.wrong_length());
                }
                self.start_over().await?;
                self.etag = etag;
                self.landing.begin(self.etag.as_ref()).await?;
            }
            status => return Err(Error::Answer(format!("a file comes with {status}"))),
        }
        report(self.done);
        loop {
            let piece = match chunk(&mut response).await {
                Ok(Some(piece)) => piece,
                Ok(None) if self.done < self.bytes => return Err(self.ended_early()),
                // What ends a body may be lost where nothing of the body is.
                Err(error) if self.done < self.bytes => return Err(error),
                Ok(None) | Err(_) => return Ok(()),
            };
            let done = self.done + piece.len() as u64;
            if done > self.bytes {
                return Err(self.wrong_length());
            }
            self.landing.take(piece).await?;
            (self.done, self.moved) = (done, true);
            report(self.done);
        }
    }

    async fn start_over(&mut self) -> Result<()> {
        if self.done == 0 {
            return Ok(());
        }
        self.landing.empty().await?;
        self.done = 0;
        Ok(())
    }

    /// `Content-Range: bytes <done>-<bytes - 1>/<bytes>`, RFC 9110 §14.4.
    fn check_range(&self, response: &Response) -> Result<()> {
        let range = response
            .headers()
            .get(CONTENT_RANGE)
            .and_then(|it| it.to_str().ok());
        let expected = format!(
            "bytes {}-{}/{}",
            self.done,
            self.bytes.saturating_sub(1),
            self.bytes
        );
        if range == Some(&*expected) {
            return Ok(());
        }
        Err(Error::Answer(
            "a file goes on with another range than was asked for".to_owned(),
        ))
    }

    fn wrong_length(&self) -> Error {
        Error::Answer(format!(
            "a file is not {} bytes long, as was announced",
            self.bytes
        ))
    }

    fn ended_early(&self) -> Error {
        let detail = format!("after {} of {} bytes of a file", self.done, self.bytes);
        let problem = TransportProblem::BrokenOff;
        TransportError {
            problem,
            server: origin(&self.url),
            detail,
        }
        .into()
    }
}

/// A weak one (`W/"…"`) may name two files that differ, RFC 9110 §13.1.5.
fn strong_etag(response: &Response) -> Option<HeaderValue> {
    let etag = response.headers().get(ETAG)?;
    etag.as_bytes().starts_with(b"\"").then(|| etag.clone())
}
