//! The codes of errors, which are promises.

use std::fmt::Write as _;

use agentdrop_protocol::ErrorCode;
use agentdrop_testkit::server::TestServer;

/// A client decides by code and status. To change one on purpose: `cargo insta review`.
#[test]
fn the_codes_are_the_promised_ones() {
    let mut table = String::new();
    for code in ErrorCode::ALL {
        writeln!(table, "{} {code}: {}", code.status(), code.meaning()).unwrap();
    }
    insta::assert_snapshot!(table);
}

#[tokio::test]
async fn an_error_says_everything_it_promises() {
    for server in TestServer::each().await {
        let http = &server.http;
        let unknown = http.get("/v1/nothing/here", "").await;
        let error = unknown.expect_error(404, "NOT_FOUND");
        assert!(error["message"].is_string());
        assert_eq!(unknown.header("content-type"), "application/json");
        assert_eq!(unknown.header("cache-control"), "no-store");
        assert_eq!(unknown.header("x-content-type-options"), "nosniff");

        let none = http.get("/v1/agents", "").await;
        none.expect_error(401, "UNAUTHORIZED");
        assert_eq!(none.header("www-authenticate"), "Bearer");

        let wrong = http
            .post("/v1/accounts", "", &serde_json::json!({ "name": "" }))
            .await
            .expect_error(400, "VALIDATION_ERROR");
        assert_eq!(wrong["details"][0]["field"], "name");
        assert_eq!(wrong["details"][0]["message"], "must not be empty");
    }
}

#[tokio::test]
async fn a_request_id_is_echoed_if_it_is_harmless_and_made_if_not() {
    for server in TestServer::each().await {
        let long = "x".repeat(129);
        for (sent, is_kept) in [
            ("job-17.retry_2", true),
            ("", false),
            ("a b", false),
            ("<script>", false),
            ("a\u{e9}", false),
            (&*long, false),
        ] {
            let request = server.http.request("GET", "/v1/agents", "");
            let answer = agentdrop_testkit::http::send(request.header("x-request-id", sent)).await;
            answer.expect_error(401, "UNAUTHORIZED");
            let id = answer.header("x-request-id");
            assert_eq!(id == sent, is_kept, "{sent:?} became {id:?}");
            assert!(is_kept || id.len() == 36, "{id:?}");
        }
    }
}
