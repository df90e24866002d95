//! Mailed links by which people open what they were sent.

mod ends;
mod opening;
mod sign_up;

use agentdrop_testkit::http::Answer;
use agentdrop_testkit::mailbox::Mail;
use agentdrop_testkit::server::{TestServer, text};
use serde_json::{Value, json};

use crate::parties::Party;
use crate::receive_passwords::{KEY, password, put};
use crate::world::{World, until};

/// As the published client seals for a person.
const SEALED: [(&str, &str); 4] = [
    ("is_encrypted", "true"),
    ("encryption_algorithm", "X25519-HKDF-AES-256-GCM-A2H"),
    ("encrypted_key", KEY),
    (
        "encryption_salt",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    ),
];

/// A transfer to a person, and what the link has that was mailed to them.
pub(crate) struct Link {
    pub(crate) token: String,
    transfer: Value,
}

impl Link {
    /// To the owner of the world, who sets a receive password for it.
    pub(crate) async fn of(world: &World, session: &str) -> Self {
        let set = put(&world.server, session, &password(KEY)).await;
        set.expect(200);
        let account = world.get("/v1/account").await.expect(200);
        let (key, email) = (&world.account.key, text(&account, "email"));
        Self::sealed(&world.server, key, "alice", &email).await
    }

    /// To somebody who has the key [`KEY`].
    pub(crate) async fn sealed(server: &TestServer, key: &str, sender: &str, to: &str) -> Self {
        Self::sent(server, key, sender, to, &SEALED).await
    }

    /// To somebody who has none.
    pub(crate) async fn plain(server: &TestServer, key: &str, sender: &str, to: &str) -> Self {
        Self::sent(server, key, sender, to, &[]).await
    }

    async fn sent(
        server: &TestServer,
        key: &str,
        sender: &str,
        to: &str,
        more: &[(&'static str, &str)],
    ) -> Self {
        let mut fields = vec![("sender", sender), ("recipient", to)];
        fields.push(("mode", "agent-to-human"));
        fields.extend_from_slice(more);
        let files: [(&str, &[u8]); 1] = [("a.txt", b"0123456789")];
        let sent = server.http.form("/v1/transfers", key, &fields, &files);
        let transfer = sent.await.expect(201);
        let mail = mail_of(server, &transfer, "").await;
        let token = token_in(&mail, &transfer);
        Self { token, transfer }
    }

    /// Where the transfer is, to its two sides.
    fn path(&self) -> String {
        format!("/v1/transfers/{}", text(&self.transfer, "id"))
    }

    async fn show(&self, server: &TestServer) -> Answer {
        let path = format!("/v1/d/{}", self.token);
        server.http.get(&path, "").await
    }

    async fn download(&self, server: &TestServer) -> Answer {
        let path = format!("/v1/d/{}/downloads", self.token);
        server.http.post(&path, "", &json!({})).await
    }

    async fn ack(&self, server: &TestServer, grant: &Value) -> Answer {
        let path = format!("/v1/d/{}/ack", self.token);
        let body = json!({ "download_id": grant["download_id"], "status": "received" });
        server.http.post(&path, "", &body).await
    }

    async fn verify(&self, server: &TestServer, credential: &str) -> Answer {
        let path = format!("/v1/d/{}/verify", self.token);
        server.http.post(&path, credential, &json!({})).await
    }
}

/// The mail with a link to a transfer, which is about this.
async fn mail_of(server: &TestServer, transfer: &Value, subject: &str) -> Mail {
    let link = format!("{}/d/{}#agl_", server.url, text(transfer, "id"));
    let is_it = |it: &Mail| it.text.contains(&link) && it.header("Subject").contains(subject);
    let mut found = None;
    until("the link is mailed", async || {
        server.send_mails().await;
        found = server.mails().into_iter().rfind(is_it);
        found.is_some()
    })
    .await;
    found.unwrap()
}

fn token_in(mail: &Mail, transfer: &Value) -> String {
    let before = format!("/d/{}#", text(transfer, "id"));
    let (_, rest) = mail.text.split_once(&before).unwrap();
    rest.split('\'').next().unwrap().to_owned()
}

async fn enrol(server: &TestServer, person: &Party, key: &str) -> String {
    let session = server.session_of(&person.account).await;
    put(server, &session, &password(key)).await.expect(200);
    session
}
