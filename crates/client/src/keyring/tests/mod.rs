use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::thread;
use std::time::Duration;

use agentdrop_protocol::limits::{MAX_LIFETIME, UPLOAD_LIFETIME};
use agentdrop_seal::identity::{Bundle, Pin};

use super::*;
use crate::error::Error;

mod kills;

const AGENT: AgentId = AgentId::from_bytes([0xa; 16]);
const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);
const DAY: Duration = Duration::from_hours(24);

fn xk(byte: u8) -> EncryptionPublicKey {
    EncryptionPublicKey::try_from([byte; 32]).unwrap()
}

fn create(folder: &Path) -> Keyring {
    Keyring::create(folder, AGENT, xk(9), NOW).unwrap()
}

fn open(folder: &Path) -> Keyring {
    Keyring::open(folder, AGENT).unwrap().unwrap()
}

/// Made, and its first bundle taken by the server.
fn published(folder: &Path) -> Keyring {
    let mut keyring = create(folder);
    publish(&mut keyring);
    keyring
}

fn publish(keyring: &mut Keyring) -> SignedBundle {
    let bundle = keyring.draft().unwrap().bundle.clone();
    keyring.published(&bundle).unwrap();
    bundle
}

fn after(days: u32) -> Timestamp {
    NOW.plus(DAY * days)
}

fn code<T>(result: Result<T>) -> &'static str {
    result.map(drop).map_err(|it: Error| it.code()).unwrap_err()
}

#[test]
fn what_was_made_is_there_after_a_kill_and_is_made_once() {
    let folder = tempfile::tempdir().unwrap();
    assert!(Keyring::open(folder.path(), AGENT).unwrap().is_none());
    let made = create(folder.path());
    let draft = made.draft().cloned().unwrap();
    let fingerprint = made.fingerprint();
    drop(made);
    let found = open(folder.path());
    assert_eq!(found.draft(), Some(&draft), "the same is published");
    assert_eq!((found.bundle(), found.fingerprint()), (None, fingerprint));
    assert_eq!(draft.bundle.bundle.fingerprint(), fingerprint);
    let again = Keyring::create(folder.path(), AGENT, xk(9), NOW);
    assert_eq!(code(again), "KEYRING_EXISTS");
    assert_eq!(open(folder.path()).fingerprint(), fingerprint);
}

#[test]
fn a_kill_between_publishing_and_writing_so_publishes_the_same_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut keyring = published(folder.path());
    assert_eq!(keyring.next_bundle(xk(9), after(29)).unwrap(), None);
    let draft = keyring.next_bundle(xk(9), after(30)).unwrap().unwrap();
    // The server took it, and here the process ends.
    drop(keyring);
    let mut keyring = open(folder.path());
    assert_eq!(keyring.draft(), Some(&draft));
    for (xk, days) in [(xk(9), 31), (xk(8), 31), (xk(9), 90)] {
        let again = keyring.next_bundle(xk, after(days)).unwrap().unwrap();
        assert_eq!(again, draft, "never two bundles of one version");
    }
    let rotated = keyring.rotate_identity(xk(9), after(31)).unwrap();
    assert_eq!(rotated.as_ref(), Some(&draft));
    // What somebody seals for it before that is known here opens.
    let id = draft.bundle.bundle.kem.id();
    assert!(keyring.key_for(id).unwrap().is_some());
    keyring.published(&draft.bundle).unwrap();
    keyring.published(&draft.bundle).unwrap();
    assert_eq!(keyring.bundle(), Some(&draft.bundle));
    assert_eq!(keyring.draft(), None);
    assert!(open(folder.path()).key_for(id).unwrap().is_some());
}

