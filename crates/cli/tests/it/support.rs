//! A folder with a home of its own, a server beside it, and the command run in between.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

/// Longer than anything here takes, also on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A folder to be in, which nothing outside of it has an influence on.
pub(crate) struct Sandbox {
    folder: TempDir,
}

/// How a run ended, and what it said.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("home")).unwrap();
        fs::create_dir(folder.path().join("here")).unwrap();
        Self { folder }
    }

    /// A path below the folder that commands run in.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("here").join(name)
    }

    /// A file with this content.
    pub(crate) fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.path(name);
        File::create(&path).unwrap().write_all(content).unwrap();
        path
    }

    /// The command, with nothing in its environment but what is given.
    pub(crate) fn command<I: IntoIterator<Item = impl AsRef<OsStr>>>(&self, args: I) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_agentdrop"));
        command
            .args(args)
            .env_clear()
            .env("HOME", self.folder.path().join("home"))
            .env("TMPDIR", self.folder.path())
            .current_dir(self.folder.path().join("here"))
            .stdin(Stdio::null());
        command
    }

    /// Runs a line of words.
    pub(crate) fn run(&self, line: &str) -> Run {
        Run::of(&mut self.command(line.split_whitespace()))
    }

    /// Begins a line of words on a terminal.
    pub(crate) fn terminal(&self, line: &str, environment: &[(&str, &str)]) -> Terminal {
        // The shell lives on where Ctrl-C ends the command, as one does that somebody types into.
        let command = format!("trap : INT; {} {line}", env!("CARGO_BIN_EXE_agentdrop"));
        let child = Command::new("script")
            .args(["-qec", &command, "/dev/null"])
            .env_clear()
            .env("HOME", self.folder.path().join("home"))
            .envs(environment.iter().copied())
            .current_dir(self.folder.path().join("here"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Terminal {
            child,
            seen: Vec::new(),
        }
    }

    /// Runs a line of words, with this on standard input.
    pub(crate) fn typed(&self, line: &str, input: &str) -> Run {
        Run::typed(&mut self.command(line.split_whitespace()), input)
    }

    /// Runs a line of words that has to succeed, and answers its one object.
    pub(crate) fn json(&self, line: &str) -> Value {
        self.run(&format!("--json {line}")).expect(0).json()
    }
}

/// A run on a terminal, and what was seen there.
pub(crate) struct Terminal {
    child: Child,
    seen: Vec<u8>,
}

impl Terminal {
    /// Waits until it asks so, and types what `answer` says.
    pub(crate) fn answered(mut self, prompt: &str, answer: impl FnOnce() -> &'static str) -> Self {
        let stdout = self.child.stdout.as_mut().unwrap();
        let mut byte = [0];
        while !self.seen.ends_with(prompt.as_bytes()) && stdout.read(&mut byte).unwrap() > 0 {
            self.seen.extend(byte);
        }
        let stdin = self.child.stdin.as_mut().unwrap();
        stdin.write_all(answer().as_bytes()).unwrap();
        self
    }

    /// What was seen to its end, and how it ended.
    pub(crate) fn end(mut self) -> (String, Option<i32>) {
        let mut stdout = self.child.stdout.take().unwrap();
        stdout.read_to_end(&mut self.seen).unwrap();
        let status = self.child.wait().unwrap();
        (String::from_utf8(self.seen).unwrap(), status.code())
    }
}

impl Run {
    pub(crate) fn of(command: &mut Command) -> Self {
        let output = command.output().unwrap();
        output.into()
    }

    /// Runs it with this on standard input.
    pub(crate) fn typed(command: &mut Command, input: &str) -> Self {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // It may have refused before it reads.
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(input.as_bytes()).ok();
        drop(stdin);
        child.wait_with_output().unwrap().into()
    }

    /// Checks how it ended.
    #[track_caller]
    pub(crate) fn expect(self, status: i32) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    /// The one object that it printed.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            status: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// A server that runs until this is dropped.
pub(crate) struct Serve {
    child: Child,
    pub(crate) url: String,
    pub(crate) data_dir: PathBuf,
    log: PathBuf,
}

impl Serve {
    /// A server on the data directory `data` of the sandbox.
    pub(crate) fn start(sandbox: &Sandbox) -> Self {
        Self::start_with(sandbox, &[])
    }

    pub(crate) fn start_with(sandbox: &Sandbox, more: &[&str]) -> Self {
        Self::start_with_env(sandbox, more, &[])
    }

    pub(crate) fn start_with_env(sandbox: &Sandbox, more: &[&str], env: &[(&str, &str)]) -> Self {
        Self::start_on(sandbox, ("data", "serve.log"), more, env)
    }

    /// Another server of the same sandbox.
    pub(crate) fn start_in(sandbox: &Sandbox, folder: &str) -> Self {
        Self::start_on(sandbox, (folder, &format!("{folder}.log")), &[], &[])
    }

    pub(crate) fn start_on(
        sandbox: &Sandbox,
        (data_dir, log): (&str, &str),
        more: &[&str],
        env: &[(&str, &str)],
    ) -> Self {
        let (data_dir, log) = (sandbox.path(data_dir), sandbox.path(log));
        let mut command = sandbox.command(["--json", "serve"]);
        if !more.contains(&"--listen") {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        command
            .args(more)
            .arg("--data-dir")
            .arg(&data_dir)
            .env("RUST_LOG", "debug")
            .envs(env.iter().copied())
            .stdout(Stdio::piped())
            .stderr(File::create(&log).unwrap());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap_or_else(|error| {
            panic!("{error}: {line:?}: {}", fs::read_to_string(&log).unwrap())
        });
        let url = format!("http://{}", said["listen"].as_str().unwrap());
        Self {
            child,
            url,
            data_dir,
            log,
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).unwrap();
    }

    /// Ends it at once, unless it has ended.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its end, and answers its exit status.
    pub(crate) fn wait(&mut self) -> Option<i32> {
        wait(&mut self.child)
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Waits for its end, and answers its exit status.
pub(crate) fn wait(child: &mut Child) -> Option<i32> {
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        assert!(began.elapsed() < PATIENCE, "it does not end");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Waits until something is so.
pub(crate) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "{what}: it does not happen");
        thread::sleep(Duration::from_millis(2));
    }
}

/// A sandbox with a server, an account, and the agents alice and bob in folders of their names.
pub(crate) struct Pair {
    pub(crate) sandbox: Sandbox,
    pub(crate) serve: Serve,
    pub(crate) account_key: String,
}

impl Pair {
    pub(crate) fn new() -> Self {
        let sandbox = Sandbox::new();
        let serve = Serve::start(&sandbox);
        let url = serve.url.clone();
        Self::at(sandbox, serve, &url)
    }

    /// The same, of agents that keep to the formats of the published clients.
    pub(crate) fn compatible() -> Self {
        let sandbox = Sandbox::new();
        let serve = Serve::start(&sandbox);
        let url = serve.url.clone();
        Self::compatible_at(sandbox, serve, &url)
    }

    /// Agents that are told another address of the server.
    pub(crate) fn at(sandbox: Sandbox, serve: Serve, url: &str) -> Self {
        Self::registered(sandbox, serve, url, "")
    }

    /// The same, of agents that keep to the formats of the published clients.
    pub(crate) fn compatible_at(sandbox: Sandbox, serve: Serve, url: &str) -> Self {
        Self::registered(sandbox, serve, url, "--compatible")
    }

    fn registered(sandbox: Sandbox, serve: Serve, url: &str, more: &str) -> Self {
        let made = "admin account create --name Me --email me@example.org --data-dir data";
        let made = sandbox.json(made);
        let account_key = made["api_key"].as_str().unwrap().to_owned();
        for agent in ["alice", "bob"] {
            let line = format!("register {agent} --config-dir {agent} --server {url} {more}");
            let mut command = sandbox.command(line.split_whitespace());
            Run::of(command.env("AGENTDROP_API_KEY", &account_key)).expect(0);
        }
        Self {
            sandbox,
            serve,
            account_key,
        }
    }

    /// Runs a line as an agent.
    pub(crate) fn run(&self, agent: &str, line: &str) -> Run {
        self.sandbox.run(&format!("{line} --config-dir {agent}"))
    }

    /// Runs a line that has to succeed, as an agent, and answers its one object.
    #[track_caller]
    pub(crate) fn json(&self, agent: &str, line: &str) -> Value {
        self.run(agent, &format!("--json {line}")).expect(0).json()
    }

    /// Runs a line with the account's key.
    pub(crate) fn owner(&self, line: &str) -> Run {
        let mut command = self.sandbox.command(line.split_whitespace());
        command
            .env("AGENTDROP_SERVER", &self.serve.url)
            .env("AGENTDROP_API_KEY", &self.account_key);
        Run::of(&mut command)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.sandbox.path(name)
    }

    pub(crate) fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        self.sandbox.file(name, content)
    }
}

/// The names in a folder, sorted.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|it| it.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Bytes that look like nothing, the same every time.
pub(crate) fn noise(count: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    std::iter::repeat_with(next).take(count).collect()
}

/// A server that answers everything with this.
pub(crate) fn answers_always(status: &str, body: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = BufReader::new(stream.try_clone().unwrap());
            let mut line = String::new();
            while head.read_line(&mut line).is_ok_and(|it| it > 2) {
                line.clear();
            }
            stream.write_all(answer.as_bytes()).ok();
        }
    });
    url
}

/// A way to a server that says nothing any more on a connection once it has passed so many bytes.
pub(crate) fn stalls_after(listener: TcpListener, server: &str, bytes: u64) {
    let server = server.trim_start_matches("http://").to_owned();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut near, mut far) = (stream.unwrap(), TcpStream::connect(&server).unwrap());
            let (mut near_in, mut far_in) = (near.try_clone().unwrap(), far.try_clone().unwrap());
            thread::spawn(move || pass(&mut near_in, &mut far, u64::MAX));
            thread::spawn(move || {
                pass(&mut far_in, &mut near, bytes);
                thread::sleep(PATIENCE);
            });
        }
    });
}

/// Passes on at most so many bytes.
fn pass(from: &mut TcpStream, to: &mut TcpStream, mut bytes: u64) {
    let mut buffer = [0; 4096];
    while bytes > 0 {
        let Ok(read @ 1..) = from.take(bytes).read(&mut buffer) else {
            to.shutdown(Shutdown::Write).ok();
            return;
        };
        if to.write_all(&buffer[..read]).is_err() {
            return;
        }
        bytes -= read as u64;
    }
}
