//! The PostgreSQL server that the tests share, and the databases on it.
//!
//! Its home is a folder in the system's temporary one, named after this workspace: the lock under
//! which it is started, its URL, its log, its data, and `used`, which every test touches and a
//! watchdog looks at. It asks for a password that only the owner of that folder can read: whoever
//! may speak to a PostgreSQL server as its superuser can run programs as its user.

use std::fs::{self, DirBuilder};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio_postgres::{Client, NoTls};

use crate::shared::{free_port, private_file, random_hex, succeed, write_private};

const MISSING: &str =
    "PostgreSQL is not installed: run scripts/setup, or name a server in TEST_POSTGRES_URL";

pub(super) const SETTINGS: &str = "-c listen_addresses=127.0.0.1 -c unix_socket_directories= \
                                   -c max_connections=500";
/// What it costs a test to be safe from a power cut, it need not pay.
const NOT_DURABLE: &str = "-c fsync=off -c full_page_writes=off -c synchronous_commit=off";

/// How long a server that is there may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Stops the server (`$1` is its process) when nobody has touched `$2` for a while.
const WATCHDOG: &str = r#"
    trap '' HUP INT
    while sleep 15; do
        kill -0 "$1" || exit
        test -n "$(find "$2" -mmin -10)" || exec "$3" -D "$4" -m immediate stop
    done </dev/null >/dev/null 2>&1 &
"#;

/// A database that is dropped with this.
#[derive(Debug)]
pub(super) struct Database {
    server: &'static Server,
    name: String,
    url: String,
}

#[derive(Debug)]
struct Server {
    /// Without a database.
    url: String,
    /// What to touch, so that it is not stopped.
    used: Option<PathBuf>,
}

impl Database {
    pub(super) async fn create() -> Self {
        static SERVER: OnceCell<Server> = OnceCell::const_new();
        let server = SERVER.get_or_init(server).await;
        if let Some(used) = &server.used {
            write_private(used, "used");
        }
        let name = format!("agentdrop_{}", random_hex());
        // Not template1, to which somebody may have added something, or be connected.
        let create = format!("CREATE DATABASE {name} TEMPLATE template0");
        let client = server.connect().await.expect("the test server answers");
        let created = client.batch_execute(&create).await;
        created.expect("the test server takes another database");
        let url = format!("{}/{name}", server.url);
        Self { server, name, url }
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let (server, name) = (self.server, std::mem::take(&mut self.name));
        // On a thread of its own: the one this runs on may belong to a runtime already.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            let dropping = async || tokio::time::timeout(PATIENCE, server.forget(&name)).await;
            runtime.map(|it| it.block_on(dropping()))
        });
        // What is left behind goes when the server starts again.
        drop(dropping.join());
    }
}