#[test]
fn bundles_follow_each_other_for_whoever_pinned_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let mut keyring = create(folder.path());
    let mut pin: Option<Pin> = None;
    let mut ids = HashSet::new();
    for (days, key, rotates) in [
        (0, 9, false),
        (30, 9, false),
        (31, 8, false),
        (32, 8, true),
        (62, 8, false),
    ] {
        let now = after(days);
        let next = match (&pin, rotates) {
            (None, _) => keyring.draft().cloned(),
            (_, true) => keyring.rotate_identity(xk(key), now).unwrap(),
            (_, false) => keyring.next_bundle(xk(key), now).unwrap(),
        };
        let next = next.unwrap();
        assert_eq!(next.rotation.is_some(), rotates);
        if let (Some(rotation), Some(known)) = (next.rotation, pin) {
            let rotation = rotation.check(AGENT, &known.identity).unwrap();
            pin = Some(known.rotated(&rotation).unwrap());
        }
        let verified = next.bundle.clone().check(AGENT, pin.as_ref(), now).unwrap();
        assert_eq!(verified.bundle().compatible, xk(key));
        ids.insert(verified.bundle().kem.id());
        pin = Some(verified.pin());
        keyring.published(&next.bundle).unwrap();
        keyring = open(folder.path());
        assert_eq!(keyring.fingerprint(), verified.bundle().fingerprint());
    }
    assert_eq!(keyring.former_identities().count(), 1);
    assert_eq!(ids.len(), 4, "another X25519 key alone needs no other");
    for id in ids {
        assert!(
            keyring.key_for(id).unwrap().is_some(),
            "old ones open still"
        );
    }
}

#[test]
fn an_old_key_is_erased_when_nothing_can_come_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut keyring = published(folder.path());
    let first = keyring.bundle().unwrap().bundle.clone();
    keyring.next_bundle(xk(9), after(30)).unwrap().unwrap();
    let second = publish(&mut keyring).bundle;
    let end = first.not_after.plus(DAY * 30).plus(MAX_LIFETIME);
    let prekeys = keyring.new_prekeys(2, NOW).unwrap();
    keyring.erase_prekey(prekeys[0].prekey.kem.id()).unwrap();
    let has = |keyring: &Keyring, id| keyring.key_for(id).unwrap().is_some();
    keyring.sweep(end.minus(Duration::from_millis(1))).unwrap();
    assert!(has(&keyring, first.kem.id()));
    keyring.sweep(end).unwrap();
    assert!(!has(&keyring, first.kem.id()));
    assert!(has(&keyring, second.kem.id()), "the one in use stays");
    assert!(!has(&keyring, prekeys[1].prekey.kem.id()));
    let left = fs::read_to_string(folder.path().join(PREKEYS)).unwrap();
    assert!(left.contains(r#""prekeys":[]"#), "{left}");
}

#[test]
fn a_prekey_is_given_out_until_its_last_moment_and_kept_while_something_can_come() {
    let folder = tempfile::tempdir().unwrap();
    let mut keyring = published(folder.path());
    let prekey = keyring.new_prekeys(1, NOW).unwrap().remove(0).prekey;
    let before = |it: Timestamp| it.minus(Duration::from_millis(1));
    let open_at = |keyring: &Keyring, at| keyring.unpublished_prekeys(at).unwrap().len();
    assert_eq!(open_at(&keyring, before(prekey.not_after)), 1);
    assert_eq!(open_at(&keyring, prekey.not_after), 0);
    let end = prekey.not_after.plus(UPLOAD_LIFETIME).plus(MAX_LIFETIME);
    keyring.sweep(before(end)).unwrap();
    assert!(keyring.key_for(prekey.kem.id()).unwrap().is_some());
    keyring.sweep(end).unwrap();
    assert!(keyring.key_for(prekey.kem.id()).unwrap().is_none());
}

#[test]
fn where_nothing_is_over_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut keyring = published(folder.path());
    keyring.new_prekeys(1, NOW).unwrap();
    // While they are open no other file gets their number.
    let before = [KEYS, PREKEYS].map(|it| fs::File::open(folder.path().join(it)).unwrap());
    keyring.sweep(NOW).unwrap();
    for (name, before) in [KEYS, PREKEYS].iter().zip(before) {
        let now = fs::metadata(folder.path().join(name)).unwrap();
        assert_eq!(now.ino(), before.metadata().unwrap().ino(), "{name}");
    }
}

#[test]
fn what_another_process_changed_is_there_after_a_reload() {
    let folder = tempfile::tempdir().unwrap();
    let mut keyring = published(folder.path());
    let mut other_process = open(folder.path());
    other_process.next_bundle(xk(8), NOW).unwrap().unwrap();
    let bundle = publish(&mut other_process);
    assert_ne!(keyring.bundle(), Some(&bundle));
    keyring.reload().unwrap();
    assert_eq!(keyring.bundle(), Some(&bundle));
}

