//! Two accounts that deal with each other, each with an agent.

use agentdrop_testkit::http::{Answer, Http};
use agentdrop_testkit::server::{TestAccount, TestServer, text};
use serde_json::{Value, json};

/// A server with two accounts that do not know each other yet.
pub(crate) struct Parties {
    pub(crate) server: TestServer,
    pub(crate) alex: Party,
    pub(crate) jamie: Party,
}

/// An account with what it calls itself.
#[derive(Clone)]
pub(crate) struct Party {
    http: Http,
    pub(crate) account: TestAccount,
    pub(crate) email: String,
}

impl Parties {
    /// One on each engine.
    pub(crate) async fn each() -> Vec<Self> {
        let mut all = Vec::new();
        for server in TestServer::each().await {
            all.push(Self::on(server).await);
        }
        all
    }

    pub(crate) async fn on(server: TestServer) -> Self {
        let alex = Party::new(&server, "Alex Morgan", "alex.morgan@example.org").await;
        let jamie = Party::new(&server, "Jamie Chen", "jamie@example.com").await;
        server.agent(&alex.account, "data-pipeline").await;
        server.agent(&jamie.account, "analysis-bot").await;
        Self {
            server,
            alex,
            jamie,
        }
    }

    /// Connects the two; answers the connection's id.
    pub(crate) async fn connect(&self) -> String {
        self.alex.connect(&self.jamie).await
    }

    /// Connects the two and pairs their agents; answers the ids of both.
    pub(crate) async fn pair(&self, permission: &str) -> (String, String) {
        let connection = self.connect().await;
        let agents = ["data-pipeline", "analysis-bot"];
        let pairing = self
            .alex
            .pair(&self.jamie, &connection, agents, permission)
            .await;
        (connection, pairing)
    }
}

impl Party {
    pub(crate) async fn new(server: &TestServer, name: &str, email: &str) -> Self {
        let body = json!({ "name": name, "email": email });
        let made = server
            .http
            .post("/v1/accounts", "", &body)
            .await
            .expect(201);
        let account = TestAccount {
            id: text(&made, "id"),
            key: text(&made, "api_key"),
        };
        Self {
            http: server.http.clone(),
            account,
            email: email.to_owned(),
        }
    }

    /// The same account under another key.
    pub(crate) fn with_key(&self, key: String) -> Self {
        let mut other = self.clone();
        other.account.key = key;
        other
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.http.get(path, &self.account.key).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.http.delete(path, &self.account.key).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.http.post(path, &self.account.key, body).await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.http.patch(path, &self.account.key, body).await
    }

    pub(crate) async fn invite(&self, email: &str) -> Answer {
        self.post("/v1/connections", &json!({ "email": email }))
            .await
    }

    /// Connects with another account; answers the connection's id.
    pub(crate) async fn connect(&self, other: &Self) -> String {
        let invited = self.invite(&other.email).await.expect(201);
        let id = text(&invited, "id");
        let accept = format!("/v1/connections/{id}/accept");
        other.post(&accept, &json!({})).await.expect(200);
        id
    }

    /// Proposes to pair an own agent with another's.
    pub(crate) async fn propose(
        &self,
        connection: &str,
        [mine, theirs]: [&str; 2],
        permission: &str,
    ) -> Answer {
        // The published contract names them by id, and whoever types them by slug.
        let body =
            json!({ "my_agent_id": mine, "their_agent_id": theirs, "permission": permission });
        self.post(&format!("/v1/connections/{connection}/pairings"), &body)
            .await
    }

    /// Pairs an own agent with another's; answers the pairing's id.
    pub(crate) async fn pair(
        &self,
        other: &Self,
        connection: &str,
        agents: [&str; 2],
        permission: &str,
    ) -> String {
        let made = self.propose(connection, agents, permission).await;
        let id = text(&made.expect(201), "id");
        other.confirm(&id).await.expect(200);
        id
    }

    pub(crate) async fn confirm(&self, pairing: &str) -> Answer {
        let path = format!("/v1/pairings/{pairing}/confirm");
        self.post(&path, &json!({})).await
    }

    /// Sends a small file.
    pub(crate) async fn send(
        &self,
        sender: &str,
        recipient: &str,
        more: &[(&'static str, &str)],
    ) -> Answer {
        let mut fields = vec![("sender", sender), ("recipient", recipient)];
        fields.extend_from_slice(more);
        let files: [(&str, &[u8]); 1] = [("a.txt", b"0123456789")];
        self.http
            .form("/v1/transfers", &self.account.key, &fields, &files)
            .await
    }

    /// How many transfers wait for it.
    pub(crate) async fn waiting(&self) -> u64 {
        let inbox = self.get("/v1/transfers/inbox").await.expect(200);
        inbox["total"].as_u64().unwrap()
    }
}
