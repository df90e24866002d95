//! Going on with what was opened as it came, whatever became of it on the disk.

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;

use agentdrop_client::{Incoming, Report};
use axum::http::{StatusCode, header};
use serde_json::json;

use super::{CHUNK, FILE, GET, HEADER, SEALED_CHUNK, SIZE, assert_whole, content, sent, two};
use crate::hostile::{Hostile, acknowledgement, grant, id, list, names};
use crate::resuming::interrupted;

/// So much can be lost of what came.
const LOST: usize = 1024 * 1024;

/// Stops where half of a file came, and answers where what came of it lies.
async fn half(server: &Hostile, file: &str, incoming: Incoming, before: usize) -> PathBuf {
    server.world().files.get_mut(file).unwrap().stalls = true;
    let half = before + SIZE / 2;
    let is_half = move |it: &Report| it.done_bytes >= half as u64;
    interrupted(server, incoming, is_half).await;
    server.world().files.get_mut(file).unwrap().stalls = false;
    assert_eq!(server.visible(), [""; 0]);
    let [left] = &*names(server.target.path()) else {
        panic!("there is one folder")
    };
    server.target.path().join(left)
}

/// From where on a file was asked for the last time.
fn asked_from(server: &Hostile, file: &str) -> usize {
    let world = server.world();
    let last = world.seen.iter().rfind(|it| it.path == file).unwrap();
    let Some(range) = last.headers.get(header::RANGE) else {
        return 0;
    };
    let range = range.to_str().unwrap().trim_start_matches("bytes=");
    range.trim_end_matches('-').parse().unwrap()
}

fn open(path: PathBuf) -> File {
    File::options().write(true).open(path).unwrap()
}

#[tokio::test]
async fn it_goes_on_behind_the_last_whole_chunk() {
    let server = two().await;
    let left = half(&server, FILE, server.incoming(), 0).await;
    // Nothing sealed is on the disk but the envelope.
    let here = fs::read(left.join("1.part")).unwrap();
    assert!(here == content()[..here.len()]);
    assert_eq!(names(&left), ["0.part", "1.part", "state"]);

    let received = server.receive().await.unwrap();
    assert_whole(&server, &received);
    assert_eq!(received.notes, []);
    let from = asked_from(&server, FILE);
    assert_eq!((from - HEADER) % SEALED_CHUNK, 0);
    assert!(from + LOST > SIZE / 2, "{from}");
    let world = server.world();
    let envelope = world.files["/files/0"].bytes.len();
    assert_eq!(received.resumed_bytes, (envelope + from) as u64);
    assert_eq!((world.calls(&grant()), world.calls(GET)), (1, 2));
    assert_eq!(world.calls("GET /files/0"), 1);
}

#[tokio::test]
async fn of_a_file_that_is_here_nothing_comes_again() {
    let server = sent(&[("large", &content()), ("1", &content())]).await;
    let sealed = server.world().files[FILE].bytes.len();
    half(&server, "/files/2", server.incoming(), sealed).await;
    server.receive().await.unwrap();
    assert_eq!(server.world().calls(GET), 1);
    assert!(asked_from(&server, "/files/2") > 0);
    assert!(fs::read(server.target.path().join("large")).unwrap() == content());
    assert!(fs::read(server.target.path().join("1")).unwrap() == content());
}

#[tokio::test]
async fn a_byte_that_was_changed_on_the_disk_is_found_and_the_file_comes_anew() {
    type Damage = fn(&File);
    // The first is in the state that the server's tag is in, and what came is not.
    let damages: [(Damage, usize); 5] = [
        (|it| it.set_len(100).unwrap(), 2),
        (|it| it.write_all_at(b"!", 0).unwrap(), 3),
        (|it| it.write_all_at(b"!", CHUNK as u64).unwrap(), 3),
        (
            |it| {
                it.set_len(100).unwrap();
                it.set_len(1_000_000).unwrap();
            },
            3,
        ),
        (|it| it.set_len(SIZE as u64 * 2).unwrap(), 3),
    ];
    for (damage, asked) in damages {
        let server = two().await;
        let left = half(&server, FILE, server.incoming(), 0).await;
        damage(&open(left.join("1.part")));
        let received = server.receive().await.unwrap();
        assert_whole(&server, &received);
        let world = server.world();
        assert_eq!((world.calls(&grant()), world.calls(GET)), (1, asked));
    }
}

#[tokio::test]
async fn what_was_changed_on_both_sides_is_refused_the_second_time() {
    let server = two().await;
    let left = half(&server, FILE, server.incoming(), 0).await;
    open(left.join("1.part")).write_all_at(b"!", 0).unwrap();
    server.world().files.get_mut(FILE).unwrap().bytes[HEADER] ^= 1;
    server.refuses("OPEN_REFUSED").await;
    assert_eq!(server.world().calls(GET), 3);
}

#[tokio::test]
async fn under_another_tag_it_begins_anew() {
    let server = two().await;
    half(&server, FILE, server.incoming(), 0).await;
    server.world().files.get_mut(FILE).unwrap().etag = Some("\"v2\"");
    let received = server.receive().await.unwrap();
    assert_whole(&server, &received);
    assert_eq!(server.world().calls(GET), 2);
}

