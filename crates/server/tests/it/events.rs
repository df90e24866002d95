//! What happens, told as it happens.

use std::time::Duration;

use agentdrop_domain::audit::{Action, NewEntry, Subject, Who};
use agentdrop_protocol::{AccountId, AgentId, Timestamp};
use agentdrop_store::{Store, Tx};
use agentdrop_testkit::http::{Answer, Http, send};
use agentdrop_testkit::server::{TestServer, text};
use reqwest::Response;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::parties::{Parties, Party};

/// Longer than anything here takes, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// Transfers that are sent while somebody listens.
const ALL: usize = 60;

/// One that listens.
pub(crate) struct Listener {
    response: Response,
    buffer: String,
}

/// An event, as it came.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) id: u64,
    event: String,
    pub(crate) data: Value,
}

impl Listener {
    /// Listens, and waits until it does.
    pub(crate) async fn new(http: &Http, key: &str, query: &str, last: Option<u64>) -> Self {
        let mut request = http.request("GET", &format!("/v1/events/stream{query}"), key);
        if let Some(last) = last {
            request = request.header("last-event-id", last.to_string());
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        let mut it = Self {
            response,
            buffer: String::new(),
        };
        assert_eq!(it.block().await.as_deref(), Some(": connected"));
        it
    }

    /// What stands before the next empty line; nothing, if the stream is over.
    pub(crate) async fn block(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.buffer.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.buffer = rest;
                return Some(block);
            }
            let chunk = self.response.chunk().await.ok()??;
            self.buffer.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// The next event; nothing, if the stream is over.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        // All of it together: that the stream is still there is said now and then.
        let next = timeout(PATIENCE, self.frame()).await;
        next.expect("something comes")
    }

    async fn frame(&mut self) -> Option<Frame> {
        loop {
            let block = self.block().await?;
            if block.starts_with(':') {
                continue;
            }
            // As the published client reads it, which wants one space and nothing else.
            let line = |name: &str| {
                let found = block.lines().find_map(|it| it.strip_prefix(name));
                found
                    .unwrap_or_else(|| panic!("no {name} in {block}"))
                    .to_owned()
            };
            return Some(Frame {
                id: line("id: ").parse().unwrap(),
                event: line("event: "),
                data: serde_json::from_str(&line("data: ")).unwrap(),
            });
        }
    }

    pub(crate) async fn expect(&mut self, event: &str) -> Frame {
        let frame = self.next().await.expect("the stream goes on");
        assert_eq!(frame.event, event, "{frame:?}");
        frame
    }
}

async fn listen(server: &TestServer, party: &Party) -> Listener {
    Listener::new(&server.http, &party.account.key, "", None).await
}

