//! Zip archives.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use agentdrop_shield::ThreatLevel::{Critical, High, Low, Medium};
use agentdrop_shield::{Limits, ThreatLevel};

use crate::made::{
    ORDER, assert_found_at, assert_ordinary, assert_rule, bzip2, long_text, noise, scan,
    scan_within, xz, zstd,
};
use crate::zipped::{Entry, deflated, zip, zip_with};

#[test]
fn files_are_looked_at_however_they_are_packed() {
    let order = ORDER.as_bytes();
    let packed = [
        Entry::stored("stored.txt", order),
        Entry::deflated("deflated.txt", order),
        Entry::packed("bzip2.txt", order, 12, bzip2(order)),
        Entry::packed("zstd.txt", order, 93, zstd(order)),
        Entry::packed("xz.txt", order, 95, xz(order)),
        Entry::packed("lzma.txt", order, 14, lzma(order)),
        // What has no match further back than 32 KiB is the same in both.
        Entry::packed("deflate64.txt", order, 9, deflated(order)),
    ];
    let archive = zip(&packed);
    for name in [
        "stored",
        "deflated",
        "bzip2",
        "zstd",
        "xz",
        "lzma",
        "deflate64",
    ] {
        assert_found_at(&format!("a.zip › {name}.txt"), "a.zip", &archive);
    }
}

fn lzma(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let options = lzma_rust2::LzmaOptions::with_preset(1);
    let packed = Vec::new();
    let mut writer = lzma_rust2::LzmaWriter::new_no_header(packed, &options, false).unwrap();
    writer.write_all(bytes).unwrap();
    let mut head = vec![9, 20, 5, 0, options.get_props()];
    head.extend(options.dict_size.to_le_bytes());
    [head, writer.finish().unwrap()].concat()
}

#[test]
fn archives_in_archives_are_looked_at() {
    let inner = zip(&[Entry::deflated("notes.txt", ORDER.as_bytes())]);
    let outer = zip(&[
        Entry::stored("readme", b"hi"),
        Entry::deflated("inner.zip", &inner),
    ]);
    assert_found_at("a.zip › inner.zip › notes.txt", "a.zip", &outer);
}

#[test]
fn a_file_that_is_too_long_to_be_held_is_looked_at() {
    let limits = Limits {
        held: 1 << 20,
        ..Limits::default()
    };
    let archive = zip(&[
        Entry::deflated("a.txt", &long_text(2 << 20)),
        Entry {
            flags: 8,
            ..Entry::deflated("b.zip", &[&*noise(2 << 20), ORDER.as_bytes()].concat())
        },
    ]);
    let report = scan_within(limits, "a.zip", &archive);
    assert!(
        report.findings.iter().any(|it| it.place == "a.zip › a.txt"),
        "{report:#?}"
    );
    // An archive inside of it, too.
    let inner = zip(&[
        Entry::stored("noise", &noise(2 << 20)),
        Entry {
            flags: 8,
            ..Entry::deflated("c", b"hi")
        },
        Entry::deflated("d.txt", ORDER.as_bytes()),
    ]);
    let report = scan_within(limits, "a.zip", &zip(&[Entry::stored("b.zip", &inner)]));
    assert!(
        report
            .findings
            .iter()
            .any(|it| it.place == "a.zip › b.zip › d.txt"),
        "{report:#?}"
    );
}

#[test]
fn names_and_comments_are_looked_at() {
    let order = ORDER.as_bytes();
    let commented = Entry {
        comment: order.to_vec(),
        ..Entry::stored("a", b"")
    };
    assert_found_at("a.zip › a › comment", "a.zip", &zip(&[commented]));
    assert_found_at("a.zip › comment", "a.zip", &zip_with(b"", &[], order));
    let name = ORDER;
    assert_found_at(
        &format!("a.zip › {name}"),
        "a.zip",
        &zip(&[Entry::stored(name, b"")]),
    );
}

#[test]
fn a_name_that_leads_out_of_the_folder_is_critical() {
    for name in [
        "../a",
        "/etc/cron.d/a",
        "C:\\a.exe",
        "a/../../b",
        "..\\..\\a",
    ] {
        let report = scan("a.zip", &zip(&[Entry::stored(name, b"hi")]));
        assert_rule("archive/traversal", Critical, &report);
        let sly = Entry {
            local_name: Some(name.into()),
            ..Entry::stored("ordinary.txt", b"hi")
        };
        assert_rule("archive/traversal", Critical, &scan("a.zip", &zip(&[sly])));
        let mut extra = vec![0x75, 0x70];
        extra.extend(u16::try_from(name.len() + 5).unwrap().to_le_bytes());
        extra.extend([1, 0, 0, 0, 0]);
        extra.extend(name.as_bytes());
        let sly = Entry {
            extra,
            ..Entry::stored("ordinary.txt", b"hi")
        };
        assert_rule("archive/traversal", Critical, &scan("a.zip", &zip(&[sly])));
    }
}

