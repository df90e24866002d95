//! Crowds that speak HTTP/1.1, or too little to tell.

use std::time::Duration;

use agentdrop_testkit::http::Http;
use agentdrop_testkit::server::text;
use futures_util::future::join_all;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::time::{sleep, timeout};

use super::{PATIENCE, Scene, crowd, told};
use crate::world::file_url;

/// Longer than what sockets take that nobody reads.
const LONG: usize = 20_000_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_that_says_nothing_or_half_a_head_is_closed() {
    let scene = Scene::new().await;
    let crowd = scene.crowd(|n| {
        let said: &[u8] = match n % 5 {
            0 => b"",
            1 => b"P",
            2 => b"PRI * HTTP/2.0\r\n",
            3 => b"GET /heal",
            _ => b"POST /v1/transfers HTTP/1.1\r\nHost: x\r\nX-Slow: ",
        };
        said.to_owned()
    });
    let crowd = crowd.await;
    scene.serves_others().await;
    let is_right = |told: &[u8]| told.is_empty() || told.starts_with(b"HTTP/1.1 408");
    scene.closes(crowd, is_right).await;
    scene.ends().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_whose_heads_and_bodies_drip_is_closed() {
    let scene = Scene::new().await;
    let key = scene.world.account.key.clone();
    let crowd = scene.crowd(|n| match n % 3 {
        0 => b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ".to_vec(),
        1 => format!(
            "POST /v1/api-keys HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\
             Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
        )
        .into_bytes(),
        _ => format!(
            "POST /v1/transfers HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\
             Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000\r\n\r\n--b\r\n"
        )
        .into_bytes(),
    });
    let crowd = crowd.await;
    let dripping = crowd.into_iter().map(|stream| async {
        let (from, mut to) = stream.into_split();
        let drip = async {
            while to.write_all(b"x").await.is_ok() {
                sleep(Duration::from_millis(300)).await;
            }
        };
        timeout(PATIENCE, drip).await.expect("the server closes");
        drop(from);
    });
    let ((), _) = tokio::join!(scene.serves_others(), join_all(dripping));
    scene.serves_others().await;
    assert_eq!(crate::world::blobs(&scene.world.server).len(), 9);
    scene.ends().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_that_never_reads_what_it_asked_for_is_closed() {
    // What the server passes on, and what it decrypts. What one does not take costs up to 128 KiB,
    // so they are a fifth of a crowd.
    for sealed in ["true", "false"] {
        let scene = Scene::new().await;
        let fields = [("is_encrypted", sealed)];
        let sent = scene.world.send(&fields, &[("a", &vec![7; LONG])]).await;
        let grant = scene.world.grant(&sent.expect(201)).await.expect(200);
        let path = file_url(&grant, 0).replace(&scene.world.server.url, "");
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
        let crowd = scene.fifth(|_| request.clone().into_bytes()).await;
        scene.serves_others().await;
        sleep(3 * super::LIMIT).await;
        scene.serves_others().await;
        let all = join_all(crowd.into_iter().map(told)).await;
        assert!(all.iter().all(|it| it.starts_with(b"HTTP/1.1 200")));
        scene.ends().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_that_listens_and_hears_nothing_holds_nobody_up() {
    let scene = Scene::new().await;
    let (server, mut keys) = (&scene.world.server, Vec::new());
    for n in 0..crowd().div_ceil(64) {
        let body = json!({ "name": "Ear", "email": format!("ear{n}@example.org") });
        let made = server.http.post("/v1/accounts", "", &body).await;
        keys.push(text(&made.expect(201), "api_key"));
    }
    let http: &Http = &server.http;
    let listening = (0..crowd()).map(async |n| {
        let request = http.request("GET", "/v1/events/stream", &keys[n / 64]);
        let mut response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        // It says at once that it is there.
        assert!(response.chunk().await.unwrap().is_some());
        response
    });
    let streams = join_all(listening).await;
    scene.serves_others().await;
    // Idle as they are, they are not closed.
    sleep(2 * super::LIMIT).await;
    for key in &keys {
        let body = json!({ "agent_id": "last" });
        let registered = http.post("/v1/agents/register", key, &body).await;
        registered.expect(201);
        let fields = [("sender", "x"), ("recipient", "last")];
        let sent = http.form("/v1/transfers", key, &fields, &[("a", b"x")]);
        sent.await.expect(201);
    }
    let hearing = streams.into_iter().map(async |mut stream| {
        let mut heard = String::new();
        while !heard.contains("event: transfer.created") {
            let piece = stream.chunk().await.unwrap().expect("it goes on");
            heard += std::str::from_utf8(&piece).unwrap();
        }
    });
    timeout(PATIENCE, join_all(hearing))
        .await
        .expect("all hear it");
    scene.serves_others().await;
    scene.ends().await;
}
