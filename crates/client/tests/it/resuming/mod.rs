//! Going on where an earlier process ended, whatever became of what it left.

mod grants;
mod leftovers;

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use agentdrop_client::{Incoming, Phase, Received, Report};
use axum::http::{StatusCode, header};
use serde_json::json;
use tokio::sync::Notify;

use crate::hostile::{Hostile, acknowledgement, grant, id, list, names};

const FILE: &str = "/files/1";
const GET: &str = "GET /files/1";
const SIZE: usize = 5_000_000;

fn content() -> Vec<u8> {
    (0..SIZE).map(|it| (it / 7).to_le_bytes()[0]).collect()
}

/// A transfer that is fetched up to the middle of its second file.
async fn server() -> Hostile {
    let server = Hostile::with_transfer(&[("small", b"1"), ("large", &content())]).await;
    let mut world = server.world();
    let file = world.files.get_mut(FILE).unwrap();
    (file.etag, file.stalls) = (Some("\"v1\""), true);
    drop(world);
    server
}

/// Receives until `is_enough`, and stops there as a process does that is interrupted.
pub(crate) async fn interrupted(
    server: &Hostile,
    incoming: Incoming,
    is_enough: impl Fn(&Report) -> bool + Send + Sync + 'static,
) {
    let enough = Arc::new(Notify::new());
    let sink = Arc::clone(&enough);
    let incoming = incoming.progress(move |it: Report| {
        if is_enough(&it) {
            sink.notify_one();
        }
    });
    let client = server.client();
    tokio::select! {
        received = client.receive(id(), incoming) => panic!("it was not so fast: {received:?}"),
        () = enough.notified() => {}
    }
}

/// Leaves half of the large file, and makes the server give the rest.
async fn half(server: &Hostile) -> PathBuf {
    let half = |it: &Report| it.done_bytes >= 2_500_000;
    interrupted(server, server.incoming(), half).await;
    server.world().files.get_mut(FILE).unwrap().stalls = false;
    assert_eq!(server.visible(), [""; 0]);
    let [left] = &*names(server.target.path()) else {
        panic!("there is one folder")
    };
    server.target.path().join(left)
}

#[track_caller]
fn assert_whole(server: &Hostile, received: &Received) {
    assert_eq!(fs::read(&received.files[0].path).unwrap(), b"1");
    assert!(fs::read(&received.files[1].path).unwrap() == content());
    assert_eq!(names(server.target.path()), ["large", "small"]);
}

#[tokio::test]
async fn it_goes_on_under_the_same_grant() {
    let server = server().await;
    half(&server).await;
    let received = server.receive().await.unwrap();
    assert_whole(&server, &received);
    assert!(
        received.resumed_bytes > 2_000_000,
        "{}",
        received.resumed_bytes
    );
    assert_eq!(received.notes, []);
    let world = server.world();
    assert_eq!((world.calls(&grant()), world.calls(GET)), (1, 2));
    assert_eq!(world.calls("GET /files/0"), 1);
    let last = world.seen.iter().rfind(|it| it.path == FILE).unwrap();
    assert_eq!(last.headers[header::IF_RANGE], "\"v1\"");
    let begin = received.resumed_bytes - 17;
    assert_eq!(last.headers[header::RANGE], format!("bytes={begin}-"));
}

#[tokio::test]
async fn progress_says_what_was_there_before() {
    let server = server().await;
    half(&server).await;
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let incoming = server.incoming().progress(move |it: Report| {
        tell.send(it).unwrap();
    });
    let received = server.client().receive(id(), incoming).await.unwrap();
    let (mut fetched, mut opened) = (None, None);
    while let Ok(it) = told.try_recv() {
        assert!(it.done_bytes >= it.resumed_bytes, "{it:?}");
        if it.phase == Phase::Fetching {
            fetched = Some(it);
        } else {
            opened = Some(it);
        }
    }
    let (fetched, opened) = (fetched.unwrap(), opened.unwrap());
    assert_eq!(fetched.resumed_bytes, received.resumed_bytes);
    assert_eq!(fetched.done_bytes, fetched.total_bytes);
    // Each byte of them is read twice, and counts once.
    assert_eq!(opened.done_bytes, opened.total_bytes);
    assert_eq!(opened.total_bytes, fetched.total_bytes);
}

#[tokio::test]
async fn a_file_under_another_tag_begins_anew() {
    let server = server().await;
    half(&server).await;
    server.world().files.get_mut(FILE).unwrap().etag = Some("\"v2\"");
    let received = server.receive().await.unwrap();
    assert_whole(&server, &received);
    assert_eq!(server.world().calls(&grant()), 1);
}

#[tokio::test]
async fn what_is_here_and_was_damaged_is_fetched_once_more() {
    type Damage = fn(&File);
    let damages: [Damage; 4] = [
        |it| it.write_all_at(b"!", 0).unwrap(),
        // A hole, as a disk leaves that lost its power.
        |it| {
            it.set_len(100).unwrap();
            it.set_len(2_000_000).unwrap();
        },
        // As long as the whole, and longer.
        |it| it.set_len(SIZE as u64 + 16).unwrap(),
        |it| it.set_len(SIZE as u64 + 17).unwrap(),
    ];
    for damage in damages {
        let server = server().await;
        let left = half(&server).await;
        damage(
            &File::options()
                .write(true)
                .open(left.join("1.part"))
                .unwrap(),
        );
        let received = server.receive().await.unwrap();
        assert_whole(&server, &received);
        assert_eq!(server.world().calls(&grant()), 1);
    }
}

