//! A real S3 server, SeaweedFS, and buckets on it.
//!
//! The tests share one, as they share PostgreSQL: the first to ask starts it, on the loopback alone,
//! and it stops when no test has asked for ten minutes. A test that stops its server has one of its
//! own. A test that cannot have it fails: no test is passed over.

use std::fs::{self, DirBuilder, File};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use agentdrop_server::{Route, S3, SecretKey};
use rusty_s3::actions::ListObjectsV2;
use rusty_s3::{Bucket, Credentials, S3Action as _, UrlStyle};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::http::{Answer, Http, send};
use crate::python::seaweedfs;
use crate::shared::{free_port, private_file, random_hex, succeed, write_private};

/// The bucket of all tests; each has a prefix of its own.
const BUCKET: &str = "agentdrop-tests";
const REGION: &str = "us-east-1";
const ACCESS_KEY: &str = "agentdrop";
/// How long a server may take to come up on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long a signed request is good for.
const SOON: Duration = Duration::from_mins(1);

/// Ends the server (`$1` is its process) and its data (`$3`) when nobody has touched `$2` for a while.
const WATCHDOG: &str = r#"
    trap '' HUP INT
    while sleep 15; do
        kill -0 "$1" || exit
        test -n "$(find "$2" -mmin -10)" || { kill "$1"; rm -rf "$3"; exit; }
    done </dev/null >/dev/null 2>&1 &
"#;

/// A prefix of a bucket that nobody else uses.
#[derive(Debug)]
pub struct TestBucket {
    server: Place,
    prefix: String,
}

/// A server of one test alone, which can be stopped.
#[derive(Debug)]
pub struct OwnServer {
    folder: TempDir,
    place: Place,
    ports: Ports,
    running: Option<Child>,
}

/// Where a server is, and what it takes.
#[derive(Clone, Debug)]
struct Place {
    endpoint: String,
    secret: String,
}

/// An object in a bucket: its name without the prefix, and its length.
pub type Object = (String, u64);

impl TestBucket {
    /// A fresh one on the server that the tests share.
    pub async fn new() -> Self {
        static SERVER: OnceCell<Place> = OnceCell::const_new();
        let server = SERVER.get_or_init(shared).await.clone();
        write_private(&home().join("used"), "used");
        Self::on(server)
    }

    fn on(server: Place) -> Self {
        let prefix = random_hex();
        Self { server, prefix }
    }

    /// What a server is told of it.
    pub fn config(&self) -> S3 {
        S3 {
            bucket: BUCKET.to_owned(),
            prefix: self.prefix.clone(),
            endpoint: self.server.endpoint.clone(),
            region: REGION.to_owned(),
            access_key: ACCESS_KEY.to_owned(),
            secret_key: SecretKey::new(self.server.secret.clone()),
            plain_http: false,
            downloads: Route::Direct,
            uploads: Route::Direct,
        }
    }

    /// The files in it, by name.
    pub async fn objects(&self) -> Vec<Object> {
        let (bucket, credentials) = self.server.signer();
        let prefix = format!("{}/", self.prefix);
        let mut list = bucket.list_objects_v2(Some(&credentials));
        list.with_prefix(prefix.clone());
        let answer = self.server.send("GET", list.sign(SOON).as_str(), "").await;
        let text = String::from_utf8_lossy(&answer.bytes).into_owned();
        assert_eq!(answer.status, 200, "{text}");
        let listed = ListObjectsV2::parse_response(&text).expect("it is a listing");
        assert!(
            listed.next_continuation_token.is_none(),
            "no test has so many"
        );
        let objects = listed.contents.into_iter();
        let named = |key: &str| key.strip_prefix(&prefix).unwrap_or(key).to_owned();
        let mut objects: Vec<_> = objects
            .map(|it| (named(&it.key), it.size.unwrap_or_default()))
            // Whose the bucket is.
            .filter(|it| it.0 != "installation")
            .collect();
        objects.sort();
        objects
    }

    /// The bytes of an object.
    pub async fn read(&self, name: &str) -> Vec<u8> {
        let (bucket, credentials) = self.server.signer();
        let key = format!("{}/{name}", self.prefix);
        let get = bucket.get_object(Some(&credentials), &key);
        let answer = self.server.send("GET", get.sign(SOON).as_str(), "").await;
        assert_eq!(answer.status, 200, "{name}");
        answer.bytes
    }

