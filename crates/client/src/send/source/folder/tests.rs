//! What the tar has, read by another than wrote it.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{PermissionsExt as _, symlink};

use agentdrop_protocol::{AgentId, Timestamp};

use super::*;
use crate::keyring::Keyring;

fn write(root: &Path, name: &str, content: &[u8]) {
    let path = root.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    File::create(path).unwrap().write_all(content).unwrap();
}

fn packed(folder: &mut Folder, piece: usize) -> Vec<u8> {
    let mut tar = vec![0; usize::try_from(folder.bytes().unwrap()).unwrap()];
    for piece in tar.chunks_mut(piece) {
        folder.read_whole(piece).unwrap();
    }
    folder.expect_end().unwrap();
    tar
}

#[test]
fn keys_and_what_is_on_its_way_do_not_leave() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    write(root, "a.txt", b"one");
    write(root, ".agentdrop/config.json", b"{}");
    write(root, "sub/.agentdrop/uploads/x", b"keys");
    write(root, ".agentdrop-incoming-0/state", b"keys");
    // One that is none of ours.
    write(root, "config.json", br#"{"private_key":"x"}"#);
    let found = Folder::find(root, Irregular::Refused).unwrap().entries;
    let found: Vec<_> = found.iter().map(|it| it.path.to_str().unwrap()).collect();
    assert_eq!(found, ["a.txt", "config.json", "sub"]);

    let private_key = STANDARD.encode([7; 32]);
    let identity =
        format!(r#"{{"agent_id":"alice","public_key":"x","private_key":"{private_key}"}}"#);
    let token = "{\"server\":\"x\",\"email\":\"a@b.c\",\"session_token\":\"t\",\"expires_at\":\"2026-12-22T10:00:00.000Z\"}";
    for (name, content) in [("config.json", &*identity), ("session.json", token)] {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &format!("alice/{name}"), content.as_bytes());
        let refused = Folder::find(folder.path(), Irregular::Refused).unwrap_err();
        assert_eq!(refused.code(), "HOLDS_KEYS", "{name}");
    }
}

#[test]
fn a_keyring_does_not_leave() {
    let agent = AgentId::from_bytes([1; 16]);
    let (xk, now) = ([9; 32].try_into().unwrap(), Timestamp::from_millis(1));
    let folder = tempfile::tempdir().unwrap();
    let made = Keyring::create(folder.path(), agent, xk, now).unwrap();
    made.new_prekeys(1, now).unwrap();
    for name in ["keys.json", "prekeys.json"] {
        let elsewhere = tempfile::tempdir().unwrap();
        let content = fs::read(folder.path().join(name)).unwrap();
        write(elsewhere.path(), &format!("alice/{name}"), &content);
        let refused = Folder::find(elsewhere.path(), Irregular::Refused).unwrap_err();
        assert_eq!(refused.code(), "HOLDS_KEYS", "{name}");
    }
}

#[test]
fn the_tar_has_what_the_folder_has_and_no_more() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let long = format!("{}/{}/x.txt", "d".repeat(200), "é".repeat(120));
    for (name, content) in [
        ("a.txt", &b"one"[..]),
        ("sub/b", &[7; 1024]),
        ("sub/empty", b""),
        ("sub.txt", &[1; 513]),
        (&long, b"long"),
    ] {
        write(root, name, content);
    }
    fs::create_dir(root.join("nothing")).unwrap();
    let run = fs::Permissions::from_mode(0o700);
    fs::set_permissions(root.join("a.txt"), run).unwrap();

    let mut folder = Folder::find(root, Irregular::Refused).unwrap();
    let tar = packed(&mut folder, usize::MAX);
    folder.rewind();
    assert!(
        packed(&mut folder, 7) == tar,
        "the same, however it is read"
    );
    let mut found = BTreeMap::new();
    for entry in tar::Archive::new(&tar[..]).entries().unwrap() {
        let mut entry = entry.unwrap();
        let (path, header) = (entry.path().unwrap().into_owned(), entry.header().clone());
        assert_eq!((header.uid().unwrap(), header.gid().unwrap()), (0, 0));
        assert_eq!(header.username().unwrap(), Some(""));
        let about = fs::metadata(root.join(&path)).unwrap();
        assert_eq!(header.mtime().unwrap(), about.mtime().cast_unsigned());
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        if about.is_file() {
            assert_eq!(content, fs::read(root.join(&path)).unwrap());
        }
        let kind = header.entry_type();
        found.insert(path, (kind, header.mode().unwrap()));
    }
    let of = |path: &str| found[Path::new(path)];
    assert_eq!(of("a.txt"), (EntryType::Regular, 0o755));
    assert_eq!(of("sub/b"), (EntryType::Regular, 0o644));
    assert_eq!(of("nothing"), (EntryType::Directory, 0o755));
    assert_eq!(of(&long), (EntryType::Regular, 0o644));
    assert_eq!(found.len(), 9, "{found:?}");
}

