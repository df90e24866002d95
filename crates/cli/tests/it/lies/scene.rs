//! Two agents in folders of their own, and what lies between them and their server.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::atomic::{AtomicU32, Ordering};

use agentdrop_protocol::{AgentId, TransferId};
use agentdrop_testkit::hostile::lies::path_of;
use agentdrop_testkit::hostile::{Lie, Relay};
use agentdrop_testkit::http::Http;
use serde_json::{Value, json};
use tokio::runtime::{Handle, Runtime};

use crate::support::{Run, Sandbox, Serve, names};

/// What Alice sends: two files that are as long as each other.
pub(super) const FILES: [(&str, &[u8]); 2] = [
    ("pay.txt", b"PAY   10 to whoever can read this"),
    ("note.txt", b"PAY 9999 to nobody, and not today"),
];

/// What the server would have Bob receive.
pub(super) const FORGED: &[u8] = b"PAY 9999 to the server, at once";

/// One server for many scenes.
pub(super) struct Stage {
    runtime: Runtime,
    serve: Serve,
    _sandbox: Sandbox,
}

/// Alice, Bob, and a relay of their own, which lies when it is told to.
pub(super) struct Scene {
    pub(super) relay: Relay,
    pub(super) alice: AgentId,
    pub(super) bob: AgentId,
    sandbox: Sandbox,
    account_key: String,
    runtime: Handle,
    /// The server itself, past the relay.
    http: Http,
    sent: Option<TransferId>,
    /// Where the files are of what was sent before that.
    others: Vec<String>,
    /// What there is to say of it.
    listing: Value,
    /// A bundle that the server remembers.
    bundle: String,
    folders: u32,
}

impl Stage {
    pub(super) fn new() -> Self {
        let sandbox = Sandbox::new();
        let more = ["--signup", "open", "--requests-per-minute", "0"];
        Self {
            runtime: Runtime::new().unwrap(),
            serve: Serve::start_with(&sandbox, &more),
            _sandbox: sandbox,
        }
    }

    /// Two agents of an account of their own, who have not met.
    pub(super) fn scene(&self) -> Scene {
        self.registered("")
    }

    /// The same, of agents that keep to the formats of the published clients.
    pub(super) fn compatible(&self) -> Scene {
        self.registered("--compatible")
    }

    fn registered(&self, how: &str) -> Scene {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let http = Http::new(self.serve.url.clone());
        let runtime = self.runtime.handle().clone();
        let account = json!({ "name": "A", "email": format!("a{n}@example.org") });
        let made = runtime.block_on(http.post("/v1/accounts", "", &account));
        let sandbox = Sandbox::new();
        for (name, content) in FILES {
            sandbox.file(name, content);
        }
        let nobody = "019a9f3e-5c1a-7b2d-8e4f-a1b2c3d4e5f6".parse().unwrap();
        let mut scene = Scene {
            relay: runtime.block_on(Relay::before(&self.serve.url)),
            alice: nobody,
            bob: nobody,
            sandbox,
            account_key: text(&made.expect(201)["api_key"]),
            runtime,
            http,
            sent: None,
            others: Vec::new(),
            listing: Value::Null,
            bundle: String::new(),
            folders: 0,
        };
        scene.alice = scene.register(&format!("alice {how}"));
        scene.bob = scene.register(&format!("bob {how}"));
        scene
    }
}

impl Scene {
    /// Another agent of the account, in a folder of its name.
    pub(super) fn register(&self, agent: &str) -> AgentId {
        let name = agent.split(' ').next().unwrap();
        let line = format!("--json register {agent} --config-dir {name}");
        let mut command = self.sandbox.command(line.split_whitespace());
        command
            .env("AGENTDROP_SERVER", &self.relay.url)
            .env("AGENTDROP_API_KEY", &self.account_key);
        let made = Run::of(&mut command).expect(0).json();
        text(&made["agent_uuid"]).parse().unwrap()
    }

    /// Runs a line as an agent. `{id}` in it is the transfer, `{in}` the folder that is received into,
    /// and `{alice}` and `{bob}` are theirs.
    pub(super) fn run(&self, agent: &str, line: &str) -> Run {
        self.run_bytes(agent, line).into()
    }

    /// The same, of one whose output is no text.
    pub(super) fn run_bytes(&self, agent: &str, line: &str) -> Output {
        let mut line = line
            .replace("{in}", &self.target())
            .replace("{alice}", &self.alice.to_string())
            .replace("{bob}", &self.bob.to_string());
        if line.contains("{id}") {
            line = line.replace("{id}", &self.id().to_string());
        }
        write!(line, " --config-dir {agent}").unwrap();
        let mut command = self.sandbox.command(line.split_whitespace());
        command.output().unwrap()
    }

    /// Runs a line that has to succeed, as an agent, and answers its one object.
    #[track_caller]
    pub(super) fn json(&self, agent: &str, line: &str) -> Value {
        self.run(agent, &format!("--json {line}")).expect(0).json()
    }

    /// Alice sends Bob both files.
    pub(super) fn send(&mut self) {
        self.send_as("alice");
    }

    /// Somebody sends Bob both files.
    pub(super) fn send_as(&mut self, agent: &str) {
        let sent = self.json(agent, SEND);
        self.set_id(text(&sent["id"]).parse().unwrap());
    }

    /// Alice sends, and Bob receives: they have met.
    pub(super) fn meet(&mut self) {
        self.send();
        self.json("bob", "receive {id} --to before");
        fs::remove_dir_all(self.sandbox.path("before")).unwrap();
    }

