//! Our command line and the published client, from one to the other and back.

use std::path::Path;
use std::process::Command;

use agentdrop_testkit::python::python;

use crate::child::Child;
use crate::model::content;

/// An empty file, one that takes many reads, and one with a name in several scripts.
const FILES: [(&str, usize); 3] = [
    ("empty.bin", 0),
    ("five.bin", 5_000_000),
    ("größe – 数据.txt", 5),
];

#[tokio::test(flavor = "multi_thread")]
async fn files_go_to_the_published_client_and_back() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let database = format!("sqlite://{}", at("agentdrop.db").display());
    let server = Child::start(&at("data"), &database).await;
    let key = server.account().await;
    std::fs::create_dir(at("out")).unwrap();
    let mut paths = Vec::new();
    for (name, size) in FILES {
        paths.push(at("out").join(name));
        std::fs::File::create(&paths[paths.len() - 1])
            .and_then(|mut it| std::io::Write::write_all(&mut it, &content(name, size)))
            .unwrap();
    }

    let ours = |arguments: &[&str], key: Option<&str>| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_agentdrop"));
        command.args(arguments).env("AGENTDROP_SERVER", &server.url);
        command
            .env("AGENTDROP_CONFIG_DIR", at("alice"))
            .env_remove("AGENTDROP_API_KEY");
        command.envs(key.map(|it| ("AGENTDROP_API_KEY", it)));
        run(command);
    };
    let theirs = |arguments: &[&str]| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/live/published_client.py");
        let mut command = Command::new(python());
        command
            .arg(script)
            .args([&*server.url, &key, at("carol").to_str().unwrap()])
            .args(arguments);
        run(command);
    };
    let named: Vec<_> = paths.iter().map(|it| it.to_str().unwrap()).collect();

    ours(&["register", "alice"], Some(&key));
    theirs(&["register"]);
    ours(&[&["send", "carol"], &named[..]].concat(), None);
    theirs(&["receive", at("theirs").to_str().unwrap()]);
    check(&at("theirs"));
    theirs(&[&["send"], &named[..]].concat());
    ours(
        &["receive", "--all", "--to", at("ours").to_str().unwrap()],
        None,
    );
    check(&at("ours"));
}

fn check(folder: &Path) {
    for (name, size) in FILES {
        assert!(
            std::fs::read(folder.join(name)).unwrap() == content(name, size),
            "{name} differs"
        );
    }
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), FILES.len());
}

fn run(mut command: Command) {
    let output = command.output().unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{command:?}: {out}\n{err}");
}
