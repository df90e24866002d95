//! Files that come in parts.

use agentdrop_testkit::http::{Answer, send};
use agentdrop_testkit::server::text;
use serde_json::{Value, json};

use super::{PART, bytes, part_url, put, stored};
use crate::world::{World, blobs, file_url, rows};

const SIZE: usize = 2 * PART + 70_000;

fn path(announced: &Value, verb: &str) -> String {
    let file = text(&announced["files"][0], "file_id");
    format!(
        "/v1/transfers/{}/files/{file}/{verb}",
        text(announced, "id")
    )
}

pub(super) async fn complete(world: &World, announced: &Value, parts: &[(usize, &str)]) -> Answer {
    let parts = parts
        .iter()
        .map(|(number, etag)| json!({ "part_number": number, "etag": etag }));
    let parts: Vec<_> = parts.collect();
    let body = json!({ "upload_id": announced["files"][0]["upload_id"], "parts": parts });
    world
        .post(&path(announced, "complete-multipart"), &body)
        .await
}

pub(super) async fn abort(world: &World, announced: &Value) -> Answer {
    let body = json!({ "upload_id": announced["files"][0]["upload_id"] });
    world.post(&path(announced, "abort-multipart"), &body).await
}

/// Sends all parts, the last one first; answers their tags in their order.
pub(super) async fn put_all(world: &World, announced: &Value, file: &[u8]) -> Vec<String> {
    let parts: Vec<_> = file.chunks(PART).enumerate().collect();
    let mut tags = vec![String::new(); parts.len()];
    for (n, part) in parts.into_iter().rev() {
        let answer = put(&world.server.http, &part_url(announced, n + 1), part).await;
        tags[n] = stored(&answer);
    }
    tags
}

#[tokio::test]
async fn parts_make_up_the_file_wherever_a_range_of_it_begins() {
    for world in &World::each().await {
        let file = bytes(SIZE, 7);
        for sealed in [false, true] {
            let more = json!({ "is_encrypted": sealed });
            let announced = world
                .announce_in_parts(&[("a", SIZE), ("none", 0)], &more)
                .await;
            let announced = announced.expect(201);
            let first = &announced["files"][0];
            assert_eq!(first["part_urls"].as_array().unwrap().len(), 3);
            assert_eq!(announced["files"][1]["part_urls"], json!([]));
            let tags = put_all(world, &announced, &file).await;
            let listed = world.get(&path(&announced, "parts")).await.expect(200);
            assert_eq!(listed["is_complete"], false);
            assert_eq!(listed["part_count"], 3);
            for (n, part) in listed["parts"].as_array().unwrap().iter().enumerate() {
                let size = if n == 2 { 70_000 } else { PART };
                let expected = json!({ "part_number": n + 1, "etag": tags[n], "size": size });
                assert_eq!(*part, expected);
            }
            let named: Vec<_> = tags
                .iter()
                .enumerate()
                .map(|it| (it.0 + 1, &**it.1))
                .collect();
            // With the quotes of the header field, too.
            let quoted = format!("\"{}\"", tags[0]);
            let done = complete(world, &announced, &[&[(1, &*quoted)], &named[1..]].concat()).await;
            assert_eq!(done.expect(200)["size"], SIZE);
            complete(world, &announced, &named).await.expect(200);
            let mut second = announced.clone();
            second["files"][0] = announced["files"][1].clone();
            world
                .confirm(&announced)
                .await
                .expect_error(400, "FILES_MISSING");
            complete(world, &second, &[]).await.expect(200);
            let late = put(&world.server.http, &part_url(&announced, 1), &file[..PART]).await;
            late.expect_error(409, "ALREADY_COMPLETED");
            world.confirm(&announced).await.expect(200);
            let late = put(&world.server.http, &part_url(&announced, 1), &file[..PART]).await;
            late.expect_error(409, "ALREADY_CONFIRMED");
            complete(world, &announced, &named)
                .await
                .expect_error(409, "ALREADY_CONFIRMED");
            abort(world, &announced)
                .await
                .expect_error(409, "ALREADY_CONFIRMED");

            let grant = world.grant(&announced).await.expect(200);
            let (http, url) = (&world.server.http, file_url(&grant, 0));
            let whole = http.get(&url, "").await;
            assert!(whole.status == 200 && whole.bytes == file);
            assert_eq!(http.get(&file_url(&grant, 1), "").await.bytes, b"");
            for (from, to) in [
                (0, 0),
                (PART - 1, PART),
                (PART - 70_000, PART + 70_000),
                (PART, PART),
                (1, 2 * PART),
                (2 * PART - 1, SIZE - 1),
                (SIZE - 1, SIZE - 1),
            ] {
                let asked = http.request("GET", &url, "");
                let got = send(asked.header("range", format!("bytes={from}-{to}"))).await;
                assert!(
                    got.status == 206 && got.bytes == file[from..=to],
                    "{from}-{to}"
                );
            }
            world
                .delete(&format!("/v1/transfers/{}", text(&announced, "id")))
                .await
                .expect(200);
            world.has_blobs(&[]).await;
            assert_eq!(rows(&world.server).await["parts"], Vec::<String>::new());
        }
    }
}

