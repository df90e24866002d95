//! The main job, as `curl` would do it.

use agentdrop_testkit::server::{TestServer, text};

#[tokio::test]
async fn a_file_goes_from_one_agent_to_another() {
    for server in TestServer::each().await {
        let account = server.account().await;
        server.agent(&account, "alice").await;
        server.agent(&account, "bob").await;
        let body = vec![7; 200_000];
        let fields = [
            ("sender", "alice"),
            ("recipient", "bob"),
            ("message", "for you"),
        ];
        let files: [(&str, &[u8]); 2] = [("größe.bin", &body), ("empty", b"")];
        let sent = server
            .http
            .form("/v1/transfers", &account.key, &fields, &files)
            .await
            .expect(201);
        assert_eq!(sent["status"], "active");
        assert_eq!(sent["files"][0]["name"], "größe.bin");

        let inbox = server
            .http
            .get("/v1/agents/bob/inbox", &account.key)
            .await
            .expect(200);
        assert_eq!(inbox["transfers"][0]["id"], sent["id"]);
        let path = format!("/v1/transfers/{}/download", text(&sent, "id"));
        let grant = server.http.get(&path, &account.key).await.expect(200);
        assert_eq!(grant["downloads_remaining"], 9);
        for (n, (_, bytes)) in files.iter().enumerate() {
            let url = text(&grant["files"][n], "download_url");
            let file = server.http.get(&url, "").await;
            assert_eq!((file.status, &file.bytes[..]), (200, *bytes));
        }
        let url = text(&grant["files"][0], "download_url");
        let part = agentdrop_testkit::http::send(
            server
                .http
                .request("GET", &url, "")
                .header("range", "bytes=65530-65545"),
        );
        let part = part.await;
        assert_eq!((part.status, &part.bytes[..]), (206, &body[65_530..65_546]));
        assert_eq!(part.header("content-range"), "bytes 65530-65545/200000");
    }
}