    /// What is still coming in parts: the listing, as the server has it.
    pub async fn uploads(&self) -> String {
        let (bucket, credentials) = self.server.signer();
        let mut get = bucket.get_object(Some(&credentials), "");
        get.query_mut()
            .insert("prefix", format!("{}/", self.prefix));
        get.query_mut().insert("uploads", "");
        let answer = self.server.send("GET", get.sign(SOON).as_str(), "").await;
        assert_eq!(answer.status, 200);
        String::from_utf8_lossy(&answer.bytes).into_owned()
    }

    /// Whether nothing is in it, and nothing is coming.
    pub async fn is_empty(&self) -> bool {
        self.objects().await.is_empty() && !self.uploads().await.contains("<Upload>")
    }
}

impl OwnServer {
    /// A server with an empty bucket.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let (secret, ports) = (random_hex(), Ports::free());
        let place = Place::at(&ports, secret);
        let mut server = Self {
            folder,
            place,
            ports,
            running: None,
        };
        server.start_again().await;
        server
    }

    /// A fresh prefix of its bucket.
    pub fn bucket(&self) -> TestBucket {
        TestBucket::on(self.place.clone())
    }

    /// Starts it where it stopped.
    pub async fn start_again(&mut self) {
        let path = self.folder.path();
        let running = launch(path, &self.place.secret, &self.ports);
        self.running = Some(running.expect("SeaweedFS starts"));
        assert!(self.place.comes_up().await, "SeaweedFS does not come up");
        self.place.make_bucket().await;
    }

    /// Stops it: whoever asks it something gets no answer.
    pub fn stop(&mut self) {
        if let Some(mut running) = self.running.take() {
            // At once: what it said it kept, it has to have kept.
            running.kill().expect("it is ours");
            drop(running.wait());
        }
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Place {
    fn at(ports: &Ports, secret: String) -> Self {
        let endpoint = format!("http://127.0.0.1:{}", ports.s3());
        Self { endpoint, secret }
    }

    fn signer(&self) -> (Bucket, Credentials) {
        let endpoint = self.endpoint.parse().expect("it is an address");
        let bucket = Bucket::new(endpoint, UrlStyle::Path, BUCKET, REGION);
        let credentials = Credentials::new(ACCESS_KEY, self.secret.clone());
        (bucket.expect("it is the address of a server"), credentials)
    }

    async fn send(&self, method: &str, url: &str, body: &'static str) -> Answer {
        let http = Http::new(self.endpoint.clone());
        send(http.request(method, url, "").body(body)).await
    }

    /// Whether it answers to its name before patience ends.
    async fn comes_up(&self) -> bool {
        let until = Instant::now() + PATIENCE;
        while !self.answers().await {
            if Instant::now() >= until {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        true
    }

    /// Whether it lists buckets, and to nobody without its secret.
    async fn answers(&self) -> bool {
        let (bucket, credentials) = self.signer();
        let head = bucket.head_bucket(Some(&credentials)).sign(SOON);
        let http = Http::new(self.endpoint.clone());
        let asked = http.request("HEAD", head.as_str(), "").send().await;
        asked.is_ok_and(|it| matches!(it.status().as_u16(), 200 | 404))
    }

    /// Makes the bucket, if it is not there; a server that has just come up may take nothing yet.
    async fn make_bucket(&self) {
        let (bucket, credentials) = self.signer();
        let until = Instant::now() + PATIENCE;
        loop {
            let make = bucket.create_bucket(&credentials).sign(SOON);
            let made = self.send("PUT", make.as_str(), "").await.status;
            let put = bucket.put_object(Some(&credentials), "ready").sign(SOON);
            let get = bucket.get_object(Some(&credentials), "ready").sign(SOON);
            if matches!(made, 200 | 409)
                && self.send("PUT", put.as_str(), "ready").await.status == 200
                && self.send("GET", get.as_str(), "").await.bytes == b"ready"
            {
                return;
            }
            assert!(Instant::now() < until, "SeaweedFS takes nothing: {made}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// The one that runs, or a new one.
#[expect(
    clippy::zombie_processes,
    reason = "it outlives the test that starts it"
)]
async fn shared() -> Place {
    let home = home();
    let lock = private_file(&home.join("lock"));
    lock.lock().expect("a file can be locked");
    // Before looking whether it runs, so that the watchdog does not stop it between.
    write_private(&home.join("used"), "used");
    let said = fs::read_to_string(home.join("place")).unwrap_or_default();
    if let Some((endpoint, secret)) = said.split_once(' ') {
        let running = Place {
            endpoint: endpoint.to_owned(),
            secret: secret.to_owned(),
        };
        if running.answers().await {
            return running;
        }
    }
    let data = home.join(random_hex());
    DirBuilder::new()
        .mode(0o700)
        .create(&data)
        .expect("there is room for a folder");
    let (secret, ports) = (random_hex(), Ports::free());
    let place = Place::at(&ports, secret);
    let running = launch(&data, &place.secret, &ports).expect("SeaweedFS starts");
    assert!(
        place.comes_up().await,
        "SeaweedFS does not come up: {} says why",
        data.display()
    );
    place.make_bucket().await;
    let said = format!("{} {}", place.endpoint, place.secret);
    write_private(&home.join("place"), &said);
    let mut watchdog = Command::new("sh");
    watchdog.args(["-c", WATCHDOG, "watchdog", &running.id().to_string()]);
    watchdog.arg(home.join("used")).arg(&data).process_group(0);
    succeed(&mut watchdog).expect("the shell can leave a job behind");
    place
}

/// The folder of the shared server, which is ours alone.
fn home() -> PathBuf {
    let mut hash = DefaultHasher::new();
    (
        env!("CARGO_MANIFEST_DIR"),
        rustix::process::geteuid().as_raw(),
    )
        .hash(&mut hash);
    let name = format!("agentdrop-s3-{:016x}", hash.finish());
    let folder = std::env::temp_dir().join(name);
    match DirBuilder::new().mode(0o700).create(&folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            panic!("{}: {error}", folder.display())
        }
        _ => {}
    }
    let found = fs::symlink_metadata(&folder).expect("it was made, or there");
    let is_ours =
        std::os::unix::fs::MetadataExt::uid(&found) == rustix::process::geteuid().as_raw();
    // Others may write to the system's folder, and could have put theirs in our place.
    assert!(
        found.is_dir() && is_ours,
        "{} is not ours: remove it",
        folder.display()
    );
    folder
}

/// The ports of its parts, which speak to each other.
#[derive(Debug)]
struct Ports([u16; 8]);

impl Ports {
    fn free() -> Self {
        Self(std::array::from_fn(|_| free_port()))
    }

    const fn s3(&self) -> u16 {
        self.0[0]
    }

    /// As the program is told; what tests do not need is off.
    fn flags(&self) -> Vec<String> {
        let names = [
            "s3.port",
            "s3.port.grpc",
            "master.port",
            "master.port.grpc",
            "volume.port",
            "volume.port.grpc",
            "filer.port",
            "filer.port.grpc",
        ];
        let ports = names
            .iter()
            .zip(self.0)
            .map(|(name, port)| format!("-{name}={port}"));
        let off = [
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            "-master.telemetry=false",
            "-s3.autoCreateBucket=false",
            "-volume.preStopSeconds=0",
        ];
        ports.chain(off.map(str::to_owned)).collect()
    }
}

/// Starts a server in a folder, not in the group of this test, which is ended with all in it.
fn launch(folder: &Path, secret: &str, ports: &Ports) -> io::Result<Child> {
    let may = format!(
        r#"{{"identities":[{{"name":"tests","credentials":[{{"accessKey":"{ACCESS_KEY}",
        "secretKey":"{secret}"}}],"actions":["Admin","Read","Write","List"]}}]}}"#
    );
    let config = folder.join("identities.json");
    write_private(&config, &may);
    let data = folder.join("data");
    fs::create_dir_all(&data)?;
    let log = File::create(folder.join("log"))?;
    let mut weed = Command::new(seaweedfs());
    weed.args([
        "server",
        "-s3",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        "-volume.max=0",
    ]);
    weed.args([
        "-master.volumeSizeLimitMB=1024",
        "-volume.minFreeSpacePercent=1",
    ]);
    weed.arg(format!("-dir={}", data.display()));
    weed.arg(format!("-s3.config={}", config.display()));
    weed.args(ports.flags()).current_dir(folder);
    weed.stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log);
    weed.process_group(0).spawn()
}