#[tokio::test]
async fn where_nothing_names_the_file_it_begins_anew() {
    let server = two().await;
    server.world().files.get_mut(FILE).unwrap().etag = None;
    half(&server, FILE, server.incoming(), 0).await;
    let received = server.receive().await.unwrap();
    assert_whole(&server, &received);
    assert_eq!(asked_from(&server, FILE), 0);
}

#[tokio::test]
async fn what_is_no_file_of_ours_is_not_gone_on_with() {
    let server = two().await;
    let left = half(&server, FILE, server.incoming(), 0).await;
    let elsewhere = server.home.path().join("elsewhere");
    fs::rename(left.join("1.part"), &elsewhere).unwrap();
    let before = fs::read(&elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, left.join("1.part")).unwrap();
    let received = server.receive().await.unwrap();
    assert_whole(&server, &received);
    assert_eq!(asked_from(&server, FILE), 0);
    assert!(fs::read(&elsewhere).unwrap() == before);
}

#[tokio::test]
async fn the_address_of_an_old_grant_is_asked_for_anew_and_what_is_here_stays() {
    let server = two().await;
    half(&server, FILE, server.incoming(), 0).await;
    {
        let mut world = server.world();
        let mut file = world.files.remove(FILE).unwrap();
        file.refuses = None;
        world.files.insert("/files/again".to_owned(), file);
        world.change(&grant(), |it| {
            it["files"][1]["download_url"] = "/files/again".into();
        });
    }
    let received = server.receive().await.unwrap();
    assert_whole(&server, &received);
    assert!(asked_from(&server, "/files/again") > 0);
    assert_eq!(server.world().calls(&grant()), 2);
}

#[tokio::test]
async fn who_wants_it_afresh_gets_it_so() {
    let server = two().await;
    half(&server, FILE, server.incoming(), 0).await;
    let incoming = server.incoming().afresh();
    let client = server.client();
    let received = client.receive(id(), incoming).await.unwrap();
    assert_whole(&server, &received);
    assert_eq!(received.resumed_bytes, 0);
}

/// Stops when the last byte of the last file is on the disk, and nothing is placed; answers where it lies.
async fn all_but_placed(server: &Hostile) -> PathBuf {
    server.world().files.get_mut("/files/2").unwrap().lingers = true;
    let target = server.target.path();
    let all = async {
        loop {
            if let [left] = &*names(target)
                && let left = target.join(left)
                && fs::metadata(left.join("2.part")).is_ok_and(|it| it.len() == 1)
            {
                return left;
            }
            tokio::task::yield_now().await;
        }
    };
    let client = server.client();
    let left = tokio::select! {
        received = client.receive(id(), server.incoming()) => panic!("{received:?}"),
        left = all => left,
    };
    server.world().files.get_mut("/files/2").unwrap().lingers = false;
    assert_eq!(names(&left), ["0.part", "1.part", "2.part", "state"]);
    left
}

/// From here on the server knows of nothing but the transfer.
fn forget_all(server: &Hostile, status: StatusCode, code: &str) {
    let error = json!({ "code": code, "message": "it is no more", "status": status.as_u16() });
    let body = json!({ "error": error }).to_string();
    let mut world = server.world();
    world.files.clear();
    let calls: Vec<_> = world.answers.keys().cloned().collect();
    let files = (0..3).map(|it| format!("GET /files/{it}"));
    for call in calls.into_iter().chain(files).filter(|it| *it != list()) {
        world.answer_raw(&call, status, &[], body.clone());
    }
    world.seen.clear();
}

const NO_MORE: [(StatusCode, &str); 2] = [
    (StatusCode::NOT_FOUND, "NOT_FOUND"),
    (StatusCode::GONE, "GONE"),
];

#[tokio::test]
async fn what_is_all_here_is_received_though_the_server_has_it_no_more() {
    for (status, code) in NO_MORE {
        let server = two().await;
        all_but_placed(&server).await;
        forget_all(&server, status, code);
        let received = server.receive().await.unwrap();
        assert_whole(&server, &received);
        let world = server.world();
        assert_eq!(world.calls(&grant()), 0);
        assert!(world.seen.iter().all(|it| !it.path.starts_with("/files/")));
        // It was told, and did not want to know.
        assert_eq!(world.calls(&acknowledgement()), 1);
        assert!(received.unacknowledged.is_some());
    }
}

#[tokio::test]
async fn of_what_is_all_here_and_was_changed_nothing_is_placed() {
    for (status, code) in NO_MORE {
        for file in ["0.part", "1.part", "2.part"] {
            let server = two().await;
            let left = all_but_placed(&server).await;
            open(left.join(file)).write_all_at(b"!", 0).unwrap();
            forget_all(&server, status, code);
            server.refuses(code).await;
        }
    }
}

#[tokio::test]
async fn what_is_all_here_and_was_changed_comes_anew_where_the_server_has_it() {
    let server = two().await;
    let left = all_but_placed(&server).await;
    open(left.join("1.part"))
        .write_all_at(b"!", SIZE as u64 - 1)
        .unwrap();
    let received = server.receive().await.unwrap();
    assert_whole(&server, &received);
    let world = server.world();
    assert_eq!((world.calls(GET), world.calls("GET /files/2")), (2, 1));
}
