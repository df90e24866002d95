//! Every operation that changes something is in the logs of those whom it concerns, and in them
//! alone.
//!
//! Driven by the API's document: an operation that it gains and that has no row in [`row`], or is
//! not tried below, fails the test.

use std::collections::BTreeSet;
use std::time::Duration;

use agentdrop_server::{Config, EmailVerification};
use agentdrop_testkit::engines::Engine;
use agentdrop_testkit::http::{Answer, send};
use agentdrop_testkit::server::{PASSWORD, TestAccount, TestServer, text};
use serde_json::{Value, json};

use crate::audit::log;
use crate::identity::{a_prekey, first_bundle, put as publish};
use crate::links::Link;
use crate::operations::operations;
use crate::parties::{Parties, Party};
use crate::uploads::{IN_PARTS, WHOLE, body as announcing, put, url};
use crate::world::{everything, until};

const KEY: &str = "B6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw=";

/// What an operation adds to the log of who asks for it, and to that of the other account that it
/// concerns; or why it adds nothing.
enum Row {
    Adds(&'static [&'static str], &'static [&'static str]),
    Nothing(#[expect(dead_code, reason = "for whoever reads the table")] &'static str),
}

fn row(operation: &str) -> Row {
    use Row::{Adds, Nothing};
    match operation {
        "account_delete" => Nothing("the log goes with the account"),
        "account_update" => Adds(&["account.updated"], &[]),
        "account_update of the password" | "password_resets_confirm" => {
            Adds(&["password.changed"], &[])
        }
        "account_update of both" => Adds(&["account.updated", "password.changed"], &[]),
        "accounts_create" => Adds(&["account.created"], &[]),
        "agent_keys_create" | "keys_create" => Adds(&["key.created"], &[]),
        "agent_keys_revoke" | "keys_revoke" => Adds(&["key.revoked"], &[]),
        "agents_connect" => Adds(&["agent.connected"], &[]),
        "agents_delete" => Adds(&["agent.deleted"], &[]),
        "agents_disconnect" => Adds(&["agent.disconnected"], &[]),
        "agents_register" => Adds(&["agent.registered"], &[]),
        "agents_rotate_key" => Adds(&["agent.key_rotated"], &[]),
        "agents_update" => Adds(&["agent.updated"], &[]),
        "bundles_publish" => Adds(&["agent.bundle_published"], &[]),
        "shield_analyze" => Nothing("nothing of it is kept"),
        "prekeys_add" | "prekeys_claim" => Nothing("keys for one envelope, which come and go"),
        // Whoever is blocked learns that the connection ended, and no more.
        "blocks_create" => Adds(
            &["account.blocked", "connection.revoked"],
            &["connection.revoked"],
        ),
        "blocks_delete" => Adds(&["account.unblocked"], &[]),
        "channels_create" => Adds(&["channel.created"], &["channel.created"]),
        "channels_revoke" => Adds(&["channel.revoked"], &["channel.revoked"]),
        "connections_accept" => Adds(&["connection.accepted"], &["connection.accepted"]),
        // Whether there is an account with the address is not to be learned.
        "connections_create" => Adds(&["connection.invited"], &[]),
        // Whoever sent it is not told.
        "connections_reject" => Adds(&["connection.rejected"], &[]),
        "connections_revoke" => Adds(&["connection.revoked"], &["connection.revoked"]),
        "downloads_acknowledge" | "links_acknowledge" => {
            Adds(&["transfer.delivered"], &["transfer.delivered"])
        }
        "downloads_create" | "links_download" => {
            Adds(&["transfer.downloaded"], &["transfer.downloaded"])
        }
        "email_verifications_confirm" | "links_verify" => Adds(&["account.verified"], &[]),
        "email_verifications_create" => {
            Nothing("a mail changes nothing until its link is followed")
        }
        "password_resets_create" => Nothing("anybody may ask, as often as anybody likes"),
        "pairings_confirm" => Adds(&["pairing.confirmed"], &["pairing.confirmed"]),
        "pairings_create" => Adds(&["pairing.proposed"], &["pairing.proposed"]),
        "pairings_revoke" => Adds(&["pairing.revoked"], &["pairing.revoked"]),
        "pairings_update" => Adds(&["pairing.changed"], &["pairing.changed"]),
        "receive_passwords_delete" => Adds(&["receive_password.removed"], &[]),
        "receive_passwords_set" => Adds(&["receive_password.set"], &[]),
        "sessions_create" => Adds(&["session.created"], &[]),
        "sessions_end" => Adds(&["session.ended"], &[]),
        "transfers_delete" => Adds(&["transfer.deleted"], &["transfer.deleted"]),
        "uploads_abort" => Adds(&["transfer.deleted"], &[]),
        "uploads_complete" => Nothing("the transfer is none before it is confirmed"),
        // Whoever receives it learns of it once it is there.
        "transfers_create" | "uploads_confirm" => {
            Adds(&["transfer.created"], &["transfer.received"])
        }
        "uploads_create" | "uploads_create_in_parts" => Adds(&["transfer.announced"], &[]),
        "uploads_put" => Nothing("the bytes of a transfer are none before it is confirmed"),
        other => panic!("{other} has no row here"),
    }
}