#[test]
fn links_that_lead_out_are_found() {
    let cases = [
        ("/etc/shadow", "archive/link-to-secret", High),
        (
            "../../../home/me/.ssh/id_rsa",
            "archive/link-to-secret",
            High,
        ),
        ("../../there", "archive/link-out", Medium),
        ("/usr/bin/python3", "archive/link-out", Low),
    ];
    for (target, rule, level) in cases {
        let report = scan("a.zip", &zip(&[Entry::link("bin/x", target)]));
        assert_rule(rule, level, &report);
    }
    assert!(
        scan("a.zip", &zip(&[Entry::link("bin/x", "../lib/x.js")]))
            .findings
            .is_empty()
    );
}

#[test]
fn names_that_disguise_are_found() {
    let report = scan(
        "a.zip",
        &zip(&[Entry::stored("photo\u{202e}gpj.exe", b"hi")]),
    );
    assert_rule("archive/disguised-name", High, &report);
    let report = scan("a.zip", &zip(&[Entry::stored("a.txt\0.exe", b"hi")]));
    assert_rule("archive/disguised-name", High, &report);
    let report = scan("a.zip", &zip(&[Entry::stored("a\u{1b}[2Jb", b"hi")]));
    assert_rule("archive/control-characters", Medium, &report);
    let report = scan("a.zip", &zip(&[Entry::stored(&"a".repeat(5000), b"hi")]));
    assert_rule("archive/long-name", Low, &report);
}

#[test]
fn two_files_of_one_name_are_found_if_they_differ() {
    let report = scan(
        "a.zip",
        &zip(&[Entry::stored("a", b"1"), Entry::stored("a", b"2")]),
    );
    assert_rule("archive/duplicate", Medium, &report);
    let report = scan(
        "a.zip",
        &zip(&[Entry::stored("a", b"1"), Entry::stored("A", b"2")]),
    );
    assert_rule("archive/duplicate", Low, &report);
    assert!(
        scan(
            "a.zip",
            &zip(&[Entry::stored("a", b"1"), Entry::stored("a", b"1")])
        )
        .findings
        .is_empty()
    );
}

#[test]
fn an_archive_that_says_two_things_is_found() {
    let sly = Entry {
        local_name: Some(b"other.exe".into()),
        ..Entry::stored("a.txt", b"hi")
    };
    assert_rule("archive/two-faces", High, &scan("a.zip", &zip(&[sly])));
    // A second end in the comment of the first one.
    let second = zip(&[]);
    let archive = zip_with(b"", &[Entry::stored("a.txt", b"hi")], &second);
    assert_rule("archive/two-faces", High, &scan("a.zip", &archive));
}

#[test]
fn a_file_that_no_directory_tells_of_is_looked_at() {
    let hidden = Entry {
        is_listed: false,
        ..Entry::deflated("hidden.txt", ORDER.as_bytes())
    };
    let listed = Entry::stored("a.txt", b"hi");
    for entries in [vec![hidden.clone(), listed.clone()], vec![listed, hidden]] {
        let archive = zip(&entries);
        assert_found_at(
            "a.zip › (between the files) › hidden.txt",
            "a.zip",
            &archive,
        );
        assert_rule("archive/hidden", Low, &scan("a.zip", &archive));
    }
}

#[test]
fn what_is_behind_an_archive_is_looked_at_and_an_archive_behind_something() {
    let archive = zip(&[Entry::deflated("a.txt", ORDER.as_bytes())]);
    let ordinary = zip(&[Entry::stored("a.txt", b"hi")]);
    let behind = [&*ordinary, ORDER.as_bytes()].concat();
    assert_found_at("a.zip › (behind the end)", "a.zip", &behind);
    for prefix in [&b"#!/bin/sh\nexit 0\n"[..], b"\0\x01\x02\x03"] {
        let place = "a.bin › (zip archive at the end) › a.txt";
        assert_found_at(place, "a.bin", &[prefix, &archive].concat());
        let entries = [Entry::deflated("a.txt", ORDER.as_bytes())];
        assert_found_at(place, "a.bin", &zip_with(prefix, &entries, b"made by us"));
    }
}

#[test]
fn behind_the_end_of_a_packed_file_nothing_hides() {
    let mut entry = Entry::deflated("a.txt", b"hi");
    entry.packed.extend(ORDER.as_bytes());
    assert_found_at("a.zip › a.txt › (behind the end)", "a.zip", &zip(&[entry]));
}

#[test]
fn files_that_share_their_bytes_are_a_bomb() {
    let shared = Entry::deflated("a", &[0; 1000]);
    let again = (0..1000).map(|n| Entry {
        name: format!("a{n}").into(),
        at: Some(0),
        ..shared.clone()
    });
    let archive = zip(&std::iter::once(shared.clone())
        .chain(again)
        .collect::<Vec<_>>());
    assert_rule("resource-limit/overlap", High, &scan("a.zip", &archive));
}

