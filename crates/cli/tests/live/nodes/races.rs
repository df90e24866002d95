//! Whoever is first, at whichever server.

use agentdrop_testkit::engines::{Engine, database};
use agentdrop_testkit::http::Http;
use agentdrop_testkit::server::text;
use serde_json::Value;
use tokio::task::JoinSet;

use super::cluster::Cluster;
use crate::model::{Chance, content};

const RACERS: usize = 256;
const SIZE: usize = 100_000;

/// However many ask for a download, with aborts and ranges between, as many get one as may.
#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_race_over_three_servers_as_many_download_as_may() {
    let database = database(Engine::Postgres).await;
    let cluster = Cluster::start(3, database.url(), 0).await;
    let key = cluster.account().await;
    let all: Vec<_> = (0..3).map(|n| cluster.node(n).http.clone()).collect();
    let mut chance = Chance(0x5eed);
    for most in [1, 2, 10, 1, 10] {
        let label = format!("race-{most}-{}", chance.below(1 << 40));
        let file = reqwest::multipart::Part::bytes(content(&label, SIZE)).file_name("file");
        let form = reqwest::multipart::Form::new()
            .text("sender", label.clone())
            .text("recipient", "bob")
            .text("max_downloads", most.to_string())
            .part("files", file);
        let request = all[0]
            .request("POST", "/v1/transfers", &key)
            .multipart(form);
        let sent = agentdrop_testkit::http::send(request).await.expect(201);
        let path = format!("/v1/transfers/{}", text(&sent, "id"));
        let mut racing = JoinSet::new();
        for n in 0..RACERS {
            let (http, other) = (all[n % 3].clone(), all[(n + 1) % 3].clone());
            let (path, key, label) = (path.clone(), key.clone(), label.clone());
            let how = chance.below(3);
            racing.spawn(async move {
                let grant = http.get(&format!("{path}/download"), &key).await;
                if grant.status != 200 {
                    let refused = grant.json();
                    assert!(matches!(grant.status, 403 | 409 | 410), "{refused}");
                    return 0;
                }
                fetch(&other, &grant.json(), &content(&label, SIZE), how).await;
                1
            });
        }
        let granted: usize = racing.join_all().await.into_iter().sum();
        assert_eq!(granted, most, "of {RACERS}");
        for http in &all {
            let shown = http.get(&path, &key).await.expect(200);
            assert_eq!(shown["download_count"], most, "{shown}");
            let late = http.get(&format!("{path}/download"), &key).await;
            assert!(late.status >= 400);
        }
    }
}

/// At another server than the one that granted it: whole, a part of it, or broken off.
async fn fetch(http: &Http, grant: &Value, bytes: &[u8], how: u64) {
    // The address names the proxy; the path is good at each of them.
    let url = text(&grant["files"][0], "download_url");
    let (_, path) = url.split_once("/v1/").unwrap();
    let request = http.request("GET", &format!("/v1/{path}"), "");
    match how {
        0 => {
            let got = agentdrop_testkit::http::send(request).await;
            assert!(got.status == 200 && got.bytes == bytes);
        }
        1 => {
            let request = request.header("range", "bytes=1000-1999");
            let got = agentdrop_testkit::http::send(request).await;
            assert!(got.status == 206 && got.bytes == bytes[1_000..2_000]);
        }
        _ => {
            let mut response = request.send().await.unwrap();
            assert!(response.chunk().await.unwrap().is_some());
        }
    }
}