/// Two accounts, and the operations that were tried between them.
struct Trial {
    parties: Parties,
    tried: BTreeSet<String>,
}

impl Trial {
    /// Has one of the two run an operation, and checks what both logs gain.
    async fn run(
        &mut self,
        operation: &str,
        by: &Party,
        asked: impl Future<Output = Answer>,
    ) -> Value {
        let Parties { alex, jamie, .. } = &self.parties;
        let other = if by.account.id == alex.account.id {
            jamie
        } else {
            alex
        };
        let (own, others) = (
            self.length(&by.account).await,
            self.length(&other.account).await,
        );
        let answer = asked.await;
        let (mine, theirs) = match row(operation) {
            Row::Adds(mine, theirs) => (mine, theirs),
            Row::Nothing(_) => (&[][..], &[][..]),
        };
        assert!(answer.status < 300, "{operation}: {}", answer.json());
        let gained = self.behind(&by.account, own).await;
        assert_eq!(actions(&gained), mine, "{operation}");
        for entry in &gained {
            let request_id = answer.header("x-request-id");
            assert_eq!(entry["address"], "127.0.0.1", "{operation}");
            assert_eq!(entry["request_id"], request_id, "{operation}");
            assert_ne!(entry["actor"]["kind"], "account", "{operation}");
        }
        let told = self.behind(&other.account, others).await;
        assert_eq!(actions(&told), theirs, "{operation}");
        let account = json!({ "kind": "account", "id": by.account.id, "agent_id": null });
        for entry in &told {
            assert_eq!(entry["actor"], account, "{operation}");
            assert_eq!(entry["address"], json!(null), "{operation}");
            assert_eq!(entry["request_id"], json!(null), "{operation}");
        }
        let said = json!([gained, told]).to_string();
        for secret in [
            "@", "agd_", "ada_", "agt_", "ags_", "agl_", "a.txt", KEY, PASSWORD, "Jamie", "Alex",
            "hello",
        ] {
            assert!(!said.contains(secret), "{operation}: {secret} in {said}");
        }
        self.tried.insert(operation.to_owned());
        answer.json()
    }

    async fn length(&self, account: &TestAccount) -> usize {
        log(&self.parties.server, account).await.len()
    }

    /// What a log has beyond a length, oldest first.
    async fn behind(&self, account: &TestAccount, length: usize) -> Vec<Value> {
        let mut log = log(&self.parties.server, account).await;
        log.reverse();
        log.split_off(length)
    }
}