#[test]
fn a_size_that_lies_is_a_bomb() {
    let lying = Entry {
        size: 10,
        ..Entry::deflated("a", &vec![0; 1 << 20])
    };
    assert_rule("resource-limit/size", High, &scan("a.zip", &zip(&[lying])));
}

#[test]
fn what_cannot_be_read_is_said() {
    let encrypted = Entry {
        flags: 1,
        ..Entry::stored("a", b"hi")
    };
    assert_rule(
        "archive/encrypted",
        Medium,
        &scan("a.zip", &zip(&[encrypted])),
    );
    let unknown = Entry {
        method: 97,
        ..Entry::stored("a", b"hi")
    };
    assert_rule(
        "archive/unsupported",
        Medium,
        &scan("a.zip", &zip(&[unknown])),
    );
    let damaged = Entry {
        sum: 1,
        ..Entry::stored("a", b"hi")
    };
    assert_rule("format/unreadable", Low, &scan("a.zip", &zip(&[damaged])));
    let hungry = [9, 20, 5, 0, 0x5D, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0];
    // Its end is marked, so that more may come than its length says.
    let hungry = Entry {
        flags: 2,
        ..Entry::packed("a", b"hi", 14, hungry.to_vec())
    };
    assert_rule(
        "resource-limit/memory",
        Medium,
        &scan("a.zip", &zip(&[hungry])),
    );
    // The others are read all the same.
    let archive = zip(&[
        Entry::packed("a", b"hi", 8, vec![0xFF; 20]),
        Entry::deflated("b", ORDER.as_bytes()),
    ]);
    assert_found_at("a.zip › b", "a.zip", &archive);
}

#[test]
fn an_archive_that_is_cut_off_anywhere_is_read_as_far_as_it_goes() {
    let archive = zip(&[
        Entry::deflated("a.txt", ORDER.as_bytes()),
        Entry {
            flags: 8,
            ..Entry::deflated("b.txt", b"And more of it.")
        },
        Entry::link("c", "b.txt"),
    ]);
    let first = 30 + 5 + deflated(ORDER.as_bytes()).len();
    for length in 0..archive.len() {
        let report = scan("a.zip", &archive[..length]);
        let is_found = report.findings.iter().any(|it| it.place.ends_with("a.txt"));
        assert!(is_found || length < first + 4, "{length}: {report:#?}");
        assert!(length < 4 || report.threat_level > ThreatLevel::Clean);
    }
}

#[test]
fn no_changed_byte_brings_it_down() {
    let archive = zip(&[
        Entry::deflated("a.txt", &long_text(300)),
        Entry {
            flags: 8,
            extra: vec![1, 0, 4, 0, 1, 2, 3, 4],
            ..Entry::deflated("b.txt", b"And more.")
        },
    ]);
    for at in 0..archive.len() {
        for byte in [0, 1, 0x7F, 0xFF] {
            let mut changed = archive.clone();
            changed[at] = byte;
            scan("a.zip", &changed);
        }
    }
}

#[test]
fn ordinary_archives_are_ordinary() {
    let text = long_text(100_000);
    let text = &text[..text.len() - ORDER.len()];
    let entries: Vec<Entry> = (0..500)
        .flat_map(|n| {
            [
                Entry::stored(&format!("node_modules/p{n}/"), b""),
                Entry {
                    flags: 8,
                    ..Entry::deflated(&format!("node_modules/p{n}/index.js"), &text[n..n + 900])
                },
                Entry::link(
                    &format!("node_modules/.bin/p{n}"),
                    &format!("../p{n}/index.js"),
                ),
            ]
        })
        .chain([Entry::deflated("log", &vec![b'a'; 2 << 20])])
        .collect();
    assert_ordinary(&scan("a.zip", &zip(&entries)));
    assert!(scan("a.zip", &zip(&[])).findings.is_empty());
}

#[test]
fn what_is_only_long_is_not_blocked_for_that() {
    let many: Vec<_> = (0..50)
        .map(|n| Entry::stored(&n.to_string(), &noise(5000)))
        .collect();
    let archive = zip(&many);
    let limits = Limits::default();
    let cases = [
        (
            "resource-limit/entries",
            Limits {
                entries: 20,
                ..limits
            },
        ),
        (
            "resource-limit/expanded",
            Limits {
                expanded: 100_000,
                ..limits
            },
        ),
        (
            "resource-limit/time",
            Limits {
                time: Duration::ZERO,
                ..limits
            },
        ),
    ];
    for (rule, limits) in cases {
        assert_rule(rule, Medium, &scan_within(limits, "a.zip", &archive));
    }
}