#[test]
fn what_a_kill_left_half_written_is_swept() {
    let folder = tempfile::tempdir().unwrap();
    let mut keyring = published(folder.path());
    let left = folder.path().join(".writing-abc");
    crate::write_private(&left, b"half").unwrap();
    let written = crate::clock::now();
    keyring.sweep(written).unwrap();
    assert!(left.exists(), "somebody may be writing it");
    keyring.sweep(written.plus(DAY)).unwrap();
    assert!(!left.exists());
}

#[test]
fn prekeys_are_on_disk_before_anybody_has_them_and_go_once() {
    let folder = tempfile::tempdir().unwrap();
    let keyring = published(folder.path());
    let made = keyring.new_prekeys(3, NOW).unwrap();
    drop(keyring);
    let keyring = open(folder.path());
    assert_eq!(keyring.unpublished_prekeys(NOW).unwrap(), made);
    let bundle = keyring.bundle().unwrap().clone();
    let bundle = bundle.check(AGENT, None, NOW).unwrap();
    for prekey in &made {
        prekey.clone().check(&bundle, NOW).unwrap();
        let (key, kind) = keyring.key_for(prekey.prekey.kem.id()).unwrap().unwrap();
        assert_eq!((key.id(), kind), (prekey.prekey.kem.id(), KeyKind::Prekey));
    }
    keyring.prekeys_published(&made[..2]).unwrap();
    assert_eq!(keyring.unpublished_prekeys(NOW).unwrap(), made[2..]);
    let id = made[0].prekey.kem.id();
    assert!(keyring.erase_prekey(id).unwrap());
    assert!(!keyring.erase_prekey(id).unwrap());
    assert!(open(folder.path()).key_for(id).unwrap().is_none());
}

#[test]
fn prekeys_are_signed_by_the_identity_there_is_by_then() {
    let folder = tempfile::tempdir().unwrap();
    let other_process = published(folder.path());
    let mut keyring = open(folder.path());
    keyring.new_prekeys(1, NOW).unwrap();
    keyring.rotate_identity(xk(9), NOW).unwrap().unwrap();
    let bundle = publish(&mut keyring).check(AGENT, None, NOW).unwrap();
    for prekey in other_process.unpublished_prekeys(NOW).unwrap() {
        prekey.check(&bundle, NOW).unwrap();
    }
    for prekey in other_process.new_prekeys(1, NOW).unwrap() {
        prekey.check(&bundle, NOW).unwrap();
    }
}

#[test]
fn many_at_once_make_one_keyring_and_lose_no_prekey() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let made: Vec<_> = thread::scope(|scope| {
        let work = || {
            let created = Keyring::create(folder, AGENT, xk(9), NOW).is_ok();
            let keyring = open(folder);
            let prekeys = (0..3).flat_map(|_| keyring.new_prekeys(2, NOW).unwrap());
            (created, keyring.fingerprint(), prekeys.collect::<Vec<_>>())
        };
        let threads = [(); 6].map(|()| scope.spawn(work));
        let done = threads.into_iter().map(|it| it.join().unwrap());
        done.collect()
    });
    assert_eq!(made.iter().filter(|it| it.0).count(), 1);
    let keyring = open(folder);
    assert!(made.iter().all(|it| it.1 == keyring.fingerprint()));
    let prekeys = made.iter().flat_map(|it| &it.2);
    let ids: HashSet<_> = prekeys.map(|it| it.prekey.kem.id()).collect();
    assert_eq!(ids.len(), 36);
    for id in ids {
        assert!(keyring.key_for(id).unwrap().is_some());
    }
}

#[test]
fn of_many_who_prepare_the_next_bundle_all_have_the_same() {
    let folder = tempfile::tempdir().unwrap();
    published(folder.path());
    let folder = folder.path();
    let drafts: Vec<_> = thread::scope(|scope| {
        let work = || open(folder).next_bundle(xk(8), after(40)).unwrap().unwrap();
        let threads = [(); 6].map(|()| scope.spawn(work));
        threads.into_iter().map(|it| it.join().unwrap()).collect()
    });
    assert!(drafts.iter().all(|it| *it == drafts[0]));
}

