//! Uploads that break off, race, or are no HTTP that a library would send.

use agentdrop_testkit::server::{TestServer, text};
use futures_util::future::join_all;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{put, stored, url};
use crate::raw::{connect, exchange, parsed, read_to_close};
use crate::world::{World, blobs, rows, until};

/// The head of an upload, with what it says of its length.
fn head(server: &TestServer, url: &str, lengths: &str) -> Vec<u8> {
    let path = url.trim_start_matches(&server.url);
    format!("PUT {path} HTTP/1.1\r\nHost: x\r\n{lengths}\r\n").into_bytes()
}

/// As the published client sends a file: with two lengths, of which the body has one.
#[tokio::test]
async fn an_upload_with_both_lengths_is_as_long_as_it_says_in_bytes() {
    for world in &World::each().await {
        let lengths = "Content-Length: 10\r\nTransfer-Encoding: chunked\r\n";
        let announced = world.announce(&[("a", 10)], &json!({})).await.expect(201);
        let good = head(&world.server, &url(&announced, 0), lengths);
        // What stands behind it is no request.
        let smuggled = b"5\r\nhelloDELETE /v1/account HTTP/1.1\r\nHost: x\r\n\r\n";
        let answer = exchange(&world.server.url, &[&*good, smuggled].concat()).await;
        let answer = String::from_utf8(answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
        let closes = answer
            .to_ascii_lowercase()
            .contains("connection: close\r\n");
        assert!(closes && answer.ends_with("\r\n\r\n"), "{answer}");
        world.confirm(&announced).await.expect(200);
        assert_eq!(world.downloaded(&announced, 0).await, b"5\r\nhelloDE");
    }
}

#[tokio::test]
async fn a_body_that_does_not_say_its_length_is_refused() {
    for world in &World::each().await {
        let announced = world.announce(&[("a", 10)], &json!({})).await.expect(201);
        let url = url(&announced, 0);
        let before = (rows(&world.server).await, blobs(&world.server));
        let chunked = "a\r\n0123456789\r\n0\r\n\r\n";
        for (lengths, sent, status, code) in [
            (
                "Transfer-Encoding: chunked\r\n",
                chunked,
                411,
                "LENGTH_REQUIRED",
            ),
            (
                "Content-Length: 11\r\n",
                "0123456789x",
                400,
                "SIZE_MISMATCH",
            ),
            (
                "Content-Length: 1099511627776\r\n",
                "",
                400,
                "SIZE_MISMATCH",
            ),
        ] {
            let lengths = format!("{lengths}Connection: close\r\n");
            let request = [&*head(&world.server, &url, &lengths), sent.as_bytes()].concat();
            let mut stream = connect(&world.server.url).await;
            stream.write_all(&request).await.unwrap();
            let answer = parsed(&read_to_close(&mut stream).await);
            assert_eq!(
                (answer.0, &answer.1["error"]["code"]),
                (status, &json!(code)),
                "{lengths}"
            );
        }
        for lengths in [
            "Content-Length: -1\r\n",
            "Content-Length: 10\r\nContent-Length: 11\r\n",
        ] {
            let request = [&*head(&world.server, &url, lengths), b"0123456789"].concat();
            let answer = parsed(&exchange(&world.server.url, &request).await);
            assert_eq!(answer.0, 400, "{lengths}");
        }
        let none = put(&world.server.http, &url, b"").await;
        none.expect_error(400, "SIZE_MISMATCH");
        assert_eq!((rows(&world.server).await, blobs(&world.server)), before);
        stored(&put(&world.server.http, &url, b"0123456789").await);
    }
}

/// Whoever waits to be asked for the bytes, and is refused, is not asked.
#[tokio::test]
async fn what_is_refused_is_not_asked_for() {
    for world in &World::everywhere().await {
        let announced = world.announce(&[("a", 10)], &json!({})).await.expect(201);
        let expecting = "Expect: 100-continue\r\nConnection: close\r\n";
        let url = url(&announced, 0);
        let wrong = head(
            &world.server,
            &url,
            &format!("Content-Length: 9\r\n{expecting}"),
        );
        let mut stream = connect(&world.server.url).await;
        stream.write_all(&wrong).await.unwrap();
        let answer = String::from_utf8(read_to_close(&mut stream).await).unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
        let good = head(
            &world.server,
            &url,
            &format!("Content-Length: 10\r\n{expecting}"),
        );
        let mut stream = connect(&world.server.url).await;
        stream.write_all(&good).await.unwrap();
        let mut asked = [0; 25];
        stream.read_exact(&mut asked).await.unwrap();
        assert_eq!(&asked, b"HTTP/1.1 100 Continue\r\n\r\n");
        stream.write_all(b"0123456789").await.unwrap();
        let answer = String::from_utf8(read_to_close(&mut stream).await).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
}

#[tokio::test]
async fn a_client_that_vanishes_in_the_middle_leaves_what_came_before() {
    for world in &World::each().await {
        let size = 3_000_000;
        let announced = world.announce(&[("a", size)], &json!({})).await.expect(201);
        let url = url(&announced, 0);
        let lengths = format!("Content-Length: {size}\r\n");
        for is_there in [0, 1] {
            let before = (rows(&world.server).await, blobs(&world.server));
            for sent in [0, 1, 100_000, size - 1] {
                let mut stream = connect(&world.server.url).await;
                stream
                    .write_all(&head(&world.server, &url, &lengths))
                    .await
                    .unwrap();
                stream.write_all(&vec![7; sent]).await.unwrap();
                // Of the first bytes there is no file yet.
                let files = is_there + usize::from(sent > 16 * 1024);
                let begun = async || blobs(&world.server).len() == files;
                until("it began", begun).await;
                drop(stream);
                let over = async || blobs(&world.server) == before.1;
                until("nothing of it is left", over).await;
            }
            assert_eq!(rows(&world.server).await, before.0);
            stored(
                &put(
                    &world.server.http,
                    &url,
                    &vec![u8::try_from(is_there).unwrap(); size],
                )
                .await,
            );
        }
        world.confirm(&announced).await.expect(200);
        assert!(world.downloaded(&announced, 0).await == vec![1; size]);
    }
}

/// Of tries that race with each other and with confirming, one counts, whole.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_tries_that_race_one_counts_and_the_others_leave_nothing() {
    for world in &World::each().await {
        for round in 0..6_u8 {
            let size = 70_000;
            let announced = world.announce(&[("a", size)], &json!({})).await.expect(201);
            let url = url(&announced, 0);
            let http = &world.server.http;
            stored(&put(http, &url, &vec![0; size]).await);
            let racers = (1..=20).map(async |n: u8| {
                if n == 3 * round {
                    world.confirm(&announced).await.expect(200);
                    return None;
                }
                let answer = put(http, &url, &vec![n; size]).await;
                if answer.status == 409 {
                    answer.expect_error(409, "ALREADY_CONFIRMED");
                    return None;
                }
                Some((n, stored(&answer)))
            });
            let kept: Vec<_> = join_all(racers).await.into_iter().flatten().collect();
            if round == 0 {
                world.confirm(&announced).await.expect(200);
            }
            let got = world.downloaded(&announced, 0).await;
            let first = got[0];
            assert!(got == vec![first; size]);
            let is_kept = first == 0 || kept.iter().any(|it| it.0 == first);
            assert!(is_kept, "{first} was not answered 200");
            assert_eq!(blobs(&world.server).len(), 1);
            world
                .delete(&format!("/v1/transfers/{}", text(&announced, "id")))
                .await
                .expect(200);
            world.has_blobs(&[]).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_confirm_one_succeeds() {
    for world in &World::everywhere().await {
        let announced = world.announce(&[("a", 1)], &json!({})).await.expect(201);
        stored(&put(&world.server.http, &url(&announced, 0), b"x").await);
        let answers = join_all((0..32).map(|_| world.confirm(&announced))).await;
        let good = answers.iter().filter(|it| it.status == 200).count();
        assert_eq!(good, 1);
        for it in answers.iter().filter(|it| it.status != 200) {
            it.expect_error(409, "ALREADY_CONFIRMED");
        }
    }
}
