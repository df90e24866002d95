//! Crowds that speak HTTP/2.

use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};

use futures_util::future::join_all;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::frames::{
    CONTINUATION, END_HEADERS, END_STREAM, HEADERS, PING, RST_STREAM, beginning, frame, get,
};
use super::{PATIENCE, Scene};
use crate::world::file_url;

/// What RFC 9113 begins with.
const WINDOW: u32 = 65_535;
/// More than any server should take.
const FLOOD: usize = 64 * 1024 * 1024;
/// How many flood it.
const FLOODS: usize = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_that_asks_nothing_or_half_of_it_is_closed() {
    let scene = Scene::new().await;
    let crowd = scene.crowd(|n| {
        let head = get("/healthz");
        match n % 3 {
            0 => beginning(WINDOW),
            1 => [beginning(WINDOW), frame(HEADERS, END_STREAM, 1, &head[..9])].concat(),
            // It was answered, and is done.
            _ => {
                let whole = frame(HEADERS, END_STREAM | END_HEADERS, 1, &head);
                [beginning(WINDOW), whole].concat()
            }
        }
    });
    let crowd = crowd.await;
    scene.serves_others().await;
    scene.closes(crowd, |told| !told.is_empty()).await;
    scene.ends().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_whose_streams_have_no_room_is_closed() {
    for sealed in ["true", "false"] {
        let scene = Scene::new().await;
        let fields = [("is_encrypted", sealed)];
        let file = vec![7; 2_000_000];
        let sent = scene.world.send(&fields, &[("a", &file)]).await;
        let grant = scene.world.grant(&sent.expect(201)).await;
        let url = file_url(&grant.expect(200), 0);
        let path = url.replace(&scene.world.server.url, "");
        let asked = frame(HEADERS, END_STREAM | END_HEADERS, 1, &get(&path));
        let said = [beginning(0), asked].concat();
        let crowd = scene.fifth(|_| said.clone()).await;
        scene.serves_others().await;
        scene.closes(crowd, |told| !told.is_empty()).await;
        scene.ends().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heads_without_end_are_not_taken() {
    let head = frame(HEADERS, 0, 1, &get("/healthz"));
    // Nothing, which is never a whole field, and fields that never end.
    for piece in [vec![], vec![b'x'; 16_000]] {
        let begun = [beginning(WINDOW), head.clone()].concat();
        flood(begun, move |_| frame(CONTINUATION, 0, 1, &piece)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pings_whose_answers_nobody_reads_are_not_taken_without_end() {
    flood(beginning(WINDOW), |_| frame(PING, 0, 0, &[7; 8])).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_are_taken_back_at_once_are_not_taken_without_end() {
    let head = get("/v1/agents");
    flood(beginning(WINDOW), move |n| {
        let stream = 2 * n + 1;
        let asked = frame(HEADERS, END_STREAM | END_HEADERS, stream, &head);
        [asked, frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes())].concat()
    })
    .await;
}

/// Says it again and again, and reads nothing: others are served, and it is closed before its end.
async fn flood(begun: Vec<u8>, again: impl Fn(u32) -> Vec<u8> + Clone + Send + 'static) {
    let scene = Scene::new().await;
    let url = &scene.world.server.url;
    let address: SocketAddr = url.trim_start_matches("http://").parse().unwrap();
    let flooding = (0..FLOODS).map(|_| {
        let (begun, again) = (begun.clone(), again.clone());
        spawn_blocking(move || pour(address, &begun, again))
    });
    let flooding = join_all(flooding.collect::<Vec<_>>());
    let ((), flooded) = tokio::join!(scene.serves_others(), timeout(PATIENCE, flooding));
    for it in flooded.expect("the server closes") {
        assert!(it.unwrap() < FLOOD, "it took all of it");
    }
    scene.serves_others().await;
    scene.ends().await;
}

/// Answers how many bytes went before it was closed.
fn pour(address: SocketAddr, begun: &[u8], again: impl Fn(u32) -> Vec<u8>) -> usize {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(begun).unwrap();
    let (mut sent, mut n) = (0, 0);
    while sent < FLOOD {
        let mut bytes = Vec::new();
        while bytes.len() < 64 * 1024 {
            bytes.extend(again(n));
            n += 1;
        }
        if stream.write_all(&bytes).is_err() {
            break;
        }
        sent += bytes.len();
    }
    sent
}
