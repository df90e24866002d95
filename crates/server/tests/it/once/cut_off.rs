//! A caller who hears no answer learns it when asking again.

use std::time::Duration;

use agentdrop_testkit::http::send;
use tokio::io::AsyncWriteExt as _;

use super::{HEADER, is_replay};
use crate::raw::connect;
use crate::world::{World, blobs, rows, until};

#[tokio::test]
async fn a_caller_who_was_cut_off_learns_what_came_of_it() {
    for world in &World::each().await {
        let before = rows(&world.server).await["api_keys"].len();
        let body = r#"{"name":"ci"}"#;
        for wait in 0..8 {
            let name = format!("cut-{wait}");
            let head = format!(
                "POST /v1/api-keys HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\
                 Content-Type: application/json\r\nContent-Length: {}\r\n{HEADER}: {name}\r\n\r\n",
                world.account.key,
                body.len()
            );
            let mut stream = connect(&world.server.url).await;
            stream.write_all(head.as_bytes()).await.unwrap();
            stream.write_all(body.as_bytes()).await.unwrap();
            tokio::time::sleep(Duration::from_millis(wait)).await;
            drop(stream);
            let http = &world.server.http;
            let again = || {
                let request = http.request("POST", "/v1/api-keys", &world.account.key);
                let request = request.header("content-type", "application/json");
                send(request.header(HEADER, &name).body(body))
            };
            // The one that was cut off may still run.
            until("it ends", async || again().await.status == 201).await;
            let (one, other) = (again().await, again().await);
            assert!(is_replay(&one) && is_replay(&other));
            assert_eq!(one.bytes, other.bytes);
        }
        let after = rows(&world.server).await["api_keys"].len();
        assert_eq!(after, before + 8);
    }
}

#[tokio::test]
async fn a_caller_who_was_cut_off_has_sent_once() {
    for world in &World::each().await {
        let form = "--b\r\nContent-Disposition: form-data; name=\"sender\"\r\n\r\nalice\r\n\
                    --b\r\nContent-Disposition: form-data; name=\"recipient\"\r\n\r\nbob\r\n\
                    --b\r\nContent-Disposition: form-data; name=\"files\"; filename=\"a\"\r\n\r\n\
                    0123456789\r\n--b--\r\n";
        for wait in 0..8 {
            let name = format!("cut-{wait}");
            let head = format!(
                "POST /v1/transfers HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\
                 Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {}\r\n\
                 {HEADER}: {name}\r\n\r\n",
                world.account.key,
                form.len()
            );
            let mut stream = connect(&world.server.url).await;
            stream.write_all(head.as_bytes()).await.unwrap();
            stream.write_all(form.as_bytes()).await.unwrap();
            tokio::time::sleep(Duration::from_millis(wait * 3)).await;
            drop(stream);
            let http = &world.server.http;
            let again = || {
                let request = http.request("POST", "/v1/transfers", &world.account.key);
                let request = request.header("content-type", "multipart/form-data; boundary=b");
                send(request.header(HEADER, &name).body(form))
            };
            until("it ends", async || again().await.status == 201).await;
            assert!(is_replay(&again().await));
        }
        let total = world.get("/v1/transfers").await.expect(200);
        assert_eq!(total["total"], 8);
        until("no bytes are left over", async || {
            blobs(&world.server).len() == 8
        })
        .await;
    }
}
