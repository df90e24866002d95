//! Ctrl-C leaves nothing half-done to be seen.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{Pair, Run, Sandbox, Serve, eventually, names, noise, stalls_after, wait};

#[test]
fn a_receive_that_is_interrupted_shows_nothing_and_goes_on_later() {
    let sandbox = Sandbox::new();
    let way = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", way.local_addr().unwrap());
    let serve = Serve::start_with(&sandbox, &["--public-url", &url]);
    stalls_after(way, &serve.url, 1_000_000);
    let pair = Pair::at(sandbox, serve, &url);
    pair.file("large", &noise(2_200_000));
    pair.run(
        "alice",
        &format!("send bob large --server {}", pair.serve.url),
    )
    .expect(0);

    for signal in [Signal::INT, Signal::TERM] {
        fs::create_dir_all(pair.path("in")).unwrap();
        let mut receive = pair.sandbox.command(["--json", "receive", "--to", "in"]);
        receive.args(["--config-dir", "bob"]);
        let mut child = receive
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let before = bytes_below(&pair.path("in"));
        let mut half = || {
            assert_eq!(child.try_wait().unwrap(), None, "it ended by itself");
            bytes_below(&pair.path("in")) > before + 700_000
        };
        eventually("a part of the file is here", &mut half);
        kill_process(Pid::from_child(&child), signal).unwrap();
        assert_eq!(wait(&mut child), Some(130));
        let left = names(&pair.path("in"));
        assert!(left.iter().all(|it| it.starts_with('.')), "{left:?}");
        let run = Run::from(child.wait_with_output().unwrap());
        let error = &run.json()["error"];
        assert_eq!(error["code"], "INTERRUPTED");
        let hint = error["hint"].as_str().unwrap();
        let goes_on = " of 2.2 MB are kept, and the same command goes on there";
        assert!(hint.ends_with(goes_on), "{hint}");
    }
    // The rest is less than the way lets through.
    let received = pair.json("bob", "receive --to in");
    assert!(received["received"][0]["resumed_bytes"].as_u64().unwrap() > 1_400_000);
    assert_eq!(names(&pair.path("in")), ["large"]);
}

/// Bytes of all files in a folder's folders.
fn bytes_below(folder: &Path) -> u64 {
    let within = |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten();
    let files = within(folder).flat_map(|it| within(&it.path()));
    files.filter_map(|it| Some(it.metadata().ok()?.len())).sum()
}
