//! Envelopes between agents, whose files are opened as they come, through a server that does what it
//! wants with them.

mod resuming;
mod sealing;

use std::fs;

use agentdrop_client::{Received, Security};
use axum::http::header;

use self::sealing::{TAG, sent};
use crate::hostile::{Hostile, grant, names};

const FILE: &str = "/files/1";
const GET: &str = "GET /files/1";
const SIZE: usize = 3_000_000;
const CHUNK: usize = 16 * 1024;
const SEALED_CHUNK: usize = CHUNK + 16;
const HEADER: usize = 56;

fn content() -> Vec<u8> {
    (0..SIZE).map(|it| (it / 7).to_le_bytes()[0]).collect()
}

async fn two() -> Hostile {
    sent(&[("large", &content()), ("small", b"1")]).await
}

#[track_caller]
fn assert_whole(server: &Hostile, received: &Received) {
    assert_eq!(received.security, Security::Verified);
    assert!(fs::read(&received.files[0].path).unwrap() == content());
    assert_eq!(fs::read(&received.files[1].path).unwrap(), b"1");
    assert_eq!(names(server.target.path()), ["large", "small"]);
}

#[tokio::test]
async fn files_of_all_lengths_are_opened_as_they_come() {
    for size in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 7 * CHUNK, 1_048_576] {
        let content = vec![7; size];
        let server = sent(&[("a", &content), ("b", &content[..size / 2])]).await;
        let received = server.receive().await.unwrap();
        assert!(fs::read(&received.files[0].path).unwrap() == content);
        assert!(fs::read(&received.files[1].path).unwrap() == content[..size / 2]);
        assert_eq!(names(server.target.path()), ["a", "b"]);
    }
}

#[tokio::test]
async fn what_is_not_the_files_that_were_sent_is_refused_and_nothing_is_placed() {
    type Lie = fn(&mut Vec<u8>, &mut Vec<u8>);
    let lies: [(&str, Lie); 8] = [
        ("a byte of the header", |it, _| it[3] ^= 1),
        ("a byte of a chunk", |it, _| it[SIZE / 2] ^= 1),
        ("the last byte", |it, _| *it.last_mut().unwrap() ^= 1),
        ("a byte of another file", |_, it| it[60] ^= 1),
        ("two chunks change places", |it, _| {
            let (one, two) = it[HEADER..].split_at_mut(SEALED_CHUNK);
            one.swap_with_slice(&mut two[..SEALED_CHUNK]);
        }),
        ("a chunk comes twice", |it, _| {
            it.copy_within(HEADER..HEADER + SEALED_CHUNK, HEADER + SEALED_CHUNK);
        }),
        ("a chunk comes from the end", |it, _| {
            let end = it.len() - SEALED_CHUNK;
            it.copy_within(end.., HEADER);
        }),
        ("zeros", |it, _| it.fill(0)),
    ];
    for (what, lie) in lies {
        let server = two().await;
        {
            let mut world = server.world();
            let [mut one, mut two] = ["/files/1", "/files/2"]
                .map(|it| std::mem::take(&mut world.files.get_mut(it).unwrap().bytes));
            lie(&mut one, &mut two);
            world.files.get_mut("/files/1").unwrap().bytes = one;
            world.files.get_mut("/files/2").unwrap().bytes = two;
        }
        server.refuses("OPEN_REFUSED").await;
        // Whoever reads of a failure has to know which lie it was.
        assert_eq!(server.world().calls(GET), 1, "{what}");
    }
}

#[tokio::test]
async fn files_that_change_places_are_refused() {
    let server = sent(&[("one", &vec![1; 40_000]), ("two", &vec![2; 40_000])]).await;
    {
        let mut world = server.world();
        let one = world.files.remove("/files/1").unwrap();
        let two = world.files.insert("/files/2".to_owned(), one).unwrap();
        world.files.insert("/files/1".to_owned(), two);
    }
    server.refuses("OPEN_REFUSED").await;
}

#[tokio::test]
async fn a_file_that_is_cut_or_goes_on_is_not_the_one_that_was_announced() {
    for by in [-1_isize, 1] {
        let server = two().await;
        {
            let mut world = server.world();
            let file = world.files.get_mut(FILE).unwrap();
            let length = file.bytes.len().strict_add_signed(by);
            file.bytes.resize(length, 0);
        }
        server.refuses_for_now("BAD_ANSWER").await;
    }
}

#[tokio::test]
async fn a_connection_that_breaks_again_and_again_costs_no_byte_twice() {
    let server = two().await;
    let cuts = [30, 100, SEALED_CHUNK, 1_000_000, 700_001];
    server.world().files.get_mut(FILE).unwrap().cuts = cuts.to_vec();
    let received = server.receive().await.unwrap();
    assert_whole(&server, &received);
    let world = server.world();
    let asked = world.seen.iter().filter(|it| it.path == FILE);
    let ranges: Vec<_> = asked
        .filter_map(|it| it.headers.get(header::RANGE))
        .collect();
    let mut begin = 0;
    for (range, cut) in ranges.iter().zip(cuts) {
        begin += cut;
        assert_eq!(**range, format!("bytes={begin}-"));
    }
    assert_eq!((ranges.len(), world.calls(&grant())), (cuts.len(), 1));
}

#[tokio::test]
async fn a_file_that_becomes_another_while_it_comes_begins_anew() {
    let server = two().await;
    {
        let mut world = server.world();
        let file = world.files.get_mut(FILE).unwrap();
        (file.cuts, file.etag) = (vec![SIZE / 2], Some("\"v0\""));
    }
    let becomes = async {
        while server.world().calls(GET) == 0 {
            tokio::task::yield_now().await;
        }
        server.world().files.get_mut(FILE).unwrap().etag = Some(TAG);
    };
    let (received, ()) = tokio::join!(server.receive(), becomes);
    assert_whole(&server, &received.unwrap());
    assert_eq!(server.world().calls(GET), 2);
}
