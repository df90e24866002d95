//! One after the other is stopped, and started again, while callers go on.

use std::time::Duration;

use agentdrop_testkit::engines::{Engine, database};
use agentdrop_testkit::http::Http;
use tokio::time::sleep;

use super::cluster::Cluster;
use super::listener::Listener;
use super::load::Known;

#[tokio::test(flavor = "multi_thread")]
async fn a_rolling_restart_loses_no_request() {
    let database = database(Engine::Postgres).await;
    let mut cluster = Cluster::start(3, database.url(), 1).await;
    let key = cluster.account().await;
    let (known, http) = (Known::default(), Http::new(cluster.proxy.url.clone()));
    let listener = Listener::start(http.clone(), &key);
    let running = known.load(&cluster.proxy.url, &key, 6, 1);
    for n in [0, 1, 2, 0] {
        cluster.stop(n).await;
        cluster.bring_up(n).await;
        // The proxy is to know of it, and it to be asked for something, before the next one goes.
        sleep(Duration::from_millis(500)).await;
    }
    known.end(running).await;
    let (all, repeated, unavailable) = known.counts();
    let heard = listener.end(&http, &key).await;
    println!(
        "{all} requests, {repeated} made again, {unavailable} refused for now, {} streams",
        heard.resumed
    );
    assert!(all > 100, "hardly anything was asked");
    assert_eq!((repeated, unavailable), (0, 0), "of {all}");
    known.check(&http, &key).await;
    heard.assert_in_order();
    let (mut created, mut sent) = (heard.created, vec![]);
    sent.extend(known.sent().into_values().map(|it| it.id));
    created.sort();
    sent.sort();
    assert_eq!(created, sent);
    assert!(heard.resumed > 1, "no stream ended");
}
