//! Receiving from a server that lies: whatever it does, nothing false lands in the folder.

mod fetching;
mod folders;
mod trust;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use agentdrop_client::{Incoming, Phase, Report, Security};
use axum::http::header;
use tokio::sync::Notify;

use crate::hostile::{Hostile, acknowledgement, grant, id, names, public};

const TWO: [(&str, &[u8]); 2] = [("one.txt", b"pay 10"), ("two.txt", b"pay 99")];

#[tokio::test]
async fn what_was_sealed_is_received_whole() {
    let large: Vec<u8> = (0..3_000_000_u32).map(|it| it.to_le_bytes()[1]).collect();
    let files: [(&str, &[u8]); 3] = [
        ("empty", b""),
        ("large.bin", &large),
        ("Größe 7 – ünï.txt", b"x"),
    ];
    let server = Hostile::with_transfer(&files).await;
    let received = server.receive().await.unwrap();
    assert_eq!(received.security, Security::Compatible);
    assert_eq!(received.message.unwrap().as_str(), "hello");
    assert_eq!(
        received.sender_key.unwrap().to_string(),
        public(&server.alice)
    );
    assert!(received.unacknowledged.is_none());
    for (got, (name, content)) in received.files.iter().zip(files) {
        assert_eq!(got.path, server.target.path().join(name));
        assert_eq!(fs::read(&got.path).unwrap(), content);
        assert_eq!(got.bytes, content.len() as u64);
        let mode = fs::metadata(&got.path).unwrap().permissions().mode();
        assert_eq!(mode & 0o700, 0o600, "an ordinary file of its owner");
    }
    assert_eq!(names(server.target.path()).len(), 3);
    let world = server.world();
    assert_eq!(
        (world.calls(&grant()), world.calls(&acknowledgement())),
        (1, 1)
    );
    for seen in &world.seen {
        let is_file = seen.path.starts_with("/files/");
        assert_eq!(
            seen.headers.contains_key(header::AUTHORIZATION),
            !is_file,
            "{}",
            seen.path
        );
        assert!(!seen.headers.contains_key(header::COOKIE));
    }
}

#[tokio::test]
async fn names_are_data() {
    for (name, placed) in [
        ("../x", "x"),
        ("/abs/x", "x"),
        (r"..\..\x", "x"),
        ("NUL", "_NUL"),
    ] {
        let server = Hostile::with_transfer(&[(name, b"1")]).await;
        let folder = server.target.path().join("below");
        let received = server
            .client()
            .receive(id(), Incoming::into_folder(&folder))
            .await
            .unwrap();
        assert_eq!(received.files[0].path, folder.join(placed), "{name}");
        assert_eq!(names(server.target.path()), ["below"], "{name}");
    }
    for name in ["..", "", "a/..", "a\0b", "a\nb", "x\u{202e}gpj"] {
        let server = Hostile::with_transfer(&[(name, b"1")]).await;
        server.refuses("BAD_ANSWER").await;
    }
}

#[tokio::test]
async fn both_of_two_equal_names_are_kept_and_nothing_is_replaced() {
    let server = Hostile::with_transfer(&[("a.txt", b"one"), ("a.txt", b"two")]).await;
    fs::copy("Cargo.toml", server.target.path().join("a.txt")).unwrap();
    let received = server.receive().await.unwrap();
    assert_eq!(
        names(server.target.path()),
        ["a (1).txt", "a (2).txt", "a.txt"]
    );
    assert_eq!(fs::read(&received.files[0].path).unwrap(), b"one");
    assert_eq!(fs::read(&received.files[1].path).unwrap(), b"two");
    assert!(
        fs::read(server.target.path().join("a.txt"))
            .unwrap()
            .starts_with(b"[package]")
    );
}

#[tokio::test]
async fn files_stay_if_the_server_is_not_told() {
    let server = Hostile::with_transfer(&TWO).await;
    server.world().answers.remove(&acknowledgement());
    let received = server.receive().await.unwrap();
    assert_eq!(received.unacknowledged.unwrap().code(), "UNKNOWN");
    assert_eq!(names(server.target.path()), ["one.txt", "two.txt"]);
}

#[tokio::test]
async fn whoever_stops_waiting_leaves_nothing_to_be_seen() {
    let content = vec![7; 1_000_000];
    let server = Hostile::with_transfer(&[("a", b"1"), ("b", &content)]).await;
    server.world().files.get_mut("/files/1").unwrap().stalls = true;
    let receiving = tokio::time::timeout(Duration::from_millis(500), server.receive());
    assert!(receiving.await.is_err());
    assert_eq!(server.world().calls("GET /files/1"), 1);
    assert_eq!(server.visible(), [""; 0]);
}

#[tokio::test]
async fn whoever_stops_waiting_while_a_file_is_opened_goes_on_without_the_network() {
    let server = Hostile::with_transfer(&[("a", &vec![7; 30_000_000])]).await;
    let opening = Arc::new(Notify::new());
    let sink = Arc::clone(&opening);
    let incoming = server.incoming().progress(move |it: Report| {
        if it.phase == Phase::Opening {
            sink.notify_one();
        }
    });
    let client = server.client();
    tokio::select! {
        received = client.receive(id(), incoming) => panic!("it was not so fast: {received:?}"),
        () = opening.notified() => {}
    }
    assert_eq!(server.visible(), [""; 0]);
    let received = server.receive().await.unwrap();
    assert_eq!(
        fs::read(&received.files[0].path).unwrap(),
        vec![7; 30_000_000]
    );
    let world = server.world();
    assert_eq!((world.calls(&grant()), world.calls("GET /files/0")), (1, 1));
}

#[tokio::test]
async fn a_folder_that_cannot_be_used_costs_no_download() {
    let server = Hostile::with_transfer(&TWO).await;
    let file = server.target.path().join("file");
    fs::copy("Cargo.toml", &file).unwrap();
    let error = server
        .client()
        .receive(id(), Incoming::into_folder(&file))
        .await
        .unwrap_err();
    assert_eq!(error.code(), "IO");
    assert_eq!(server.world().calls(&grant()), 0);
}

#[tokio::test]
async fn progress_ends_where_it_says() {
    let server = Hostile::with_transfer(&[("a", &vec![1; 300_000]), ("b", b"x")]).await;
    let reports = Arc::new(Mutex::new(Vec::<Report>::new()));
    let sink = Arc::clone(&reports);
    let incoming = server
        .incoming()
        .progress(move |it| sink.lock().unwrap().push(it));
    server.client().receive(id(), incoming).await.unwrap();
    for phase in [Phase::Fetching, Phase::Opening] {
        let reports = reports.lock().unwrap();
        let last = reports.iter().rfind(|it| it.phase == phase).unwrap();
        assert_eq!(last.done_bytes, last.total_bytes, "{phase:?}");
    }
}
