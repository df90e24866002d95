//! What the published clients send to people.

use std::fs;
use std::process::Command;

use agentdrop_testkit::python::{client, python};

use super::{RECEIVE, World, content};
use crate::support::{Run, eventually};

/// The published client, unmodified: argv is the server, the account's key, a folder, and the files.
const PUBLISHED: &str = r#"
import sys
from agentdrop import AgentDrop
server, key, folder, *files = sys.argv[1:]
client = AgentDrop(api_key=key, api_base=server, config_dir=folder, shield=False)
if not client.agent_id:
    client.register("carol", name="Carol")
print(client.send("ann@example.org", files, message="hello", mode="agent-to-human")["id"])
"#;

#[test]
fn what_the_published_client_sends_is_opened() {
    let world = World::enrolled();
    let files = [
        ("empty", vec![]),
        ("large.bin", content(5_000_000)),
        ("größe.txt", b"x".to_vec()),
    ];
    let paths: Vec<_> = files
        .iter()
        .map(|(name, it)| world.pair.file(name, it))
        .collect();
    // The older one encrypts nothing for people, whatever they have: the server does.
    for (older, security) in [(None, "compatible"), (Some("0.3.0"), "sealed")] {
        let mut command = Command::new(python());
        command
            .args([
                "-c",
                PUBLISHED,
                &world.pair.serve.url,
                &world.pair.account_key,
            ])
            .arg(world.pair.path("carol"))
            .args(&paths);
        if let Some(version) = older {
            command.env("PYTHONPATH", client(version));
        }
        let sent = Run::of(&mut command).expect(0).stdout;
        let to = older.unwrap_or("newest");
        let id = sent.lines().last().unwrap();
        eventually("it is active", || {
            let shown = world.pair.owner(&format!("--json show {id}"));
            shown.expect(0).json()["status"] == "active"
        });
        let line = format!("open {id} --to {to} --password-stdin");
        let opened = world.typed(&line, RECEIVE).expect(0).json();
        let opened = &opened["received"][0];
        assert_eq!(opened["security"], security);
        assert_eq!(opened["message"], "hello");
        for (name, content) in &files {
            let path = world.pair.path(to).join(name);
            assert!(fs::read(path).unwrap() == *content, "{name} differs");
        }
    }
}
