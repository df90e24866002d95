//! Tags of the parts of a file in chunks: whatever makes a part another one makes another tag.

use agentdrop_protocol::TransferId;
use agentdrop_seal::PartMac;
use agentdrop_seal::native::{FileKeys, FileSalt, Padding};

use crate::native::transfer;
use crate::noise;

const CHUNK: usize = 16 * 1024;
const SALT: [u8; 24] = [9; 24];

/// File `i` of a transfer, sealed.
fn sealed(of: TransferId, key: u8, i: u32, salt: [u8; 24], plain: &[u8]) -> Vec<u8> {
    let keys = FileKeys::take(of, Padding::Padme, &mut [key; 32]);
    let mut sealed = Vec::new();
    let mut sealer = keys.file(i, FileSalt::from_bytes(salt), &mut sealed);
    sealer.update(plain, &mut sealed).unwrap();
    sealer.finish(&mut sealed).unwrap();
    sealed
}

fn seal(plain: &[u8]) -> Vec<u8> {
    sealed(transfer(1), 7, 1, SALT, plain)
}

fn mac() -> PartMac {
    PartMac::take(&mut [3; 32]).unwrap()
}

/// The tags of all parts.
fn tags(sealed: &[u8], part_bytes: usize) -> Vec<[u8; 16]> {
    let tag = |(n, part): (u32, &[u8])| {
        let from = u64::from(n) * part_bytes as u64;
        mac().tag_of_chunks(1, n + 1, from, part).unwrap()
    };
    (0..).zip(sealed.chunks(part_bytes)).map(tag).collect()
}

/// How parts lie to chunks: within one, over an edge, at edges of tags, and over some.
const PART_BYTES: [usize; 9] = [
    5_000,
    CHUNK,
    CHUNK + 15,
    CHUNK + 16,
    CHUNK + 17,
    56 + CHUNK,
    56 + CHUNK + 8,
    40_000,
    1 << 20,
];

#[test]
fn the_same_file_has_the_same_tags_and_another_key_for_tags_others() {
    let file = seal(&noise(1, 3 * CHUNK + 100));
    for part_bytes in PART_BYTES {
        assert_eq!(tags(&file, part_bytes), tags(&file, part_bytes));
    }
    let tag = mac().tag_of_chunks(1, 1, 0, &file).unwrap();
    let other = PartMac::generate().unwrap();
    let tags = [
        other.tag_of_chunks(1, 1, 0, &file),
        mac().tag_of_chunks(2, 1, 0, &file),
        mac().tag_of_chunks(1, 2, 0, &file),
        mac().tag_of_chunks(1, 1, 1, &file),
        mac().tag_of_chunks(1, 1, 0, &file[..file.len() - 1]),
        mac().tag(1, 1, &file),
    ];
    for it in tags {
        assert_ne!(it.unwrap(), tag);
    }
}

#[test]
fn a_byte_of_plaintext_changes_the_tag_of_the_part_it_leaves_in() {
    let plain = noise(1, 3 * CHUNK + 100);
    let file = seal(&plain);
    let before = PART_BYTES.map(|it| tags(&file, it));
    let mut changed = plain.clone();
    let edges = (0..=3).flat_map(|n| [n * CHUNK, n * CHUNK + 1, (n + 1) * CHUNK - 1]);
    let edges = edges.filter(|it| *it < plain.len());
    for at in (0..plain.len()).step_by(31).chain(edges) {
        changed[at] ^= 1 << (at % 8);
        let other = seal(&changed);
        changed[at] ^= 1 << (at % 8);
        let place = 56 + at / CHUNK * (CHUNK + 16) + at % CHUNK;
        for (part_bytes, before) in PART_BYTES.iter().zip(&before) {
            let after = tags(&other, *part_bytes);
            // No part before it is another; the one in which it leaves is.
            let first = before
                .iter()
                .zip(&after)
                .position(|(it, other)| it != other);
            assert_eq!(
                first,
                Some(place / part_bytes),
                "{at} in parts of {part_bytes}"
            );
        }
    }
}

#[test]
fn another_length_changes_the_tags() {
    let plain = noise(1, 3 * CHUNK);
    let file = seal(&plain);
    // One more byte of the same padded length, of another, and chunks that are there or not.
    let longer = [&plain[..], &[0]].concat();
    for other in [
        &plain[..3 * CHUNK - 1],
        &plain[..2 * CHUNK],
        &plain[..0],
        &longer,
    ] {
        let other = seal(other);
        for part_bytes in PART_BYTES {
            assert_ne!(tags(&file, part_bytes), tags(&other, part_bytes));
        }
    }
}

#[test]
fn a_chunk_in_anothers_place_a_salt_a_key_a_file_and_a_transfer_change_every_tag() {
    let plain = [
        noise(1, CHUNK),
        noise(2, CHUNK),
        noise(3, CHUNK),
        noise(4, 100),
    ];
    let [a, b, c, d] = &plain;
    let file = seal(&plain.concat());
    let swapped = seal(&[&b[..], a, c, d].concat());
    let twice = seal(&[&a[..], a, c, d].concat());
    for part_bytes in PART_BYTES {
        assert_ne!(tags(&file, part_bytes), tags(&swapped, part_bytes));
        assert_ne!(tags(&file, part_bytes), tags(&twice, part_bytes));
    }
    let mut salt = SALT;
    salt[23] ^= 1;
    let plain = plain.concat();
    let others = [
        sealed(transfer(1), 7, 1, salt, &plain),
        sealed(transfer(1), 8, 1, SALT, &plain),
        sealed(transfer(1), 7, 2, SALT, &plain),
        sealed(transfer(2), 7, 1, SALT, &plain),
    ];
    for other in others {
        for part_bytes in PART_BYTES {
            let pairs = tags(&file, part_bytes)
                .into_iter()
                .zip(tags(&other, part_bytes));
            // But for a part that is the salt alone, there is none that could be taken for its like.
            for (n, (one, other)) in pairs.enumerate() {
                assert_ne!(one, other, "part {n} of {part_bytes}");
            }
        }
    }
}
