//! What the servers that tests share are started with.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::Command;

/// Runs `command` to its end; answers what it printed, or what it complained of.
pub(crate) fn succeed(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|it| it.to_string())?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        Ok(text(&output.stdout))
    } else {
        Err(text(&output.stderr))
    }
}

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).and_then(|it| it.local_addr());
    listener.expect("the loopback has a free port").port()
}

pub(crate) fn random_hex() -> String {
    let mut bytes = [0; 16];
    File::open("/dev/urandom")
        .and_then(|mut it| it.read_exact(&mut bytes))
        .expect("the system has chance");
    format!("{:032x}", u128::from_ne_bytes(bytes))
}

pub(crate) fn private_file(path: &Path) -> File {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options
        .open(path)
        .expect("a file can be made in our folder")
}

pub(crate) fn write_private(path: &Path, text: &str) {
    let written = private_file(path).write_all(text.as_bytes());
    written.expect("a file can be written in our folder");
}
