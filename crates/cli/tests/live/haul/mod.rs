//! One file, there and on, while whoever takes part in it is killed again and again.
//!
//! By hand, with a command that was built for release, it is a large one:
//!
//! ```sh
//! AGENTDROP_TEST_BINARY=$PWD/target/release/agentdrop AGENTDROP_TEST_HAUL_MIB=10240 \
//!     AGENTDROP_TEST_HAUL_INTERRUPTIONS=20 cargo test -p agentdrop-cli --test live haul -- --nocapture
//! ```
//!
//! It takes up to three times the room of the file in the temporary folder: what was sent is deleted
//! once the server has it, and the receiver has it sealed and opened for a while.

#![expect(clippy::print_stdout, reason = "it says what it measured")]

mod long_file;
mod watched;
mod way;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use agentdrop_protocol::wire::plans::Plan;
use agentdrop_store::{Store, Tx};
use agentdrop_testkit::engines::{Database, Engine, database};
use agentdrop_testkit::server::text;
use tempfile::TempDir;

use self::watched::{Ended, Watched, peak};
use self::way::{Direction, Way};
use crate::by_hand;
use crate::child::{Child, free_address};
use crate::model::Chance;

const MIB: u64 = 1024 * 1024;
/// The parts that a file is sent in, and how many are on their way at a time.
const PART: u64 = 8 * MIB;
const PARALLEL: u64 = 2;
/// What was on its way to a receiver and not on its disk: the buffers of two sockets and of the way.
const ON_THE_WAY: u64 = 8 * MIB;
/// What is said of a run beside the bytes of the file.
const TALK: u64 = 256 * 1024;
/// What a process may have of memory, whatever the length of the file.
const MEMORY_KIB: u64 = 40 * 1000 * 1000 / 1024;

/// All who take part.
struct Haul {
    folder: TempDir,
    data: PathBuf,
    database: Database,
    way: Way,
    server: Option<Child>,
    chance: Chance,
    /// The most memory of any server, in KiB.
    server_peak: u64,
}

/// What became of going one way.
#[derive(Debug, Default)]
struct Gone {
    passed: u64,
    /// How often a client, a server and the connection ended before their time.
    interruptions: [u64; 3],
    runs: u64,
    /// The most memory of any client, in KiB.
    client_peak: u64,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_goes_there_and_on_through_every_interruption() {
    let bytes = by_hand::said("AGENTDROP_TEST_HAUL_MIB", 96) * MIB + 12_345;
    let count: u64 = by_hand::said("AGENTDROP_TEST_HAUL_INTERRUPTIONS", 6);
    let seed: u64 = by_hand::said("AGENTDROP_TEST_HAUL_SEED", 0x5eed);
    let mut haul = Haul::start(seed).await;
    let (source, inbox) = (haul.at("large"), haul.at("in"));
    std::fs::create_dir(&inbox).unwrap();
    long_file::write(&source, seed, bytes);

    let line = ["send", "carol", "large", "--max-downloads", "1"];
    let up = haul.go(Direction::Up, ("alice", &line), bytes, count).await;
    std::fs::remove_file(&source).unwrap();
    let line = ["receive", "--all", "--to", "in"];
    let down = haul
        .go(Direction::Down, ("carol", &line), bytes, count)
        .await;

    haul.note_server_peak();
    let again = [&up, &down].map(|it| it.passed.saturating_sub(bytes));
    println!(
        "{bytes} bytes, seed {seed:#x}; sent: {up:?}, {} bytes again; received: {down:?}, {} bytes \
         again; the most of a server: {} KiB",
        again[0], again[1], haul.server_peak
    );
    let received = inbox.join("large");
    tokio::task::spawn_blocking(move || long_file::check(&received, seed, bytes))
        .await
        .unwrap();
    let left: Vec<_> = std::fs::read_dir(&inbox).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
    // Each that broke a connection breaks at most the parts that were on it.
    let most = count * PARALLEL * PART + up.runs * TALK;
    assert!(again[0] <= most, "{up:?}: {} of {most}", again[0]);
    let most = count * ON_THE_WAY + down.runs * TALK;
    assert!(again[1] <= most, "{down:?}: {} of {most}", again[1]);
    for peak in [up.client_peak, down.client_peak, haul.server_peak] {
        assert!(peak > 0, "it was never looked at");
        let is_asserted = by_hand::named_binary().is_some();
        assert!(!is_asserted || peak <= MEMORY_KIB, "{peak} KiB");
    }
    haul.stop().await;
}

impl Haul {
    async fn start(seed: u64) -> Self {
        let (folder, way) = (tempfile::tempdir().unwrap(), Way::new().await);
        let mut it = Self {
            data: folder.path().join("data"),
            folder,
            database: database(Engine::Sqlite).await,
            way,
            server: None,
            chance: Chance(seed | 1),
            server_peak: 0,
        };
        it.start_server().await;
        let server = it.server.as_ref().unwrap();
        let key = server.account().await;
        let shown = server.http.get("/v1/account", &key).await.expect(200);
        let email = text(&shown, "email").parse().unwrap();
        let plan = async move |tx: &mut Tx| tx.set_account_plan(&email, Plan::Enterprise).await;
        let store: Store = it.database.open().await;
        store.write(plan).await.unwrap();
        for agent in ["alice", "carol"] {
            let mut command = it.command(agent, &["register", agent]);
            let run = command.env("AGENTDROP_API_KEY", &key).output().unwrap();
            assert!(run.status.success(), "{run:?}");
        }
        it
    }

