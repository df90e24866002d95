//! The published contract, replayed: every example of a page and every row of its error table.
//!
//! A page is a file, or a part of one. What a page says is there word for word: a row that no
//! request brings about fails the page, unless [`later`] says why it cannot be served yet.

mod accounts;
mod agents;
mod channels;
mod connections;
mod later;
mod pairings;
mod people;
mod transfers;

use std::collections::BTreeSet;

use agentdrop_testkit::http::Answer;
use agentdrop_testkit::server::TestServer;
use serde_json::Value;

use crate::parties::{Parties, Party};

const KEY: &str = "B6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw=";
/// An id that nothing has.
const NOTHING: &str = "550e8400-e29b-41d4-a716-446655440000";

/// A row of an error table.
type Row = (u16, &'static str);

/// One page of the documentation.
struct Page {
    name: &'static str,
    /// Its error table.
    rows: &'static [Row],
    replayed: BTreeSet<Row>,
}

impl Page {
    fn new(name: &'static str, rows: &'static [Row]) -> Self {
        let distinct: BTreeSet<_> = rows.iter().collect();
        assert_eq!(distinct.len(), rows.len(), "{name} has a row twice");
        let replayed = BTreeSet::new();
        Self {
            name,
            rows,
            replayed,
        }
    }

    /// Checks an answer against a row of the error table.
    fn refuses(&mut self, answer: &Answer, row: Row) -> Value {
        self.replay(row);
        answer.expect_error(row.0, row.1)
    }

    /// Checks an answer that is not the one of the table.
    ///
    /// What the contract forbids by telling that it is there, we do not tell of.
    fn hides(&mut self, answer: &Answer, row: Row) {
        assert_eq!(row, (403, "FORBIDDEN"), "{}", self.name);
        self.replay(row);
        answer.expect_error(404, "NOT_FOUND");
    }

    fn replay(&mut self, row: Row) {
        assert!(self.rows.contains(&row), "{} has no {row:?}", self.name);
        self.replayed.insert(row);
    }

    /// Checks that an answer is what the page's example is; answers it.
    fn answers(&self, answer: &Answer, status: u16, example: &Value) -> Value {
        let said = answer.expect(status);
        assert_shape(self.name, &said, example);
        said
    }

    /// Checks that every row was replayed, or is left for later.
    fn end(&self) {
        for row in self.rows {
            let (is_replayed, is_later) =
                (self.replayed.contains(row), later::is_left(self.name, *row));
            assert!(
                is_replayed != is_later,
                "{}: {row:?} has to be replayed, or said to be left for later, and not both",
                self.name
            );
        }
    }
}

/// Checks that all that an example has is there, and is of the type that the page says.
///
/// An example is an object of type names; `=text` is exactly that text.
fn assert_shape(at: &str, said: &Value, example: &Value) {
    match example {
        Value::Object(fields) => {
            let object = said
                .as_object()
                .unwrap_or_else(|| panic!("{at} is no object but {said}"));
            for (name, example) in fields {
                let at = format!("{at}.{name}");
                let said = object.get(name).unwrap_or_else(|| {
                    panic!("{at} is missing in {}", Value::from(object.clone()))
                });
                assert_shape(&at, said, example);
            }
        }
        Value::Array(of) => {
            let all = said
                .as_array()
                .unwrap_or_else(|| panic!("{at} is no array but {said}"));
            // One that has nothing shows nothing of its shape.
            assert_eq!(all.is_empty(), of.is_empty(), "{at}: {said}");
            for (n, said) in all.iter().enumerate() {
                assert_shape(&format!("{at}[{n}]"), said, &of[0]);
            }
        }
        example => {
            let kind = example
                .as_str()
                .unwrap_or_else(|| panic!("{at} has no type"));
            assert!(is_of(said, kind), "{at} is no {kind} but {said}");
        }
    }
}

fn is_of(said: &Value, kind: &str) -> bool {
    if let Some(kind) = kind.strip_suffix('?') {
        return said.is_null() || is_of(said, kind);
    }
    if let Some(text) = kind.strip_prefix('=') {
        return said == text;
    }
    let is_text = |good: fn(&str) -> bool| said.as_str().is_some_and(good);
    match kind {
        "boolean" => said.is_boolean(),
        "integer" => said.is_u64(),
        "key" => is_text(|it| it.len() == 44 && it.ends_with('=')),
        "object" => said.is_object(),
        "string" => is_text(|it| !it.is_empty()),
        "strings" => said
            .as_array()
            .is_some_and(|it| it.iter().all(Value::is_string)),
        "time" => is_text(|it| it.len() == 24 && it.ends_with('Z') && it.contains('T')),
        "true" => said == true,
        "url" => is_text(|it| it.starts_with("http://")),
        "uuid" => is_text(is_uuid),
        other => panic!("{other} is no type"),
    }
}

fn is_uuid(text: &str) -> bool {
    let dashes = [8, 13, 18, 23];
    let mut bytes = text.bytes().enumerate();
    text.len() == 36
        && bytes.all(|(n, it)| {
            if dashes.contains(&n) {
                it == b'-'
            } else {
                it.is_ascii_hexdigit()
            }
        })
}

/// Two accounts on a server of each engine, and a third that has nothing to do with them.
async fn each() -> Vec<(Parties, Party)> {
    let mut all = Vec::new();
    for server in TestServer::each().await {
        let mallory = Party::new(&server, "Mallory", "mallory@example.org").await;
        all.push((Parties::on(server).await, mallory));
    }
    all
}

/// The same account without a key.
fn anonymous(party: &Party) -> Party {
    party.with_key(String::new())
}
