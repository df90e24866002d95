//! Files that are read, and files that are refused.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use agentdrop_protocol::api_key::KeyKind;

use super::find::search;
use super::*;
use crate::private_file::write_private;

/// What the published client writes, with the keys of the contract's vectors.
const PUBLISHED: &str = r#"{
  "agent_id": "data-pipeline",
  "agent_uuid": "019a9f3e-5c1a-7b2d-8e4f-a1b2c3d4e5f6",
  "inbox_url": "https://example.org/v1/transfers/inbox",
  "public_key": "B6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw=",
  "private_key": "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA="
}"#;

fn folder(content: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write_private(&folder.path().join(FILE), content.as_bytes()).unwrap();
    folder
}

fn api_key() -> ApiKey {
    ApiKey::new(
        KeyKind::Agent,
        &std::array::from_fn(|n| u8::try_from(n).unwrap()),
    )
    .unwrap()
}

#[test]
fn the_published_clients_file_is_read() {
    let folder = folder(PUBLISHED);
    let identity = Identity::load(folder.path()).unwrap();
    assert_eq!(identity.agent_id().as_str(), "data-pipeline");
    assert!(identity.agent_uuid().is_some());
    assert!(identity.server().is_none() && identity.api_key().is_none());
}

#[test]
fn what_is_not_known_stays_in_the_file() {
    let text = PUBLISHED.replacen('{', r#"{"shield": {"mode": "review"}, "note": null, "#, 1);
    let folder = folder(&text);
    let identity = Identity::load(folder.path()).unwrap();
    identity.with_api_key(api_key()).unwrap();

    let content = fs::read(folder.path().join(FILE)).unwrap();
    let mut written: Value = serde_json::from_slice(&content).unwrap();
    let key = written.as_object_mut().unwrap().remove("api_key").unwrap();
    assert_eq!(key, api_key().expose_secret());
    assert_eq!(written, serde_json::from_str::<Value>(&text).unwrap());
    assert!(Identity::load(folder.path()).unwrap().api_key().is_some());
}

#[test]
fn a_file_that_is_no_identity_is_refused() {
    let other_key = "WGmv9FBUlzLLqu1eXfmzCm2jHLDldCutWtShp2jxpns=";
    let mine = "B6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw=";
    for (content, code) in [
        (PUBLISHED.replace(mine, other_key), "KEYS_DIFFER"),
        (PUBLISHED.replace("AQIDBAUG", ""), "IDENTITY_FILE"),
        (PUBLISHED.replace("data-pipeline", "../x"), "IDENTITY_FILE"),
        (
            PUBLISHED.replacen('{', r#"{"api_key": "agd_live_x", "#, 1),
            "IDENTITY_FILE",
        ),
        (
            PUBLISHED.replacen('{', r#"{"private_key": "AA==", "#, 1),
            "IDENTITY_FILE",
        ),
        ("[]".to_owned(), "IDENTITY_FILE"),
        (String::new(), "IDENTITY_FILE"),
    ] {
        let folder = folder(&content);
        let error = Identity::load(folder.path()).unwrap_err();
        assert_eq!(error.code(), code, "{content}");
        assert!(!error.to_string().contains("AQID"), "{error}");
    }
}

#[test]
fn an_error_or_a_debug_never_shows_the_key() {
    let folder = folder(PUBLISHED);
    let identity = Identity::load(folder.path())
        .unwrap()
        .with_api_key(api_key())
        .unwrap();
    let debug = format!("{identity:?}");
    assert!(
        !debug.contains("AQID") && !debug.contains("ada_live_"),
        "{debug}"
    );
}

#[test]
fn a_file_that_others_can_read_is_refused_with_what_mends_it() {
    let folder = folder(PUBLISHED);
    let path = folder.path().join(FILE);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let error = Identity::load(folder.path()).unwrap_err();
    assert_eq!(error.code(), "FILE_TOO_OPEN");
    assert_eq!(
        error.hint().unwrap(),
        format!("chmod 600 {}", path.display())
    );
}

#[test]
fn the_closest_folder_above_is_found_and_then_the_one_at_home() {
    let root = tempfile::tempdir().unwrap();
    let home = tempfile::tempdir().unwrap();
    let here = root.path().join("a/b/c");
    fs::create_dir_all(&here).unwrap();
    let at = |folder: &Path| {
        write_private(&folder.join(FOLDER).join(FILE), b"{}").unwrap();
        folder.join(FOLDER)
    };
    let found = || search(&here, Some(home.path()));
    assert_eq!(found(), None);
    assert_eq!((at(home.path()), true), (found().unwrap(), true));
    assert_eq!(at(root.path()), found().unwrap());
    assert_eq!(at(&root.path().join("a/b")), found().unwrap());
}

#[test]
fn an_identity_is_not_overwritten() {
    let folder = folder(PUBLISHED);
    assert_eq!(
        Draft::new(folder.path()).unwrap_err().code(),
        "IDENTITY_EXISTS"
    );

    let other = tempfile::tempdir().unwrap();
    let draft = Draft::new(other.path()).unwrap();
    write_private(&other.path().join(FILE), b"{}").unwrap();
    let id = "019a9f3e-5c1a-7b2d-8e4f-a1b2c3d4e5f6".parse().unwrap();
    let finished = draft.finish("a".parse().unwrap(), id, String::new(), String::new());
    finished.unwrap_err();
    assert_eq!(fs::read(other.path().join(FILE)).unwrap(), b"{}");
}
