//! One that listens for as long as it takes, and comes again whenever its stream ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use agentdrop_testkit::http::Http;
use serde_json::Value;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

pub(super) struct Listener {
    ends: Arc<AtomicBool>,
    task: JoinHandle<Heard>,
}

/// What it heard.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// The numbers, as they came.
    pub(super) ids: Vec<u64>,
    /// The transfers that it heard were created.
    pub(super) created: Vec<String>,
    /// How often it had to come again.
    pub(super) resumed: usize,
}

impl Listener {
    /// Listens from the beginning on.
    pub(super) fn start(http: Http, key: &str) -> Self {
        let (ends, key) = (Arc::new(AtomicBool::new(false)), key.to_owned());
        let stop = Arc::clone(&ends);
        let task = tokio::spawn(async move {
            let mut heard = Heard::default();
            while !stop.load(Ordering::Relaxed) {
                listen(&http, &key, &mut heard, &stop).await;
                heard.resumed += 1;
                sleep(Duration::from_millis(20)).await;
            }
            heard
        });
        Self { ends, task }
    }

    /// Ends it, once it has heard all there is; answers what it heard.
    pub(super) async fn end(self, http: &Http, key: &str) -> Heard {
        self.ends.store(true, Ordering::Relaxed);
        let mut heard = self.task.await.unwrap();
        // The rest, as a list.
        loop {
            let since = heard.ids.last().copied().unwrap_or_default();
            let path = format!("/v1/events?since={since}");
            let list = http.get(&path, key).await.expect(200);
            for event in list["events"].as_array().unwrap() {
                let id = event["id"]
                    .as_u64()
                    .or_else(|| event["id"].as_str()?.parse().ok());
                note(
                    &mut heard,
                    id.unwrap(),
                    event["type"].as_str(),
                    &event["data"],
                );
            }
            if list["has_more"] == false {
                return heard;
            }
        }
    }
}

async fn listen(http: &Http, key: &str, heard: &mut Heard, stop: &AtomicBool) {
    let since = heard.ids.last().copied().unwrap_or_default();
    let request = http.request("GET", "/v1/events/stream", key);
    let Ok(mut response) = request
        .header("last-event-id", since.to_string())
        .send()
        .await
    else {
        return;
    };
    if response.status() != 200 {
        return;
    }
    let mut buffer = String::new();
    while !stop.load(Ordering::Relaxed) {
        match timeout(Duration::from_millis(200), response.chunk()).await {
            Err(_) => continue,
            Ok(Ok(Some(chunk))) => buffer.push_str(std::str::from_utf8(&chunk).unwrap()),
            Ok(_) => return,
        }
        while let Some((frame, rest)) = buffer.split_once("\n\n") {
            let line = |name: &str| frame.lines().find_map(|it| it.strip_prefix(name));
            if let Some(id) = line("id: ") {
                let data = serde_json::from_str(line("data: ").unwrap()).unwrap();
                note(heard, id.parse().unwrap(), line("event: "), &data);
            }
            buffer = rest.to_owned();
        }
    }
}

fn note(heard: &mut Heard, id: u64, event: Option<&str>, data: &Value) {
    heard.ids.push(id);
    if event == Some("transfer.created") {
        heard.created.push(data["id"].as_str().unwrap().to_owned());
    }
}

impl Heard {
    /// Nothing twice, and nothing out of its order.
    pub(super) fn assert_in_order(&self) {
        let is_rising = self.ids.windows(2).all(|it| it[0] < it[1]);
        assert!(is_rising, "{:?}", self.ids);
    }
}
