//! Every operation, every place in a request that can name a thing, every caller that the thing is
//! not for: what is named answers like what is not there, and nothing is changed.
//!
//! All else in the request is the caller's own and good, so that the one name decides. Places come
//! from the API's document: one that [`is_name`] does not know fails the test.

use agentdrop_testkit::http::{Answer, send};
use agentdrop_testkit::server::{TestAccount, TestServer, text};
use reqwest::multipart;
use serde_json::{Value, json};

use super::{Ids, NO_SIMPLE, Neighbours, body};
use crate::links::Link;
use crate::operations::{Operation, operations};
use crate::uploads::Begun;
use crate::world::{assert_same, blobs, rows};

/// Where a request names a thing.
#[derive(Clone, Debug, PartialEq)]
enum Place {
    Path(String),
    Query(String),
    Body(String),
    Form(String),
    /// The acting agent.
    Header,
}

/// Whether a field of a query, a body or a form names what is there already.
fn is_name(operation: &str, field: &str) -> bool {
    match field {
        // The name of what is made.
        "agent_id" => operation != "agents_register",
        // The id of what is made, which its sender draws.
        "transfer_id" => !matches!(
            operation,
            "transfers_create" | "uploads_create" | "uploads_create_in_parts"
        ),
        // A label in a transfer, tried below, and a filter of a list.
        "sender" => operation != "transfers_create" && !operation.starts_with("uploads_"),
        "account" | "channel_id" | "download_id" | "my_agent_id" | "recipient"
        | "recipient_account" | "target_agent_id" | "their_agent_id" | "upload_id" => true,
        other => {
            let looks_like_one = other.ends_with("_id") || other.ends_with("_ids");
            assert!(!looks_like_one, "{operation}: {other} has no row here");
            false
        }
    }
}

fn places(operation: &Operation) -> Vec<Place> {
    let mut places: Vec<_> = operation
        .parameters("path")
        .into_iter()
        .map(Place::Path)
        .collect();
    let is_name = |field: &String| is_name(&operation.id, field);
    let queries = operation.parameters("query").into_iter();
    places.extend(queries.filter(is_name).map(Place::Query));
    let fields = |kind: &str| {
        let fields = operation.fields(kind).unwrap_or_default().into_iter();
        fields.map(|it| it.name).filter(is_name)
    };
    places.extend(fields("application/json").map(Place::Body));
    places.extend(fields("multipart/form-data").map(Place::Form));
    places.push(Place::Header);
    places
}

/// What of `ids` goes by this name.
fn id_of(ids: &Ids, name: &str) -> String {
    let found = match name {
        "account" | "recipient_account" => &ids.account,
        "agent" | "agent_id" | "my_agent_id" | "target_agent_id" | "their_agent_id"
        | "recipient" | "sender" => &ids.agent,
        "block_id" => &ids.block,
        "channel_id" => &ids.channel,
        "connection_id" => &ids.connection,
        "download_id" => &ids.download,
        "file_id" => &ids.file,
        "key_id" => &ids.key,
        "pairing_id" => &ids.pairing,
        "session_id" => &ids.session,
        "token" => &ids.token,
        "transfer_id" => &ids.transfer,
        "upload_id" => &ids.upload,
        other => panic!("{other} has no row here"),
    };
    found.clone()
}

/// A caller with one of everything of its own.
struct Outsider {
    key: String,
    own: Ids,
}

impl Outsider {
    /// Asks for an operation with all its own, but for one place that names something of `named`.
    async fn ask(
        &self,
        it: &Neighbours,
        operation: &Operation,
        place: &Place,
        named: &Ids,
    ) -> Answer {
        // An operation that changes something, and takes no notice of the acting agent, is not to
        // be done here.
        let is_header = *place == Place::Header;
        let nothing = Ids::of_nothing();
        let is_safe = operation.method == "GET" && operation.id != "downloads_create";
        let own = if is_header && !is_safe {
            &nothing
        } else {
            &self.own
        };
        let mut path = operation.path.clone();
        for name in operation.parameters("path") {
            let of = if *place == Place::Path(name.clone()) {
                named
            } else {
                own
            };
            let id = match &*name {
                "file_id" if operation.id.starts_with("uploads_") => of.announced_file.clone(),
                "transfer_id" if operation.id.starts_with("uploads_") => of.announced.clone(),
                _ => id_of(of, &name),
            };
            path = path.replace(&format!("{{{name}}}"), &id);
        }
        if let Place::Query(name) = place {
            path.extend(["?", name, "=", &id_of(named, name)]);
            if operation.id == "agents_resolve" && name == "account" {
                path.extend(["&agent_id=", &own.agent]);
            }
        } else if operation.id == "agents_resolve" {
            path.extend(["?agent_id=", &own.agent]);
        }
        let http = &it.world.server.http;
        let mut request = http.request(&operation.method, &path, &self.key);
        if is_header {
            request = request.header("x-agentdrop-agent", id_of(named, "agent"));
        }
        if operation.fields("multipart/form-data").is_some() {
            return send(request.multipart(form(own, place, named))).await;
        }
        if let Some(mut body) = body(&operation.id, own) {
            if is_header && !is_safe {
                // None takes it: an object without fields is a change to nothing, and logged.
                body = json!([]);
            } else if let Place::Body(name) = place {
                body[name] = Value::from(id_of(named, name));
                // A channel says nothing where nothing is encrypted.
                if name == "channel_id" {
                    body["is_encrypted"] = json!(true);
                }
            }
            request = request.json(&body);
        }
        send(request).await
    }
}

