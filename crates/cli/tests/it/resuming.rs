//! Receiving through kills, cuts and restarts: every byte once, and in the end the file.

use std::fs;
use std::hash::{BuildHasher as _, RandomState};
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustix::process::Signal;

use crate::support::{Pair, Sandbox, Serve, eventually, names, noise, wait};

const SIZE: u64 = 64_000_000;
const MIB: u64 = 1024 * 1024;

/// The way to the server: counts what comes back, and lets so much of it through.
#[derive(Clone)]
struct Way {
    server: Arc<Mutex<String>>,
    passed: Arc<AtomicU64>,
    limit: Arc<AtomicU64>,
    cuts: Arc<AtomicU64>,
}

impl Way {
    fn over(listener: TcpListener) -> Self {
        let way = Self {
            server: Arc::default(),
            passed: Arc::default(),
            limit: Arc::new(AtomicU64::new(u64::MAX)),
            cuts: Arc::default(),
        };
        let it = way.clone();
        thread::spawn(move || {
            for near in listener.incoming() {
                let near = near.unwrap();
                let server = it.server.lock().unwrap().clone();
                // Where nobody is, the connection ends.
                if let Ok(far) = TcpStream::connect(server) {
                    it.connect(&near, &far);
                }
            }
        });
        way
    }

    fn lead_to(&self, serve: &Serve) {
        let server = serve.url.trim_start_matches("http://").to_owned();
        *self.server.lock().unwrap() = server;
    }

    fn connect(&self, near: &TcpStream, far: &TcpStream) {
        let (mut up, mut up_to) = (near.try_clone().unwrap(), far.try_clone().unwrap());
        thread::spawn(move || {
            std::io::copy(&mut up, &mut up_to).ok();
            up_to.shutdown(Shutdown::Both).ok();
        });
        let (way, near, far) = (
            self.clone(),
            near.try_clone().unwrap(),
            far.try_clone().unwrap(),
        );
        thread::spawn(move || {
            way.pass_back(&near, &far);
            near.shutdown(Shutdown::Both).ok();
            far.shutdown(Shutdown::Both).ok();
        });
    }

