//! A thousand malformed inputs for every operation, made from a seed: none makes the server fail,
//! each refusal is a documented one, and afterwards the server answers as before.

mod inputs;
mod wire;

use std::collections::BTreeMap;

use agentdrop_protocol::ErrorCode;
use agentdrop_testkit::engines::Engine;
use agentdrop_testkit::server::{TestServer, text};
use futures_util::StreamExt as _;
use futures_util::stream;
use serde_json::{Value, json};

use self::inputs::{Input, Maker, Target};
use self::wire::{Reply, Wire};
use super::{Things, row};
use crate::isolation::is_a_persons;
use crate::operations::operations;
use crate::world::World;

/// To find more, by hand: another number.
const SEED: u64 = 20_261_122;
const INPUTS: u64 = 1_000;
/// Connections at a time.
const CALLERS: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_malformed_inputs_an_operation_make_no_server_fail_on_sqlite() {
    try_all(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_malformed_inputs_an_operation_make_no_server_fail_on_postgres() {
    try_all(Engine::Postgres).await;
}

async fn try_all(engine: Engine) {
    let world = World::on(TestServer::start(engine, |_| {}).await).await;
    let things = &Things::of(world).await;
    let url = &things.world.server.url;
    let targets = targets(things).await;
    let mut idle: Vec<_> = (0..CALLERS).map(|_| Wire::new(url)).collect();
    for target in &targets {
        let of_callers = stream::iter(idle.drain(..).enumerate());
        let done = of_callers.map(|(n, wire)| async move { call(target, wire, n).await });
        let done: Vec<_> = done.buffer_unordered(CALLERS).collect().await;
        let mut statuses = BTreeMap::new();
        for (wire, seen) in done {
            idle.push(wire);
            for (status, count) in seen {
                *statuses.entry(status).or_insert(0) += count;
            }
        }
        assert_tried(target, &statuses);
    }
    things.world.get("/v1/agents").await.expect(200);
    things.world.get("/readyz").await.expect(200);
}

/// Nothing is shown by refusals that come before an operation looks at anything.
fn assert_tried(target: &Target, statuses: &BTreeMap<u16, u64>) {
    let id = &target.operation.id;
    assert_eq!(statuses.values().sum::<u64>(), INPUTS, "{id}");
    let too_many = statuses.get(&429).copied().unwrap_or_default();
    assert!(too_many < INPUTS / 2, "{id}: {statuses:?}");
    let refused: u64 = statuses.range(300..).map(|(_, count)| count).sum();
    let is_read = target.operation.method == "GET";
    assert!(is_read || refused > INPUTS / 2, "{id}: {statuses:?}");
}

/// One caller's share of the inputs of an operation; answers how often each status came.
async fn call(target: &Target, mut wire: Wire, caller: usize) -> (Wire, BTreeMap<u16, u64>) {
    let mut seen = BTreeMap::new();
    for n in (u64::try_from(caller).unwrap()..INPUTS).step_by(CALLERS) {
        let input = Maker::new(SEED, &target.operation.id, n).input(target);
        let reply = wire.send(&input).await;
        if let Err(why) = check(&reply, &input) {
            let shown = input.bytes.escape_ascii().to_string();
            let shown = shown.get(..2_000).unwrap_or(&shown);
            panic!(
                "{} input {n} of seed {SEED}: {why}\n{shown}",
                target.operation.id
            );
        }
        *seen.entry(reply.status).or_insert(0) += 1;
    }
    (wire, seen)
}

/// Whether a reply is one that the server may give to a malformed input.
fn check(reply: &Reply, input: &Input) -> Result<(), String> {
    if reply.injected {
        return Err("a header field was injected".to_owned());
    }
    if reply.followed && !input.is_framing {
        return Err("one request was answered twice".to_owned());
    }
    match reply.status {
        200..=299 => return Ok(()),
        // What is no HTTP is answered by what reads HTTP, which knows no envelope, or not at all.
        0 | 400 | 414 | 431 | 505 if input.is_framing && reply.body.is_empty() => return Ok(()),
        400..=499 => {}
        other => return Err(format!("{other}: {}", reply.shown())),
    }
    let body: Value = serde_json::from_slice(&reply.body)
        .map_err(|error| format!("{}: {error}: {}", reply.status, reply.shown()))?;
    let error = &body["error"];
    let code = error["code"].as_str().unwrap_or_default();
    let is_documented = ErrorCode::ALL
        .iter()
        .any(|it| (it.as_str(), it.status()) == (code, reply.status));
    let is_envelope = error["status"] == reply.status
        && error["message"].is_string()
        && error["request_id"].is_string();
    // What was sent is not sent back: it may be another's log or page that shows it.
    let is_short = reply.body.len() < 16_384;
    if is_documented && is_envelope && is_short {
        Ok(())
    } else {
        Err(format!(
            "{} is no envelope: {}",
            reply.status,
            reply.shown()
        ))
    }
}

/// Every operation, with what a good call of it has.
async fn targets(things: &Things) -> Vec<Target> {
    let world = &things.world;
    let later = json!({ "agent_id": "later" });
    let later = world.post("/v1/agents/register", &later).await.expect(201);
    let all = operations().into_iter().map(|operation| {
        let key = match &*operation.id {
            "agents_connect" => text(&later, "connection_token"),
            id if is_a_persons(id) => things.session.clone(),
            _ => world.account.key.clone(),
        };
        let good = match &*operation.id {
            // A request that is good but for a header deletes the account, and with it all that
            // the others need: there is no good one.
            "account_delete" => Some(json!({ "password": "a wrong one" })),
            id => row(id, things),
        };
        let parameters = things.parameters_of(&operation.id);
        Target::new(operation, key, good, &parameters)
    });
    all.collect()
}
