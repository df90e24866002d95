//! Which crate may know which: the map in ARCHITECTURE.md, kept true.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Each crate with the crates of the workspace it may depend on. None knows `testkit`, which is
/// there for tests alone, nor `bench`, which is there to measure.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("bench", &["domain", "protocol", "shield", "store"]),
    ("cli", &["client", "protocol", "server"]),
    ("client", &["protocol", "seal", "shield"]),
    ("cobblestone", &[]),
    ("domain", &["protocol"]),
    ("envelope", &["cobblestone", "protocol"]),
    ("protocol", &[]),
    ("seal", &["cobblestone", "envelope", "protocol"]),
    (
        "server",
        &["cobblestone", "domain", "envelope", "protocol", "store"],
    ),
    ("shield", &["protocol"]),
    ("store", &["domain", "protocol"]),
    (
        "testkit",
        &[
            "client",
            "cobblestone",
            "domain",
            "envelope",
            "protocol",
            "seal",
            "server",
            "store",
        ],
    ),
];

/// What a crate must not reach, however indirectly.
const NEVER_REACH: &[(&str, &[&str])] = &[
    (
        "client",
        &[
            "agentdrop-domain",
            "agentdrop-server",
            "axum",
            "rusqlite",
            "tokio-postgres",
        ],
    ),
    (
        "domain",
        &["axum", "rand", "rusqlite", "tokio", "tokio-postgres"],
    ),
    (
        "protocol",
        &["axum", "reqwest", "rusqlite", "tokio", "tokio-postgres"],
    ),
    ("seal", &["tokio"]),
    (
        "server",
        &["agentdrop-client", "agentdrop-seal", "agentdrop-shield"],
    ),
    ("shield", &["mio", "reqwest", "tokio"]),
    ("store", &["agentdrop-seal", "axum"]),
];

/// What a crate must not name, though it reaches it through those that may.
const NEVER_NAME: &[(&str, &[&str])] =
    &[("cli", &["agentdrop-seal", "rusqlite", "tokio-postgres"])];

/// The one file that calls C.
const UNSAFE: &str = "seal/src/gcm.rs";

/// Each package with those its code is built on, whichever features are on.
type Edges = BTreeMap<String, BTreeSet<String>>;

#[test]
fn crates_know_only_what_they_may() {
    let (members, edges) = metadata();
    let expected = MAY_KNOW.iter().map(|(it, _)| ours(it));
    assert_eq!(members, expected.collect(), "a crate has no place yet");
    for (krate, may_know) in MAY_KNOW {
        let may_know: BTreeSet<_> = may_know.iter().map(|it| ours(it)).collect();
        for known in edges[&ours(krate)].intersection(&members) {
            assert!(may_know.contains(known), "{krate} must not know {known}");
        }
    }
}

#[test]
fn crates_do_not_reach_what_they_must_not() {
    let (_, edges) = metadata();
    for (krate, never) in NEVER_REACH {
        let (mut seen, mut todo) = (BTreeSet::new(), vec![(ours(krate), ours(krate))]);
        while let Some((next, way)) = todo.pop() {
            assert!(!never.contains(&&*next), "{krate} reaches {next}: {way}");
            for further in &edges[&next] {
                if seen.insert(further) {
                    todo.push((further.clone(), format!("{way} > {further}")));
                }
            }
        }
    }
    for (krate, never) in NEVER_NAME {
        let named = &edges[&ours(krate)];
        for it in *never {
            assert!(!named.contains(*it), "{krate} names {it}");
        }
    }
}

#[test]
fn only_one_file_is_unsafe() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    // Put together here, or this file would be found.
    let signs = ["{", "extern", "fn", "impl", "trait"].map(|it| ["unsafe", it].join(" "));
    let mut folders = vec![crates.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "rs") && path != crates.join(UNSAFE) {
                let text = std::fs::read_to_string(&path).unwrap();
                let found = signs.iter().find(|it| text.contains(*it));
                assert_eq!(found, None, "in {}", path.display());
            }
        }
    }
}

fn ours(name: &str) -> String {
    format!("agentdrop-{name}")
}

/// The crates of the workspace, and what every package is built on.
fn metadata() -> (BTreeSet<String>, Edges) {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--format-version=1", "--all-features"]);
    let output = cargo.arg("--offline").output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");

    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let list = |it: &Value| it.as_array().unwrap().clone();
    let text = |it: &Value| it.as_str().unwrap().to_owned();
    let names: BTreeMap<_, _> = list(&metadata["packages"])
        .iter()
        .map(|it| (text(&it["id"]), text(&it["name"])))
        .collect();
    let members = list(&metadata["workspace_members"]);
    let members = members.iter().map(|it| names[&text(it)].clone()).collect();

    let mut edges = Edges::new();
    for node in list(&metadata["resolve"]["nodes"]) {
        // Two versions of a package count as one.
        let known = edges.entry(names[&text(&node["id"])].clone()).or_default();
        for dep in list(&node["deps"]) {
            let kinds = list(&dep["dep_kinds"]);
            if kinds.iter().any(|it| it["kind"].is_null()) {
                known.insert(names[&text(&dep["pkg"])].clone());
            }
        }
    }
    (members, edges)
}
