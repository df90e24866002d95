//! Disks that fail, disks that forget, and a clock that jumps, under a real server.
//!
//! A small library that is preloaded stands between the server and the C library; see `shim.c`. It
//! is built by the C compiler that building this needs anyway, and takes no privileges.

#![expect(clippy::print_stdout, reason = "they say what they saw")]

mod clock;
mod ill;
mod torn;
mod undo;

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use agentdrop_testkit::engines::Engine;
use serde_json::Value;
use tempfile::TempDir;

use crate::by_hand;
use crate::child::{Child, free_address};

/// What is wrong with a disk; the library's numbers.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// Whatever is asked of it fails, reading too.
    Errors = 1,
    Full = 2,
    /// It takes a part of what is written at a time, which is no failure.
    Short = 3,
    /// The same, and then it is full.
    ShortThenFull = 4,
}

/// A folder on a disk that can be told what to do, and a server there.
struct Disk {
    folder: TempDir,
    control: File,
    remembers_undo: bool,
}

impl Disk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir(at("disk")).unwrap();
        let shim = Command::new("cc")
            .args(["-O1", "-shared", "-fPIC", "-pthread", "-o"])
            .arg(at("shim.so"))
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/live/disk/shim.c"))
            .status();
        assert!(shim.unwrap().success(), "the C compiler fails");
        let control = OpenOptions::new()
            .create_new(true)
            .read(true)
            .write(true)
            .open(at("control"))
            .unwrap();
        control.set_len(4096).unwrap();
        Self {
            folder,
            control,
            remembers_undo: false,
        }
    }

    /// One that is told to remember what was not made durable.
    fn forgetful() -> Self {
        let mut it = Self::new();
        it.remembers_undo = true;
        it
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where the server keeps everything.
    fn data(&self) -> PathBuf {
        self.at("disk/data")
    }

    fn database(&self, engine: Engine, other: &str) -> String {
        match engine {
            Engine::Sqlite => format!("sqlite://{}", self.at("disk/agentdrop.db").display()),
            Engine::Postgres => other.to_owned(),
        }
    }

    /// A server that has everything there.
    async fn serve(&self, database: &str) -> Child {
        let variable = |name, path: PathBuf| (name, path.into_os_string().into_string().unwrap());
        let mut variables = vec![
            variable("LD_PRELOAD", self.at("shim.so")),
            variable("TEST_DISK_CONTROL", self.at("control")),
            variable("TEST_DISK_FOLDER", self.at("disk")),
        ];
        if self.remembers_undo {
            variables.push(variable("TEST_DISK_UNDO", self.at("undo")));
        }
        let (data, log) = (self.data(), self.at("log"));
        let log = OpenOptions::new().create(true).append(true).open(log);
        let place = (&*data, database, &["--signup", "open"][..]);
        Child::start_with(free_address(), place, &variables, Some(log.unwrap())).await
    }

    /// What is asked of it fails, `after` so many times that it does not, so many times.
    fn fall_ill(&self, fault: Fault, after: u64, times: u64) {
        self.say(1, after);
        self.say(2, times);
        self.say(3, 0);
        self.say(0, fault as u64);
    }

    /// It is well again; answers how often it failed.
    fn recover(&self) -> u64 {
        self.say(0, 0);
        self.fired()
    }

    fn fired(&self) -> u64 {
        let mut fired = [0; 8];
        self.control.read_exact_at(&mut fired, 3 * 8).unwrap();
        u64::from_ne_bytes(fired)
    }

    /// The server's clock is so many seconds ahead.
    fn set_clock(&self, ahead: i64) {
        self.say(4, ahead.cast_unsigned());
    }

    fn say(&self, field: u64, number: u64) {
        let number = number.to_ne_bytes();
        self.control.write_all_at(&number, field * 8).unwrap();
    }

    /// While no server runs: everything that should be there is.
    fn check(&self, database: &str) {
        let run = Command::new(by_hand::binary())
            .args(["--json", "admin", "check", "--data-dir"])
            .arg(self.data())
            .env("AGENTDROP_DATABASE_URL", database)
            .output()
            .unwrap();
        assert!(run.status.success(), "{run:?}");
        let said: Value = serde_json::from_slice(&run.stdout).unwrap();
        println!("{said}");
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.at("log")).unwrap()
    }
}
