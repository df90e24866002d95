//! Archives of `ar` and `cpio`, which packages are made of.

use agentdrop_shield::ThreatLevel::{Critical, High, Low, Medium};

use crate::made::{ORDER, assert_found_at, assert_rule, gzip, scan, xz};
use crate::tars::{member, tar};

fn ar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = b"!<arch>\n".to_vec();
    for (name, content) in files {
        let size = content.len();
        out.extend(format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{size:<10}`\n", 0, 0, 0, 644).bytes());
        out.extend(*content);
        out.extend(&b"\n"[..size & 1]);
    }
    out
}

fn cpio(files: &[(&str, u32, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, mode, content) in files.iter().chain([&("TRAILER!!!", 0, &b""[..])]) {
        let (size, name_size) = (content.len(), name.len() + 1);
        let fields = [
            1,
            *mode as usize,
            0,
            0,
            1,
            0,
            size,
            0,
            0,
            0,
            0,
            name_size,
            0,
        ];
        out.extend(b"070701");
        out.extend(
            fields
                .iter()
                .flat_map(|it| format!("{it:08X}").into_bytes()),
        );
        out.extend(name.bytes().chain([0]));
        out.resize(out.len().next_multiple_of(4), 0);
        out.extend(*content);
        out.resize(out.len().next_multiple_of(4), 0);
    }
    out
}

#[test]
fn packages_are_looked_into() {
    let data = xz(&tar(&[member("./usr/share/doc/a", b'0', ORDER.as_bytes())]));
    let control = gzip(&tar(&[member("./control", b'0', b"Package: a\n")]));
    let package = ar(&[
        ("debian-binary/", b"2.0\n"),
        ("control.tar.gz/", &control),
        ("data.tar.xz/", &data),
    ]);
    assert_found_at(
        "a.deb › data.tar.xz › data.tar › ./usr/share/doc/a",
        "a.deb",
        &package,
    );
    let files = [
        ("bin", 0o040_755, &b""[..]),
        ("a.txt", 0o100_644, ORDER.as_bytes()),
    ];
    assert_found_at("a.cpio › a.txt", "a.cpio", &cpio(&files));
    assert_found_at(
        "a.cpio.gz › a.cpio › a.txt",
        "a.cpio.gz",
        &gzip(&cpio(&files)),
    );
}

#[test]
fn long_names_are_read() {
    let order = ORDER.as_bytes();
    let archive = ar(&[
        ("//", b"one_long_name.txt/\nanother_long_name.txt/\n"),
        ("/19", order),
    ]);
    assert_found_at("a.a › another_long_name.txt", "a.a", &archive);
    let bsd = [b"a_name.txt\0\0", order].concat();
    assert_found_at("a.a › a_name.txt", "a.a", &ar(&[("#1/12", &bsd)]));
}

#[test]
fn names_and_links_that_lead_out_are_found() {
    assert_rule(
        "archive/traversal",
        Critical,
        &scan("a.a", &ar(&[("../a/", b"hi")])),
    );
    let report = scan("a.cpio", &cpio(&[("../a", 0o100_644, b"hi")]));
    assert_rule("archive/traversal", Critical, &report);
    let report = scan("a.cpio", &cpio(&[("a", 0o120_777, b"/etc/shadow")]));
    assert_rule("archive/link-to-secret", High, &report);
    let report = scan("a.cpio", &cpio(&[("a", 0o020_777, b"")]));
    assert_rule("archive/device", Medium, &report);
}

#[test]
fn no_cut_and_no_changed_byte_brings_it_down() {
    let archives = [
        ar(&[
            ("//", b"one_long_name.txt/\n"),
            ("/0", b"hi"),
            ("#1/4", b"nameand"),
        ]),
        cpio(&[("a", 0o100_644, b"hi"), ("b", 0o120_777, b"a")]),
    ];
    for archive in archives {
        for at in 0..archive.len() {
            scan("a", &archive[..at]);
            for byte in [0, b'9', b'F', 0xFF] {
                let mut changed = archive.clone();
                changed[at] = byte;
                scan("a", &changed);
            }
        }
        let report = scan("a", &archive[..archive.len() - 5]);
        assert_rule("format/unreadable", Low, &report);
    }
}
