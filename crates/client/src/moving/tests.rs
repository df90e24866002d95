//! What moves, and what does not.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;

use agentdrop_protocol::{AgentId, EncryptionPublicKey, Timestamp, TransferId};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use tar::EntryType;

use super::pack::{hold, pack};
use super::unpack::unpack;
use super::*;
use crate::identity::Draft;
use crate::keyring::Keyring;
use crate::trust::{Arrival, KnownAgents, Received, SentTransfers, Sequence};
use crate::write_private;

const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

fn packed(files: &[(&str, EntryType, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, kind, content) in files {
        let mut header = tar::Header::new_gnu();
        // As a hostile hand writes it: `append_data` refuses `..`.
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(content.len() as u64);
        header.set_entry_type(*kind);
        header.set_cksum();
        tar.append(&header, *content).unwrap();
    }
    tar.into_inner().unwrap()
}

fn identity(folder: &Path) {
    let agent = "019a9f3e-5c1a-7b2d-8e4f-a1b2c3d4e5f6".parse().unwrap();
    let draft = Draft::new(folder).unwrap();
    let url = "https://drop.example.org".to_owned();
    draft
        .finish("alice".parse().unwrap(), agent, url.clone(), url)
        .unwrap();
}

fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path());
    let files = entries.filter(|it| it.extension().is_some_and(|it| it == "json"));
    files
        .map(|it| (it.file_name().unwrap().into(), fs::read(&it).unwrap()))
        .collect()
}

#[test]
fn what_was_exported_is_there_again_and_for_its_owner_alone() {
    let place = tempfile::tempdir().unwrap();
    let (old, new) = (place.path().join("old"), place.path().join("new"));
    identity(&old);
    let key = x25519::Identity::generate();
    let to = MovingKey::recipient(&key.to_public().to_string()).unwrap();
    let exported = Identity::export(&old, &to).unwrap();
    assert!(exported.starts_with(b"age-encryption.org/v1"));
    let text = age::secrecy::ExposeSecret::expose_secret(&key.to_string()).to_owned();
    let with = MovingKey::key_file(&format!("# created\n{text}\n")).unwrap();
    Identity::import(&new, &exported, &with).unwrap();
    assert_eq!(contents(&old), contents(&new));
    let mode = |it: &Path| fs::metadata(it).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&new), mode(&new.join("config.json"))), (0o700, 0o600));

    let again = Identity::import(&new, &exported, &with).unwrap_err();
    assert_eq!(again.code(), "FOLDER_NOT_EMPTY");
    let stranger = x25519::Identity::generate().to_string();
    let stranger = age::secrecy::ExposeSecret::expose_secret(&stranger).to_owned();
    let stranger = MovingKey::key_file(&stranger).unwrap();
    let third = place.path().join("third");
    let mut changed = exported.clone();
    *changed.last_mut().unwrap() ^= 1;
    for (bytes, key) in [(&exported, &stranger), (&changed, &with)] {
        let refused = Identity::import(&third, bytes, key).unwrap_err();
        assert_eq!(refused.code(), "EXPORT_NOT_OPENED");
    }
    assert!(!third.exists());
}

#[test]
fn what_does_not_belong_there_is_refused_and_nothing_is_left() {
    let place = tempfile::tempdir().unwrap();
    let old = place.path().join("old");
    identity(&old);
    let config = fs::read(old.join("config.json")).unwrap();
    let file = EntryType::Regular;
    let good = ("config.json", file, &config[..]);
    let new = place.path().join("new");
    for bad in [
        ("../escape.json", file, &b"x"[..]),
        ("/tmp/config.json", file, b"x"),
        ("sent/../../x.json", file, b"x"),
        ("session.json", file, b"x"),
        ("sent/x", file, b"x"),
        ("sent/deep/x.json", file, b"x"),
        ("keys.json", EntryType::Symlink, b""),
        ("keys.json", file, b"{}"),
        good,
    ] {
        let refused = unpack(&new, &packed(&[good, bad])).unwrap_err();
        assert_eq!(refused.code(), "EXPORT_MALFORMED", "{}", bad.0);
    }
    let refused = unpack(&new, &packed(&[])).unwrap_err();
    assert_eq!(refused.code(), "EXPORT_MALFORMED");
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
    unpack(&new, &packed(&[good])).unwrap();
}

/// All that an agent keeps after it sent and received.
fn used(folder: &Path) {
    identity(folder);
    let agent = Identity::load(folder).unwrap().agent_uuid().unwrap();
    let sender = AgentId::from_bytes([1; 16]);
    let transfer = TransferId::from_bytes([2; 16]);
    let xk = EncryptionPublicKey::try_from([9; 32]).unwrap();
    let keyring = Keyring::create(folder, agent, xk, NOW).unwrap();
    keyring.new_prekeys(1, NOW).unwrap();
    let known = KnownAgents::load(folder).unwrap();
    known.meet_compatible(sender, "worker", xk, NOW).unwrap();
    Sequence::open(folder).next(NOW).unwrap();
    let sent = SentTransfers::open(folder);
    sent.remember(transfer, [7; 64], &[], NOW).unwrap();
    let received = Received::open(folder);
    received.remember(&arrival(sender, transfer), NOW).unwrap();
}

