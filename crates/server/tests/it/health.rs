//! Whether the server works.

use agentdrop_testkit::server::TestServer;
use serde_json::json;

#[tokio::test]
async fn a_server_that_works_says_so_without_a_key() {
    for server in TestServer::each().await {
        let alive = server.http.get("/healthz", "").await.expect(200);
        assert_eq!(alive["status"], "ok");
        let ready = server.http.get("/readyz", "").await.expect(200);
        assert_eq!(
            ready,
            json!({ "status": "ok", "database": "ok", "blobs": "ok" })
        );
        assert_eq!(
            crate::world::blobs(&server).len(),
            0,
            "a look leaves nothing"
        );
    }
}

#[tokio::test]
async fn a_server_without_its_folder_says_which_part_is_missing() {
    for server in TestServer::each().await {
        std::fs::remove_dir_all(server.data_dir().join("blobs/staging")).unwrap();
        let ready = server.http.get("/readyz", "").await.expect(503);
        let expected = json!({ "status": "unavailable", "database": "ok", "blobs": "unavailable" });
        assert_eq!(ready, expected);
        server.http.get("/healthz", "").await.expect(200);
    }
}
