//! A process that publishes bundles, and is killed at any moment.

use std::collections::BTreeMap;
use std::env;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use agentdrop_protocol::SignedStatement;

use super::*;

const FOLDER: &str = "TEST_KEYRING_FOLDER";

/// What the process does that is killed: the test itself, begun once more with a folder.
fn publish(folder: &Path) {
    let mut keyring = match Keyring::open(folder, AGENT).unwrap() {
        Some(found) => found,
        None => create(folder),
    };
    for round in 9.. {
        let (xk, days) = (xk(1 + round % 90), u32::from(round) * 7);
        let draft = if round % 4 == 0 {
            keyring.rotate_identity(xk, after(days)).unwrap()
        } else {
            keyring.next_bundle(xk, after(days)).unwrap()
        };
        let Some(draft) = draft else {
            continue;
        };
        // Whoever reads this line is the server, and has it now.
        let bundle = SignedStatement::new(draft.bundle.to_bytes()).unwrap();
        writeln!(io::stdout(), "published {bundle}").unwrap();
        io::stdout().flush().unwrap();
        keyring.published(&draft.bundle).unwrap();
    }
}

#[test]
fn whoever_is_killed_never_signs_two_bundles_of_one_version() {
    if let Some(folder) = env::var_os(FOLDER) {
        return publish(Path::new(&folder));
    }
    let folder = tempfile::tempdir().unwrap();
    let mut server: BTreeMap<u64, SignedBundle> = BTreeMap::new();
    for count in [1, 2, 1, 5, 3, 1, 1, 8] {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "--nocapture"])
            .arg("keyring::tests::kills::whoever_is_killed_never_signs_two_bundles_of_one_version")
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let mut published = out.lines().map(Result::unwrap).filter_map(|line| {
            let bundle: SignedStatement = line.split_once("published ")?.1.parse().unwrap();
            Some(SignedBundle::read(bundle.as_bytes()).unwrap())
        });
        for _ in 0..count {
            let bundle = published.next().unwrap();
            let taken = server
                .entry(bundle.bundle.version)
                .or_insert_with(|| bundle.clone());
            assert_eq!(*taken, bundle);
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // What it wrote before it died is with the server too.
        for bundle in published {
            let taken = server
                .entry(bundle.bundle.version)
                .or_insert_with(|| bundle.clone());
            assert_eq!(*taken, bundle);
        }
    }
    let mut last = None;
    for (version, bundle) in (1..).zip(server.values()) {
        assert_eq!(bundle.bundle.version, version);
        assert_eq!(bundle.bundle.previous, last);
        last = Some(bundle.bundle.hash());
        let key = open(folder.path()).key_for(bundle.bundle.kem.id());
        assert!(key.unwrap().is_some(), "what was sealed for it opens");
    }
    assert!(server.len() >= 10, "{}", server.len());
}
