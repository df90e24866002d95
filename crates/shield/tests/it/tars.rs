//! Tape archives.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use agentdrop_shield::Limits;
use agentdrop_shield::ThreatLevel::{Critical, High, Low, Medium};

use crate::made::{
    ORDER, assert_found_at, assert_ordinary, assert_rule, gzip, long_text, noise, scan,
    scan_within, xz,
};

/// A block in front of a file.
pub(crate) fn header(name: &str, kind: u8, size: u64, link: &str) -> [u8; 512] {
    let mut block = [0; 512];
    block[..name.len()].copy_from_slice(name.as_bytes());
    block[100..107].copy_from_slice(b"0000644");
    block[124..135].copy_from_slice(format!("{size:011o}").as_bytes());
    block[136..147].copy_from_slice(b"00000000000");
    block[156] = kind;
    block[157..157 + link.len()].copy_from_slice(link.as_bytes());
    block[257..263].copy_from_slice(b"ustar\0");
    summed(block)
}

pub(crate) fn summed(mut block: [u8; 512]) -> [u8; 512] {
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|it| u32::from(*it)).sum();
    block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    block
}

pub(crate) fn member(name: &str, kind: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = header(name, kind, content.len() as u64, "").to_vec();
    bytes.extend(content);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

pub(crate) fn tar(members: &[Vec<u8>]) -> Vec<u8> {
    [members.concat(), vec![0; 1024]].concat()
}

fn link(name: &str, target: &str) -> Vec<u8> {
    header(name, b'2', 0, target).to_vec()
}

fn pax(records: &[(&str, &str)]) -> Vec<u8> {
    let record = |(key, value): &(&str, &str)| {
        let rest = format!(" {key}={value}\n");
        let length = (1..5)
            .find(|it| (rest.len() + it).to_string().len() == *it)
            .unwrap();
        format!("{}{rest}", rest.len() + length)
    };
    let body: String = records.iter().map(record).collect();
    member("pax", b'x', body.as_bytes())
}

#[test]
fn files_are_looked_at_whatever_is_around_the_tape() {
    let tape = tar(&[
        member("a", b'0', b"hi"),
        member("b/c.txt", b'0', ORDER.as_bytes()),
    ]);
    assert_found_at("a.tar › b/c.txt", "a.tar", &tape);
    assert_found_at("a.tgz › a.tar › b/c.txt", "a.tgz", &gzip(&tape));
    let old = [tape.clone(), ORDER.as_bytes().to_vec()].concat();
    assert_found_at("a.tar › (behind the end)", "a.tar", &old);
    let mut v7 = tape;
    let mut first = *v7.first_chunk::<512>().unwrap();
    first[257..263].fill(0);
    v7[..512].copy_from_slice(&summed(first));
    assert_found_at("a.tar › b/c.txt", "a.tar", &v7);
}

#[test]
fn a_tape_that_is_far_longer_than_is_held_is_looked_at_to_its_end() {
    let limits = Limits {
        held: 9 << 17,
        ..Limits::default()
    };
    let tape = tar(&[
        member("noise", b'0', &noise(5 << 18)),
        member(
            "inner.tar.xz",
            b'0',
            &xz(&tar(&[
                member("noise", b'0', &noise(5 << 18)),
                member("b.txt", b'0', ORDER.as_bytes()),
            ])),
        ),
        member("a.txt", b'0', &long_text(5 << 18)),
    ]);
    let report = scan_within(limits, "a.tar.gz", &gzip(&tape));
    for place in [
        "a.tar.gz › a.tar › a.txt",
        "a.tar.gz › a.tar › inner.tar.xz › inner.tar › b.txt",
    ] {
        assert!(
            report.findings.iter().any(|it| it.place == place),
            "{report:#?}"
        );
    }
}

#[test]
fn names_count_wherever_they_are_written() {
    let long = member("././@LongLink", b'L', b"../../long\0");
    let cases = [
        tar(&[member("../a", b'0', b"hi")]),
        tar(&[member("/etc/passwd", b'0', b"hi")]),
        tar(&[long, member("a", b'0', b"hi")]),
        tar(&[pax(&[("path", "../../a")]), member("a", b'0', b"hi")]),
        // Who does not know pax sees the other one.
        tar(&[pax(&[("path", "a")]), member("../../a", b'0', b"hi")]),
    ];
    for tape in cases {
        assert_rule("archive/traversal", Critical, &scan("a.tar", &tape));
    }
}

#[test]
fn links_that_lead_out_are_found() {
    let report = scan("a.tar", &tar(&[link("a", "/etc/shadow")]));
    assert_rule("archive/link-to-secret", High, &report);
    let report = scan("a.tar", &tar(&[link("a", "../../b")]));
    assert_rule("archive/link-out", Medium, &report);
    let through = tar(&[link("a", "/home/me"), member("a/.profile", b'0', b"hi")]);
    assert_rule("archive/through-link", Critical, &scan("a.tar", &through));
    let hard = header("x/y/z", b'1', 0, "../a").to_vec();
    assert_rule("archive/link-out", Medium, &scan("a.tar", &tar(&[hard])));
    let inside = tar(&[
        link("a/b", "../c"),
        member("c/d", b'0', b"hi"),
        member("a/b/e", b'0', b"hi"),
    ]);
    assert!(scan("a.tar", &inside).findings.is_empty());
}

#[test]
fn what_is_no_file_is_found() {
    let report = scan("a.tar", &tar(&[header("null", b'3', 0, "").to_vec()]));
    assert_rule("archive/device", Medium, &report);
    let mut setuid = header("su", b'0', 0, "");
    setuid[100..107].copy_from_slice(b"0004755");
    assert_rule(
        "archive/setuid",
        Low,
        &scan("a.tar", &tar(&[summed(setuid).to_vec()])),
    );
}

#[test]
fn notes_are_looked_at() {
    let tape = tar(&[pax(&[("comment", ORDER)]), member("a", b'0', b"hi")]);
    assert_found_at("a.tar › comment", "a.tar", &tape);
}

#[test]
fn terabytes_of_holes_are_a_bomb() {
    let gnu = || {
        let mut block = header("a", b'S', 512, "");
        block[483..494].copy_from_slice(b"77777777777");
        [summed(block).to_vec(), vec![0; 512]].concat()
    };
    let many: Vec<_> = (0..100).map(|_| gnu()).collect();
    assert_rule("resource-limit/sparse", High, &scan("a.tar", &tar(&many)));
    let size = (1_u64 << 45).to_string();
    let tape = tar(&[
        pax(&[("GNU.sparse.realsize", &size)]),
        member("a", b'0', b"hi"),
    ]);
    assert_rule("resource-limit/sparse", High, &scan("a.tar", &tape));
}

#[test]
fn a_size_beyond_the_end_is_no_more_than_unreadable() {
    let tape = [
        &header("a", b'0', 0o77_777_777_777, "")[..],
        ORDER.as_bytes(),
    ]
    .concat();
    assert_rule("format/unreadable", Low, &scan("a.tar", &tape));
    assert_found_at("a.tar › a", "a.tar", &tape);
    let mut block = header("a", b'0', 0, "");
    block[124..136].fill(0xFF);
    scan("a.tar", &summed(block));
    let pax = pax(&[("size", "18446744073709551615")]);
    scan("a.tar", &tar(&[pax, member("a", b'0', b"hi")]));
}

#[test]
fn no_cut_and_no_changed_byte_brings_it_down() {
    let tape = tar(&[
        pax(&[("path", "b")]),
        member("a", b'0', b"hi"),
        link("c", "b"),
    ]);
    for at in 0..tape.len() {
        scan("a.tar", &tape[..at]);
        let mut changed = tape.clone();
        changed[at] = changed[at].wrapping_add(1);
        scan("a.tar", &changed);
    }
    // What is behind a damaged header is looked at.
    let tape = tar(&[
        member("a", b'0', b"hi"),
        vec![1; 512],
        member("b", b'0', ORDER.as_bytes()),
    ]);
    assert_found_at("a.tar › b", "a.tar", &tape);
}

#[test]
fn ten_thousand_files_are_ordinary_and_so_is_a_tree_of_a_system() {
    let text = long_text(1000);
    let file = |n: usize| member(&format!("src/{n}.rs"), b'0', &text[..500]);
    let mut members: Vec<_> = (0..3000).map(file).collect();
    members.push(link("usr/bin/awk", "/etc/alternatives/awk"));
    members.push(link("var/run", "/run"));
    assert_ordinary(&scan("a.tar", &tar(&members)));
}