impl Server {
    async fn connect(&self) -> Result<Client, tokio_postgres::Error> {
        let url = format!("{}/postgres", self.url);
        let (client, connection) = tokio_postgres::connect(&url, NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }

    /// Drops a database, and first whoever is connected: `DROP` alone would look for them only
    /// every tenth of a second.
    async fn forget(&self, name: &str) -> Result<(), tokio_postgres::Error> {
        let client = self.connect().await?;
        let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1";
        while !client.query(end, &[&name]).await?.is_empty() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let forget = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
        client.batch_execute(&forget).await
    }

    async fn is_there(&self) -> bool {
        let connecting = tokio::time::timeout(PATIENCE, self.connect());
        matches!(connecting.await, Ok(Ok(_)))
    }
}

/// The server that was named, or ours: the one that runs, or a new one.
async fn server() -> Server {
    if let Ok(url) = std::env::var("TEST_POSTGRES_URL") {
        let url = url.trim_end_matches('/').to_owned();
        return Server { url, used: None };
    }
    let home = Home::find();
    // One process starts it, and the others find it running.
    let lock = private_file(&home.path("lock"));
    lock.lock().expect("a file can be locked");
    // Before looking whether it runs, so that the watchdog does not stop it between.
    let used = home.path("used");
    write_private(&used, "used");

    let running = Server {
        url: fs::read_to_string(home.path("url")).unwrap_or_default(),
        used: Some(used.clone()),
    };
    if !running.url.is_empty() && running.is_there().await {
        return running;
    }
    let url = home.start();
    write_private(&home.path("url"), &url);
    home.watch();
    Server {
        url,
        used: Some(used),
    }
}

/// Where our server lives, and what runs it.
#[derive(Debug)]
pub(super) struct Home {
    folder: PathBuf,
    programs: PathBuf,
    /// The user and group it runs as, if not ours: PostgreSQL refuses to run as root.
    owner: Option<(u32, u32)>,
}

impl Home {
    fn find() -> Self {
        let ours = rustix::process::geteuid();
        let owner = ours.is_root().then(|| (id("-u"), id("-g")));
        let mut hash = DefaultHasher::new();
        (env!("CARGO_MANIFEST_DIR"), ours.as_raw()).hash(&mut hash);
        let name = format!("agentdrop-postgres-{:016x}", hash.finish());
        let folder = std::env::temp_dir().join(name);

        // Not `exists` first: whoever makes it, has made it for the owner only.
        if let Err(error) = DirBuilder::new().mode(0o700).create(&folder) {
            assert!(
                error.kind() == io::ErrorKind::AlreadyExists,
                "{}: {error}",
                folder.display()
            );
        }
        let found = fs::symlink_metadata(&folder).expect("it was made, or there");
        let known = found.uid() == ours.as_raw() || owner.is_some_and(|(it, _)| it == found.uid());
        // Others may write to the system's folder, and could have put theirs in our place.
        assert!(
            found.is_dir() && known && found.mode().trailing_zeros() >= 6,
            "{} is not a folder of ours alone: remove it",
            folder.display()
        );
        Self::in_folder(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Starts a server without any databases of before; answers its URL.
    fn start(&self) -> String {
        let data = self.path("data");
        if data.exists() {
            // It may still run, and not answer; or be gone, and this fail.
            let mut stop = self.command("pg_ctl");
            drop(succeed(stop.args(["stop", "--mode=immediate"])));
            fs::remove_dir_all(&data).expect("the data of before can be removed");
        }
        let secret = self.make();
        // Somebody else may take the port that was free a moment ago.
        for _ in 0..3 {
            let port = free_port();
            if self.launch(&format!("{SETTINGS} {NOT_DURABLE}"), port) {
                return format!("postgres://agentdrop:{secret}@127.0.0.1:{port}");
            }
        }
        panic!(
            "PostgreSQL does not start: {} says why",
            self.path("log").display()
        )
    }

    /// Makes a place for databases; answers the password.
    pub(super) fn make(&self) -> String {
        let (secret, password) = (random_hex(), self.path("password"));
        write_private(&password, &secret);
        self.give(&password);
        let mut make = self.command("initdb");
        make.args(["--username=agentdrop", "--auth=password", "--pwfile"]);
        make.arg(&password);
        make.args(["--encoding=UTF8", "--no-locale", "--no-sync"]);
        let made = succeed(&mut make);
        fs::remove_file(&password).expect("what was written can be removed");
        made.expect("a place for databases can be made");
        secret
    }

    /// Starts a server on what is there; answers whether it runs.
    pub(super) fn launch(&self, settings: &str, port: u16) -> bool {
        let mut start = self.command("pg_ctl");
        start
            .args(["start", "--wait", "--silent", "--log"])
            .arg(self.path("log"));
        start
            .arg("--options")
            .arg(format!("{settings} -c port={port}"));
        succeed(&mut start).is_ok()
    }

    /// Stops it; `mode` is one of `pg_ctl`'s.
    pub(super) fn stop(&self, mode: &str) {
        let mut stop = self.command("pg_ctl");
        let stopped = succeed(stop.args(["stop", "--wait", "--mode", mode]));
        stopped.expect("a server that runs can be stopped");
    }

    /// One in this folder, which is made.
    pub(super) fn in_folder(folder: PathBuf) -> Self {
        let ours = rustix::process::geteuid();
        let home = Self {
            folder,
            programs: programs().expect(MISSING),
            owner: ours.is_root().then(|| (id("-u"), id("-g"))),
        };
        home.give(&home.folder);
        home
    }

    /// Leaves somebody behind to stop the server when it is no longer used.
    fn watch(&self) {
        let file = fs::read_to_string(self.path("data/postmaster.pid"));
        let file = file.expect("a server that runs says as what");
        let mut watchdog = self.owned(Command::new("sh"));
        watchdog.args(["-c", WATCHDOG, "watchdog"]);
        watchdog.args(file.lines().next()).arg(self.path("used"));
        watchdog
            .arg(self.programs.join("pg_ctl"))
            .arg(self.path("data"));
        // Not in the group of this test, which is ended with all that is in it.
        watchdog.process_group(0);
        succeed(&mut watchdog).expect("the shell can leave a job behind");
    }

    /// One of PostgreSQL's programs, on our data.
    fn command(&self, program: &str) -> Command {
        let mut command = self.owned(Command::new(self.programs.join(program)));
        command.arg("--pgdata").arg(self.path("data"));
        command
    }

    /// Runs `command` as the server's user, and without what the environment says to PostgreSQL.
    fn owned(&self, mut command: Command) -> Command {
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.env_clear().env("PATH", path).env("LC_ALL", "C");
        command.current_dir(&self.folder).stdin(Stdio::null());
        if let Some((user, group)) = self.owner {
            command.uid(user).gid(group);
        }
        command
    }

    /// Gives a file of ours to the server's user.
    fn give(&self, path: &Path) {
        if let Some((user, group)) = self.owner {
            chown(path, Some(user), Some(group)).expect("root can give a file away");
        }
    }
}

/// The folder of PostgreSQL's programs: on the path, or where Debian keeps its newest.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).find(|it| it.join("initdb").is_file());
    on_path.or_else(|| {
        let versions = fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
        let numbered = versions.filter_map(|it| {
            let number: u32 = it.file_name().to_str()?.parse().ok()?;
            let programs = it.path().join("bin");
            programs
                .join("initdb")
                .is_file()
                .then_some((number, programs))
        });
        numbered.max().map(|(_, programs)| programs)
    })
}

/// The number of the user, or group, that PostgreSQL's package makes.
fn id(which: &str) -> u32 {
    let number = succeed(Command::new("id").args([which, "postgres"])).ok();
    number.and_then(|it| it.trim().parse().ok()).expect(MISSING)
}
