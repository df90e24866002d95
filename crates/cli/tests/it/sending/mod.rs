//! Large files go in parts, and go on where they stopped.

mod inputs;
mod people;
mod resuming;

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::support::{self, Pair, Run, Sandbox, Serve, names};
use crate::way::Way;

const MIB: u64 = 1024 * 1024;
const PART: u64 = 8 * MIB;
/// Requests and their heads, of one run.
const TALK: u64 = 256 * 1024;

fn noise(bytes: u64) -> Vec<u8> {
    support::noise(usize::try_from(bytes).unwrap())
}

/// No envelope of a few files has more bytes.
const ENVELOPE: u64 = 8 * 1024;

/// How many bytes a file is sealed to, between agents; docs/protocol.md.
fn sealed(bytes: u64) -> u64 {
    let e = bytes.ilog2();
    let padded = bytes.next_multiple_of(1 << (e - e.ilog2() - 1));
    56 + padded + 16 * (padded / 16_384 + 1)
}

/// All of one file left, and its envelope.
#[track_caller]
fn assert_all_sent(sent: &Value, bytes: u64) {
    let envelope = sent["bytes_sent"].as_u64().unwrap() - sealed(bytes);
    assert!((1000..ENVELOPE).contains(&envelope), "{sent}");
}

/// Alice and Bob, and a way to their server that the test is in charge of.
struct Far {
    pair: Pair,
    way: Way,
}

impl Far {
    fn new() -> Self {
        Self::of(Pair::at)
    }

    /// The same, of agents that keep to the formats of the published clients.
    fn compatible() -> Self {
        Self::of(Pair::compatible_at)
    }

    fn of(pair: fn(Sandbox, Serve, &str) -> Pair) -> Self {
        let (sandbox, way) = (Sandbox::new(), Way::new());
        let more = ["--signup", "open", "--public-url", &way.url];
        let serve = Serve::start_with(&sandbox, &more);
        way.lead_to(&serve.url);
        let url = way.url.clone();
        Self {
            pair: pair(sandbox, serve, &url),
            way,
        }
    }

    /// Begins to send, as alice if nothing else is said.
    fn send(&self, line: &str) -> Child {
        let mut words = line.to_owned();
        if !line.contains("--config-dir") {
            words += " --config-dir alice";
        }
        let mut command = self.pair.sandbox.command(words.split_whitespace());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// Sends until so many bytes have passed since it began, and is killed.
    fn killed_after(&self, bytes: u64, line: &str) {
        self.way.hold_after(self.way.up() + bytes);
        let mut child = self.send(line);
        self.way.held();
        assert_eq!(child.try_wait().unwrap(), None, "it ended by itself");
        child.kill().unwrap();
        child.wait().unwrap();
        // What it had handed to the system would pass still, and be counted as the next one's.
        self.way.cut();
        self.way.let_pass();
    }

    /// What is kept of uploads.
    fn kept(&self) -> Vec<PathBuf> {
        let folder = self.pair.path("alice/uploads");
        let entries = fs::read_dir(folder).into_iter().flatten();
        entries.map(|it| it.unwrap().path()).collect()
    }

    fn received(&self, name: &str) -> Vec<u8> {
        let folder = self.pair.path("in");
        fs::remove_dir_all(&folder).ok();
        fs::create_dir_all(&folder).unwrap();
        self.pair.run("bob", "receive --to in").expect(0);
        assert_eq!(names(&folder).len(), 1, "{:?}", names(&folder));
        fs::read(folder.join(name)).unwrap()
    }
}

fn ended(child: Child) -> Run {
    child.wait_with_output().unwrap().into()
}
