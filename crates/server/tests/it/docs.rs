//! The page of the API.

use std::collections::BTreeSet;

use agentdrop_testkit::server::TestServer;

use crate::operations::document;

/// The addresses in a page that it loads.
fn loaded(page: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for attribute in ["src=\"", "href=\""] {
        let rest = page.split(attribute).skip(1);
        found.extend(rest.map(|it| it.split('"').next().unwrap().to_owned()));
    }
    found
}

#[tokio::test]
async fn the_page_is_served_whole_to_anybody() {
    for server in &TestServer::each().await {
        let enter = server.http.get("/docs", "").await;
        assert_eq!((enter.status, enter.header("location")), (303, "/docs/"));
        let page = server.http.get("/docs/", "").await;
        let policy = page.header("content-security-policy").to_owned();
        assert!(policy.contains("default-src 'none'"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(page.header("content-encoding"), "gzip");
        let mut names = vec!["index.html".to_owned()];
        let html = unpacked(&page.bytes);
        // What the policy forbids, it has not: scripts and styles of its own.
        assert!(
            !html.contains("<style") && !html.contains("style="),
            "{html}"
        );
        assert_eq!(
            html.matches("<script").count(),
            html.matches("<script src=").count()
        );
        names.extend(loaded(&html));
        assert!(names.len() > 6, "{names:?}");
        for name in names {
            let name = name.trim_start_matches("./");
            assert!(!name.contains('/'), "{name} is somewhere else");
            let file = server.http.get(&format!("/docs/{name}"), "").await;
            assert_eq!(file.status, 200, "{name}");
            assert!(!file.bytes.is_empty(), "{name}");
            assert_eq!(file.header("content-security-policy"), policy, "{name}");
            assert_eq!(file.header("x-content-type-options"), "nosniff", "{name}");
            assert_eq!(file.header("x-frame-options"), "DENY", "{name}");
            let kind = file.header("content-type");
            let expected = match name.rsplit('.').next().unwrap() {
                "css" => "text/css",
                "html" => "text/html",
                "js" => "text/javascript",
                _ => "image/png",
            };
            assert_eq!(kind, expected, "{name}");
        }
        let start = server.http.get("/docs/swagger-initializer.js", "").await;
        let start = String::from_utf8(start.bytes).unwrap();
        assert!(start.contains("\"/openapi.json\""), "{start}");
        assert!(!start.contains("http"), "{start}");
    }
}

/// What gzip packed, by the program of that name.
fn unpacked(bytes: &[u8]) -> String {
    use std::io::Write as _;
    use std::process::{Command, Stdio};
    let mut gzip = Command::new("gzip");
    let gzip = gzip.arg("-dc").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut gzip = gzip.spawn().unwrap();
    gzip.stdin.take().unwrap().write_all(bytes).unwrap();
    String::from_utf8(gzip.wait_with_output().unwrap().stdout).unwrap()
}

#[tokio::test]
async fn nothing_else_is_served_beside_it() {
    for server in &TestServer::each().await {
        for name in [
            "oauth2-redirect.html",
            "x",
            "..%2Fopenapi.json",
            "a/b",
            "%00",
        ] {
            let missing = server.http.get(&format!("/docs/{name}"), "").await;
            missing.expect_error(404, "NOT_FOUND");
        }
        let posted = server.http.post("/docs/", "", &serde_json::json!({})).await;
        posted.expect_error(405, "METHOD_NOT_ALLOWED");
    }
    let document = document();
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.keys().all(|it| !it.starts_with("/docs")));
}
