//! Compressed streams.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use agentdrop_shield::ThreatLevel;
use flate2::GzBuilder;

use crate::made::{
    ORDER, Pack, assert_found_at, assert_ordinary, assert_rule, bzip2, gzip, long_text, lzma, scan,
    xz, zstd,
};

const PACKERS: [(&str, Pack); 5] = [
    ("bz2", bzip2),
    ("gz", gzip),
    ("lzma", lzma),
    ("xz", xz),
    ("zst", zstd),
];

#[test]
fn what_is_packed_is_looked_at() {
    for (ending, pack) in PACKERS {
        let name = format!("notes.txt.{ending}");
        let place = format!("{name} › notes.txt");
        assert_found_at(&place, &name, &pack(ORDER.as_bytes()));
        assert_found_at(&place, &name, &pack(&long_text(3 << 20)));
    }
}

#[test]
fn what_is_packed_again_and_again_is_looked_at() {
    for (ending, pack) in PACKERS {
        let packed = pack(&xz(&gzip(&pack(ORDER.as_bytes()))));
        let name = format!("a.{ending}.gz.xz.{ending}");
        let place = format!("{name} › a.{ending}.gz.xz › a.{ending}.gz › a.{ending} › a");
        assert_found_at(&place, &name, &packed);
    }
}

#[test]
fn a_second_stream_is_looked_at_and_what_is_behind_the_last() {
    for (ending, pack) in PACKERS {
        let name = format!("a.{ending}");
        let first = pack(b"Nothing to see here.\n");
        let second = [first.clone(), pack(ORDER.as_bytes())].concat();
        assert_found_at(&format!("{name} › a"), &name, &second);
        let behind = [&first, ORDER.as_bytes()].concat();
        assert_found_at(&format!("{name} › (behind the end)"), &name, &behind);
        let padded = [first, vec![0; 10_240]].concat();
        assert!(scan(&name, &padded).findings.is_empty());
    }
}

#[test]
fn a_stream_that_others_pass_over_hides_nothing() {
    let ours = [
        &[0x52, 0x2A, 0x4D, 0x18, 3, 0, 0, 0, 1, 2, 3],
        &*zstd(ORDER.as_bytes()),
    ]
    .concat();
    let packed = [zstd(b"first"), ours].concat();
    assert_found_at("a.zst › a", "a.zst", &packed);
}

#[test]
fn many_short_streams_are_one_file() {
    let packed: Vec<u8> = (0..20_000).flat_map(|_| gzip(b"x")).collect();
    assert!(scan("a.gz", &packed).findings.is_empty());
}

#[test]
fn what_a_header_says_is_looked_at() {
    let order = ORDER.as_bytes();
    let named = |it: GzBuilder| it.write(Vec::new(), flate2::Compression::fast()).finish();
    for (place, header) in [
        ("name", GzBuilder::new().filename(order)),
        ("comment", GzBuilder::new().comment(order)),
        ("extra field", GzBuilder::new().extra(order)),
    ] {
        let packed = named(header).unwrap();
        assert_found_at(&format!("a.gz › {place}"), "a.gz", &packed);
    }
}

#[test]
fn what_is_cut_off_is_looked_at_as_far_as_it_goes() {
    for (ending, pack) in PACKERS {
        let name = format!("a.{ending}");
        let whole = pack(&long_text(2000));
        for length in 0..whole.len() {
            let report = scan(&name, &whole[..length]);
            assert!(!report.safe || report.threat_level <= ThreatLevel::Low);
        }
        let whole = pack(&[ORDER.as_bytes(), b"\n", &long_text(2 << 20)].concat());
        if ending != "bz2" {
            // Blocks of bzip2 are unpacked whole or not at all.
            assert_found_at(&format!("{name} › a"), &name, &whole[..whole.len() - 100]);
        }
        let report = scan(&name, &whole[..whole.len() - 100]);
        assert_rule("format/unreadable", ThreatLevel::Low, &report);
    }
}

#[test]
fn a_dictionary_beyond_the_memory_is_not_made() {
    let packed = hungry_xz();
    assert_rule(
        "resource-limit/memory",
        ThreatLevel::Medium,
        &scan("a.xz", &packed),
    );

    // A dictionary of four gibibytes, and more bytes to come than are looked at.
    let mut long = lzma(b"The meeting is on Tuesday.");
    long[1..13].copy_from_slice(&[255, 255, 255, 255, 0, 0, 0, 0, 9, 0, 0, 0]);
    assert_rule(
        "resource-limit/memory",
        ThreatLevel::Medium,
        &scan("a.lzma", &long),
    );
    // Of a few bytes none of it is made.
    long[5..13].copy_from_slice(&26_u64.to_le_bytes());
    assert_ordinary(&scan("a.lzma", &long));

    // A window of 3.75 TiB, and no length of the content.
    let zstd = [0x28, 0xB5, 0x2F, 0xFD, 0, 0xFF, 1, 0, 0];
    assert_rule(
        "resource-limit/memory",
        ThreatLevel::Medium,
        &scan("a.zst", &zstd),
    );
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut sum = flate2::Crc::new();
    sum.update(bytes);
    sum.sum()
}

#[test]
fn what_is_tightly_packed_is_ordinary() {
    let line = |n| format!("2026-01-01T00:00:{:02} GET /health 200 ok\n", n / 700);
    let log = (0..40_000).map(line).collect::<Vec<_>>().concat();
    for (ending, pack) in PACKERS {
        let name = format!("access.log.{ending}");
        assert_ordinary(&scan(&name, &pack(log.as_bytes())));
        assert_ordinary(&scan("zeros.gz", &pack(&vec![0; 1 << 20])));
    }
}

/// With a dictionary of four gibibytes.
pub(crate) fn hungry_xz() -> Vec<u8> {
    let mut packed = xz(b"The meeting is on Tuesday.");
    // The block header: its length, flags, the filter, the length of its property, the dictionary.
    let header = 12..12 + (usize::from(packed[12]) + 1) * 4;
    let at = header.start
        + packed[header.clone()]
            .windows(2)
            .position(|it| it == [0x21, 1])
            .unwrap()
        + 2;
    packed[at] = 40;
    let sum = crc32(&packed[header.start..header.end - 4]);
    packed[header.end - 4..header.end].copy_from_slice(&sum.to_le_bytes());
    packed
}

#[test]
fn a_frame_that_wants_all_memory_there_is_gets_none() {
    // Eight bytes of length, all of whose bits but the last are set.
    let mut frame = b"\x28\xB5\x2F\xFD\xE0".to_vec();
    frame.extend((u64::MAX - 1).to_le_bytes());
    frame.extend([1, 0, 0]);
    let report = scan("a.zst", &frame);
    assert_rule("resource-limit/memory", ThreatLevel::Medium, &report);
}

#[test]
fn frames_that_are_passed_over_hide_nothing_behind_them() {
    let mut frames = b"\x50\x2A\x4D\x18\x04\0\0\0abcd".to_vec();
    frames.extend(zstd(ORDER.as_bytes()));
    assert_found_at("a.txt.zst › a.txt", "a.txt.zst", &frames);
}
