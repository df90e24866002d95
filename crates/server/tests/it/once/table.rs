//! What has its effect once: a row for each.

use agentdrop_testkit::server::text;
use serde_json::{Value, json};

use crate::isolation::Trust;
use crate::parties::Party;
use crate::uploads::{IN_PARTS, WHOLE, body as announcing};
use crate::world::World;

pub(super) const KEY: &str = "B6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw=";

/// A request that has its effect once.
#[derive(Clone)]
pub(super) struct Row {
    pub(super) operation: &'static str,
    pub(super) path: String,
    pub(super) body: Value,
    /// Another good one; nothing, where there is no field.
    pub(super) other: Value,
    /// Where the effect is seen, and how many rows it adds.
    pub(super) effect: (&'static str, usize),
    /// Whose key it needs.
    pub(super) key: String,
}

/// A row for each operation that the document marks.
pub(super) async fn table(world: &World) -> Vec<Row> {
    let trust = Trust::of(world).await;
    let (token, unwanted) = (unused_token(world).await, unwanted(world).await);
    let key = &world.account.key;
    let row = |operation, path: &str, body, other, effect| Row {
        operation,
        path: path.to_owned(),
        body,
        other,
        effect,
        key: key.clone(),
    };
    let keys = json!({ "public_key": KEY });
    let other_keys = json!({ "public_key": KEY.replace("B6", "C6") });
    let named = |name| json!({ "name": name });
    let agent = |slug| json!({ "agent_id": slug });
    let email = |email| json!({ "email": email });
    let pair = |with| json!({ "my_agent_id": "alice", "their_agent_id": with });
    let between = |with| json!({ "agent_id": "alice", "target_agent_id": with });
    let pairings = format!("/v1/connections/{}/pairings", trust.connection);
    let block = format!("/v1/connections/{unwanted}/block");
    let mut rows = vec![
        row(
            "keys_create",
            "/v1/api-keys",
            named("a"),
            named("b"),
            ("api_keys", 1),
        ),
        row(
            "agent_keys_create",
            "/v1/agents/bob/keys",
            named("a"),
            named("b"),
            ("api_keys", 1),
        ),
        row(
            "agents_register",
            "/v1/agents/register",
            agent("new"),
            agent("newer"),
            ("agents", 1),
        ),
        Row {
            key: token,
            ..row(
                "agents_connect",
                "/v1/agents/connect",
                keys.clone(),
                other_keys.clone(),
                ("agent_keys", 1),
            )
        },
        row(
            "agents_rotate_key",
            "/v1/agents/bob/rotate-key",
            keys,
            other_keys,
            ("agent_keys", 1),
        ),
        row(
            "channels_create",
            "/v1/channels",
            between("bob"),
            between("dora"),
            ("channels", 1),
        ),
        row(
            "connections_create",
            "/v1/connections",
            email("x@example.org"),
            email("y@example.org"),
            ("connections", 1),
        ),
        row(
            "pairings_create",
            &pairings,
            pair("dora"),
            pair("dorian"),
            ("pairings", 1),
        ),
        row(
            "blocks_create",
            &block,
            json!({}),
            json!({ "reason": "other" }),
            ("blocks", 1),
        ),
        row(
            "transfers_create",
            "/v1/transfers",
            Value::Null,
            json!("other"),
            ("transfers", 1),
        ),
    ];
    rows.extend(uploads(world).await);
    rows
}

/// The rows of what comes by signed addresses.
async fn uploads(world: &World) -> Vec<Row> {
    let row = |operation, path: &str, body, other, added| Row {
        operation,
        path: path.to_owned(),
        body,
        other,
        effect: ("transfers", added),
        key: world.account.key.clone(),
    };
    let of = |name| announcing(&[(name, 1)], &json!({}));
    let confirm = unconfirmed(world).await;
    let other = json!({ "reason": "other" });
    vec![
        row("uploads_create", WHOLE, of("a"), of("b"), 1),
        row("uploads_create_in_parts", IN_PARTS, of("a"), of("b"), 1),
        row("uploads_confirm", &confirm, json!({}), other, 0),
    ]
}

/// What confirms a transfer whose files have come, to the last of their no bytes.
async fn unconfirmed(world: &World) -> String {
    let announced = world
        .post(IN_PARTS, &announcing(&[("a", 0)], &json!({})))
        .await;
    let announced = announced.expect(201);
    let (path, file) = (
        format!("/v1/transfers/{}", text(&announced, "id")),
        &announced["files"][0],
    );
    let complete = format!("{path}/files/{}/complete-multipart", text(file, "file_id"));
    let body = json!({ "upload_id": file["upload_id"], "parts": [] });
    world.post(&complete, &body).await.expect(200);
    format!("{path}/confirm")
}

/// A token that connects an agent.
async fn unused_token(world: &World) -> String {
    let later = json!({ "agent_id": "later" });
    let later = world.post("/v1/agents/register", &later).await.expect(201);
    text(&later, "connection_token")
}

/// A connection that is to be blocked.
async fn unwanted(world: &World) -> String {
    let mut owner = Party::new(&world.server, "Zed", "zed@example.org").await;
    let zed = owner.clone();
    owner.account = world.account.clone();
    owner.connect(&zed).await
}