#[test]
fn keys_of_another_agent_or_that_do_not_belong_together_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let keyring = published(folder.path());
    keyring.new_prekeys(1, NOW).unwrap();
    let another = AgentId::from_bytes([0xb; 16]);
    let content = || fs::read(folder.path().join(KEYS)).unwrap();
    let before = content();
    let opened = Keyring::open(folder.path(), another);
    assert_eq!(code(opened), "KEYRING_OF_ANOTHER");
    let created = Keyring::create(folder.path(), another, xk(9), NOW);
    assert_eq!(code(created), "KEYRING_EXISTS");
    assert_eq!(content(), before, "nothing is overwritten");

    // The bundle of one keyring with the identity of another.
    let elsewhere = tempfile::tempdir().unwrap();
    published(elsewhere.path());
    let read = |folder: &Path| fs::read_to_string(folder.join(KEYS)).unwrap();
    let mut mixed: serde_json::Value = serde_json::from_str(&read(folder.path())).unwrap();
    let other: serde_json::Value = serde_json::from_str(&read(elsewhere.path())).unwrap();
    mixed["identity"] = other["identity"].clone();
    let path = folder.path().join(KEYS);
    crate::write_private(&path, mixed.to_string().as_bytes()).unwrap();
    assert_eq!(code(Keyring::open(folder.path(), AGENT)), "KEYRING_SPOILED");

    // The draft of another keyring, with a rotation that ours did not sign.
    let mut elsewhere = open(elsewhere.path());
    elsewhere.rotate_identity(xk(9), NOW).unwrap().unwrap();
    let other = fs::read(elsewhere.keys.path()).unwrap();
    let other: serde_json::Value = serde_json::from_slice(&other).unwrap();
    let mut mixed: serde_json::Value = serde_json::from_slice(&before).unwrap();
    mixed["draft"] = other["draft"].clone();
    crate::write_private(&path, mixed.to_string().as_bytes()).unwrap();
    assert_eq!(code(Keyring::open(folder.path(), AGENT)), "KEYRING_SPOILED");

    crate::write_private(&path, &before).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(code(Keyring::open(folder.path(), AGENT)), "FILE_TOO_OPEN");
}

#[test]
fn no_secret_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let keyring = published(folder.path());
    keyring.new_prekeys(1, NOW).unwrap();
    let shown = format!("{keyring:?} {:?}", keyring.keys.read().unwrap());
    let shown = format!("{shown} {:?}", keyring.prekeys.read().unwrap());
    let begin = format!("Keyring {{ agent: {AGENT:?}, fingerprint: adk1");
    assert!(shown.starts_with(&begin), "{shown}");
    assert_eq!(shown.matches("Seed(…)").count(), 3, "{shown}");
    for file in [KEYS, PREKEYS] {
        let json = fs::read_to_string(folder.path().join(file)).unwrap();
        let seeds: Vec<_> = json
            .split('"')
            .filter(|it| it.len() == 44 && it.ends_with('='))
            .collect();
        assert!(!seeds.is_empty());
        assert!(seeds.iter().all(|it| !shown.contains(it)));
    }
}

#[test]
fn what_the_server_has_is_taken_note_of() {
    let folder = tempfile::tempdir().unwrap();
    let mut keyring = create(folder.path());
    keyring.reconcile(None, NOW).unwrap();
    let first = keyring.draft().unwrap().bundle.clone();
    keyring.reconcile(Some(&first), NOW).unwrap();
    assert_eq!((keyring.bundle(), keyring.draft()), (Some(&first), None));

    let second = keyring.next_bundle(xk(8), after(1)).unwrap().unwrap();
    keyring.reconcile(Some(&first), after(1)).unwrap();
    assert_eq!(keyring.draft(), Some(&second), "not over, and not dropped");
    keyring.reconcile(Some(&first), after(100)).unwrap();
    assert_eq!(keyring.draft(), None);
    let anew = keyring.next_bundle(xk(8), after(100)).unwrap().unwrap();
    assert_eq!(anew.bundle.bundle.version, 2);
    publish(&mut keyring);

    assert_eq!(code(keyring.reconcile(None, NOW)), "OWN_BUNDLE_ROLLED_BACK");
    let rolled_back = keyring.reconcile(Some(&first), NOW);
    assert_eq!(code(rolled_back), "OWN_BUNDLE_ROLLED_BACK");
    let forked = keyring.reconcile(Some(&second.bundle), NOW);
    assert_eq!(code(forked), "OWN_IDENTITY_REPLACED");
    let elsewhere = tempfile::tempdir().unwrap();
    let foreign = create(elsewhere.path()).draft().unwrap().bundle.clone();
    for replaced in [
        keyring.reconcile(Some(&foreign), NOW),
        keyring.adopt(&foreign),
    ] {
        assert_eq!(code(replaced), "OWN_IDENTITY_REPLACED");
    }
}

