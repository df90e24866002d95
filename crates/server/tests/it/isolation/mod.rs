//! What is not yours answers like what is not there: every operation, every id, every wrong key.

mod agents;
mod assignment;
mod matrix;
mod people;

use agentdrop_testkit::http::{Answer, send};
use agentdrop_testkit::server::{TestAccount, text};
use serde_json::{Value, json};

pub(crate) use self::people::is_a_persons;
use crate::bad_input::no_link;
use crate::identity::{a_prekey, first_bundle, put};
use crate::links::Link;
use crate::operations::{Operation, operations};
use crate::parties::Party;
use crate::uploads::{Begun, body as announcing};
use crate::world::{World, assert_same, blobs, file_url, rows};

const KEY: &str = "B6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw=";
/// Ids that nothing has.
const NO_UUID: &str = "019a9f3e-5c1a-7b2d-8e4f-a1b2c3d4e5f6";
const NO_SIMPLE: &str = "019a9f3e5c1a7b2d8e4fa1b2c3d4e5f6";

/// An account with one of everything, and another that wants it.
struct Neighbours {
    world: World,
    ids: Ids,
    /// What is still to be confirmed.
    begun: Begun,
    stranger: TestAccount,
    /// A connected account, whose agent is paired with one of the two.
    peer: TestAccount,
}

/// One of everything, or of nothing.
#[derive(Clone)]
struct Ids {
    agent: String,
    slug: String,
    block: String,
    channel: String,
    connection: String,
    download: String,
    file: String,
    key: String,
    pairing: String,
    session: String,
    /// Of a link to what was sent to its owner.
    token: String,
    transfer: String,
    /// What is still to be confirmed, its file, and how that comes.
    announced: String,
    announced_file: String,
    upload: String,
    account: String,
}

impl Ids {
    fn of_nothing() -> Self {
        Self {
            agent: NO_UUID.to_owned(),
            slug: "nobody".to_owned(),
            block: NO_UUID.to_owned(),
            channel: NO_UUID.to_owned(),
            connection: NO_UUID.to_owned(),
            download: format!("dl_{NO_SIMPLE}"),
            file: NO_UUID.to_owned(),
            key: format!("key_{NO_SIMPLE}"),
            pairing: NO_UUID.to_owned(),
            session: format!("ses_{NO_SIMPLE}"),
            token: no_link(),
            transfer: format!("tr_{NO_SIMPLE}"),
            announced: format!("tr_{NO_SIMPLE}"),
            announced_file: NO_UUID.to_owned(),
            upload: format!("up_{NO_SIMPLE}"),
            account: NO_UUID.to_owned(),
        }
    }

    fn path(&self, operation: &Operation) -> String {
        let mut path = operation.path.clone();
        if operation.id.starts_with("uploads_") {
            path = path.replace("{transfer_id}", &self.announced);
            path = path.replace("{file_id}", &self.announced_file);
        }
        for (name, value) in [
            ("agent", &self.agent),
            ("block_id", &self.block),
            ("channel_id", &self.channel),
            ("connection_id", &self.connection),
            ("download_id", &self.download),
            ("file_id", &self.file),
            ("key_id", &self.key),
            ("pairing_id", &self.pairing),
            ("session_id", &self.session),
            ("token", &self.token),
            ("transfer_id", &self.transfer),
        ] {
            path = path.replace(&format!("{{{name}}}"), value);
        }
        path
    }
}

/// What an account has with others: it is connected with one, and has blocked another.
pub(crate) struct Trust {
    pub(crate) peer: TestAccount,
    pub(crate) block: String,
    pub(crate) connection: String,
    pub(crate) pairing: String,
}

impl Trust {
    /// Pairs the world's bob with another account's `dora`, which has a `dorian`, too.
    pub(crate) async fn of(world: &World) -> Self {
        let account = world.account.clone();
        let mut owner = Party::new(&world.server, "Dora", "dora@example.org").await;
        let dora = owner.clone();
        owner.account = account;
        world.server.agent(&dora.account, "dora").await;
        world.server.agent(&dora.account, "dorian").await;
        let connection = owner.connect(&dora).await;
        let pairing = owner
            .pair(&dora, &connection, ["bob", "dora"], "both")
            .await;
        let pest = Party::new(&world.server, "Pest", "pest@example.org").await;
        let unwanted = text(&owner.invite("pest@example.org").await.expect(201), "id");
        let path = format!("/v1/connections/{unwanted}/accept");
        pest.post(&path, &json!({})).await.expect(200);
        let path = format!("/v1/connections/{unwanted}/block");
        owner.post(&path, &json!({})).await.expect(200);
        let blocked = owner.get("/v1/blocked").await.expect(200);
        Self {
            peer: dora.account,
            block: text(&blocked["blocked"][0], "id"),
            connection,
            pairing,
        }
    }
}