#[tokio::test]
async fn what_was_damaged_on_its_way_does_not_open_the_second_time_either() {
    let server = server().await;
    half(&server).await;
    server.world().files.get_mut(FILE).unwrap().bytes[0] ^= 1;
    let left = server.target.path().join(&names(server.target.path())[0]);
    let part = File::options()
        .write(true)
        .open(left.join("1.part"))
        .unwrap();
    part.write_all_at(b"!", 0).unwrap();
    server.refuses("OPEN_REFUSED").await;
}

#[tokio::test]
async fn whoever_wants_it_afresh_gets_it_so() {
    let server = server().await;
    half(&server).await;
    let incoming = server.incoming().afresh();
    let received = server.client().receive(id(), incoming).await.unwrap();
    assert_whole(&server, &received);
    assert_eq!(received.resumed_bytes, 0);
    let world = server.world();
    assert_eq!((world.calls(&grant()), world.calls("GET /files/0")), (2, 2));
}

#[tokio::test]
async fn who_is_interrupted_while_files_are_placed_does_not_get_them_twice() {
    let server = server().await;
    server.world().files.get_mut(FILE).unwrap().stalls = false;
    server.world().holds = Some(acknowledgement());
    let client = server.client();
    let asked = async {
        while server.world().calls(&acknowledgement()) == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        received = client.receive(id(), server.incoming()) => panic!("{received:?}"),
        () = asked => {}
    }
    assert_eq!(server.visible(), ["large", "small"]);
    server.world().holds = None;
    // One that its owner moved away by then is received once more.
    let received = server.receive().await.unwrap();
    assert_whole(&server, &received);
    assert_eq!(received.message.as_ref().unwrap().as_str(), "hello");
    let world = server.world();
    assert_eq!(
        (world.calls(&grant()), world.calls(&acknowledgement())),
        (1, 2)
    );
    assert_eq!(world.calls(GET), 1);
}

#[tokio::test]
async fn what_was_opened_where_it_lay_is_fetched_again_if_that_was_cut_short() {
    let server = server().await;
    server.world().files.get_mut(FILE).unwrap().stalls = false;
    let without_room = || server.incoming().spare_bytes(u64::MAX);
    let total = SIZE as u64 + 33;
    // Behind the check, while it is overwritten.
    let is_late =
        move |it: &Report| it.phase == Phase::Opening && it.done_bytes > total - SIZE as u64 / 4;
    interrupted(&server, without_room(), is_late).await;
    assert_eq!(server.visible(), [""; 0]);
    let received = server.client().receive(id(), without_room()).await.unwrap();
    assert_whole(&server, &received);
    let world = server.world();
    assert_eq!((world.calls(&grant()), world.calls(GET)), (1, 2));
}

#[tokio::test]
async fn two_at_once_do_not_disturb_each_other() {
    let server = server().await;
    let second = async {
        while server.world().calls(GET) == 0 {
            tokio::task::yield_now().await;
        }
        server.receive().await.unwrap_err()
    };
    let client = server.client();
    let error = tokio::select! {
        received = client.receive(id(), server.incoming()) => panic!("{received:?}"),
        error = second => error,
    };
    assert_eq!(error.code(), "ALREADY_RECEIVING");
    assert_eq!(server.world().calls(&grant()), 1);
}

#[tokio::test]
async fn who_cannot_tell_that_files_arrived_tells_it_later_and_does_not_get_them_twice() {
    let server = Hostile::with_transfer(&[("small", b"1"), ("large", &content())]).await;
    let broken = StatusCode::INTERNAL_SERVER_ERROR;
    let told = server.world().answers.remove(&acknowledgement()).unwrap();
    server
        .world()
        .answer_raw(&acknowledgement(), broken, &[], "");
    let received = server.receive().await.unwrap();
    assert!(received.unacknowledged.is_some());
    assert_eq!(server.visible(), ["large", "small"]);
    let left = names(server.target.path()).remove(0);
    let left = names(&server.target.path().join(left));
    assert_eq!(left, ["state"], "none of the bytes is kept twice");
    server.world().answers.insert(acknowledgement(), told);
    let again = server.receive().await.unwrap();
    assert!(again.unacknowledged.is_none());
    assert_eq!(again.files, received.files);
    assert_whole(&server, &again);
    assert_eq!(server.world().calls(&grant()), 1);
}

#[tokio::test]
async fn what_the_disk_has_no_room_for_costs_no_download() {
    let server = Hostile::with_transfer(&[("a", b"a")]).await;
    server
        .world()
        .change(&list(), |it| it["files"][0]["size"] = json!(1_u64 << 62));
    let error = server.receive().await.unwrap_err();
    assert_eq!(error.code(), "IO");
    let hint = error.hint().unwrap();
    assert!(hint.contains("make room"), "{hint}");
    assert_eq!(server.world().calls(&grant()), 0);
    assert_eq!(names(server.target.path()), [""; 0]);
}
