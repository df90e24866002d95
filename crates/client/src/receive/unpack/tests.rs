//! Tars of all kinds, most of them hostile.

use std::fs;
use std::io::{Seek as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tar::Builder;

use super::*;

/// One entry, named as nobody should name one.
fn entry(name: &[u8], kind: EntryType, content: &[u8]) -> Vec<u8> {
    let mut header = Header::new_ustar();
    header.set_entry_type(kind);
    header.set_size(content.len() as u64);
    header.set_mode(0o6777);
    let field = header.as_old_mut().name.iter_mut();
    field.zip(name).for_each(|(to, from)| *to = *from);
    if matches!(kind, EntryType::Link | EntryType::Symlink) {
        header.set_link_name_literal("../../goal").unwrap();
    }
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend_from_slice(content);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

fn file(name: &str, content: &[u8]) -> Vec<u8> {
    entry(name.as_bytes(), EntryType::Regular, content)
}

fn folder(name: &str) -> Vec<u8> {
    entry(name.as_bytes(), EntryType::Directory, b"")
}

fn extended(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    let fields = fields.iter().map(|(key, value)| (*key, value.as_bytes()));
    builder.append_pax_extensions(fields).unwrap();
    builder.get_ref().clone()
}

fn tar(entries: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = entries.concat();
    bytes.resize(bytes.len() + 1024, 0);
    bytes
}

/// Unpacks into the folder `it` of `target`.
fn unpacked(target: &Path, tar: &[u8]) -> Result<(), String> {
    let mut packed = tempfile::tempfile().unwrap();
    packed.write_all(tar).unwrap();
    packed.rewind().unwrap();
    unpack(&packed, &File::open(target).unwrap(), "it")
}

#[test]
fn files_and_folders_are_made_and_only_whether_they_run_is_kept() {
    let target = tempfile::tempdir().unwrap();
    let long = format!("{}/{}", "d".repeat(200), "n".repeat(200));
    let mut plain = Header::new_ustar();
    plain.set_path("a/plain").unwrap();
    plain.set_size(5);
    plain.set_mode(0o600);
    plain.set_cksum();
    let mut plain = plain.as_bytes().to_vec();
    plain.extend_from_slice(b"plain");
    plain.resize(1024, 0);
    let tar = tar(&[
        folder("a/"),
        folder("a/empty"),
        file("a/run", b"#!"),
        plain,
        extended(&[("path", &long), ("mtime", "1")]),
        file("cut short", b"long"),
        file("without/a folder before", b"1"),
    ]);
    unpacked(target.path(), &tar).unwrap();
    let root = target.path().join("it");
    let mode = |name: &str| fs::metadata(root.join(name)).unwrap().permissions().mode();
    assert_eq!(mode("a/run") & 0o7100, 0o100, "not who owns it");
    assert_eq!(mode("a/plain") & 0o7111, 0);
    assert_eq!(fs::read(root.join("a/plain")).unwrap(), b"plain");
    assert_eq!(fs::read(root.join(long)).unwrap(), b"long");
    assert_eq!(
        fs::read(root.join("without/a folder before")).unwrap(),
        b"1"
    );
    assert_eq!(fs::read_dir(root.join("a/empty")).unwrap().count(), 0);
}

#[test]
fn a_tar_of_nothing_is_an_empty_folder() {
    let target = tempfile::tempdir().unwrap();
    unpacked(target.path(), &tar(&[])).unwrap();
    assert_eq!(fs::read_dir(target.path().join("it")).unwrap().count(), 0);
}

#[test]
fn whatever_is_no_plain_folder_of_files_is_refused_and_leads_nowhere() {
    let bad_names: [&[u8]; 12] = [
        b"../goal",
        b"a/../../goal",
        b"/tmp/goal",
        b"..",
        b".",
        b"./a",
        b"a//b",
        b"a\\b",
        b"",
        b"a\x1b[2Jb",
        b"a\nb",
        b"\xff\xfe",
    ];
    let mut bad: Vec<Vec<u8>> = Vec::new();
    for name in bad_names {
        bad.push(tar(&[entry(name, EntryType::Regular, b"x")]));
        bad.push(tar(&[entry(name, EntryType::Directory, b"")]));
    }
    for kind in [
        EntryType::Link,
        EntryType::Symlink,
        EntryType::Char,
        EntryType::Block,
        EntryType::Fifo,
        EntryType::GNUSparse,
        EntryType::GNULongName,
        EntryType::XGlobalHeader,
        EntryType::Continuous,
        EntryType::new(b'?'),
    ] {
        bad.push(tar(&[entry(b"a", kind, b"")]));
    }
    let x = || file("x", b"x");
    bad.extend([
        tar(&[entry(b"a", EntryType::Symlink, b""), file("a/goal", b"x")]),
        tar(&[x(), x()]),
        tar(&[folder("x"), folder("x/")]),
        tar(&[x(), folder("x")]),
        tar(&[folder("x"), x()]),
        tar(&[x(), file("x/below", b"y")]),
        tar(&[extended(&[("path", "../goal")]), x()]),
        tar(&[extended(&[("path", "a\0b")]), x()]),
        tar(&[extended(&[("size", "0")]), x()]),
        tar(&[extended(&[("size", "99999999999")]), x()]),
        tar(&[extended(&[("path", "a"), ("path", "b")]), x()]),
        tar(&[extended(&[("GNU.sparse.major", "1")]), x()]),
        tar(&[extended(&[("path", "b")]), extended(&[("path", "a")]), x()]),
        tar(&[extended(&[("comment", &"x".repeat(70_000))]), x()]),
        tar(&[file(&"d/".repeat(40), b"x")]),
        tar(&[
            extended(&[("path", &format!("{}x", "d/".repeat(202)))]),
            x(),
        ]),
        b"not a tar at all".repeat(100),
        tar(&[x()])[..512].to_vec(),
    ]);
    for tar in bad {
        let target = tempfile::tempdir().unwrap();
        let goal = target.path().join("goal");
        let refused = unpacked(target.path(), &tar);
        assert!(
            refused.is_err(),
            "{}",
            String::from_utf8_lossy(&tar[..tar.len().min(600)])
        );
        assert!(!goal.exists());
        assert!(!Path::new("/tmp/goal").exists());
    }
}

#[test]
fn a_length_beyond_the_tar_is_refused_before_anything_is_made_of_it() {
    let target = tempfile::tempdir().unwrap();
    let mut long = file("x", b"x");
    let mut header = Header::from_byte_slice(&long[..512]).clone();
    header.set_size(1 << 40);
    header.set_cksum();
    long[..512].copy_from_slice(header.as_bytes());
    let refused = unpacked(target.path(), &tar(&[long])).unwrap_err();
    assert_eq!(refused, "an entry is longer than all of it");
    assert!(!target.path().join("it/x").exists());
}

#[test]
fn more_entries_than_anybody_sends_are_refused() {
    let target = tempfile::tempdir().unwrap();
    let entries: Vec<_> = (0..=MAX_ENTRIES)
        .map(|n| entry(format!("{n}").as_bytes(), EntryType::Regular, b""))
        .collect();
    let refused = unpacked(target.path(), &tar(&entries)).unwrap_err();
    assert!(refused.contains("more than 1000 entries"), "{refused}");
}

#[test]
fn what_is_there_already_is_not_unpacked_into() {
    let target = tempfile::tempdir().unwrap();
    fs::create_dir(target.path().join("it")).unwrap();
    unpacked(target.path(), &tar(&[file("x", b"x")])).unwrap_err();
    assert!(!target.path().join("it/x").exists());
}