fn arrival(sender: AgentId, transfer: TransferId) -> Arrival {
    Arrival {
        sender,
        transfer,
        manifest_hash: [7; 64],
        seq: 1,
        expires: NOW,
    }
}

#[test]
fn all_that_an_agent_keeps_moves_and_nothing_else_does() {
    let place = tempfile::tempdir().unwrap();
    let (old, new) = (place.path().join("old"), place.path().join("a/new"));
    used(&old);
    for stays in ["session.json", "sent/half a name.json", "sent/.json"] {
        write_private(&old.join(stays), b"{}").unwrap();
    }
    unpack(&new, &pack(&old).unwrap()).unwrap();
    assert_eq!(contents(&new).len(), FILES.len());
    let mut before = contents(&old);
    before.remove(Path::new("session.json"));
    assert_eq!(contents(&new), before);
    for below in FOLDERS {
        let mut before = contents(&old.join(below));
        before.retain(|it, _| !it.to_str().unwrap().contains(' '));
        before.remove(Path::new(".json"));
        assert_eq!((before.len(), contents(&new.join(below))), (1, before));
    }
    let again = arrival(
        AgentId::from_bytes([1; 16]),
        TransferId::from_bytes([2; 16]),
    );
    let replayed = Received::open(&new).check(&again).unwrap_err();
    assert_eq!(replayed.code(), "REPLAYED");
}

#[test]
fn nobody_changes_what_is_being_packed() {
    let place = tempfile::tempdir().unwrap();
    used(place.path());
    let locks = [
        "keys.lock",
        "known_agents.lock",
        "sequence.lock",
        "received/received.lock",
        "sent/sent.lock",
    ];
    let try_all = || {
        locks.map(|it| {
            let lock = File::open(place.path().join(it)).unwrap();
            flock(&lock, FlockOperation::NonBlockingLockExclusive)
        })
    };
    let held = hold(place.path()).unwrap();
    assert_eq!(try_all(), [Err(Errno::WOULDBLOCK); 5]);
    drop(held);
    assert_eq!(try_all(), [Ok(()); 5]);
}

#[test]
fn what_cannot_be_read_is_not_left_out() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("one");
    identity(&folder);
    symlink("sequence.json", folder.join("sequence.json")).unwrap();
    assert_eq!(pack(&folder).unwrap_err().code(), "IO");
    let folder = place.path().join("other");
    identity(&folder);
    write_private(&folder.join("received"), b"no folder").unwrap();
    assert_eq!(pack(&folder).unwrap_err().code(), "IO");
}

#[test]
fn a_file_is_as_large_as_any_becomes_and_no_larger() {
    let place = tempfile::tempdir().unwrap();
    let old = place.path().join("old");
    identity(&old);
    let config = fs::read(old.join("config.json")).unwrap();
    let file = EntryType::Regular;
    let mut large = vec![b' '; 8 << 20];
    let import = |to: &str, large: &[u8]| {
        let files = [
            ("config.json", file, &config[..]),
            ("sent/x.json", file, large),
        ];
        unpack(&place.path().join(to), &packed(&files))
    };
    import("whole", &large).unwrap();
    large.push(b' ');
    assert_eq!(
        import("larger", &large).unwrap_err().code(),
        "EXPORT_MALFORMED"
    );
}

#[test]
fn what_is_too_large_is_not_opened() {
    let key = MovingKey::key_file(&secret_key()).unwrap();
    let mut sealed = vec![0; 256 << 20];
    assert_eq!(key.open(&sealed).unwrap_err().code(), "EXPORT_NOT_OPENED");
    sealed.push(0);
    assert_eq!(key.open(&sealed).unwrap_err().code(), "EXPORT_MALFORMED");
}

fn secret_key() -> String {
    let key = x25519::Identity::generate().to_string();
    age::secrecy::ExposeSecret::expose_secret(&key).to_owned()
}

#[test]
fn a_key_is_the_first_line_that_is_one() {
    let (key, other) = (secret_key(), secret_key());
    let opens = |text: &str| {
        let sealed = MovingKey::key_file(&key)
            .unwrap()
            .seal(b"all of it")
            .unwrap();
        let opened = MovingKey::key_file(text)?.open(&sealed)?;
        Ok::<_, crate::Error>(opened.to_vec())
    };
    assert_eq!(
        opens(&format!("\n# one\n  {key}  \n{other}\n")).unwrap(),
        b"all of it"
    );
    let wrong = opens(&format!("{other}\n{key}\n")).unwrap_err();
    assert_eq!(wrong.code(), "EXPORT_NOT_OPENED");
    let shown = format!("{:?}", MovingKey::key_file(&key).unwrap());
    assert_eq!(shown, "MovingKey(…)");
}
