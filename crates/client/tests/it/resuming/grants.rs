//! Addresses and grants that are no more by the time it goes on.

use axum::http::{StatusCode, header};
use serde_json::json;

use agentdrop_client::{Phase, Report};

use super::{FILE, GET, SIZE, assert_whole, half, interrupted, server};
use crate::hostile::{channel, grant, list, names};

#[tokio::test]
async fn where_addresses_are_no_more_another_grant_is_taken_for_the_rest() {
    for status in [
        StatusCode::FORBIDDEN,
        StatusCode::NOT_FOUND,
        StatusCode::GONE,
    ] {
        let server = server().await;
        half(&server).await;
        {
            let mut world = server.world();
            let file = world.files.remove(FILE).unwrap();
            world.files.insert("/elsewhere".to_owned(), file);
            world.answer_raw(GET, status, &[], "{}");
            world.change(&grant(), |it| {
                it["files"][1]["download_url"] = json!("/elsewhere");
            });
        }
        let received = server.receive().await.unwrap();
        assert_whole(&server, &received);
        let world = server.world();
        assert_eq!(world.calls(&grant()), 2);
        let last = world
            .seen
            .iter()
            .rfind(|it| it.path == "/elsewhere")
            .unwrap();
        assert_eq!(last.headers[header::IF_RANGE], "\"v1\"", "{status}");
    }
}

#[tokio::test]
async fn what_answers_in_the_servers_place_costs_nothing_of_what_is_here() {
    const PAGE: &str = "<html><body>Sign in to this network</body></html>";
    let to = [("location", "http://portal.example/")];
    let tagged = [("etag", "\"page\"")];
    let whole = "x".repeat(SIZE + 16);
    let answers = [
        (StatusCode::OK, &[][..], PAGE),
        (StatusCode::OK, &tagged, PAGE),
        (StatusCode::FOUND, &to, ""),
        (StatusCode::FORBIDDEN, &[], PAGE),
        (StatusCode::NOT_FOUND, &[], PAGE),
        (StatusCode::GONE, &[], PAGE),
        (StatusCode::NETWORK_AUTHENTICATION_REQUIRED, &[], PAGE),
        (StatusCode::PARTIAL_CONTENT, &[], &whole),
    ];
    for call in [GET.to_owned(), grant(), list()] {
        for (status, headers, body) in &answers {
            let server = server().await;
            half(&server).await;
            let (file, honest) = {
                let mut world = server.world();
                let honest = world.answers.clone();
                // Where it is asked for another grant, it is because the address is none any more.
                let file = world.files.remove(FILE).unwrap();
                world.answer_raw(GET, StatusCode::GONE, &[], "{}");
                world.answer_raw(&call, *status, headers, (*body).to_owned());
                (file, honest)
            };
            let error = server.receive().await.unwrap_err();
            assert_eq!(server.visible(), [""; 0], "{call} {status} {error}");
            {
                let mut world = server.world();
                world.answers = honest;
                world.files.insert(FILE.to_owned(), file);
            }
            let received = server.receive().await.unwrap();
            assert_whole(&server, &received);
            let resumed = received.resumed_bytes;
            assert!(resumed > 2_000_000, "{call} {status} {error}: {resumed}");
        }
    }
}

#[tokio::test]
async fn what_the_server_says_is_gone_is_not_kept() {
    for (status, code) in [
        (StatusCode::GONE, "GONE"),
        (StatusCode::NOT_FOUND, "NOT_FOUND"),
    ] {
        let server = server().await;
        half(&server).await;
        {
            let mut world = server.world();
            world.files.remove(FILE).unwrap();
            world.answer_raw(GET, StatusCode::GONE, &[], "{}");
            let error = json!({ "code": code, "message": "it is no more", "status": 410 });
            let body = json!({ "error": error }).to_string();
            world.answer_raw(&grant(), status, &[], body);
        }
        server.refuses(code).await;
    }
}

#[tokio::test]
async fn another_grant_has_to_be_sealed_alike() {
    let server = server().await;
    half(&server).await;
    {
        let mut world = server.world();
        world.files.remove(FILE).unwrap();
        world.answer_raw(GET, StatusCode::GONE, &[], "{}");
        world.change(&grant(), |it| {
            it["encryption_salt"] = json!("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
        });
    }
    server.refuses("TRANSFER_CHANGED").await;
}

#[tokio::test]
async fn an_address_that_never_was_is_not_asked_for_again() {
    let server = server().await;
    {
        let mut world = server.world();
        world.files.remove("/files/0").unwrap();
        world.answer_raw("GET /files/0", StatusCode::FORBIDDEN, &[], "{}");
    }
    let error = server.receive().await.unwrap_err();
    assert_eq!(error.code(), "UNKNOWN");
    assert_eq!(server.world().calls(&grant()), 1);
}

/// The key that opens it is asked for anew by whoever goes on: that is no reason to throw away what
/// nobody has any more.
#[tokio::test]
async fn what_is_all_here_is_kept_whatever_else_the_server_has_no_more() {
    for (status, code) in [
        (StatusCode::NOT_FOUND, "NOT_FOUND"),
        (StatusCode::GONE, "GONE"),
    ] {
        let server = server().await;
        server.world().files.get_mut(FILE).unwrap().stalls = false;
        let all = |it: &Report| it.phase == Phase::Opening;
        interrupted(&server, server.incoming(), all).await;
        let error = json!({ "code": code, "message": "it is no more", "status": status.as_u16() });
        let body = json!({ "error": error }).to_string();
        let honest = {
            let mut world = server.world();
            let honest = world.answers.clone();
            world.files.clear();
            for call in [GET.to_owned(), grant(), channel()] {
                world.answer_raw(&call, status, &[], body.clone());
            }
            honest
        };
        for _ in 0..2 {
            server.refuses_for_now(code).await;
            assert_eq!(names(server.target.path()).len(), 1, "it is here still");
        }
        server.world().answers = honest;
        let received = server.receive().await.unwrap();
        assert_whole(&server, &received);
        assert_eq!(server.world().calls(&grant()), 1);
    }
}