fn actions(entries: &[Value]) -> Vec<&str> {
    entries
        .iter()
        .map(|it| it["action"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn every_operation_that_changes_something_is_in_the_logs_it_concerns() {
    for engine in Engine::ALL {
        let require = |config: &mut Config| {
            config.email_verification = Some(EmailVerification::Required);
        };
        let parties = Parties::on(TestServer::start(engine, require).await).await;
        let mut trial = Trial {
            parties,
            tried: BTreeSet::new(),
        };
        let (alex, jamie) = (trial.parties.alex.clone(), trial.parties.jamie.clone());
        addresses(&mut trial, &alex, &jamie).await;
        let session = people(&mut trial, &alex).await;
        accounts_and_keys(&mut trial, &alex).await;
        agents(&mut trial, &alex).await;
        links(&mut trial, &alex, &jamie).await;
        trust(&mut trial, &alex, &jamie).await;
        deletion(&mut trial, &alex.with_key(session), &jamie).await;

        let changing = operations().into_iter().filter(|it| it.method != "GET");
        let changing: BTreeSet<_> = changing.map(|it| it.id).collect();
        let missing: Vec<_> = changing.difference(&trial.tried).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}

/// Both addresses are shown to be their accounts', one of them with a link that is mailed again.
async fn addresses(trial: &mut Trial, alex: &Party, jamie: &Party) {
    let http = trial.parties.server.http.clone();
    let path = "/v1/email-verifications";
    let confirm = format!("{path}/confirm");
    let first = link(trial, &jamie.email, "Confirm your address", "").await;
    let body = json!({ "token": first });
    http.post(&confirm, "", &body).await.expect(200);

    let first = link(trial, &alex.email, "Confirm your address", "").await;
    trial.parties.server.clock.advance(Duration::from_millis(1));
    let nothing = json!({});
    let asked = alex.post(path, &nothing);
    trial.run("email_verifications_create", alex, asked).await;
    let second = link(trial, &alex.email, "Confirm your address", &first).await;
    let body = json!({ "token": second });
    let confirmed = http.post(&confirm, "", &body);
    trial
        .run("email_verifications_confirm", alex, confirmed)
        .await;
}

/// Waits for a mail, another one than has this token; answers its token.
async fn link(trial: &Trial, email: &str, subject: &str, old: &str) -> String {
    let server = &trial.parties.server;
    let is_newer = async || server.mail_to(email, subject).await.token() != old;
    until("the link is mailed", is_newer).await;
    server.mail_to(email, subject).await.token()
}

/// Signing in and out, and passwords; answers a session.
async fn people(trial: &mut Trial, alex: &Party) -> String {
    let http = trial.parties.server.http.clone();
    let body = json!({ "email": alex.email });
    let asked = http.post("/v1/password-resets", "", &body);
    trial.run("password_resets_create", alex, asked).await;
    let token = link(trial, &alex.email, "Set a new password", "").await;
    let body = json!({ "token": token, "password": PASSWORD });
    let set = http.post("/v1/password-resets/confirm", "", &body);
    trial.run("password_resets_confirm", alex, set).await;

    let right = json!({ "email": alex.email, "password": PASSWORD });
    let signed_in = http.post("/v1/sessions", "", &right);
    let made = trial.run("sessions_create", alex, signed_in).await;
    let session = text(&made, "session_token");
    refusal(trial, alex).await;
    let signed_in = http.post("/v1/sessions", "", &right);
    let other = trial.run("sessions_create", alex, signed_in).await;
    let other = alex.with_key(text(&other, "session_token"));
    let ended = other.delete("/v1/sessions/current");
    trial.run("sessions_end", alex, ended).await;

    let renamed = json!({ "name": "hello", "require_encryption": false });
    let updated = alex.patch("/v1/account", &renamed);
    trial.run("account_update", alex, updated).await;
    let mut password = json!({ "password": PASSWORD, "current_password": PASSWORD });
    let person = alex.with_key(session.clone());
    let updated = person.patch("/v1/account", &password);
    trial
        .run("account_update of the password", alex, updated)
        .await;
    password["require_encryption"] = json!(false);
    let updated = person.patch("/v1/account", &password);
    trial.run("account_update of both", alex, updated).await;

    let path = "/v1/account/receive-password";
    let body = crate::receive_passwords::password(crate::receive_passwords::KEY);
    let set = http.request("PUT", path, &session).json(&body);
    trial.run("receive_passwords_set", alex, send(set)).await;
    let removed = person.delete(path);
    trial.run("receive_passwords_delete", alex, removed).await;
    session
}

/// Whoever did not know a password is in the log of its account, if not at once.
async fn refusal(trial: &Trial, alex: &Party) {
    let before = trial.length(&alex.account).await;
    let server = &trial.parties.server;
    let wrong = server.try_password(&alex.email, "a wrong one").await;
    wrong.expect_error(401, "UNAUTHORIZED");
    let written = async || trial.length(&alex.account).await > before;
    until("the refusal is in the log", written).await;
    let gained = trial.behind(&alex.account, before).await;
    assert_eq!(actions(&gained), ["session.refused"]);
    assert_eq!(gained[0]["actor"]["kind"], "anonymous");
    assert_eq!(gained[0]["address"], "127.0.0.1");
    assert_eq!(gained[0]["request_id"], wrong.header("x-request-id"));
}

/// Nobody's log tells that an account was deleted, and its own is gone.
async fn deletion(trial: &mut Trial, person: &Party, jamie: &Party) {
    assert!(matches!(row("account_delete"), Row::Nothing(_)));
    let server = &trial.parties.server;
    let before = trial.length(&jamie.account).await;
    let request = server
        .http
        .request("DELETE", "/v1/account", &person.account.key);
    let deleted = send(request.json(&json!({ "password": PASSWORD }))).await;
    deleted.expect(200);
    assert_eq!(trial.length(&jamie.account).await, before);
    let left = everything(server).await;
    let of_it = format!("account_id={}", person.account.id);
    for table in ["audit_entries", "audit_heads"] {
        let mut cells = left[table].iter().flat_map(|it| it.split('\u{1f}'));
        assert!(
            cells.clone().count() > 0 && !cells.any(|it| it == of_it),
            "{table}"
        );
    }
    trial.tried.insert("account_delete".to_owned());
}

async fn accounts_and_keys(trial: &mut Trial, alex: &Party) {
    let http = trial.parties.server.http.clone();
    let body = json!({ "name": "New", "email": "new@example.org" });
    let made = http.post("/v1/accounts", "", &body).await;
    let request_id = made.header("x-request-id").to_owned();
    let made = made.expect(201);
    let new = TestAccount {
        id: text(&made, "id"),
        key: text(&made, "api_key"),
    };
    let first = trial.behind(&new, 0).await;
    assert!(matches!(row("accounts_create"), Row::Adds(it, _) if actions(&first) == it));
    assert_eq!(first[0]["request_id"], request_id);
    trial.tried.insert("accounts_create".to_owned());

    let body = json!({ "name": "hello" });
    let made = trial
        .run("keys_create", alex, alex.post("/v1/api-keys", &body))
        .await;
    let path = format!("/v1/api-keys/{}", text(&made, "id"));
    trial.run("keys_revoke", alex, alex.delete(&path)).await;
}

async fn agents(trial: &mut Trial, alex: &Party) {
    let found = json!({ "localVerdict": { "threat": "HIGH", "score": 0.5 } });
    let analyzed = alex.post("/v1/shield/analyze", &found);
    trial.run("shield_analyze", alex, analyzed).await;
    let later = json!({ "agent_id": "later", "name": "hello" });
    let made = alex.post("/v1/agents/register", &later);
    let made = trial.run("agents_register", alex, made).await;
    let agent = alex.with_key(text(&made, "connection_token"));
    let key = json!({ "public_key": KEY });
    let connected = agent.post("/v1/agents/connect", &key);
    trial.run("agents_connect", alex, connected).await;
    let renamed = json!({ "name": "hello again" });
    let updated = alex.patch("/v1/agents/later", &renamed);
    trial.run("agents_update", alex, updated).await;
    let rotated = alex.post("/v1/agents/later/rotate-key", &key);
    trial.run("agents_rotate_key", alex, rotated).await;
    let shown = alex.get("/v1/agents/later").await.expect(200);
    let id = text(&shown, "id");
    let http = trial.parties.server.http.clone();
    let bundle = first_bundle(&id);
    let published = publish(&http, &alex.account.key, "later", &bundle);
    trial.run("bundles_publish", alex, published).await;
    let (path, prekey) = ("/v1/agents/later/prekeys", a_prekey(&id));
    let added = alex.post(path, &prekey);
    trial.run("prekeys_add", alex, added).await;
    let path = format!("{path}/claim");
    let claimed = http.request("POST", &path, &alex.account.key);
    trial.run("prekeys_claim", alex, send(claimed)).await;
    let made = alex.post("/v1/agents/later/keys", &renamed);
    let made = trial.run("agent_keys_create", alex, made).await;
    let path = format!("/v1/agents/later/keys/{}", text(&made, "id"));
    trial
        .run("agent_keys_revoke", alex, alex.delete(&path))
        .await;
    let nothing = json!({});
    let wiped = alex.post("/v1/agents/later/disconnect", &nothing);
    trial.run("agents_disconnect", alex, wiped).await;
    trial
        .run("agents_delete", alex, alex.delete("/v1/agents/later"))
        .await;
}

/// What was sent to people is fetched by the link that was mailed to them.
async fn links(trial: &mut Trial, alex: &Party, jamie: &Party) {
    let http = trial.parties.server.http.clone();
    let server = &trial.parties.server;
    let key = &alex.account.key;
    let session = server.session_of(&jamie.account).await;
    let body = crate::receive_passwords::password(crate::receive_passwords::KEY);
    let set = crate::receive_passwords::put(server, &session, &body).await;
    set.expect(200);
    let link = Link::sealed(server, key, "data-pipeline", &jamie.email).await;
    let path = format!("/v1/d/{}", link.token);
    let (download, ack, nothing) = (
        format!("{path}/downloads"),
        format!("{path}/ack"),
        json!({}),
    );
    let taken = http.post(&download, "", &nothing);
    let grant = trial.run("links_download", jamie, taken).await;
    let received = json!({ "download_id": grant["download_id"], "status": "received" });
    let said = http.post(&ack, "", &received);
    trial.run("links_acknowledge", jamie, said).await;

    let server = &trial.parties.server;
    let body = json!({ "name": "Pat", "email": "pat@example.org", "password": PASSWORD });
    let made = http.post("/v1/accounts", "", &body).await.expect(201);
    let session = server.sign_in("pat@example.org").await;
    let mut pat = alex.with_key(text(&made, "api_key"));
    pat.account.id = text(&made, "id");
    let link = Link::plain(server, key, "data-pipeline", "pat@example.org").await;
    let path = format!("/v1/d/{}/verify", link.token);
    let verified = http.post(&path, &session, &nothing);
    trial.run("links_verify", &pat, verified).await;
}

async fn connect(trial: &mut Trial, alex: &Party, jamie: &Party) -> String {
    let invited = trial
        .run("connections_create", alex, alex.invite(&jamie.email))
        .await;
    let path = format!("/v1/connections/{}", text(&invited, "id"));
    let (accept, nothing) = (format!("{path}/accept"), json!({}));
    trial
        .run("connections_accept", jamie, jamie.post(&accept, &nothing))
        .await;
    path
}

async fn trust(trial: &mut Trial, alex: &Party, jamie: &Party) {
    let nothing = json!({});
    let invited = trial
        .run("connections_create", alex, alex.invite(&jamie.email))
        .await;
    let reject = format!("/v1/connections/{}/reject", text(&invited, "id"));
    trial
        .run("connections_reject", jamie, jamie.post(&reject, &nothing))
        .await;

    let path = connect(trial, alex, jamie).await;
    let agents = json!({ "my_agent_id": "data-pipeline", "their_agent_id": "analysis-bot" });
    let pairings = format!("{path}/pairings");
    let proposed = trial
        .run("pairings_create", alex, alex.post(&pairings, &agents))
        .await;
    let id = text(&proposed, "id");
    trial
        .run("pairings_confirm", jamie, jamie.confirm(&id))
        .await;
    let pairing = format!("/v1/pairings/{id}");
    let terms = json!({ "permission": "send_only" });
    trial
        .run("pairings_update", alex, alex.patch(&pairing, &terms))
        .await;
    trial
        .run("pairings_confirm", jamie, jamie.confirm(&id))
        .await;
    let between = json!({ "agent_id": "data-pipeline", "target_agent_id": "analysis-bot" });
    let made = trial
        .run("channels_create", alex, alex.post("/v1/channels", &between))
        .await;
    let before = trial.length(&alex.account).await;
    alex.post("/v1/channels", &between).await.expect(200);
    assert_eq!(
        trial.length(&alex.account).await,
        before,
        "it is there already"
    );
    let channel = format!("/v1/channels/{}", text(&made, "id"));
    trial
        .run("channels_revoke", jamie, jamie.delete(&channel))
        .await;

    transfers(trial, alex, jamie).await;
    uploads(trial, alex).await;

    let session = trial.parties.server.sign_in(&jamie.email).await;
    let person = jamie.with_key(session);
    trial
        .run("pairings_revoke", jamie, person.delete(&pairing))
        .await;
    let ended = trial.run("connections_revoke", alex, alex.delete(&path));
    ended.await;
    let path = connect(trial, alex, jamie).await;
    let block = format!("{path}/block");
    trial
        .run("blocks_create", jamie, jamie.post(&block, &nothing))
        .await;
    let before = trial.length(&jamie.account).await;
    jamie.post(&block, &nothing).await.expect(200);
    assert_eq!(
        trial.length(&jamie.account).await,
        before,
        "it is blocked already"
    );
    let blocked = jamie.get("/v1/blocked").await.expect(200);
    let path = format!("/v1/blocked/{}", text(&blocked["blocked"][0], "id"));
    trial.run("blocks_delete", jamie, jamie.delete(&path)).await;
}

async fn uploads(trial: &mut Trial, alex: &Party) {
    let between = json!({ "sender": "data-pipeline", "recipient": "analysis-bot" });
    let body = announcing(&[("a.txt", 1)], &between);
    let announced = alex.post(WHOLE, &body);
    let announced = trial.run("uploads_create", alex, announced).await;
    let before = trial.length(&alex.account).await;
    let http = trial.parties.server.http.clone();
    let came = put(&http, &url(&announced, 0), b"x").await;
    assert_eq!(
        (came.status, trial.length(&alex.account).await),
        (200, before)
    );
    trial.tried.insert("uploads_put".to_owned());
    let path = format!("/v1/transfers/{}/confirm", text(&announced, "id"));
    let nothing = json!({});
    let confirmed = alex.post(&path, &nothing);
    trial.run("uploads_confirm", alex, confirmed).await;
    let body = announcing(&[("a.txt", 0)], &between);
    let announced = alex.post(IN_PARTS, &body);
    let announced = trial.run("uploads_create_in_parts", alex, announced).await;
    let file = &announced["files"][0];
    let (id, file_id) = (text(&announced, "id"), text(file, "file_id"));
    let path = format!("/v1/transfers/{id}/files/{file_id}");
    let (complete, abort) = (
        format!("{path}/complete-multipart"),
        format!("{path}/abort-multipart"),
    );
    let body = json!({ "upload_id": file["upload_id"], "parts": [] });
    let completed = alex.post(&complete, &body);
    trial.run("uploads_complete", alex, completed).await;
    let aborted = alex.post(&abort, &body);
    trial.run("uploads_abort", alex, aborted).await;
}

async fn transfers(trial: &mut Trial, alex: &Party, jamie: &Party) {
    let message = [("message", "hello")];
    let sent = alex.send("data-pipeline", "analysis-bot", &message);
    let sent = trial.run("transfers_create", alex, sent).await;
    let path = format!("/v1/transfers/{}", text(&sent, "id"));
    let (download, ack) = (format!("{path}/download"), format!("{path}/ack"));
    let grant = trial
        .run("downloads_create", jamie, jamie.get(&download))
        .await;
    let received = json!({ "download_id": grant["download_id"], "status": "received" });
    let said = jamie.post(&ack, &received);
    trial.run("downloads_acknowledge", jamie, said).await;
    let before = trial.length(&alex.account).await;
    jamie.post(&ack, &received).await.expect(200);
    assert_eq!(
        trial.length(&alex.account).await,
        before,
        "it was said already"
    );
    trial
        .run("transfers_delete", alex, alex.delete(&path))
        .await;
}