    /// Something happens while the relay lies so, before it is looked at what comes of it.
    pub(super) fn while_lied_to(&mut self, lie: Lie, what: impl FnOnce(&mut Self)) {
        self.relay.lie(lie);
        what(self);
        self.relay.stop_lying();
    }

    /// What was sent last.
    pub(super) fn id(&self) -> TransferId {
        self.sent.unwrap()
    }

    /// From here on this is what was sent last.
    pub(super) fn set_id(&mut self, id: TransferId) {
        self.sent = Some(id);
    }

    /// From here on another folder is received into.
    pub(super) fn next_folder(&mut self) {
        self.folders += 1;
    }

    fn target(&self) -> String {
        format!("in{}", self.folders)
    }

    /// A path below the folder that commands run in.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.sandbox.path(name)
    }

    pub(super) fn file(&self, name: &str, content: &[u8]) {
        self.sandbox.file(name, content);
    }

    /// Whatever lies where Bob receives, hidden or not.
    pub(super) fn received(&self) -> Vec<String> {
        let target = self.path(&self.target());
        if target.exists() {
            names(&target)
        } else {
            Vec::new()
        }
    }

    /// Whatever lies there that is not hidden for its owner alone, to be gone on with.
    pub(super) fn placed(&self) -> Vec<String> {
        let mut placed = self.received();
        placed.retain(|name| {
            let path = self.path(&self.target()).join(name);
            let of = fs::symlink_metadata(path).unwrap();
            let is_ours = name.starts_with(".agentdrop-incoming-");
            !(is_ours && of.is_dir() && of.permissions().mode() & 0o777 == 0o700)
        });
        placed
    }

    /// Whether this is in a file where Bob receives, hidden or not.
    pub(super) fn has_received(&self, content: &[u8]) -> bool {
        let target = self.path(&self.target());
        target.exists() && is_below(&target, content)
    }

    /// Whether this is in a file anywhere here, hidden or not.
    pub(super) fn has_anywhere(&self, content: &[u8]) -> bool {
        is_below(&self.sandbox.path(""), content)
    }

    /// Checks that both files are there, where Bob receives, and nothing else.
    pub(super) fn expect_received(&self) {
        let mut expected = FILES.map(|(name, _)| name.to_owned());
        expected.sort();
        assert_eq!(self.received(), expected);
        for (name, content) in FILES {
            let path = self.path(&self.target()).join(name);
            assert!(fs::read(path).unwrap() == content, "{name} differs");
        }
    }

    /// The bundle of an agent, as the server has it.
    pub(super) fn bundle_of(&self, agent: AgentId) -> String {
        let path = format!("/v1/agents/{agent}/bundle");
        let said = self.http.get(&path, &self.account_key);
        text(&self.runtime.block_on(said).expect(200)["bundle"])
    }

    /// A prekey of an agent.
    pub(super) fn prekey_of(&self, agent: AgentId) -> Value {
        let path = format!("/v1/agents/{agent}/prekeys/claim");
        let said = self.http.post(&path, &self.account_key, &Value::Null);
        self.runtime.block_on(said).expect(200)["prekey"].clone()
    }

    /// Alice sends twice, and the server remembers what there is to say of the first.
    pub(super) fn send_two(&mut self) {
        self.send();
        let path = format!("/v1/transfers/{}", self.id());
        self.listing = self.asked_by_bob(&path);
        let grant = self.asked_by_bob(&format!("{path}/download"));
        let files = grant["files"].as_array().unwrap().iter();
        let urls = files.map(|it| self.through_relay(&text(&it["download_url"])));
        self.others = urls.collect();
        self.send();
    }

    /// What the server answers to Bob's key, past the relay.
    fn asked_by_bob(&self, path: &str) -> Value {
        let config = fs::read(self.path("bob/config.json")).unwrap();
        let config: Value = serde_json::from_slice(&config).unwrap();
        let said = self.http.get(path, config["api_key"].as_str().unwrap());
        self.runtime.block_on(said).expect(200)
    }

    /// What there is to say of the first of two.
    pub(super) fn listing(&self) -> Value {
        self.listing.clone()
    }

    /// Where the files of the first of two are.
    pub(super) fn others(&self) -> Vec<String> {
        self.others.clone()
    }

    /// The server remembers a bundle.
    pub(super) fn remember(&mut self, bundle: String) {
        self.bundle = bundle;
    }

    /// The bundle that the server remembers.
    pub(super) fn remembered(&self) -> String {
        self.bundle.clone()
    }

    /// The key in the bundle of this agent was made in another year, so that another is due.
    pub(super) fn age_keys(&self, agent: &str) {
        let path = self.path(agent).join("keys.json");
        let mut keys: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        keys["kem"]["since"] = json!("2020-01-01T00:00:00Z");
        agentdrop_client::write_private(&path, keys.to_string().as_bytes()).unwrap();
    }

    fn through_relay(&self, url: &str) -> String {
        let query = url.split_once('?').map_or("", |(_, it)| it);
        format!("{}{}?{query}", self.relay.url, path_of(url))
    }
}

/// What Alice runs.
pub(super) const SEND: &str = "send bob pay.txt note.txt --keep --max-downloads 1000";

pub(super) fn text(value: &Value) -> String {
    let text = value.as_str();
    text.unwrap_or_else(|| panic!("{value}")).to_owned()
}

fn is_below(folder: &Path, content: &[u8]) -> bool {
    fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return is_below(&path, content);
        }
        // A socket, or what is gone by now, holds nothing.
        let bytes = fs::read(path).unwrap_or_default();
        bytes.windows(content.len()).any(|it| it == content)
    })
}