impl Neighbours {
    async fn each() -> Vec<Self> {
        let mut all = Vec::new();
        for world in World::each().await {
            let sent = world.sent(&[]).await;
            let grant = world.grant(&sent).await.expect(200);
            let between = json!({ "agent_id": "alice", "target_agent_id": "bob" });
            let channel = world.post("/v1/channels", &between).await.expect(200);
            let (key, _) = world.agent_key("bob").await;
            let trust = Trust::of(&world).await;
            let bundle = first_bundle(&text(&world.bob, "id"));
            let (http, owner) = (&world.server.http, &world.account.key);
            put(http, owner, "bob", &bundle).await.expect(200);
            let session = world.server.session_of(&world.account).await;
            let sessions = world.server.http.get("/v1/sessions", &session).await;
            let sessions = sessions.expect(200);
            let begun = Begun::new(http, owner, ["alice", "bob"]).await;
            let ids = Ids {
                agent: text(&world.bob, "id"),
                slug: "bob".to_owned(),
                block: trust.block,
                connection: trust.connection,
                pairing: trust.pairing,
                session: text(&sessions["sessions"][0], "id"),
                token: Link::of(&world, &session).await.token,
                channel: text(&channel, "id"),
                download: text(&grant, "download_id"),
                file: text(&grant["files"][0], "file_id"),
                key,
                transfer: text(&sent, "id"),
                announced: begun.transfer.clone(),
                announced_file: begun.file.clone(),
                upload: begun.upload.clone(),
                account: world.account.id.clone(),
            };
            let stranger = world.server.account().await;
            world.server.agent(&stranger, "mallory").await;
            all.push(Self {
                world,
                ids,
                begun,
                stranger,
                peer: trust.peer,
            });
        }
        all
    }

    async fn ask(&self, operation: &Operation, key: &str, ids: &Ids) -> Answer {
        let path = ids.path(operation);
        let mut request = self
            .world
            .server
            .http
            .request(&operation.method, &path, key);
        if let Some(body) = body(&operation.id, ids) {
            request = request.json(&body);
        }
        send(request).await
    }