#[tokio::test]
async fn parts_that_do_not_make_up_the_file_are_refused_each_with_its_code() {
    for world in &World::each().await {
        let file = bytes(SIZE, 9);
        let announced = world
            .announce_in_parts(&[("a", SIZE)], &json!({}))
            .await
            .expect(201);
        let http = &world.server.http;
        let (one, three) = (&file[..PART], &file[2 * PART..]);
        let a = stored(&put(http, &part_url(&announced, 1), one).await);
        let short = put(http, &part_url(&announced, 2), three).await;
        short.expect_error(400, "SIZE_MISMATCH");
        let long = put(http, &part_url(&announced, 3), one).await;
        long.expect_error(400, "SIZE_MISMATCH");
        let c = stored(&put(http, &part_url(&announced, 3), three).await);
        let none = "0".repeat(32);
        complete(world, &announced, &[(1, &a), (2, &none), (3, &c)])
            .await
            .expect_error(400, "INVALID_PART");
        let b = stored(&put(http, &part_url(&announced, 2), &file[PART..2 * PART]).await);
        let old = a;
        let a = stored(&put(http, &part_url(&announced, 1), one).await);
        assert_ne!(a, old, "no key and no nonce is used for two tries");
        assert_eq!(blobs(&world.server).len(), 3);
        for (parts, code) in [
            (&[(1, &*old), (2, &b), (3, &c)][..], "INVALID_PART"),
            (&[(1, &b), (2, &a), (3, &c)], "INVALID_PART"),
            (&[(1, "x"), (2, &b), (3, &c)], "INVALID_PART"),
            (&[(0, &a), (1, &a), (2, &b), (3, &c)], "INVALID_PART"),
            (&[(1, &a), (2, &b), (3, &c), (4, &c)], "INVALID_PART"),
            (&[(2, &b), (1, &a), (3, &c)], "INVALID_PART_ORDER"),
            (&[(1, &a), (1, &a), (2, &b), (3, &c)], "DUPLICATE_PART"),
            (&[(1, &a), (2, &b), (1, &a)], "DUPLICATE_PART"),
            (&[(1, &a), (3, &c)], "PARTS_MISSING"),
            (&[], "PARTS_MISSING"),
        ] {
            complete(world, &announced, parts)
                .await
                .expect_error(400, code);
        }
        let many = vec![(1, &*a); 10_001];
        let refused = complete(world, &announced, &many).await;
        let error = refused.expect_error(400, "VALIDATION_ERROR");
        assert_eq!(error["details"][0]["field"], "parts");
        let mut other = announced.clone();
        other["files"][0]["upload_id"] = format!("up_{none}").into();
        let all = [(1, &*a), (2, &b), (3, &c)];
        complete(world, &other, &all)
            .await
            .expect_error(404, "NOT_FOUND");
        abort(world, &other).await.expect_error(404, "NOT_FOUND");
        let listed = format!("{}?upload_id=up_{none}", path(&announced, "parts"));
        world.get(&listed).await.expect_error(404, "NOT_FOUND");
        let listed = format!("{}?upload_id=x", path(&announced, "parts"));
        world
            .get(&listed)
            .await
            .expect_error(400, "VALIDATION_ERROR");
        world
            .confirm(&announced)
            .await
            .expect_error(400, "FILES_MISSING");
        complete(world, &announced, &all).await.expect(200);
        world.confirm(&announced).await.expect(200);
        assert!(world.downloaded(&announced, 0).await == file);
    }
}

#[tokio::test]
async fn whoever_goes_on_is_told_where_the_parts_are_sent_to() {
    for world in &World::each().await {
        let file = bytes(SIZE, 11);
        let announced = world
            .announce_in_parts(&[("a", SIZE)], &json!({}))
            .await
            .expect(201);
        let http = &world.server.http;
        let asked = format!("{}?urls=true", path(&announced, "parts"));
        let b = stored(&put(http, &part_url(&announced, 2), &file[PART..2 * PART]).await);
        let listed = world.get(&asked).await.expect(200);
        let urls = listed["part_urls"].as_array().unwrap();
        let numbers: Vec<_> = urls.iter().map(|it| &it["part_number"]).collect();
        assert_eq!(numbers, [1, 2, 3]);
        assert_eq!(listed["upload_expires_at"], announced["upload_expires_at"]);
        let unasked = world.get(&path(&announced, "parts")).await.expect(200);
        assert!(unasked.get("part_urls").is_none() && unasked.get("upload_expires_at").is_none());
        let odd = format!("{}?urls=perhaps", path(&announced, "parts"));
        world.get(&odd).await.expect_error(400, "VALIDATION_ERROR");

        let a = stored(&put(http, &text(&urls[0], "upload_url"), &file[..PART]).await);
        let c = stored(&put(http, &text(&urls[2], "upload_url"), &file[2 * PART..]).await);
        complete(world, &announced, &[(1, &a), (2, &b), (3, &c)])
            .await
            .expect(200);
        // Nothing can come any more.
        let listed = world.get(&asked).await.expect(200);
        assert!(listed.get("part_urls").is_none());
        world.confirm(&announced).await.expect(200);
        assert!(world.downloaded(&announced, 0).await == file);
    }
}

#[tokio::test]
async fn as_many_parts_as_there_may_be_are_put_together() {
    for world in &World::each().await {
        // Their sizes are only said: nothing of them comes.
        let size = 10_000 * PART;
        let announced = world
            .announce_in_parts(&[("a", size)], &json!({}))
            .await
            .expect(201);
        let urls = announced["files"][0]["part_urls"].as_array().unwrap();
        assert_eq!(urls.len(), 10_000);
        let tag = "f".repeat(32);
        let all: Vec<_> = (1..=10_000).map(|it| (it, &*tag)).collect();
        complete(world, &announced, &all)
            .await
            .expect_error(400, "INVALID_PART");
    }
}
