//! What is noted in pictures and recordings.

mod pictures;
mod recordings;

use agentdrop_shield::ThreatLevel::High;

use crate::made::{ORDER, assert_found_at, assert_ordinary, assert_rule, scan};
use pictures::{chunk, gif, jpeg, png, riff, segment, tiff};

pub(crate) use pictures::zlib;

/// Files with the order in them, and where.
fn files() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let mut all = pictures::all();
    all.extend(recordings::all());
    all
}

#[test]
fn every_note_is_looked_at() {
    for (name, place, file) in files() {
        assert_found_at(&format!("{name} › {place}"), name, &file);
    }
}

#[test]
fn what_stands_behind_the_end_is_looked_at() {
    let order = ORDER.as_bytes();
    for (name, file) in [
        ("a.png", png(&[])),
        ("a.jpg", jpeg(&[])),
        ("a.gif", gif(&[])),
        ("a.webp", riff(b"WEBP", &[])),
    ] {
        assert!(scan(name, &file).findings.is_empty());
        assert!(
            scan(name, &[&*file, &[0; 100]].concat())
                .findings
                .is_empty()
        );
        let behind = [&*file, order].concat();
        assert_found_at(&format!("{name} › (behind the end)"), name, &behind);
        let archive = crate::zipped::zip(&[crate::zipped::Entry::deflated("a.txt", order)]);
        let behind = [&*file, &archive].concat();
        assert_found_at(&format!("{name} › (behind the end) › a.txt"), name, &behind);
    }
}

#[test]
fn no_cut_and_no_changed_byte_brings_it_down() {
    for (name, _, file) in files() {
        for at in 0..file.len().min(600) {
            scan(name, &file[..at]);
            for byte in [0, 0x7F, 0xFF] {
                let mut changed = file.clone();
                changed[at] = byte;
                scan(name, &changed);
            }
        }
    }
}

#[test]
fn a_note_that_is_a_bomb_is_told_as_one() {
    let report = scan("a.png", &bomb());
    assert_rule("resource-limit/ratio", High, &report);
    let bomb = [b"sRGB\0\0".as_slice(), &zlib(&vec![0; 40 << 20])].concat();
    let report = scan("a.png", &png(&[chunk(b"iCCP", &bomb)]));
    assert_rule("resource-limit/ratio", High, &report);
}

#[test]
fn directories_that_point_to_each_other_end() {
    // One that goes on with itself, and one inside of itself.
    let mut file = tiff(&[(0x8769, 4, &8_u32.to_le_bytes())]);
    let end = 8 + 2 + 12;
    file[end..end + 4].copy_from_slice(&8_u32.to_le_bytes());
    assert!(scan("a.tif", &file).findings.is_empty());
}

#[test]
fn what_cameras_and_programs_write_is_ordinary() {
    let exif = tiff(&[
        (0x010F, 2, b"Canon\0"),
        (0x0110, 2, b"Canon EOS 5D\0"),
        (0x9286, 7, b"ASCII\0\0\0on the beach\0"),
    ]);
    let exif = [b"Exif\0\0".as_slice(), &exif].concat();
    let photo = jpeg(&[
        segment(0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"),
        segment(0xE1, &exif),
    ]);
    let preview = [&*photo, &photo].concat();
    let burst = photo.repeat(30);
    for file in [photo, preview, burst] {
        assert_ordinary(&scan("photo.jpg", &file));
    }
}

/// A picture of one point with a long comment.
pub(crate) fn bomb() -> Vec<u8> {
    let bomb = [b"Comment\0\0".as_slice(), &zlib(&vec![0; 40 << 20])].concat();
    png(&[chunk(b"zTXt", &bomb)])
}
