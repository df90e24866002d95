//! Paths and queries: ids, names, numbers.

use agentdrop_testkit::http::send;

use super::{Things, assert_refused, row};
use crate::operations::operations;
use crate::world::rows;

#[tokio::test]
async fn what_names_nothing_is_not_found() {
    let long = "a".repeat(4_000);
    for things in &Things::each().await {
        let before = rows(&things.world.server).await;
        for operation in operations() {
            for parameter in operation.parameters("path") {
                for bad in [
                    "%00",
                    "a%00b",
                    "a%2Fb",
                    "..%2F..%2Fetc%2Fpasswd",
                    "%2e%2e%2f",
                    "%ff",
                    "%c0%80",
                    "%ed%a0%80",
                    "%F0%9F%92%A9",
                    "0",
                    "-1",
                    "9999999999999999999999",
                    "%27%20OR%201%3D1%20--",
                    "%0d%0aX-Injected:%201",
                    "%E2%80%AE",
                    "%7Bagent%7D",
                    "txfr_abc123",
                    "tr_00000000000000000000000000000000",
                    "00000000-0000-0000-0000-000000000000",
                    &*long,
                ] {
                    let path = things.path(&operation, Some((&parameter, bad)));
                    let mut request = things.request(&operation, &path);
                    if let Some(good) = row(&operation.id, things) {
                        request = request.json(&good);
                    }
                    let answer = send(request).await;
                    assert_eq!(answer.status, 404, "{} {bad}", operation.id);
                    answer.expect_error(404, "NOT_FOUND");
                    assert_eq!(answer.header("x-injected"), "");
                }
            }
        }
        for path in [
            "/",
            "/v1",
            "/v1/",
            "/v1/agents/",
            "/v2/agents",
            "/v1/agents/bob/",
            "//v1/agents",
            "/v1/agents/bob/keys/",
            "/.git/config",
            "/v1/../healthz/",
            "/metrics",
        ] {
            things.world.get(path).await.expect_error(404, "NOT_FOUND");
        }
        assert_eq!(rows(&things.world.server).await, before);
    }
}

#[tokio::test]
async fn every_field_of_every_query_is_checked() {
    for things in &Things::each().await {
        for operation in operations() {
            let path = things.path(&operation, None);
            for name in operation.parameters("query") {
                let long = "a".repeat(5_000);
                for bad in ["%00", "a%00b", "%E2%80%AE", "%07", &*long] {
                    let answer = things.request(&operation, &format!("{path}?{name}={bad}"));
                    let answer = send(answer).await;
                    let what = format!("{} {name}={bad}", operation.id);
                    assert!(
                        matches!(answer.status, 400 | 404),
                        "{what}: {}",
                        answer.status
                    );
                    if answer.status == 400 {
                        assert_refused(
                            &what,
                            &answer,
                            if name == "account" { "agent_id" } else { &name },
                        );
                    }
                }
                let twice = format!("{path}?{name}=1&{name}=2");
                let answer = send(things.request(&operation, &twice)).await;
                assert!(
                    matches!(answer.status, 400 | 404),
                    "{name} twice: {}",
                    answer.status
                );
            }
            for (name, least) in [("limit", true), ("offset", false)] {
                if !operation.parameters("query").contains(&name.to_owned()) {
                    continue;
                }
                let low = if least { "0" } else { "-0x1" };
                for bad in [
                    low,
                    "-1",
                    "101x",
                    "1.5",
                    "1e3",
                    "%2B%2B1",
                    "99999999999",
                    "",
                    "null",
                ] {
                    let answer = things.request(&operation, &format!("{path}?{name}={bad}"));
                    let answer = send(answer).await;
                    if bad.is_empty() {
                        assert_eq!(answer.status, 200);
                    } else {
                        assert_refused(&format!("{name}={bad}"), &answer, name);
                    }
                }
            }
        }
    }
}