    /// Sends as `key`, naming whom and what `ids` say.
    async fn sends(&self, key: &str, fields: &[(&'static str, &str)]) -> Answer {
        let files: [(&str, &[u8]); 1] = [("a", b"x")];
        let http = &self.world.server.http;
        http.form("/v1/transfers", key, fields, &files).await
    }
}

/// Every operation with every key.
fn with_each_of<'a>(keys: &'a [&'a str]) -> impl Iterator<Item = (Operation, &'a str)> {
    let all = operations().into_iter();
    all.flat_map(|operation| keys.iter().map(move |key| (operation.clone(), *key)))
}

/// What whoever has a link may do, whoever they are.
fn is_by_link(operation: &str) -> bool {
    matches!(
        operation,
        "links_acknowledge" | "links_download" | "links_show"
    )
}

/// What those may ask for that an agent is paired with.
fn is_for_peers(operation: &str) -> bool {
    matches!(operation, "bundles_show" | "prekeys_claim")
}

/// What an operation is to be asked with, so that it answers.
fn query_of(operation: &str) -> &'static str {
    match operation {
        "agents_resolve" => "?agent_id=bob",
        "recipients_show_public_key" => "?email=bob%40example.org",
        _ => "",
    }
}

fn body(operation: &str, ids: &Ids) -> Option<Value> {
    Some(match operation {
        "account_delete" => json!({ "password": "a wrong one" }),
        "account_update" | "accounts_create" | "keys_create" | "agent_keys_create"
        | "agents_update" => {
            json!({ "name": "x", "email": "taken@example.org" })
        }
        "agents_connect" | "agents_rotate_key" => json!({ "public_key": KEY }),
        "agents_register" => json!({ "agent_id": "x", "public_key": KEY }),
        "bundles_publish" => first_bundle(&ids.agent),
        "prekeys_add" => a_prekey(&ids.agent),
        "channels_create" => json!({ "agent_id": ids.agent, "target_agent_id": ids.slug }),
        "connections_create" | "password_resets_create" => json!({ "email": "x@example.org" }),
        "downloads_acknowledge" | "links_acknowledge" => {
            json!({ "download_id": ids.download, "status": "received" })
        }
        "email_verifications_confirm" => json!({ "token": no_link() }),
        "password_resets_confirm" => json!({ "token": no_link(), "password": "a new one" }),
        "sessions_create" => json!({ "email": "x@example.org", "password": "a wrong one" }),
        "pairings_create" => json!({ "my_agent_id": ids.agent, "their_agent_id": ids.slug }),
        "pairings_confirm" | "pairings_update" => json!({ "permission": "both" }),
        "receive_passwords_set" => crate::receive_passwords::password(KEY),
        "shield_analyze" => json!({ "localVerdict": { "threat": "LOW", "score": 0.5 } }),
        "uploads_abort" => json!({ "upload_id": ids.upload }),
        "uploads_complete" => json!({ "upload_id": ids.upload, "parts": [] }),
        "uploads_create" | "uploads_create_in_parts" => {
            let between = json!({ "sender": ids.agent, "recipient": ids.agent });
            announcing(&[("a", 1)], &between)
        }
        _ => return None,
    })
}

#[tokio::test]
async fn what_is_a_strangers_answers_like_what_is_not_there() {
    for it in &Neighbours::each().await {
        let session = it.world.server.session_of(&it.stranger).await;
        let before = (rows(&it.world.server).await, blobs(&it.world.server));
        let mut asked = 0;
        for (operation, key) in with_each_of(&[&it.stranger.key, &session]) {
            let names = operation.path.contains('{') || operation.id == "channels_create";
            if !names || is_by_link(&operation.id) {
                continue;
            }
            let missing = it.ask(&operation, key, &Ids::of_nothing()).await;
            assert_eq!(missing.status, 404, "{}", operation.id);
            let foreign = it.ask(&operation, key, &it.ids).await;
            assert_same(&operation.id, &foreign, &missing);
            // By its other name, and one id of a stranger among own ones.
            let by_slug = Ids {
                agent: it.ids.slug.clone(),
                ..it.ids.clone()
            };
            let foreign = it.ask(&operation, key, &by_slug).await;
            assert_same(&operation.id, &foreign, &missing);
            let own_agent = Ids {
                agent: "mallory".to_owned(),
                ..it.ids.clone()
            };
            if operation.path.contains("_id}") || operation.id == "channels_create" {
                let foreign = it.ask(&operation, key, &own_agent).await;
                assert_same(&operation.id, &foreign, &missing);
            }
            asked += 1;
        }
        assert!(asked > 15, "{asked}");
        assert_eq!(
            (rows(&it.world.server).await, blobs(&it.world.server)),
            before
        );
    }
}

/// Being connected, and paired with one agent, opens nothing but that.
#[tokio::test]
async fn what_is_a_peers_own_answers_like_what_is_not_there() {
    for it in &Neighbours::each().await {
        let session = it.world.server.session_of(&it.peer).await;
        let before = (rows(&it.world.server).await, blobs(&it.world.server));
        let nothing = Ids::of_nothing();
        // Less what it has a part in.
        let theirs = Ids {
            connection: nothing.connection.clone(),
            pairing: nothing.pairing.clone(),
            ..it.ids.clone()
        };
        let own_agent = Ids {
            agent: "dora".to_owned(),
            ..theirs.clone()
        };
        for (operation, key) in with_each_of(&[&it.peer.key, &session]) {
            if !operation.path.contains('{') || is_by_link(&operation.id) {
                continue;
            }
            let missing = it.ask(&operation, key, &nothing).await;
            assert_eq!(missing.status, 404, "{}", operation.id);
            let foreign = it.ask(&operation, key, &theirs).await;
            if is_for_peers(&operation.id) {
                foreign.expect(200);
                continue;
            }
            assert_same(&operation.id, &foreign, &missing);
            if operation.path.contains("_id}") {
                let foreign = it.ask(&operation, key, &own_agent).await;
                assert_same(&operation.id, &foreign, &missing);
            }
        }
        for list in ["/v1/transfers", "/v1/transfers/inbox"] {
            let (http, key) = (&it.world.server.http, &it.peer.key);
            assert_eq!(http.get(list, key).await.expect(200)["total"], 0);
        }
        assert_eq!(
            (rows(&it.world.server).await, blobs(&it.world.server)),
            before
        );
    }
}

#[tokio::test]
async fn a_strangers_names_are_no_names_in_fields_headers_and_queries() {
    for it in &Neighbours::each().await {
        let http = &it.world.server.http;
        let (key, none) = (&it.stranger.key, Ids::of_nothing());
        let before = (rows(&it.world.server).await, blobs(&it.world.server));

        // Recipients.
        let mut answers = Vec::new();
        for recipient in [&it.ids.agent, &it.ids.slug, &none.agent, &none.slug] {
            let fields = [("sender", "mallory"), ("recipient", recipient)];
            answers.push(it.sends(key, &fields).await);
            let account = [fields[0], fields[1], ("recipient_account", &it.ids.account)];
            answers.push(it.sends(key, &account).await);
        }
        // An own agent, said to be of another account.
        for account in [&it.ids.account, &none.account] {
            let fields = [
                ("sender", "x"),
                ("recipient", "mallory"),
                ("recipient_account", account),
            ];
            answers.push(it.sends(key, &fields).await);
        }
        for answer in &answers {
            answer.expect_error(403, "SHARE_REQUIRED");
            assert_same("recipient", answer, &answers[0]);
        }

        // Channels.
        let mut answers = Vec::new();
        for channel in [&it.ids.channel, &none.channel] {
            let fields = [
                ("sender", "mallory"),
                ("recipient", "mallory"),
                ("is_encrypted", "true"),
                ("channel_id", channel),
            ];
            answers.push(it.sends(key, &fields).await);
        }
        answers[0].expect_error(400, "VALIDATION_ERROR");
        assert_same("channel", &answers[0], &answers[1]);
        assert_eq!(
            (rows(&it.world.server).await, blobs(&it.world.server)),
            before
        );

        // The acting agent.
        for path in ["/v1/agents/me", "/v1/transfers/inbox", "/v1/transfers"] {
            let mut answers = Vec::new();
            for agent in [&it.ids.agent, &it.ids.slug, &none.agent, &none.slug] {
                let request = http.request("GET", path, key);
                answers.push(send(request.header("x-agentdrop-agent", agent)).await);
            }
            for answer in &answers {
                answer.expect_error(404, "NOT_FOUND");
                assert_same(path, answer, &answers[0]);
            }
        }

        // Queries.
        let email = it.world.get("/v1/agents/me").await.expect(200);
        let email = text(&email["account"], "email");
        let mut answers = Vec::new();
        for agent in [&it.ids.agent, &it.ids.slug, &none.agent, &none.slug] {
            let path = format!("/v1/agents/resolve?agent_id={agent}");
            answers.push(http.get(&path, key).await);
            for account in [&it.ids.account, &email, &none.account] {
                let path = format!("{path}&account={account}");
                answers.push(http.get(&path, key).await);
            }
        }
        for answer in &answers {
            answer.expect_error(404, "NOT_FOUND");
            assert_same("resolve", answer, &answers[0]);
        }
        for query in ["sender=alice", "recipient=bob", ""] {
            let path = format!("/v1/transfers?{query}");
            assert_eq!(http.get(&path, key).await.expect(200)["total"], 0);
        }
        let inbox = http.get("/v1/transfers/inbox", key).await.expect(200);
        assert_eq!(inbox["total"], 0);
        let channels = http.get("/v1/channels", key).await.expect(200);
        assert_eq!(channels["channels"], json!([]));
        let connections = http.get("/v1/connections", key).await.expect(200);
        assert_eq!(connections["connections"], json!([]));
        assert_eq!(connections["pending_incoming"], json!([]));
        let blocked = http.get("/v1/blocked", key).await.expect(200);
        assert_eq!(blocked["blocked"], json!([]));
        for (path, list) in [
            ("/v1/agents", "agents"),
            ("/v1/agents/sendable", "agents"),
            ("/v1/api-keys", "keys"),
        ] {
            let found = http.get(path, key).await.expect(200);
            assert_eq!(found[list].as_array().unwrap().len(), 1, "{path}");
        }
    }
}

#[tokio::test]
async fn without_a_key_or_with_a_revoked_one_nothing_is_to_be_had() {
    for it in &Neighbours::each().await {
        let old = json!({ "name": "old" });
        let made = it.world.post("/v1/api-keys", &old).await.expect(201);
        let (agent_key_id, agent_key) = it.world.agent_key("alice").await;
        let path = format!("/v1/api-keys/{}", text(&made, "id"));
        it.world.delete(&path).await.expect(200);
        let path = format!("/v1/agents/alice/keys/{agent_key_id}");
        it.world.delete(&path).await.expect(200);
        let later = json!({ "agent_id": "later" });
        let later = it.world.post("/v1/agents/register", &later).await;
        let token = text(&later.expect(201), "connection_token");
        // A session that ended, one that is none, and a key with a wrong digit.
        let email = it.world.get("/v1/account").await.expect(200);
        let ended = it.world.server.sign_in(&text(&email, "email")).await;
        let end = it.world.server.http.delete("/v1/sessions/current", &ended);
        end.await.expect(200);
        let session = it.world.account.key.replace("agd_live_", "ags_");
        let mut typo = it.world.account.key.clone();
        let last = typo.pop().unwrap();
        typo.push(if last == 'x' { 'y' } else { 'x' });
        let before = (rows(&it.world.server).await, blobs(&it.world.server));
        for operation in operations().into_iter().filter(Operation::takes_key) {
            for ids in [&it.ids, &Ids::of_nothing()] {
                for none in ["", "agd_live_", &typo, &token, &session, &ended] {
                    let answer = it.ask(&operation, none, ids).await;
                    answer.expect_error(401, "UNAUTHORIZED");
                }
                for key in [&text(&made, "api_key"), &agent_key] {
                    let answer = it.ask(&operation, key, ids).await;
                    answer.expect_error(401, "KEY_REVOKED");
                }
            }
        }
        assert_eq!(
            (rows(&it.world.server).await, blobs(&it.world.server)),
            before
        );
    }
}

#[tokio::test]
async fn only_the_signed_address_is_an_address() {
    for it in &Neighbours::each().await {
        let sent = it.world.sent(&[]).await;
        let grant = it.world.grant(&sent).await.expect(200);
        let url = file_url(&grant, 0);
        let http = &it.world.server.http;
        assert_eq!(http.get(&url, "").await.bytes, b"0123456789");
        let (address, query) = url.split_once('?').unwrap();
        let (expires, signature) = query.split_once('&').unwrap();
        let other_file = address.replace(&text(&grant["files"][0], "file_id"), &it.ids.file);
        let other_grant = address.replace(&text(&grant, "download_id"), &it.ids.download);
        let mut bad = vec![
            address.to_owned(),
            format!("{address}?{expires}"),
            format!("{address}?{signature}"),
            format!("{address}?{expires}&signature="),
            format!("{address}?expires=&{signature}"),
            format!("{address}?{expires}0&{signature}"),
            format!("{address}?{}&{signature}", expires.replace('=', "=%2B")),
            format!("{address}?{}&{signature}", expires.replace('=', "=0")),
            format!("{address}?{}&{signature}", expires.replace('=', "=-")),
            format!("{address}?{}&{signature}", expires.replace('=', "=%20")),
            format!("{address}?expires=9999999999999&{signature}"),
            format!("{address}?{expires}&{signature}="),
            format!("{address}?{expires}&{signature}A"),
            format!("{address}?{expires}&{signature}%00"),
            format!("{url}&{expires}"),
            format!("{url}&{signature}"),
            format!("{other_file}?{query}"),
            format!("{other_grant}?{query}"),
            url.replace("dl_", "DL_"),
        ];
        for at in 0..signature.len() {
            let (mut changed, from) = (signature.to_owned().into_bytes(), "signature=".len());
            if at >= from {
                changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
                let changed = String::from_utf8(changed).unwrap();
                bad.push(format!("{address}?{expires}&{changed}"));
            }
        }
        assert!(bad.len() > 60);
        for bad in bad {
            let answer = http.get(&bad, &it.world.account.key).await;
            assert_eq!(answer.status, 404, "{bad}");
            answer.expect_error(404, "NOT_FOUND");
        }
    }
}
