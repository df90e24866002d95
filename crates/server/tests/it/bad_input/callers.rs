//! Whoever is not known.

use agentdrop_testkit::http::send;

use super::Things;
use crate::operations::{Operation, operations};
use crate::world::rows;

#[tokio::test]
async fn whoever_is_not_known_is_told_so_by_every_operation() {
    for things in &Things::each().await {
        let before = rows(&things.world.server).await;
        let key = &things.world.account.key;
        let mut typo = key.clone().into_bytes();
        typo[20] = if typo[20] == b'x' { b'y' } else { b'x' };
        let typo = String::from_utf8(typo).unwrap();
        let unknown = "agd_live_0123456789ABCDEFGHIJKLMNOPQRSTUV0K69qe";
        for operation in operations().into_iter().filter(Operation::takes_key) {
            let path = things.path(&operation, None);
            let http = &things.world.server.http;
            for value in [
                &b""[..],
                b"Bearer",
                b"Bearer ",
                b"bearer \xff\xfe",
                b"\xff",
                b"Basic YTpi",
                b"Bearer null",
                format!("Bearer {typo}").as_bytes(),
                format!("Bearer {unknown}").as_bytes(),
                format!("Bearer {key} x").as_bytes(),
                format!("Bearer {key}{key}").as_bytes(),
                key.as_bytes(),
                format!("Token {key}").as_bytes(),
                format!("Bearer,{key}").as_bytes(),
                format!("Bearer {}", "x".repeat(8_000)).as_bytes(),
            ] {
                let value = reqwest::header::HeaderValue::from_bytes(value).unwrap();
                let request = http.request(&operation.method, &path, "");
                let answer = send(request.header("authorization", value)).await;
                answer.expect_error(401, "UNAUTHORIZED");
                assert_eq!(answer.header("www-authenticate"), "Bearer");
            }
            // One that works, and another beside it.
            for other in ["Bearer x".to_owned(), format!("Bearer {key}")] {
                let request = http.request(&operation.method, &path, key);
                let answer = send(request.header("authorization", other)).await;
                answer.expect_error(401, "UNAUTHORIZED");
            }
        }
        assert_eq!(rows(&things.world.server).await, before);
    }
}