async fn sends(server: &TestServer, party: &Party, fields: &[(&'static str, &str)]) -> Answer {
    let files: [(&str, &[u8]); 1] = [("report.txt", b"numbers")];
    let key = &party.account.key;
    server.http.form("/v1/transfers", key, fields, &files).await
}

const ACROSS: [(&str, &str); 2] = [("sender", "data-pipeline"), ("recipient", "analysis-bot")];

#[tokio::test]
async fn each_side_is_told_what_becomes_of_a_transfer() {
    for it in &Parties::each().await {
        let Parties {
            server,
            alex,
            jamie,
        } = it;
        it.pair("both").await;
        let (mut here, mut there) = (listen(server, alex).await, listen(server, jamie).await);
        let sent = sends(server, alex, &ACROSS).await.expect(201);
        let id = text(&sent, "id");
        let told = there.expect("transfer.created").await;
        assert_eq!(told.data["id"], *id);
        let path = format!("/v1/transfers/{id}");
        let shown = jamie.get(&path).await.expect(200);
        assert_eq!(told.data, shown, "it is the whole transfer");

        let grant = jamie.get(&format!("{path}/download")).await.expect(200);
        here.expect("transfer.downloaded").await;
        there.expect("transfer.downloaded").await;
        let body = json!({ "download_id": grant["download_id"], "status": "received" });
        jamie.post(&format!("{path}/ack"), &body).await.expect(200);
        let delivered = here.expect("transfer.delivered").await;
        assert_eq!(delivered.data["id"], *id);
        there.expect("transfer.delivered").await;
        alex.delete(&path).await.expect(200);
        for side in [&mut here, &mut there] {
            let deleted = side.expect("transfer.deleted").await;
            assert_eq!(deleted.data["status"], "deleted");
        }

        let short = [&ACROSS[..], &[("expires_in", "1m")]].concat();
        let other = text(&sends(server, alex, &short).await.expect(201), "id");
        there.expect("transfer.created").await;
        server.clock.advance(Duration::from_mins(2));
        server.sweep().await;
        for side in [&mut here, &mut there] {
            let expired = side.expect("transfer.expired").await;
            assert_eq!(expired.data["id"], *other);
            assert_eq!(expired.data["status"], "expired");
        }
    }
}

#[tokio::test]
async fn each_side_is_told_of_trust() {
    for it in &Parties::each().await {
        let (mut here, mut there) = (
            listen(&it.server, &it.alex).await,
            listen(&it.server, &it.jamie).await,
        );
        let (connection, pairing) = it.pair("both").await;
        here.expect("connection.invited").await;
        for side in [&mut here, &mut there] {
            let accepted = side.expect("connection.accepted").await;
            assert_eq!(accepted.data["connection_id"], *connection);
            let proposed = side.expect("pairing.proposed").await;
            assert_eq!(proposed.data["pairing_id"], *pairing);
            side.expect("pairing.confirmed").await;
        }
        let key = json!({ "public_key": "pTdKtmpCIUNTHuaOwgTOqB2CQwAvYPVZfXsO7qcUGHw=" });
        let rotate = "/v1/agents/data-pipeline/rotate-key";
        it.alex.post(rotate, &key).await.expect(200);
        for side in [&mut here, &mut there] {
            let rotated = side.expect("agent.key_rotated").await;
            assert_eq!(rotated.data["agent_id"], "data-pipeline");
        }
        let path = format!("/v1/connections/{connection}");
        it.alex.delete(&path).await.expect(200);
        for side in [&mut here, &mut there] {
            let revoked = side.expect("connection.revoked").await;
            assert_eq!(revoked.data["connection_id"], *connection);
        }
        // Whoever is paired no more is told no more.
        it.alex.post(rotate, &key).await.expect(200);
        here.expect("agent.key_rotated").await;
        it.jamie.invite("somebody@example.org").await.expect(201);
        there.expect("connection.invited").await;
    }
}

#[tokio::test]
async fn whoever_comes_again_misses_nothing_and_hears_nothing_twice() {
    for it in &Parties::each().await {
        it.pair("both").await;
        let key = &it.jamie.account.key;
        let mut listener = listen(&it.server, &it.jamie).await;
        let senders = (0..4).map(|_| {
            let (http, key) = (it.server.http.clone(), it.alex.account.key.clone());
            tokio::spawn(async move {
                let mut ids = Vec::new();
                for _ in 0..ALL / 4 {
                    let files: [(&str, &[u8]); 1] = [("a", b"x")];
                    let sent = http.form("/v1/transfers", &key, &ACROSS, &files).await;
                    ids.push(text(&sent.expect(201), "id"));
                }
                ids
            })
        });
        let senders: Vec<_> = senders.collect();
        let (mut seen, mut last) = (Vec::new(), None);
        while seen.len() < ALL {
            // Cut off after some, at another place each time.
            for _ in 0..=seen.len() % 7 {
                if seen.len() == ALL {
                    break;
                }
                let told = listener.expect("transfer.created").await;
                assert!(last < Some(told.id), "{last:?} {}", told.id);
                last = Some(told.id);
                seen.push(text(&told.data, "id"));
            }
            drop(listener);
            listener = Listener::new(&it.server.http, key, "", last).await;
        }
        let mut sent = Vec::new();
        for sender in senders {
            sent.extend(sender.await.unwrap());
        }
        sent.sort();
        seen.sort();
        assert_eq!(seen, sent);

        // The list has the same, in parts.
        let (mut listed, mut since) = (Vec::new(), 0);
        loop {
            let path = format!("/v1/events?since={since}&limit=7&agent_id=analysis-bot");
            let part = it.jamie.get(&path).await.expect(200);
            let events = part["events"].as_array().unwrap();
            assert!(events.len() <= 7);
            let transfers = events.iter().filter(|it| it["type"] == "transfer.created");
            listed.extend(transfers.map(|it| text(&it["data"], "id")));
            since = part["next_since"].as_u64().unwrap();
            if part["has_more"] == false {
                break;
            }
        }
        listed.sort();
        assert_eq!(listed, sent);
    }
}

#[tokio::test]
async fn what_is_older_than_a_week_is_not_told_again() {
    for it in &Parties::each().await {
        it.pair("both").await;
        let day = Duration::from_hours(24);
        sends(&it.server, &it.alex, &ACROSS).await.expect(201);
        it.server.clock.advance(4 * day);
        let late = text(
            &sends(&it.server, &it.alex, &ACROSS).await.expect(201),
            "id",
        );
        it.server.clock.advance(4 * day);
        let listed = it.jamie.get("/v1/events").await.expect(200);
        let events = listed["events"].as_array().unwrap();
        assert_eq!(events.len(), 1, "{listed}");
        assert_eq!(events[0]["data"]["id"], *late);
        assert_eq!(events[0]["type"], "transfer.created");
        let key = &it.jamie.account.key;
        let mut listener = Listener::new(&it.server.http, key, "?since=0", None).await;
        let told = listener.expect("transfer.created").await;
        assert_eq!(told.data["id"], *late);
        // A number from nowhere is as good as the last.
        let far = format!("?since={}", u64::MAX);
        let mut listener = Listener::new(&it.server.http, key, &far, None).await;
        let next = text(
            &sends(&it.server, &it.alex, &ACROSS).await.expect(201),
            "id",
        );
        let told = listener.expect("transfer.created").await;
        assert_eq!(told.data["id"], *next);
        for since in ["-1", "1.5", "x", "99999999999999999999"] {
            for path in ["/v1/events", "/v1/events/stream"] {
                let refused = it.jamie.get(&format!("{path}?since={since}")).await;
                let error = refused.expect_error(400, "VALIDATION_ERROR");
                assert_eq!(error["details"][0]["field"], "since");
            }
        }
    }
}

#[tokio::test]
async fn an_agent_is_told_what_is_its_own() {
    for it in &Parties::each().await {
        it.pair("both").await;
        let (server, jamie) = (&it.server, &it.jamie);
        server.agent(&jamie.account, "other").await;
        let key = async |agent: &str| {
            let body = json!({ "name": "ci" });
            let made = jamie.post(&format!("/v1/agents/{agent}/keys"), &body).await;
            text(&made.expect(201), "api_key")
        };
        let (own, other) = (key("analysis-bot").await, key("other").await);
        let stream =
            async |key: &str, query: &str| Listener::new(&server.http, key, query, None).await;
        let mut own = stream(&own, "").await;
        let mut named = stream(&jamie.account.key, "?agent_id=analysis-bot").await;
        let mut others = stream(&other, "").await;
        let id = text(&sends(server, &it.alex, &ACROSS).await.expect(201), "id");
        let inside = [("sender", "other"), ("recipient", "analysis-bot")];
        let inside = text(&sends(server, jamie, &inside).await.expect(201), "id");
        let back = [("sender", "analysis-bot"), ("recipient", "other")];
        let back = text(&sends(server, jamie, &back).await.expect(201), "id");
        for listener in [&mut own, &mut named] {
            for id in [&id, &inside] {
                let told = listener.expect("transfer.created").await;
                assert_eq!(told.data["id"], **id);
            }
        }
        // What it sent it is not told of, and of nobody else's at all.
        let told = others.expect("transfer.created").await;
        assert_eq!(told.data["id"], *back);
        let path = format!("/v1/transfers/{back}");
        jamie.delete(&path).await.expect(200);
        for listener in [&mut own, &mut others] {
            let told = listener.expect("transfer.deleted").await;
            assert_eq!(told.data["id"], *back);
        }
        for path in ["/v1/events", "/v1/events/stream"] {
            let path = format!("{path}?agent_id=analysis-bot");
            let refused = server.http.get(&path, &other).await;
            refused.expect_error(403, "SCOPE_MISMATCH");
            let refused = it.alex.get(&path).await;
            refused.expect_error(404, "NOT_FOUND");
        }
    }
}

#[tokio::test]
async fn a_stream_ends_with_what_it_was_opened_with() {
    for it in &Parties::each().await {
        let (server, alex) = (&it.server, &it.alex);
        let made = json!({ "name": "stolen" });
        let made = alex.post("/v1/api-keys", &made).await.expect(201);
        let stream = async |key: &str| Listener::new(&server.http, key, "", None).await;
        let mut by_key = stream(&text(&made, "api_key")).await;
        let session = server.session_of(&alex.account).await;
        let mut by_session = stream(&session).await;
        let path = format!("/v1/api-keys/{}", text(&made, "id"));
        alex.delete(&path).await.expect(200);
        assert!(by_key.next().await.is_none(), "the key was revoked");
        server
            .http
            .delete("/v1/sessions/current", &session)
            .await
            .expect(200);
        assert!(by_session.next().await.is_none(), "the session is over");

        let session = server.session_of(&it.jamie.account).await;
        let mut listener = stream(&it.jamie.account.key).await;
        let body = json!({ "password": agentdrop_testkit::server::PASSWORD });
        let gone = server.http.request("DELETE", "/v1/account", &session);
        send(gone.json(&body)).await.expect(200);
        assert!(listener.next().await.is_none(), "the account is gone");
    }
}

#[tokio::test]
async fn an_account_has_so_many_streams_and_they_come_back() {
    for it in &Parties::each().await {
        let mut streams = Vec::new();
        for _ in 0..64 {
            streams.push(listen(&it.server, &it.alex).await);
        }
        let refused = it.alex.get("/v1/events/stream").await;
        refused.expect_error(429, "RATE_LIMITED");
        listen(&it.server, &it.jamie).await;
        drop(streams);
        let freed = async || {
            let http = &it.server.http;
            let request = http.request("GET", "/v1/events/stream", &it.alex.account.key);
            request.send().await.unwrap().status() == 200
        };
        crate::world::until("the places are free", freed).await;
    }
}

#[tokio::test]
async fn what_another_node_wrote_is_told_too() {
    for it in &Parties::each().await {
        let mut listener = listen(&it.server, &it.alex).await;
        let store = Store::open(it.server.database().url()).await.unwrap();
        let account: AccountId = it.alex.account.id.parse().unwrap();
        let entry = NewEntry {
            account,
            at: Timestamp::from_millis(1_790_000_000_000),
            action: Action::AgentKeyRotated,
            who: Who::Operator,
            address: None,
            request_id: None,
            subject: Subject::of(&AgentId::from_bytes([7; 16])),
        };
        let append = async move |tx: &mut Tx| tx.append_audit([entry]).await;
        store.write(append).await.unwrap();
        listener.expect("agent.key_rotated").await;
    }
}

#[tokio::test]
async fn a_server_stops_though_somebody_listens() {
    for it in Parties::each().await {
        let Parties {
            mut server, alex, ..
        } = it;
        let mut listener = listen(&server, &alex).await;
        timeout(Duration::from_secs(10), server.stop())
            .await
            .expect("nobody who listens holds it up");
        assert!(listener.next().await.is_none());
    }
}
