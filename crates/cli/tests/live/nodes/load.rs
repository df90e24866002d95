//! What callers do all the time, and what they were told.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use agentdrop_testkit::http::{Answer, Http};
use agentdrop_testkit::server::text;
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::model::{Chance, content};

/// How long a request is repeated.
const PATIENCE: Duration = Duration::from_secs(40);
/// How often each transfer may be downloaded.
const DOWNLOADS: usize = 2;

/// What the callers know. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Known(Arc<Shared>);

#[derive(Default)]
struct Shared {
    sent: Mutex<BTreeMap<String, Sent>>,
    /// Requests that had to be made again, and all.
    repeated: AtomicUsize,
    unavailable: AtomicUsize,
    all: AtomicUsize,
    ends: AtomicBool,
}

/// A transfer that was acknowledged.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) id: String,
    size: usize,
    /// How often a download of it was granted to somebody who was told so.
    pub(super) grants: usize,
    /// The downloads whose end was acknowledged.
    pub(super) acknowledged: usize,
}

impl Known {
    /// Begins to send and to receive, with so many callers.
    pub(super) fn load(&self, url: &str, key: &str, callers: usize, seed: u64) -> JoinSet<()> {
        let mut running = JoinSet::new();
        for n in 0..callers {
            let (it, http, key) = (self.clone(), Http::new(url.to_owned()), key.to_owned());
            running.spawn(async move {
                let mut chance = Chance(seed * 1_000 + n as u64 + 1);
                for m in 0.. {
                    if it.0.ends.load(Ordering::Relaxed) {
                        break;
                    }
                    let label = format!("s{seed}-{n}-{m}");
                    let id = it.send(&http, &key, &label, &mut chance).await;
                    // One more than may.
                    let receive = || it.receive(&http, &key, &label, &id);
                    tokio::join!(receive(), receive(), receive());
                }
            });
        }
        running
    }

    /// Lets the callers come to an end.
    pub(super) async fn end(&self, mut running: JoinSet<()>) {
        self.0.ends.store(true, Ordering::Relaxed);
        while let Some(ended) = running.join_next().await {
            ended.unwrap();
        }
    }

    pub(super) fn sent(&self) -> BTreeMap<String, Sent> {
        self.0.sent.lock().unwrap().clone()
    }

    /// How many requests there were, how many of them were made again, and how often of those a
    /// server said that it could not.
    pub(super) fn counts(&self) -> (usize, usize, usize) {
        let counts = [&self.0.all, &self.0.repeated, &self.0.unavailable];
        let [all, repeated, unavailable] = counts.map(|it| it.load(Ordering::Relaxed));
        (all, repeated, unavailable)
    }

    async fn send(&self, http: &Http, key: &str, label: &str, chance: &mut Chance) -> String {
        let magnitude = 4 + chance.below(15);
        let size = usize::try_from(chance.below(1 << magnitude)).unwrap();
        let name = format!("nodes-test-{label}-00000000");
        let answer = self
            .ask(|| {
                let file = reqwest::multipart::Part::bytes(content(label, size)).file_name("file");
                let form = reqwest::multipart::Form::new()
                    .text("sender", label.to_owned())
                    .text("recipient", "bob")
                    .text("max_downloads", DOWNLOADS.to_string())
                    .part("files", file);
                let request = http.request("POST", "/v1/transfers", key);
                request.header("Idempotency-Key", &name).multipart(form)
            })
            .await;
        let id = text(&answer.expect(201), "id");
        let sent = Sent {
            id: id.clone(),
            size,
            grants: 0,
            acknowledged: 0,
        };
        let before = self.0.sent.lock().unwrap().insert(label.to_owned(), sent);
        assert!(before.is_none());
        id
    }

    async fn receive(&self, http: &Http, key: &str, label: &str, id: &str) {
        let path = format!("/v1/transfers/{id}/download");
        let answer = self.ask(|| http.request("GET", &path, key)).await;
        if answer.status != 200 {
            let refused = answer.json();
            assert!(matches!(answer.status, 403 | 409 | 410), "{refused}");
            return;
        }
        let grant = answer.json();
        let size = self.change(label, |it| it.grants += 1).size;
        let url = text(&grant["files"][0], "download_url");
        let got = self.ask(|| http.request("GET", &url, "")).await;
        assert_eq!(got.status, 200, "{url}");
        assert!(got.bytes == content(label, size), "{label} was altered");
        let path = format!("/v1/transfers/{id}/ack");
        let body = json!({ "download_id": download_of(&grant), "status": "received" });
        let answer = self
            .ask(|| http.request("POST", &path, key).json(&body))
            .await;
        answer.expect(200);
        self.change(label, |it| it.acknowledged += 1);
    }

    fn change(&self, label: &str, change: impl FnOnce(&mut Sent)) -> Sent {
        let mut all = self.0.sent.lock().unwrap();
        let sent = all.get_mut(label).unwrap();
        change(sent);
        sent.clone()
    }

    /// Asks, and asks again where nothing came back or a server cannot answer now.
    async fn ask(&self, request: impl Fn() -> RequestBuilder) -> Answer {
        let until = Instant::now() + PATIENCE;
        self.0.all.fetch_add(1, Ordering::Relaxed);
        loop {
            if let Some(answer) = whole(request()).await {
                let in_progress = answer.status == 409
                    && answer.json()["error"]["code"] == "IDEMPOTENCY_IN_PROGRESS";
                if answer.status == 503 {
                    assert!(!answer.header("retry-after").is_empty());
                    self.0.unavailable.fetch_add(1, Ordering::Relaxed);
                } else if !in_progress {
                    return answer;
                }
            }
            assert!(Instant::now() < until, "nobody answers");
            self.0.repeated.fetch_add(1, Ordering::Relaxed);
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Checks that all is there that was acknowledged, once, and nothing else.
    pub(super) async fn check(&self, http: &Http, key: &str) {
        let (sent, mut listed, mut offset) = (self.sent(), BTreeMap::new(), 0);
        loop {
            let path = format!("/v1/transfers?limit=100&offset={offset}");
            let page = http.get(&path, key).await.expect(200);
            let transfers = page["transfers"].as_array().unwrap();
            for it in transfers {
                let before = listed.insert(text(it, "sender"), it.clone());
                assert!(before.is_none(), "sent twice: {it}");
            }
            offset += transfers.len();
            if page["has_more"] == false {
                break;
            }
        }
        assert_eq!(listed.len(), sent.len());
        for (label, sent) in sent {
            let it = &listed[&label];
            assert_eq!(text(it, "id"), sent.id);
            let taken = usize::try_from(taken(it)).unwrap();
            assert!(sent.grants <= taken && taken <= DOWNLOADS, "{sent:?} {it}");
            assert!(sent.acknowledged <= sent.grants);
        }
    }
}

fn download_of(grant: &Value) -> String {
    text(grant, "download_id")
}

/// How often a transfer was downloaded, as its sender is shown it.
fn taken(transfer: &Value) -> u64 {
    let count = transfer["download_count"].as_u64();
    count.unwrap_or_else(|| panic!("{transfer}"))
}

/// An answer that came whole.
async fn whole(request: RequestBuilder) -> Option<Answer> {
    let response = request.send().await.ok()?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let bytes = response.bytes().await.ok()?.to_vec();
    Some(Answer {
        status,
        headers,
        bytes,
    })
}
