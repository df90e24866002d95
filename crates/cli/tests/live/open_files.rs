//! More connections than a process may have files open at first.

use agentdrop_testkit::server::text;
use serde_json::json;
use tokio::net::TcpStream;

use crate::child::Child;

/// What it may have at first, and how many come.
const FEW: &str = "96";
const MANY: usize = 200;

#[tokio::test(flavor = "multi_thread")]
async fn many_connections_do_not_keep_the_server_from_its_files() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}", folder.path().join("agentdrop.db").display());
    let server = Child::start_allowed(FEW, &folder.path().join("data"), &database).await;
    let key = server.account().await;
    let address = server.url.trim_start_matches("http://");
    let mut held = Vec::new();
    for _ in 0..MANY {
        held.push(TcpStream::connect(address).await.unwrap());
    }
    let fields = [("sender", "alice"), ("recipient", "bob")];
    let sent = server
        .http
        .form("/v1/transfers", &key, &fields, &[("a", b"x")]);
    let path = format!("/v1/transfers/{}", text(&sent.await.expect(201), "id"));
    let shown = server.http.get(&path, &key).await.expect(200);
    assert_eq!(shown["status"], json!("active"));
    drop(held);
    server.stop().await;
}
