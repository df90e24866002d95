//! Our command line and the published client, from one to the other and back.

use std::path::{Path, PathBuf};
use std::process::Command;

use agentdrop_testkit::python::python;
use serde_json::Value;
use tempfile::TempDir;

use crate::child::Child;
use crate::model::content;

/// An empty file, one that takes many reads, and one with a name in several scripts.
const FILES: [(&str, usize); 3] = [
    ("empty.bin", 0),
    ("five.bin", 5_000_000),
    ("größe – 数据.txt", 5),
];

/// A server, and a folder with the files and the identities of agents.
struct Both {
    server: Child,
    account_key: String,
    folder: TempDir,
}

impl Both {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("agentdrop.db");
        let database = format!("sqlite://{}", database.display());
        let server = Child::start(&folder.path().join("data"), &database).await;
        std::fs::create_dir(folder.path().join("out")).unwrap();
        for (name, size) in FILES {
            std::fs::File::create(folder.path().join("out").join(name))
                .and_then(|mut it| std::io::Write::write_all(&mut it, &content(name, size)))
                .unwrap();
        }
        Self {
            account_key: server.account().await,
            server,
            folder,
        }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Makes an agent with our command line.
    fn register(&self, agent: &str, more: &[&str]) {
        let mut command = self.command(agent, &[&["register", agent], more].concat());
        run(command.env("AGENTDROP_API_KEY", &self.account_key));
    }

    /// Runs our command line as an agent.
    fn ours(&self, agent: &str, arguments: &[&str]) -> String {
        run(&mut self.command(agent, arguments))
    }

    fn command(&self, agent: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_agentdrop"));
        command
            .args(arguments)
            .env("AGENTDROP_SERVER", &self.server.url)
            .env("AGENTDROP_CONFIG_DIR", self.at(agent))
            .env_remove("AGENTDROP_API_KEY")
            .current_dir(self.at("out"));
        command
    }

    /// Runs the published client as an agent, with this key.
    fn theirs(&self, agent: &str, key: &str, arguments: &[&str]) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/live/published_client.py");
        let mut command = Command::new(python());
        command
            .arg(script)
            .args([&*self.server.url, key])
            .arg(self.at(agent))
            .args(arguments)
            .current_dir(self.at("out"));
        run(&mut command);
    }

    /// Checks that all files are in a folder, and nothing else.
    fn check(&self, folder: &str) {
        let folder = self.at(folder);
        for (name, size) in FILES {
            assert!(
                std::fs::read(folder.join(name)).unwrap() == content(name, size),
                "{name} differs"
            );
        }
        assert_eq!(std::fs::read_dir(folder).unwrap().count(), FILES.len());
    }
}

fn named<'a>(line: &[&'a str]) -> Vec<&'a str> {
    [line, &FILES.map(|(name, _)| name)].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn files_go_to_the_published_client_and_back() {
    let both = Both::start().await;
    let key = &both.account_key;
    both.register("alice", &[]);
    both.theirs("carol", key, &["register"]);
    both.ours("alice", &named(&["send", "carol"]));
    both.theirs("carol", key, &["receive", "../theirs"]);
    both.check("theirs");
    both.theirs("carol", key, &named(&["send", "alice"]));
    both.ours("alice", &["receive", "--to", "../ours"]);
    both.check("ours");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_made_here_for_the_published_client_is_used_by_it() {
    let both = Both::start().await;
    both.register("alice", &[]);
    both.register("dave", &["--compatible"]);
    let config = std::fs::read(both.at("dave/config.json")).unwrap();
    let config: Value = serde_json::from_slice(&config).unwrap();
    // The key of this one agent, which it was given when it was made.
    let key = config["api_key"].as_str().unwrap();

    both.ours("alice", &named(&["send", "dave"]));
    both.theirs("dave", key, &["receive", "../theirs"]);
    both.check("theirs");
    both.theirs("dave", key, &named(&["send", "alice"]));
    both.ours("alice", &["receive", "--to", "../ours"]);
    both.check("ours");

    // And it is still one of ours.
    let sent = both.ours("alice", &named(&["-q", "send", "dave"]));
    both.ours("dave", &["receive", sent.trim(), "--to", "../again"]);
    both.check("again");
    let after: Value =
        serde_json::from_slice(&std::fs::read(both.at("dave/config.json")).unwrap()).unwrap();
    assert_eq!(after, config);
}

/// Runs it to its end, and answers what it printed.
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{command:?}: {out}\n{err}");
    out.into_owned()
}
