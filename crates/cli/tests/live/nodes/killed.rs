//! `kill -9` of one server after the other, while callers go on at the rest.

use std::time::Duration;

use agentdrop_testkit::engines::{Engine, database};
use agentdrop_testkit::http::Http;
use tokio::time::{Instant, sleep};

use super::cluster::Cluster;
use super::listener::Listener;
use super::load::Known;
use crate::model::Chance;

/// How long it goes on; `AGENTDROP_TEST_NODES_SECONDS` says otherwise.
const SECONDS: u64 = 25;

#[tokio::test(flavor = "multi_thread")]
async fn killed_servers_lose_nothing_and_do_nothing_twice() {
    let said = std::env::var("AGENTDROP_TEST_NODES_SECONDS").ok();
    let seconds = said.map_or(SECONDS, |it| it.parse().unwrap());
    let database = database(Engine::Postgres).await;
    let mut cluster = Cluster::start(3, database.url(), 0).await;
    let key = cluster.account().await;
    let (known, http) = (Known::default(), Http::new(cluster.proxy.url.clone()));
    let listeners: Vec<_> = (0..2)
        .map(|_| Listener::start(http.clone(), &key))
        .collect();
    let running = known.load(&cluster.proxy.url, &key, 6, 2);
    let (mut chance, mut kills) = (Chance(0x5eed), 0);
    let until = Instant::now() + Duration::from_secs(seconds);
    while Instant::now() < until {
        sleep(Duration::from_millis(500 + chance.below(2_000))).await;
        let n = usize::try_from(chance.below(3)).unwrap();
        cluster.kill(n);
        kills += 1;
        sleep(Duration::from_millis(chance.below(500))).await;
        cluster.bring_up(n).await;
    }
    known.end(running).await;
    let (all, repeated, unavailable) = known.counts();
    let sent = known.sent();
    println!(
        "{kills} kills, {all} requests, {repeated} made again, {unavailable} refused for now, {} sent",
        sent.len()
    );
    assert!(sent.len() > 20, "hardly anything was sent");
    assert!(repeated > 0, "nobody noticed");
    known.check(&http, &key).await;
    let mut ids: Vec<_> = sent.values().map(|it| it.id.clone()).collect();
    ids.sort();
    for listener in listeners {
        let mut heard = listener.end(&http, &key).await;
        heard.assert_in_order();
        heard.created.sort();
        assert_eq!(heard.created, ids);
        assert!(heard.resumed > 1, "no stream ended");
    }
    // Each is deleted; what killed ones left is found by the next start of all.
    for id in &ids {
        let path = format!("/v1/transfers/{id}");
        let status = http.delete(&path, &key).await.status;
        assert!(matches!(status, 200 | 404 | 410), "{status}");
    }
    for n in 0..3 {
        cluster.stop(n).await;
    }
    cluster.bring_up(0).await;
    cluster.node(0).wait_until_swept(&cluster.blobs()).await;
}