    fn pass_back(&self, mut near: &TcpStream, mut far: &TcpStream) {
        let cuts = self.cuts.load(Ordering::SeqCst);
        let mut buffer = [0; 16 * 1024];
        far.set_read_timeout(Some(Duration::from_millis(20)))
            .unwrap();
        while self.cuts.load(Ordering::SeqCst) == cuts {
            if self.passed() >= self.limit.load(Ordering::SeqCst) {
                thread::sleep(Duration::from_millis(2));
                continue;
            }
            match far.read(&mut buffer) {
                Ok(0) => return,
                Ok(read) => {
                    self.passed.fetch_add(read as u64, Ordering::SeqCst);
                    if near.write_all(&buffer[..read]).is_err() {
                        return;
                    }
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
        }
    }

    fn passed(&self) -> u64 {
        self.passed.load(Ordering::SeqCst)
    }

    /// Lets this much more through, and then nothing.
    fn let_through(&self, bytes: u64) {
        self.limit
            .store(self.passed().saturating_add(bytes), Ordering::SeqCst);
    }

    /// Ends all connections that there are.
    fn cut(&self) {
        self.cuts.fetch_add(1, Ordering::SeqCst);
    }
}

struct Scene {
    pair: Pair,
    way: Way,
    id: String,
    /// What is here of the file is here as this.
    part: &'static str,
}

/// Whether agents verify each other, or keep to the formats of the published clients.
#[derive(Clone, Copy)]
enum Agents {
    Compatible,
    Ours,
}

/// A file of noise that waits for Bob, who reaches the server by a way that breaks.
fn scene(size: u64, agents: Agents) -> (Scene, Vec<u8>) {
    let sandbox = Sandbox::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serve = Serve::start_with(&sandbox, &["--public-url", &url]);
    let way = Way::over(listener);
    way.lead_to(&serve);
    // Between ours it is opened as it comes, behind its envelope.
    let (pair, part) = match agents {
        Agents::Compatible => (Pair::compatible_at(sandbox, serve, &url), "0.part"),
        Agents::Ours => (Pair::at(sandbox, serve, &url), "1.part"),
    };
    let content = noise(usize::try_from(size).unwrap());
    pair.file("large", &content);
    let send = format!(
        "-q send bob large --max-downloads 1 --server {}",
        pair.serve.url
    );
    let id = pair.run("alice", &send).expect(0).stdout.trim().to_owned();
    let scene = Scene {
        pair,
        way,
        id,
        part,
    };
    (scene, content)
}

impl Scene {
    fn receive(&self) -> Child {
        let mut receive = self
            .pair
            .sandbox
            .command(["--json", "receive", "--to", "in"]);
        receive.args(["--config-dir", "bob"]);
        receive.stdout(Stdio::piped()).stderr(Stdio::piped());
        receive.spawn().unwrap()
    }

    /// Lets so many bytes more come to the disk of a process that receives.
    fn receive_more(&self, bytes: u64) -> Child {
        let before = self.bytes_here();
        let passed = self.way.passed();
        self.way.let_through(bytes);
        let mut child = self.receive();
        eventually(
            "what came is on disk, but for what waits to be written",
            || {
                assert_eq!(child.try_wait().unwrap(), None, "it ended by itself");
                let came = self.way.passed() - passed;
                let here = self.bytes_here() - before;
                came >= bytes && here + MIB / 2 >= came
            },
        );
        child
    }

    /// How much is here of the file.
    fn bytes_here(&self) -> u64 {
        let within = |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten();
        let files = within(&self.pair.path("in")).flat_map(|it| within(&it.path()));
        let parts = files.filter(|it| it.file_name() == self.part);
        parts.filter_map(|it| Some(it.metadata().ok()?.len())).sum()
    }

    fn assert_received(&self, content: &[u8]) {
        assert_eq!(names(&self.pair.path("in")), ["large"]);
        assert!(fs::read(self.pair.path("in/large")).unwrap() == content);
        let show = format!("show {} --server {}", self.id, self.pair.serve.url);
        let shown = self.pair.json("alice", &show);
        assert_eq!(shown["downloads"], 1);
        assert_eq!(shown["deliveries"][0]["status"], "received");
    }
}

fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_receive_that_is_killed_again_and_again_goes_on_where_it_was() {
    receive_through_kills(Agents::Ours);
}

#[test]
fn so_does_one_in_the_formats_of_the_published_clients() {
    receive_through_kills(Agents::Compatible);
}

fn receive_through_kills(agents: Agents) {
    let (mut scene, content) = scene(SIZE, agents);
    let up_to = |most: u64| RandomState::new().hash_one(most) % most;
    let began = scene.way.passed();
    let folder = scene.pair.path("in");
    let mut interruptions = 0;

    for _ in 0..6 {
        kill(scene.receive_more(MIB + up_to(6 * MIB)));
        interruptions += 1;
        assert_eq!(visible(&folder), [""; 0]);
    }

    // The server dies under it, and comes back elsewhere.
    let mut child = scene.receive_more(MIB + up_to(2 * MIB));
    scene.pair.serve.signal(Signal::KILL);
    scene.pair.serve.wait();
    scene.way.cut();
    assert_eq!(wait(&mut child), Some(2));
    interruptions += 1;
    let public = ["--public-url", &*scene.pair.serve.url.clone()];
    scene.pair.serve = Serve::start_with(&scene.pair.sandbox, &public);
    scene.way.lead_to(&scene.pair.serve);

    // It is killed while it goes once more through what it has.
    for _ in 0..3 {
        scene.way.let_through(MIB / 4);
        let child = scene.receive();
        thread::sleep(Duration::from_millis(100 + up_to(200)));
        kill(child);
        interruptions += 1;
    }

    // The connection breaks, and the process goes on by itself.
    let mut last = scene.receive_more(MIB + up_to(2 * MIB));
    for _ in 0..2 {
        scene.way.let_through(2 * MIB);
        let limit = scene.way.limit.load(Ordering::SeqCst);
        eventually("more comes", || scene.way.passed() >= limit);
        scene.way.cut();
        interruptions += 1;
    }
    scene.way.limit.store(u64::MAX, Ordering::SeqCst);
    assert_eq!(wait(&mut last), Some(0));
    scene.assert_received(&content);
    let passed = scene.way.passed() - began;
    let most = SIZE + interruptions * MIB + MIB;
    assert!(passed <= most, "{passed} of {most} bytes");
}

fn visible(folder: &Path) -> Vec<String> {
    let mut names = names(folder);
    names.retain(|it| !it.starts_with('.'));
    names
}