#[test]
fn what_is_no_file_and_no_folder_is_refused_by_its_name() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "sub/a", b"1");
    let refused = |name: &str, code| {
        let error = Folder::find(root.path(), Irregular::Refused).unwrap_err();
        assert_eq!(error.code(), code);
        assert!(error.to_string().contains(name), "{error}");
        fs::remove_file(root.path().join(name)).unwrap();
    };
    symlink("a", root.path().join("sub/link")).unwrap();
    refused("sub/link", "IS_A_LINK");
    let pipe = rustix::fs::FileType::Fifo;
    let mode = rustix::fs::Mode::RWXU;
    rustix::fs::mknodat(rustix::fs::CWD, root.path().join("pipe"), pipe, mode, 0).unwrap();
    refused("pipe", "NOT_A_FILE");
    write(root.path(), "sub/a\nb", b"");
    let error = Folder::find(root.path(), Irregular::Refused).unwrap_err();
    assert_eq!(error.code(), "FILE_NAME");
}

#[test]
fn what_is_no_file_and_no_folder_is_named_or_left_out() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "sub/a", b"1");
    let plain = Folder::find(root.path(), Irregular::Refused).unwrap();
    for name in ["sub/b", "c", "d", "e", "f", "g"] {
        symlink("/etc/passwd", root.path().join(name)).unwrap();
    }
    let error = Folder::find(root.path(), Irregular::Refused).unwrap_err();
    assert_eq!(error.code(), "IS_A_LINK");
    let text = error.to_string();
    assert!(
        text.ends_with("6 symbolic links or special files: c, d, e, f, g and 1 more"),
        "{text}"
    );
    let folder = Folder::find(root.path(), Irregular::LeftOut).unwrap();
    let left_out: Vec<_> = folder.left_out().collect();
    assert_eq!(left_out.len(), 6);
    assert_eq!(left_out[5], root.path().join("sub/b"));
    let (names, all): (Vec<_>, Vec<_>) = (
        plain.entries.iter().map(|it| &it.path).collect(),
        folder.entries.iter().map(|it| &it.path).collect(),
    );
    assert_eq!(names, all);
}

#[test]
fn a_folder_that_changes_while_it_is_read_is_refused() {
    type Change = fn(&Path);
    let changes: [Change; 5] = [
        |root| write(root, "c", b"new"),
        |root| fs::remove_file(root.join("b")).unwrap(),
        |root| {
            let mut file = OpenOptions::new()
                .append(true)
                .open(root.join("b"))
                .unwrap();
            file.write_all(b"more").unwrap();
        },
        |root| {
            fs::remove_file(root.join("b")).unwrap();
            symlink("a", root.join("b")).unwrap();
        },
        |root| {
            OpenOptions::new()
                .write(true)
                .open(root.join("b"))
                .unwrap()
                .set_len(1)
                .unwrap();
        },
    ];
    for (n, change) in changes.into_iter().enumerate() {
        let root = tempfile::tempdir().unwrap();
        write(root.path(), "a", &[1; 2000]);
        write(root.path(), "b", &[2; 2000]);
        let mut folder = Folder::find(root.path(), Irregular::Refused).unwrap();
        let mut rest = vec![0; usize::try_from(folder.bytes().unwrap()).unwrap() - 700];
        folder.read_whole(&mut [0; 700]).unwrap();
        change(root.path());
        let read = folder
            .read_whole(&mut rest)
            .and_then(|()| folder.expect_end());
        assert!(read.is_err(), "{n}");
    }
}
