//! What the server will answer, and what it saw.

use std::collections::HashMap;

use axum::body::Bytes;
use axum::http::{HeaderMap, Method, StatusCode};
use serde_json::Value;

/// How a file is served.
#[derive(Default)]
pub(crate) struct Served {
    pub(crate) bytes: Vec<u8>,
    /// The first answers break off after so many bytes of theirs.
    pub(crate) cuts: Vec<usize>,
    /// What comes once behind the answers that break off.
    pub(crate) refuses: Option<StatusCode>,
    pub(crate) etag: Option<&'static str>,
    /// After the bytes comes nothing, and no end either.
    pub(crate) stalls: bool,
    /// All bytes come, and no end behind them.
    pub(crate) lingers: bool,
}

/// A request that came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
}

/// A form that was uploaded whole.
#[derive(Default)]
pub(crate) struct Uploaded {
    pub(crate) fields: HashMap<String, String>,
    pub(crate) files: Vec<(String, Vec<u8>)>,
}

/// What the server will answer.
#[derive(Default)]
pub(crate) struct World {
    /// By method and path; each answer is given once, and the last of them again and again.
    pub(crate) answers: HashMap<String, Vec<(StatusCode, HeaderMap, Bytes)>>,
    pub(crate) files: HashMap<String, Served>,
    pub(crate) seen: Vec<Seen>,
    pub(crate) uploads: Vec<Uploaded>,
    /// Neither reads nor answers uploads.
    pub(crate) holds_uploads: bool,
    /// This call is never answered.
    pub(crate) holds: Option<String>,
    /// Registers whatever key it is sent.
    pub(crate) echoes_key: bool,
    /// Answers uploads at once, with this, and throws away what still comes: a socket that is closed
    /// with unread bytes is reset, and with it may go the answer.
    pub(crate) refuses_uploads: Option<(StatusCode, Value)>,
}

impl World {
    pub(crate) fn answer(&mut self, call: &str, body: &Value) {
        self.answer_raw(call, StatusCode::OK, &[], body.to_string());
    }

    pub(crate) fn answer_raw(
        &mut self,
        call: &str,
        status: StatusCode,
        headers: &[(&'static str, &str)],
        body: impl Into<Bytes>,
    ) {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        let answer = (status, headers.collect(), body.into());
        self.answers.insert(call.to_owned(), vec![answer]);
    }

    /// Changes a JSON answer.
    pub(crate) fn change(&mut self, call: &str, change: impl FnOnce(&mut Value)) {
        let answers = self.answers.get_mut(call).unwrap();
        let (.., body) = answers.last_mut().unwrap();
        let mut value = serde_json::from_slice(body).unwrap();
        change(&mut value);
        *body = value.to_string().into();
    }

    /// How often something was called.
    pub(crate) fn calls(&self, call: &str) -> usize {
        let is_it = |it: &&Seen| format!("{} {}", it.method, it.path) == call;
        self.seen.iter().filter(is_it).count()
    }
}
