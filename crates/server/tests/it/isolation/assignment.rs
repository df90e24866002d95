//! What an answer has, sent back as input: ignored, whatever it is, and never stored.

use std::collections::BTreeSet;

use agentdrop_testkit::http::send;
use serde_json::{Value, json};

use super::{Ids, Neighbours, body};
use crate::operations::{Operation, document, operations};
use crate::world::everything;

/// Nothing else has these.
const TEXT: &str = "planted-by-a-caller";
const NUMBER: u64 = 987_654_321;

/// The names of all fields of all schemas: an answer has no other.
fn names() -> BTreeSet<String> {
    fn collect(schema: &Value, names: &mut BTreeSet<String>) {
        match schema {
            Value::Object(it) => {
                if let Some(fields) = it.get("properties").and_then(Value::as_object) {
                    names.extend(fields.keys().cloned());
                }
                it.values().for_each(|it| collect(it, names));
            }
            Value::Array(it) => it.iter().for_each(|it| collect(it, names)),
            _ => {}
        }
    }
    let (document, mut names) = (document(), BTreeSet::new());
    collect(&document["components"]["schemas"], &mut names);
    names
}

/// A body like the good one, for another thing of the kind.
fn another(mut body: Value, n: usize) -> Value {
    for (field, value) in [
        ("agent_id", format!("another-{n}")),
        ("email", format!("another-{n}@example.org")),
    ] {
        // Where it names what is there it is a UUID.
        if body[field].as_str().is_some_and(|it| it.len() < 30) {
            body[field] = json!(value);
        }
    }
    body
}

#[tokio::test]
async fn what_an_answer_has_is_no_input() {
    let all = names();
    assert!(all.len() > 80, "{all:?}");
    for it in &Neighbours::each().await {
        let (server, mut accepted) = (&it.world.server, 0);
        // Two of the owner's agents, for what takes two.
        let ids = Ids {
            slug: "alice".to_owned(),
            ..it.ids.clone()
        };
        for operation in operations() {
            let Some(fields) = operation.fields("application/json") else {
                continue;
            };
            // Its token is tried elsewhere.
            if operation.id == "agents_connect" {
                continue;
            }
            let good = body(&operation.id, &ids);
            let good = good.unwrap_or_else(|| panic!("{} has no row in `body`", operation.id));
            for (n, value) in [
                json!(TEXT),
                json!(NUMBER),
                json!(true),
                json!({ "a": TEXT }),
                json!([TEXT]),
            ]
            .into_iter()
            .enumerate()
            {
                let mut body = another(good.clone(), n);
                for name in all
                    .iter()
                    .filter(|name| fields.iter().all(|it| it.name != **name))
                {
                    body[name] = value.clone();
                }
                accepted += u64::from(ask(it, &operation, &body).await);
            }
        }
        assert!(accepted > 20, "{accepted}");
        let stored = everything(server).await;
        for (table, rows) in stored {
            let number = NUMBER.to_string();
            let row = rows
                .iter()
                .find(|row| row.contains(TEXT) || row.contains(&number));
            assert_eq!(row, None, "{table}");
        }
    }
}

/// Asks as the owner; answers whether it was done.
async fn ask(it: &Neighbours, operation: &Operation, body: &Value) -> bool {
    let http = &it.world.server.http;
    let request = http.request(
        &operation.method,
        &it.ids.path(operation),
        &it.world.account.key,
    );
    let answer = send(request.json(body)).await;
    let said = String::from_utf8(answer.bytes).unwrap();
    let id = &operation.id;
    assert!(
        matches!(answer.status, 200..=299 | 400..=410),
        "{id}: {} {said}",
        answer.status
    );
    // Nothing is wrong with a field that is none.
    assert!(
        answer.status != 400 || !said.contains("VALIDATION_ERROR"),
        "{id}: {said}"
    );
    assert!(
        !said.contains(TEXT) && !said.contains(&NUMBER.to_string()),
        "{id}: {said}"
    );
    answer.status < 300
}

#[tokio::test]
async fn a_form_has_no_more_fields_than_it_says() {
    let all = names();
    let create = operations()
        .into_iter()
        .find(|it| it.id == "transfers_create");
    let fields = create.unwrap().fields("multipart/form-data").unwrap();
    let unknown: Vec<_> = all
        .iter()
        .filter(|name| fields.iter().all(|it| it.name != **name))
        .collect();
    for it in &Neighbours::each().await {
        // As many as a form may have.
        for names in unknown.chunks(50) {
            let mut form = reqwest::multipart::Form::new()
                .text("sender", it.ids.agent.clone())
                .text("recipient", it.ids.agent.clone());
            for name in names {
                form = form.text((*name).clone(), TEXT);
            }
            let part = reqwest::multipart::Part::bytes(b"x".to_vec()).file_name("a");
            let http = &it.world.server.http;
            let request = http.request("POST", "/v1/transfers", &it.world.account.key);
            let answer = send(request.multipart(form.part("files", part))).await;
            let said = answer.expect(201).to_string();
            assert!(!said.contains(TEXT), "{said}");
        }
        let stored = everything(&it.world.server).await;
        let mut rows = stored.values().flatten();
        assert!(!rows.any(|row| row.contains(TEXT)));
    }
}
