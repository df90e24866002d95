//! The document of the API: frozen, complete, and true to what is served.

use std::collections::BTreeSet;
use std::path::PathBuf;

use agentdrop_testkit::server::TestServer;
use serde_json::Value;

use crate::operations::{Operation, document, operations};

/// Where the document is kept for those who read it without running a server.
fn kept() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json")
}

/// What the document says is a promise. To change it on purpose, run this test with `UPDATE=1` and
/// read the difference in `docs/openapi.json` before it is committed.
#[test]
fn the_document_is_the_one_that_is_kept() {
    let made = agentdrop_server::openapi() + "\n";
    if std::env::var_os("UPDATE").is_some() {
        write(&made);
    }
    let kept = std::fs::read_to_string(kept()).unwrap_or_default();
    assert!(
        kept == made,
        "docs/openapi.json is not what the code says: run this test with UPDATE=1"
    );
}

#[expect(clippy::disallowed_methods, reason = "the document is public")]
fn write(document: &str) {
    std::fs::write(kept(), document).unwrap();
}

#[tokio::test]
async fn a_server_answers_the_document() {
    for server in TestServer::each().await {
        let served = server.http.get("/openapi.json", "").await;
        assert_eq!(served.expect(200), document());
        assert_eq!(served.header("content-type"), "application/json");
    }
}

#[test]
fn every_reference_in_it_leads_somewhere() {
    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(it) => {
                if let Some(Value::String(to)) = it.get("$ref") {
                    found.insert(to.clone());
                }
                it.values().for_each(|it| references(it, found));
            }
            Value::Array(it) => it.iter().for_each(|it| references(it, found)),
            _ => {}
        }
    }
    let (document, mut found) = (document(), BTreeSet::new());
    references(&document, &mut found);
    assert!(found.len() > 20, "{found:?}");
    for reference in found {
        let pointer = reference.trim_start_matches('#');
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

/// The wire's spellings are lower case, but for names of algorithms and codes of errors.
#[test]
fn its_choices_are_spelled_as_on_the_wire() {
    let (document, mut choices) = (document(), 0);
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        let spelled = schema["enum"].as_array().into_iter().flatten();
        for it in spelled.map(|it| it.as_str().unwrap()) {
            choices += 1;
            // The published clients write a level as they name it.
            let is_other =
                ["ErrorCode", "ThreatLevel"].contains(&&**name) || name.ends_with("Algorithm");
            assert!(is_other || it == it.to_lowercase(), "{name}: {it}");
        }
    }
    assert!(choices > 30, "{choices}");
}

#[test]
fn every_operation_has_a_name_a_tag_and_an_answer() {
    let (document, mut names) = (document(), BTreeSet::new());
    for Operation { id, said, .. } in operations() {
        assert!(names.insert(id.clone()), "{id} is there twice");
        let tags = said["tags"].as_array().unwrap();
        assert_eq!(tags.len(), 1, "{id}");
        let summary = said["summary"].as_str().unwrap_or_default();
        assert!(!summary.is_empty(), "{id} has no summary");
        let answers = said["responses"].as_object().unwrap();
        let good = answers.iter().find(|(status, _)| status.starts_with('2'));
        let (_, good) = good.unwrap_or_else(|| panic!("{id} never succeeds"));
        let content = good["content"].as_object().unwrap();
        for (kind, it) in content {
            let described = it.get("schema").is_some() || kind == "application/octet-stream";
            assert!(described, "{id} answers {kind} of no schema");
        }
        for parameter in said["parameters"].as_array().into_iter().flatten() {
            let described = parameter["description"].as_str().unwrap_or_default();
            assert!(!described.is_empty(), "{id}: {parameter}");
        }
        let schemes = document["components"]["securitySchemes"]
            .as_object()
            .unwrap();
        for scheme in said["security"].as_array().into_iter().flatten() {
            for name in scheme.as_object().unwrap().keys() {
                assert!(schemes.contains_key(name), "{id}: {name}");
            }
        }
    }
}

#[tokio::test]
async fn every_path_of_it_is_served_and_refuses_other_methods() {
    for server in TestServer::each().await {
        let all = operations();
        let paths: BTreeSet<_> = all.iter().map(|it| &it.path).collect();
        for path in paths {
            let served: BTreeSet<_> = all.iter().filter(|it| it.path == *path).collect();
            let url = path.replace(['{', '}'], "");
            for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"] {
                let matched = served.iter().any(|it| it.method == method);
                let answer = agentdrop_testkit::http::send(server.http.request(method, &url, ""));
                let answer = answer.await;
                if matched {
                    assert_ne!(answer.status, 405, "{method} {path}");
                } else if answer.status == 405 {
                    answer.expect_error(405, "METHOD_NOT_ALLOWED");
                    let allowed = answer.header("allow");
                    for it in &served {
                        assert!(allowed.contains(&it.method), "{path}: {allowed}");
                    }
                }
            }
        }
    }
}

/// What a caller sends is bounded, and the document says how: of a text its length or its form, of
/// a number both ends, of a list how many.
#[test]
fn everything_that_is_sent_has_its_bounds() {
    fn walk(document: &Value, schema: &Value, place: &str, unbounded: &mut Vec<String>) {
        if let Some(to) = schema["$ref"].as_str() {
            let to = document.pointer(to.trim_start_matches('#')).unwrap();
            return walk(document, to, place, unbounded);
        }
        let said = |names: &[&str]| names.iter().any(|it| schema.get(*it).is_some());
        let is = |kind: &str| {
            let types = &schema["type"];
            types == kind
                || types
                    .as_array()
                    .is_some_and(|it| it.iter().any(|it| it == kind))
        };
        let bounded = [
            !is("string") || said(&["enum", "format", "pattern", "maxLength"]),
            !is("integer") || said(&["minimum"]),
            !is("integer") || said(&["maximum"]) || schema["format"] == "int64",
            !is("array") || said(&["maxItems"]),
        ];
        if bounded.contains(&false) {
            unbounded.push(format!("{place}: {schema}"));
        }
        for choice in ["allOf", "anyOf", "oneOf"] {
            for it in schema[choice].as_array().into_iter().flatten() {
                walk(document, it, place, unbounded);
            }
        }
        for (name, it) in schema["properties"].as_object().into_iter().flatten() {
            walk(document, it, &format!("{place}.{name}"), unbounded);
        }
        if is("array") {
            walk(document, &schema["items"], &format!("{place}[]"), unbounded);
        }
    }
    let (document, mut unbounded, mut walked) = (document(), Vec::new(), 0);
    for Operation { id, said, .. } in operations() {
        for parameter in said["parameters"].as_array().into_iter().flatten() {
            let place = format!("{id} {}", parameter["name"]);
            walk(&document, &parameter["schema"], &place, &mut unbounded);
            walked += 1;
        }
        let content = said["requestBody"]["content"].as_object();
        for body in content.into_iter().flat_map(|it| it.values()) {
            walk(&document, &body["schema"], &id, &mut unbounded);
            walked += 1;
        }
    }
    assert!(walked > 50, "{walked}");
    assert!(unbounded.is_empty(), "{unbounded:#?}");
}
