//! Two agents, the server, and what is between them.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use agentdrop_client::trust::{SentTransfers, Verdict};
use agentdrop_client::{Client, Identity, Incoming, NewAgent, Outgoing, Received, Result};
use agentdrop_protocol::{AgentId, TransferId};
use agentdrop_server::{CancellationToken, Config, Server, Signup};
use agentdrop_testkit::hostile::{Answered, Asked, Relay};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A server and two agents of one account, whose keys are published.
pub(super) struct World {
    pub(super) alice: Client,
    pub(super) bob: Client,
    /// Where Bob receives.
    pub(super) target: TempDir,
    relay: Relay,
    folder: TempDir,
    stop: CancellationToken,
    url: String,
    account_key: String,
}

impl World {
    pub(super) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::new(folder.path().join("data"));
        config.listen = ([127, 0, 0, 1], 0).into();
        config.signup = Some(Signup::Open);
        config.rates = None;
        let server = Server::start(&config).await.unwrap();
        let relay = Relay::before(&format!("http://{}", server.local_addr().unwrap())).await;
        let url = relay.url.clone();
        let stop = CancellationToken::new();
        tokio::spawn(server.run(stop.clone()));

        let account = json!({ "name": "a", "email": "a@example.org" });
        let account = http()
            .post(format!("{url}/v1/accounts"))
            .json(&account)
            .send()
            .await
            .unwrap();
        let account: Value = account.json().await.unwrap();
        let account_key = account["api_key"].as_str().unwrap().to_owned();
        let mut world = Self {
            alice: Client::builder(&url).build().unwrap(),
            bob: Client::builder(&url).build().unwrap(),
            target: tempfile::tempdir().unwrap(),
            relay,
            folder,
            stop,
            url,
            account_key,
        };
        world.alice = world.agent("alice", true).await;
        world.bob = world.agent("bob", true).await;
        world
    }

    /// An agent of the account; with keys that it can be verified by, if it is to have them.
    pub(super) async fn agent(&self, name: &str, verified: bool) -> Client {
        let owner = Client::builder(&self.url).api_key(self.account_key.parse().unwrap());
        let folder = self.identity(name);
        let mut new = NewAgent::new(name.parse().unwrap());
        if !verified {
            new = new.compatible();
        }
        owner.build().unwrap().register(&folder, new).await.unwrap();
        self.again(name)
    }

    /// An agent that is there, in a process of its own, as it were.
    pub(super) fn again(&self, name: &str) -> Client {
        let identity = Identity::load(&self.identity(name)).unwrap();
        Client::builder(&self.url)
            .identity(identity)
            .build()
            .unwrap()
    }

    /// Where the identity of an agent is.
    pub(super) fn identity(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// From here on the relay does this to every answer.
    pub(super) fn lie(&self, lie: impl FnMut(&Asked, Answered) -> Answered + Send + 'static) {
        self.relay.lie(lie);
    }

    /// From here on the relay is honest.
    pub(super) fn stop_lying(&self) {
        self.relay.stop_lying();
    }

    pub(super) fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        File::create(&path).unwrap().write_all(content).unwrap();
        path
    }

    /// Alice sends Bob a file of this name.
    pub(super) async fn send(&self, name: &str, content: &[u8]) -> Result<TransferId> {
        let path = self.file(name, content);
        let outgoing = Outgoing::to("bob".parse().unwrap()).file(path).keep();
        Ok(self.alice.send(outgoing).await?.transfer.id)
    }

    /// Bob receives.
    pub(super) async fn receive(&self, id: TransferId) -> Result<Received> {
        self.bob
            .receive(id, Incoming::into_folder(self.target.path()))
            .await
    }

    /// Forgets what is half received.
    pub(super) fn forget(&self) {
        for name in self.received().iter().filter(|it| it.starts_with('.')) {
            let path = self.target.path().join(name);
            let removed = if path.is_dir() {
                fs::remove_dir_all(&path)
            } else {
                fs::remove_file(&path)
            };
            // Whoever received ends with the last of its threads.
            removed
                .or_else(|it| if path.exists() { Err(it) } else { Ok(()) })
                .unwrap();
        }
    }

    /// How often a transfer was downloaded.
    pub(super) async fn downloads(&self, id: TransferId) -> u32 {
        self.bob.transfer(id).await.unwrap().downloads
    }

    /// Empties where Bob receives.
    pub(super) fn clear(&self) {
        self.forget();
        for name in self.received().iter().filter(|it| !it.starts_with('.')) {
            fs::remove_file(self.target.path().join(name)).unwrap();
        }
    }

    /// Where the files of a transfer are, for Bob.
    pub(super) async fn urls_of(&self, id: TransferId) -> Vec<String> {
        let key = self
            .bob
            .identity()
            .unwrap()
            .api_key()
            .unwrap()
            .expose_secret()
            .to_owned();
        let url = format!("{}/v1/transfers/{id}/download", self.url);
        let grant = http().get(url).bearer_auth(key).send().await.unwrap();
        let grant: Value = grant.json().await.unwrap();
        let files = grant["files"].as_array().unwrap().iter();
        files
            .map(|it| it["download_url"].as_str().unwrap().to_owned())
            .collect()
    }

    /// The bundle of an agent, as the server has it.
    pub(super) async fn bundle_of(&self, agent: AgentId) -> String {
        let url = format!("{}/v1/agents/{agent}/bundle", self.url);
        let said = http().get(url).bearer_auth(&self.account_key).send().await;
        let said: Value = said.unwrap().json().await.unwrap();
        said["bundle"].as_str().unwrap().to_owned()
    }

    /// A prekey of an agent, with its bundle.
    pub(super) async fn claim(&self, agent: AgentId) -> Value {
        let url = format!("{}/v1/agents/{agent}/prekeys/claim", self.url);
        let said = http().post(url).bearer_auth(&self.account_key).send().await;
        said.unwrap().json().await.unwrap()
    }

    /// What lies where Bob receives, hidden or not.
    pub(super) fn received(&self) -> Vec<String> {
        names(self.target.path())
    }

    pub(super) async fn prekeys_left(&self) -> u64 {
        let bob = self.bob.identity().unwrap().agent_uuid().unwrap();
        let url = format!("{}/v1/agents/{bob}/prekeys", self.url);
        let left = http().get(url).bearer_auth(&self.account_key).send().await;
        let left: Value = left.unwrap().json().await.unwrap();
        left["prekeys_left"].as_u64().unwrap()
    }

    /// Whether Alice believes that Bob says of a transfer that it is placed.
    pub(super) fn is_genuine(&self, id: TransferId, receipt: &[u8]) -> Result<bool> {
        let bob = self.bob.identity().unwrap().agent_uuid().unwrap();
        let sent = SentTransfers::open(&self.identity("alice"));
        let verdict = sent.check(id, bob, &[], receipt)?;
        Ok(verdict == Some(Verdict::Placed))
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Not ours: whoever looks behind the relay.
#[expect(
    clippy::disallowed_methods,
    reason = "it speaks to this machine, in the clear"
)]
fn http() -> reqwest::Client {
    reqwest::Client::new()
}

pub(super) fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|it| it.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