fn form(own: &Ids, place: &Place, named: &Ids) -> multipart::Form {
    let mut fields = vec![
        ("sender", own.agent.clone()),
        ("recipient", own.agent.clone()),
    ];
    if let Place::Form(name) = place {
        match fields.iter_mut().find(|it| it.0 == name) {
            Some(field) => field.1 = id_of(named, name),
            None => fields.push((
                if name == "channel_id" {
                    "channel_id"
                } else {
                    "recipient_account"
                },
                id_of(named, name),
            )),
        }
        // A channel and an account say nothing where the rest does not fit them.
        if name == "channel_id" {
            fields.push(("is_encrypted", "true".to_owned()));
        }
    }
    let form = multipart::Form::new();
    let form = fields
        .into_iter()
        .fold(form, |form, (name, it)| form.text(name, it));
    form.part(
        "files",
        multipart::Part::bytes(b"x".to_vec()).file_name("a"),
    )
}

#[tokio::test]
async fn a_name_of_anothers_thing_is_a_name_of_nothing_in_every_place() {
    for it in &Neighbours::each().await {
        let server = &it.world.server;
        let own = own(server, &it.stranger).await;
        let path = format!("/v1/agents/{}/keys", own.agent);
        let made = server
            .http
            .post(&path, &it.stranger.key, &json!({ "name": "ci" }))
            .await;
        let agent_key = text(&made.expect(201), "api_key");
        let session = server.session_of(&it.stranger).await;
        let sessions = server.http.get("/v1/sessions", &session).await.expect(200);
        let own = Ids {
            session: text(&sessions["sessions"][0], "id"),
            ..own
        };
        let callers = [it.stranger.key.clone(), agent_key, session].map(|key| {
            let own = own.clone();
            Outsider { key, own }
        });
        let by_slug = Ids {
            agent: it.ids.slug.clone(),
            ..it.ids.clone()
        };
        let before = (rows(server).await, blobs(server));
        let mut asked = 0;
        for operation in operations().into_iter().filter(Operation::takes_key) {
            for place in places(&operation) {
                for caller in &callers {
                    let missing = caller.ask(it, &operation, &place, &Ids::of_nothing()).await;
                    for named in [&it.ids, &by_slug] {
                        let what = format!("{} {place:?}", operation.id);
                        let foreign = caller.ask(it, &operation, &place, named).await;
                        assert_same(&what, &foreign, &missing);
                        asked += 1;
                    }
                    if matches!(place, Place::Path(_)) {
                        assert!(matches!(missing.status, 403 | 404), "{}", operation.id);
                    }
                }
            }
        }
        assert!(asked > 300, "{asked}");
        assert_eq!((rows(server).await, blobs(server)), before);

        // Whoever is named as the sender of an own transfer is a text, and not that agent.
        let fields = [("sender", &*it.ids.agent), ("recipient", "mallory")];
        let sent = it.sends(&it.stranger.key, &fields).await.expect(201);
        assert_eq!(sent["sender_agent_id"], Value::Null);
        assert_eq!(sent["sender_account_id"], it.stranger.id);
    }
}

/// One of everything of an account that has an agent `mallory`.
async fn own(server: &TestServer, account: &TestAccount) -> Ids {
    let (http, key) = (&server.http, &account.key);
    let second = server.agent(account, "second").await;
    let between = json!({ "agent_id": "mallory", "target_agent_id": "second" });
    let channel = http.post("/v1/channels", key, &between).await.expect(200);
    let files: [(&str, &[u8]); 1] = [("a", b"x")];
    let fields = [("sender", "mallory"), ("recipient", "mallory")];
    let sent = http
        .form("/v1/transfers", key, &fields, &files)
        .await
        .expect(201);
    let path = format!("/v1/transfers/{}/download", text(&sent, "id"));
    let grant = http.get(&path, key).await.expect(200);
    let path = format!("/v1/agents/{}/keys", text(&second, "id"));
    let made = http
        .post(&path, key, &json!({ "name": "ci" }))
        .await
        .expect(201);
    let me = http.get("/v1/agents/me", key).await.expect(200);
    let body = json!({ "email": me["account"]["email"] });
    let mut found = Vec::new();
    for _ in 0..2 {
        let peer = server.account().await;
        server.agent(&peer, "peer").await;
        let invited = http
            .post("/v1/connections", &peer.key, &body)
            .await
            .expect(201);
        let path = format!("/v1/connections/{}", text(&invited, "id"));
        let accept = format!("{path}/accept");
        http.post(&accept, key, &json!({})).await.expect(200);
        let pairing = json!({ "my_agent_id": "peer", "their_agent_id": "mallory" });
        let pairings = format!("{path}/pairings");
        let made = http.post(&pairings, &peer.key, &pairing).await.expect(201);
        found.push((path, text(&invited, "id"), text(&made, "id")));
    }
    let begun = Begun::new(http, key, ["mallory", "second"]).await;
    let block = format!("{}/block", found[1].0);
    http.post(&block, key, &json!({})).await.expect(200);
    let blocked = http.get("/v1/blocked", key).await.expect(200);
    let link = Link::plain(server, key, "mallory", &text(&body, "email")).await;
    let me = http.get("/v1/agents/mallory", key).await.expect(200);
    Ids {
        agent: text(&me, "id"),
        slug: "mallory".to_owned(),
        block: text(&blocked["blocked"][0], "id"),
        channel: text(&channel, "id"),
        connection: found[0].1.clone(),
        download: text(&grant, "download_id"),
        file: text(&grant["files"][0], "file_id"),
        key: text(&made, "id"),
        pairing: found[0].2.clone(),
        session: format!("ses_{NO_SIMPLE}"),
        token: link.token,
        transfer: text(&sent, "id"),
        announced: begun.transfer,
        announced_file: begun.file,
        upload: begun.upload,
        account: account.id.clone(),
    }
}