#[test]
fn a_server_that_shows_who_one_was_before_was_set_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut keyring = published(folder.path());
    let former = keyring.bundle().unwrap().clone();
    keyring.rotate_identity(xk(9), NOW).unwrap().unwrap();
    publish(&mut keyring);
    let set_back = keyring.reconcile(Some(&former), NOW);
    assert_eq!(code(set_back), "OWN_BUNDLE_ROLLED_BACK");
    // Another identity with an older bundle never was this one.
    let elsewhere = tempfile::tempdir().unwrap();
    let foreign = create(elsewhere.path()).draft().unwrap().bundle.clone();
    let replaced = keyring.reconcile(Some(&foreign), NOW);
    assert_eq!(code(replaced), "OWN_IDENTITY_REPLACED");
}

#[test]
fn a_first_bundle_that_nobody_took_in_time_is_signed_once_more() {
    let folder = tempfile::tempdir().unwrap();
    let mut keyring = create(folder.path());
    let first = keyring.draft().unwrap().bundle.clone();
    keyring.reconcile(None, after(200)).unwrap();
    let again = keyring.draft().unwrap().bundle.clone();
    assert_eq!(again.bundle.version, 1);
    assert_eq!(again.bundle.kem, first.bundle.kem);
    again.check(AGENT, None, after(200)).unwrap();
}

#[test]
fn a_keyring_restored_from_a_copy_goes_on_behind_what_the_server_has() {
    let folder = tempfile::tempdir().unwrap();
    let mut keyring = published(folder.path());
    let copy = fs::read(folder.path().join(KEYS)).unwrap();
    keyring.next_bundle(xk(8), after(1)).unwrap().unwrap();
    let lost = publish(&mut keyring);
    crate::write_private(&folder.path().join(KEYS), &copy).unwrap();

    let mut restored = open(folder.path());
    let found = restored.reconcile(Some(&lost), after(2));
    assert_eq!(code(found), "KEYRING_BEHIND");
    restored.adopt(&lost).unwrap();
    let next = restored.next_bundle(xk(8), after(2)).unwrap().unwrap();
    let pin = lost.check(AGENT, None, NOW).unwrap().pin();
    let next: Bundle = next
        .bundle
        .check(AGENT, Some(&pin), NOW)
        .unwrap()
        .bundle()
        .clone();
    assert_eq!(next.version, 3);
    assert!(restored.key_for(next.kem.id()).unwrap().is_some());
}

#[test]
fn there_is_an_end_to_prekeys_that_nobody_uses() {
    let folder = tempfile::tempdir().unwrap();
    let keyring = published(folder.path());
    assert_eq!(keyring.new_prekeys(4_095, NOW).unwrap().len(), 4_095);
    let last = keyring.new_prekeys(10, NOW).unwrap();
    assert_eq!(last.len(), 1);
    assert_eq!(keyring.new_prekeys(10, NOW).unwrap(), []);
    let id = last[0].prekey.kem.id();
    assert!(open(folder.path()).key_for(id).unwrap().is_some());
    keyring.erase_prekey(id).unwrap();
    assert_eq!(keyring.new_prekeys(10, NOW).unwrap().len(), 1);
}

#[test]
fn its_files_are_known_for_what_they_are_so_that_nobody_sends_them() {
    let folder = tempfile::tempdir().unwrap();
    let keyring = published(folder.path());
    keyring.new_prekeys(1, NOW).unwrap();
    for name in [KEYS, PREKEYS] {
        let content = fs::read(folder.path().join(name)).unwrap();
        assert!(is_keyring(name.as_ref(), &content), "{name}");
        assert!(!is_keyring("other.json".as_ref(), &content));
        assert!(!is_keyring(name.as_ref(), br#"{"keys":[]}"#));
    }
}