    async fn start_server(&mut self) {
        let at: SocketAddr = free_address();
        let more = ["--public-url", &self.way.url, "--signup", "open"];
        let database = self.database.url();
        self.server = Some(Child::start_at(at, &self.data, database, &more).await);
        self.way.lead_to(Some(at));
    }

    /// Runs a command until it is done, with so many interruptions, each at a place by chance.
    async fn go(
        &mut self,
        direction: Direction,
        (agent, line): (&str, &[&str]),
        bytes: u64,
        count: u64,
    ) -> Gone {
        let before = self.way.passed(direction);
        let mut places: Vec<_> = (0..count).map(|_| self.chance.below(bytes)).collect();
        places.sort_unstable();
        let log = self.at("log");
        let (mut gone, mut client, mut ends) = (Gone::default(), None, 0);
        for (place, n) in places.into_iter().zip(0..) {
            self.way.hold_behind(direction, before + place);
            loop {
                let running = client.get_or_insert_with(|| {
                    gone.runs += 1;
                    Watched::start(&mut self.command(agent, line), &log)
                });
                tokio::select! {
                    biased;
                    () = self.way.held() => break,
                    ended = running.ended(&log) => {
                        // It gave up on one of the interruptions before.
                        ends += 1;
                        assert!(ended.status == Some(2) && ends <= n, "{:?}: {}", ended.status, ended.stderr);
                        gone.client_peak = gone.client_peak.max(ended.peak);
                        client = None;
                    }
                }
            }
            let kind = usize::try_from(self.chance.below(3)).unwrap();
            gone.interruptions[kind] += 1;
            match kind {
                0 => {
                    let peak = client.take().map_or(0, Watched::kill);
                    gone.client_peak = gone.client_peak.max(peak);
                }
                1 => {
                    self.note_server_peak();
                    self.way.lead_to(None);
                    self.server.take().unwrap().kill();
                }
                _ => {}
            }
            // What is held up is lost on its way.
            self.way.cut();
            self.way.let_pass();
            if self.server.is_none() {
                self.start_server().await;
            }
        }
        let ended = self
            .to_its_end((agent, line), client, &log, &mut gone, count)
            .await;
        assert_eq!(ended.status, Some(0), "{}", ended.stderr);
        gone.passed = self.way.passed(direction) - before;
        gone
    }

    async fn to_its_end(
        &self,
        (agent, line): (&str, &[&str]),
        mut client: Option<Watched>,
        log: &Path,
        gone: &mut Gone,
        count: u64,
    ) -> Ended {
        loop {
            let mut running = client.take().unwrap_or_else(|| {
                gone.runs += 1;
                Watched::start(&mut self.command(agent, line), log)
            });
            let ended = running.ended(log).await;
            gone.client_peak = gone.client_peak.max(ended.peak);
            if ended.status != Some(2) || gone.runs > count + 1 {
                return ended;
            }
        }
    }

    fn command(&self, agent: &str, line: &[&str]) -> Command {
        let mut command = Command::new(by_hand::binary());
        command
            .args(line)
            .args(["--config-dir", agent])
            .current_dir(self.folder.path())
            .env("AGENTDROP_SERVER", &self.way.url)
            .env_remove("AGENTDROP_API_KEY");
        command
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn note_server_peak(&mut self) {
        let server = self.server.as_ref().map_or(0, |it| peak(it.id()));
        self.server_peak = self.server_peak.max(server);
    }

    async fn stop(mut self) {
        self.server.take().unwrap().stop().await;
    }
}
