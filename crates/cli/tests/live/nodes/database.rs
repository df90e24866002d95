//! PostgreSQL itself goes away, and comes back.

use std::time::Duration;

use agentdrop_testkit::engines::PrivatePostgres;
use agentdrop_testkit::http::Http;
use tokio::time::{Instant, sleep};

use super::cluster::Cluster;
use super::listener::Listener;
use super::load::Known;

#[tokio::test(flavor = "multi_thread")]
async fn while_the_database_is_away_all_wait_and_lose_nothing() {
    let postgres = PrivatePostgres::start();
    let cluster = Cluster::start(2, postgres.url(), 0).await;
    let key = cluster.account().await;
    let (known, http) = (Known::default(), Http::new(cluster.proxy.url.clone()));
    let direct: Vec<_> = (0..2).map(|n| cluster.node(n).http.clone()).collect();
    let listener = Listener::start(direct[0].clone(), &key);
    // Each at one of them: the proxy would not send anybody to one that is not ready.
    let running: Vec<_> = (0..2)
        .map(|n| known.load(&cluster.node(n).url, &key, 3, 10 + n as u64))
        .collect();
    for how in ["immediate", "fast", "immediate"] {
        let before = known.sent().len();
        let until = Instant::now() + Duration::from_secs(20);
        while known.sent().len() < before + 10 {
            assert!(Instant::now() < until, "nothing is sent");
            sleep(Duration::from_millis(20)).await;
        }
        postgres.stop(how);
        for http in &direct {
            http.get("/healthz", "").await.expect(200);
            let parts = http.get("/readyz", "").await.expect(503);
            assert_eq!(parts["database"], "unavailable");
            let refused = http.get("/v1/transfers", &key).await;
            assert!(!refused.header("retry-after").is_empty());
            assert_eq!(refused.status, 503);
        }
        postgres.start_again();
    }
    for it in running {
        known.end(it).await;
    }
    let (all, repeated, unavailable) = known.counts();
    println!("{all} requests, {repeated} made again, {unavailable} refused for now");
    assert!(unavailable > 0, "nobody noticed");
    let up = async || http.get("/readyz", "").await.status == 200;
    let until = Instant::now() + Duration::from_secs(20);
    while !up().await {
        assert!(Instant::now() < until, "it does not come back");
        sleep(Duration::from_millis(50)).await;
    }
    known.check(&http, &key).await;
    let mut heard = listener.end(&http, &key).await;
    heard.assert_in_order();
    let mut ids: Vec<_> = known.sent().into_values().map(|it| it.id).collect();
    ids.sort();
    heard.created.sort();
    assert_eq!(heard.created, ids);
}
