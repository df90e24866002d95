//! The servers.

use std::net::SocketAddr;
use std::path::PathBuf;

use agentdrop_testkit::http::Http;
use agentdrop_testkit::server::text;
use serde_json::json;
use tempfile::TempDir;

use super::proxy::Proxy;
use crate::child::{Child, free_address};

pub(super) struct Cluster {
    pub(super) nodes: Vec<Option<Child>>,
    pub(super) proxy: Proxy,
    addresses: Vec<SocketAddr>,
    database: String,
    folder: TempDir,
    drain: String,
}

impl Cluster {
    /// So many servers on a database, which say for so many seconds that they stop before they do.
    pub(super) async fn start(count: usize, database: &str, drain: u16) -> Self {
        let addresses: Vec<_> = (0..count).map(|_| free_address()).collect();
        let proxy = Proxy::start(&addresses).await;
        let mut it = Self {
            nodes: vec![],
            proxy,
            addresses,
            database: database.to_owned(),
            folder: tempfile::tempdir().unwrap(),
            drain: drain.to_string(),
        };
        for n in 0..count {
            // The first one makes the key, and the others have it too.
            if n > 0 {
                std::fs::create_dir(it.data(n)).unwrap();
                let to = it.data(n).join("server.key");
                std::fs::copy(it.data(0).join("server.key"), to).unwrap();
            }
            it.nodes.push(None);
            it.bring_up(n).await;
        }
        it
    }

    /// Starts the server `n` where it was.
    pub(super) async fn bring_up(&mut self, n: usize) {
        let blobs = self.blobs();
        let more = [
            "--blobs",
            blobs.to_str().unwrap(),
            "--public-url",
            &self.proxy.url,
            "--signup",
            "open",
            "--drain-delay",
            &self.drain,
        ];
        let data = self.data(n);
        let child = Child::start_at(self.addresses[n], &data, &self.database, &more).await;
        self.nodes[n] = Some(child);
    }

    pub(super) fn node(&self, n: usize) -> &Child {
        self.nodes[n].as_ref().unwrap()
    }

    pub(super) fn kill(&mut self, n: usize) {
        self.nodes[n].take().unwrap().kill();
    }

    pub(super) async fn stop(&mut self, n: usize) {
        self.nodes[n].take().unwrap().stop().await;
    }

    /// Where the files are.
    pub(super) fn blobs(&self) -> PathBuf {
        self.folder.path().join("blobs")
    }

    /// An account with an agent `bob`; answers its key.
    pub(super) async fn account(&self) -> String {
        let http = Http::new(self.proxy.url.clone());
        let account = json!({ "name": "Nodes", "email": "nodes@example.org" });
        let made = http.post("/v1/accounts", "", &account).await.expect(201);
        let key = text(&made, "api_key");
        let agent = json!({ "agent_id": "bob" });
        let registered = http.post("/v1/agents/register", &key, &agent).await;
        registered.expect(201);
        key
    }

    fn data(&self, n: usize) -> PathBuf {
        self.folder.path().join(format!("data{n}"))
    }
}
