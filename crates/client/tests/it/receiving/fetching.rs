//! Bytes of files on their way: connections that break, and addresses that lead elsewhere.

use std::fs;
use std::time::Duration;

use axum::http::{StatusCode, header};
use serde_json::json;

use super::TWO;
use crate::hostile::{Hostile, Served, grant, id, list};

#[tokio::test]
async fn a_file_has_the_length_that_was_announced() {
    for (call, bytes) in [
        ("/files/0", 21),
        ("/files/0", 23),
        ("/files/1", 0),
        ("/files/1", 100_000),
    ] {
        let server = Hostile::with_transfer(&TWO).await;
        server
            .world()
            .files
            .get_mut(call)
            .unwrap()
            .bytes
            .resize(bytes, 0);
        server.refuses_for_now("BAD_ANSWER").await;
    }
    // Too short to hold a tag, and announced so.
    let server = Hostile::with_transfer(&TWO).await;
    server
        .world()
        .files
        .get_mut("/files/0")
        .unwrap()
        .bytes
        .truncate(15);
    for call in [list(), grant()] {
        server
            .world()
            .change(&call, |it| it["files"][0]["size"] = json!(15));
    }
    server.refuses("OPEN_REFUSED").await;
}

#[tokio::test]
async fn a_connection_that_breaks_is_resumed_under_the_same_grant() {
    let content = vec![7; 5_000_000];
    let server = Hostile::with_transfer(&[("a", &content)]).await;
    {
        let mut world = server.world();
        let file = world.files.get_mut("/files/0").unwrap();
        file.etag = Some("\"v1\"");
        // More breaks than tries without progress.
        file.cuts = vec![1_500_000, 1_200_000, 1_100_000, 1_050_000];
    }
    let received = server.receive().await.unwrap();
    assert_eq!(fs::read(&received.files[0].path).unwrap(), content);
    let world = server.world();
    assert_eq!((world.calls(&grant()), world.calls("GET /files/0")), (1, 5));
    let ranges = world
        .seen
        .iter()
        .filter_map(|it| it.headers.get(header::RANGE));
    assert_eq!(ranges.count(), 4);
}

#[tokio::test]
async fn what_cannot_be_resumed_is_fetched_again() {
    for etag in [None, Some("W/\"v1\"")] {
        let server = Hostile::with_transfer(&TWO).await;
        {
            let mut world = server.world();
            let file = world.files.get_mut("/files/0").unwrap();
            (file.etag, file.cuts) = (etag, vec![10]);
        }
        let received = server.receive().await.unwrap();
        assert_eq!(fs::read(&received.files[0].path).unwrap(), b"pay 10");
        let world = server.world();
        assert!(
            world
                .seen
                .iter()
                .all(|it| !it.headers.contains_key(header::RANGE))
        );
    }
}

#[tokio::test]
async fn a_connection_that_always_breaks_is_given_up() {
    let server = Hostile::with_transfer(&TWO).await;
    {
        let mut world = server.world();
        let file = world.files.get_mut("/files/1").unwrap();
        (file.etag, file.cuts) = (Some("\"v1\""), vec![1; 50]);
    }
    let error = server.receive().await.unwrap_err();
    assert_eq!(error.code(), "CONNECTION_BROKEN");
    assert_eq!(server.visible(), [""; 0]);
    assert!(server.world().calls("GET /files/1") < 10);
}

#[tokio::test]
async fn a_file_in_the_clear_is_fetched_from_nowhere_else() {
    for url in [
        "http://169.254.169.254/latest",
        "http://10.0.0.1/files/0",
        "file:///etc/passwd",
        "https://a:b@127.0.0.1/",
    ] {
        let server = Hostile::with_transfer(&TWO).await;
        server
            .world()
            .change(&grant(), |it| it["files"][0]["download_url"] = json!(url));
        server.refuses("FOREIGN_URL").await;
    }
    // Nor by a redirect.
    let other = Hostile::with_transfer(&TWO).await;
    let elsewhere = format!("{}/files/0", other.url);
    let server = Hostile::with_transfer(&TWO).await;
    server.world().files.remove("/files/0");
    let to = [("location", &*elsewhere)];
    server
        .world()
        .answer_raw("GET /files/0", StatusCode::FOUND, &to, "");
    server.refuses_for_now("BAD_ANSWER").await;
    assert!(other.world().seen.is_empty());
}

#[tokio::test]
async fn a_file_from_the_servers_store_is_fetched_without_a_key_and_judged_by_its_seal() {
    for right in [true, false] {
        let (server, store) = (Hostile::with_transfer(&TWO).await, Hostile::start().await);
        {
            let (mut world, mut there) = (server.world(), store.world());
            let mut served = world.files.remove("/files/0").unwrap();
            served.etag = Some("\"md5\"");
            served.cuts = vec![10];
            if !right {
                served.bytes[0] ^= 1;
            }
            there.files.insert("/bucket/key".to_owned(), served);
            let url = format!("{}/bucket/key?X-Amz-Signature=1", store.url);
            world.change(&grant(), |it| it["files"][0]["download_url"] = json!(url));
        }
        if right {
            let received = server.receive().await.unwrap();
            assert_eq!(fs::read(&received.files[0].path).unwrap(), b"pay 10");
        } else {
            server.refuses("OPEN_REFUSED").await;
        }
        let there = store.world();
        assert_eq!(there.seen.len(), 2);
        assert_eq!(there.seen[1].headers[header::RANGE], "bytes=10-");
        for header in [header::AUTHORIZATION, header::COOKIE, header::REFERER] {
            assert!(
                there
                    .seen
                    .iter()
                    .all(|it| !it.headers.contains_key(&header))
            );
        }
    }
}

#[tokio::test]
async fn a_file_served_under_a_new_tag_is_taken_from_its_beginning() {
    let server = Hostile::with_transfer(&TWO).await;
    let mut bytes = server.world().files["/files/0"].bytes.clone();
    bytes[0] ^= 1;
    // What came first is wrong, and must not be the beginning of what comes then.
    let wrong = Served {
        bytes,
        cuts: vec![10],
        etag: Some("\"v1\""),
        ..Served::default()
    };
    let right = server
        .world()
        .files
        .insert("/files/0".to_owned(), wrong)
        .unwrap();
    let client = server.client();
    let receiving = client.receive(id(), server.incoming());
    let swapping = async {
        while server.world().calls("GET /files/0") == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let right = Served {
            etag: Some("\"v2\""),
            ..right
        };
        server.world().files.insert("/files/0".to_owned(), right);
    };
    let (received, ()) = tokio::join!(receiving, swapping);
    assert_eq!(
        fs::read(&received.unwrap().files[0].path).unwrap(),
        b"pay 10"
    );
}
