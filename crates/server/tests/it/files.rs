//! The bytes of a file, under a grant.

use agentdrop_testkit::http::{Answer, send};
use agentdrop_testkit::server::text;

use crate::world::{World, file_url};

/// Three chunks at rest, and a bit.
fn body() -> Vec<u8> {
    (0..200_003_u32)
        .map(|it| u8::try_from(it * 7 % 251).unwrap())
        .collect()
}

async fn fetch(world: &World, url: &str, method: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = world.server.http.request(method, url, "");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    send(request).await
}

#[tokio::test]
async fn any_range_of_any_file_is_what_was_sent() {
    for world in &World::everywhere_relayed().await {
        let body = body();
        for sealed in ["true", "false"] {
            let fields = [("is_encrypted", sealed)];
            let sent = world.send(&fields, &[("a", &body)]).await.expect(201);
            let grant = world.grant(&sent).await.expect(200);
            let url = file_url(&grant, 0);
            let size = body.len();
            for (first, last) in [
                (0, 0),
                (0, 65_535),
                (65_535, 65_536),
                (65_536, 131_071),
                (1, size - 2),
                (131_071, 131_073),
                (size - 1, size - 1),
                (100_000, size - 1),
                (0, size - 1),
            ] {
                let range = format!("bytes={first}-{last}");
                let part = fetch(world, &url, "GET", &[("range", &range)]).await;
                assert_eq!(part.status, 206, "{range}");
                assert!(part.bytes == body[first..=last], "{range}");
                assert_eq!(
                    part.header("content-range"),
                    format!("bytes {first}-{last}/{size}")
                );
                assert_eq!(part.header("content-length"), part.bytes.len().to_string());
            }
            let end = fetch(world, &url, "GET", &[("range", "bytes=-5")]).await;
            assert!(end.status == 206 && end.bytes == body[size - 5..]);
            for range in ["bytes=200003-", "bytes=999999-1000000", "bytes=-0"] {
                let none = fetch(world, &url, "GET", &[("range", range)]).await;
                none.expect_error(416, "RANGE_NOT_SATISFIABLE");
                assert_eq!(none.header("content-range"), format!("bytes */{size}"));
            }
            for range in [
                "bytes=0-1,5-6",
                "lines=1-2",
                "bytes=5-1",
                "x",
                "bytes=\u{7f}",
            ] {
                let Ok(value) = reqwest::header::HeaderValue::from_str(range) else {
                    continue;
                };
                let request = world.server.http.request("GET", &url, "");
                let all = send(request.header("range", value)).await;
                assert!(all.status == 200 && all.bytes == body, "{range}");
            }
        }
    }
}

#[tokio::test]
async fn a_file_comes_so_that_no_browser_runs_it() {
    for world in &World::everywhere().await {
        let sent = world
            .send(&[], &[("x.html", b"<script>alert(1)</script>")])
            .await;
        let grant = world.grant(&sent.expect(201)).await.expect(200);
        let url = file_url(&grant, 0);
        let whole = fetch(world, &url, "GET", &[]).await;
        let head = fetch(world, &url, "HEAD", &[]).await;
        assert_eq!((head.status, head.bytes.len()), (200, 0));
        for answer in [&whole, &head] {
            for (name, value) in [
                ("accept-ranges", "bytes"),
                ("content-type", "application/octet-stream"),
                ("content-length", "25"),
                (
                    "content-disposition",
                    "attachment; filename=\"x.html\"; filename*=UTF-8''x.html",
                ),
                ("content-security-policy", "sandbox; default-src 'none'"),
                ("x-content-type-options", "nosniff"),
                ("x-frame-options", "DENY"),
                ("cross-origin-resource-policy", "same-origin"),
                ("cache-control", "no-store"),
                ("referrer-policy", "no-referrer"),
            ] {
                assert_eq!(answer.header(name), value, "{name}");
            }
        }
        let etag = whole.header("etag");
        assert_eq!(etag, format!("\"{}\"", text(&grant["files"][0], "file_id")));
        for (if_range, status) in [(etag, 206), ("\"other\"", 200), ("W/\"x\"", 200)] {
            let headers = [("range", "bytes=0-3"), ("if-range", if_range)];
            assert_eq!(fetch(world, &url, "GET", &headers).await.status, status);
        }
        for method in ["POST", "PUT", "DELETE", "PATCH"] {
            let refused = fetch(world, &url, method, &[]).await;
            refused.expect_error(405, "METHOD_NOT_ALLOWED");
        }
    }
}

#[tokio::test]
async fn no_name_breaks_out_of_the_header_or_the_folder() {
    for world in &World::everywhere().await {
        for (name, kept) in [
            ("../../../etc/passwd", "passwd"),
            ("/abs/x", "x"),
            ("C:\\x\\report.pdf", "report.pdf"),
            ("größe ✓.txt", "größe ✓.txt"),
            ("e\u{301}.txt", "é.txt"),
            ("a;b=c.txt", "a;b=c.txt"),
            ("100%.txt", "100%.txt"),
            ("=cmd|' !A0", "=cmd|' !A0"),
            (".htaccess", ".htaccess"),
            ("CON", "CON"),
            (
                "<img src=x onerror=alert(1)>",
                "<img src=x onerror=alert(1)>",
            ),
        ] {
            let sent = world.send(&[], &[(name, b"x")]).await.expect(201);
            assert_eq!(sent["files"][0]["name"], kept, "{name}");
            let grant = world.grant(&sent).await.expect(200);
            let file = fetch(world, &file_url(&grant, 0), "GET", &[]).await;
            let said = file.header("content-disposition");
            assert!(
                said.is_ascii() && said.starts_with("attachment; filename=\""),
                "{said}"
            );
            assert_eq!(said.matches('"').count(), 2, "{said}");
            assert_eq!(said.matches("filename*=UTF-8''").count(), 1, "{said}");
        }
        // Two of one name are two files.
        let sent = world
            .send(&[], &[("a", b"1"), ("a", b"2")])
            .await
            .expect(201);
        let grant = world.grant(&sent).await.expect(200);
        for (position, bytes) in [(0, b"1"), (1, b"2")] {
            let file = fetch(world, &file_url(&grant, position), "GET", &[]).await;
            assert_eq!(&*file.bytes, bytes);
        }
    }
}

#[tokio::test]
async fn what_the_disk_has_changed_is_not_handed_out() {
    use std::os::unix::fs::FileExt as _;
    for world in &World::each().await {
        let sent = world.send(&[], &[("a", &body())]).await.expect(201);
        let grant = world.grant(&sent).await.expect(200);
        let path = &crate::world::blobs(&world.server)[0];
        let file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
        file.write_at(&[1, 2, 3], 70_000).unwrap();
        let whole = world
            .server
            .http
            .request("GET", &file_url(&grant, 0), "")
            .send()
            .await;
        // It may break off before the head of the answer has left.
        let came = match whole {
            Ok(answer) => answer.bytes().await.is_ok(),
            Err(_) => false,
        };
        assert!(!came, "it breaks off");
        let range = [("range", "bytes=0-65535")];
        let sound = fetch(world, &file_url(&grant, 0), "GET", &range).await;
        assert_eq!((sound.status, sound.bytes.len()), (206, 65_536));
        drop(file);
        std::fs::remove_file(path).unwrap();
        let lost = fetch(world, &file_url(&grant, 0), "GET", &[]).await;
        let error = lost.expect_error(500, "INTERNAL");
        assert!(!error.to_string().contains("blobs"), "{error}");
    }
}
