//! What is sealed opens; what was changed does not.

use agentdrop_cobblestone::{
    CHUNK_BYTES, HEADER_BYTES, Key, Opener, SEALED_CHUNK_BYTES, Sealer, plaintext_len, sealed_len,
};
use proptest::prelude::*;

use crate::{open, seal};

const KEY: [u8; 32] = [7; 32];

fn plaintext(length: usize) -> Vec<u8> {
    (0..length).map(|it| (it % 251).to_le_bytes()[0]).collect()
}

#[test]
fn every_length_around_a_chunks_opens() {
    for length in [
        0,
        1,
        CHUNK_BYTES - 1,
        CHUNK_BYTES,
        CHUNK_BYTES + 1,
        3 * CHUNK_BYTES,
    ] {
        let (plain, context) = (plaintext(length), b"a test");
        let stream = seal(KEY, context, &plain);
        assert_eq!(sealed_len(length as u64), Some(stream.len() as u64));
        assert_eq!(plaintext_len(stream.len() as u64), Some(length as u64));
        assert_eq!(open(KEY, context, &stream).unwrap(), plain);
        assert!(open([8; 32], context, &stream).is_err());
        assert!(open(KEY, b"another", &stream).is_err());
    }
}

#[test]
fn no_bit_can_be_flipped_and_nothing_cut_off_or_appended() {
    let stream = seal(KEY, b"", &plaintext(CHUNK_BYTES + 100));
    // Each byte of header, tags and borders, and a sample of the rest.
    let borders = [
        HEADER_BYTES,
        HEADER_BYTES + SEALED_CHUNK_BYTES,
        stream.len(),
    ];
    let near = |at: &usize| borders.iter().any(|it| at.abs_diff(*it) < 60) || at.is_multiple_of(97);
    for at in (0..stream.len()).filter(near) {
        let mut changed = stream.clone();
        changed[at] ^= 1 << (at % 8);
        assert!(open(KEY, b"", &changed).is_err(), "byte {at}");
        assert!(open(KEY, b"", &stream[..at]).is_err(), "cut at {at}");
    }
    for more in [&b"\0"[..], &stream[HEADER_BYTES..]] {
        assert!(open(KEY, b"", &[&stream[..], more].concat()).is_err());
    }
}

#[test]
fn chunks_cannot_be_moved() {
    let stream = seal(KEY, b"", &plaintext(3 * CHUNK_BYTES));
    let chunk = |n: usize| {
        HEADER_BYTES + n * SEALED_CHUNK_BYTES..HEADER_BYTES + (n + 1) * SEALED_CHUNK_BYTES
    };
    let mut swapped = stream[..HEADER_BYTES].to_vec();
    for n in [1, 0, 2] {
        swapped.extend_from_slice(&stream[chunk(n)]);
    }
    swapped.extend_from_slice(&stream[HEADER_BYTES + 3 * SEALED_CHUNK_BYTES..]);
    assert_eq!(swapped.len(), stream.len());
    assert!(open(KEY, b"", &swapped).is_err());
    // Nor a chunk of another stream put in its place.
    let other = seal(KEY, b"", &plaintext(3 * CHUNK_BYTES));
    let mut mixed = stream.clone();
    mixed[chunk(1)].copy_from_slice(&other[chunk(1)]);
    assert!(open(KEY, b"", &mixed).is_err());
}

#[test]
fn any_chunk_opens_by_its_number_alone() {
    let plain = plaintext(2 * CHUNK_BYTES + 5);
    let stream = seal(KEY, b"", &plain);
    let (header, chunks) = stream.split_first_chunk::<HEADER_BYTES>().unwrap();
    let opener = Opener::new(&Key::take(&mut { KEY }), b"", header).unwrap();
    let chunks: Vec<_> = chunks.chunks(SEALED_CHUNK_BYTES).collect();
    for (n, expected) in plain.chunks(CHUNK_BYTES).enumerate().rev() {
        let mut chunk = chunks[n].to_vec();
        assert_eq!(opener.open_at(n as u64, &mut chunk).unwrap(), expected);
        let mut chunk = chunks[n].to_vec();
        assert!(opener.open_at(n as u64 + 1, &mut chunk).is_err());
    }
}

#[test]
fn a_salt_that_was_kept_makes_the_same_stream_again() {
    let again = |salt| {
        let (mut sealer, header) = Sealer::salted(&Key::take(&mut { KEY }), b"", salt);
        let mut stream = header.to_vec();
        sealer.update(&plaintext(20_000), &mut stream).unwrap();
        sealer.finish(&mut stream).unwrap();
        stream
    };
    assert_eq!(again([1; 24]), again([1; 24]));
    assert_ne!(again([1; 24]), again([2; 24]));
}

#[test]
fn a_stream_that_is_gone_on_with_at_any_chunk_is_the_same() {
    let plain = plaintext(3 * CHUNK_BYTES);
    let (mut sealer, header) = Sealer::salted(&Key::take(&mut { KEY }), b"", [1; 24]);
    let mut whole = header.to_vec();
    sealer.update(&plain, &mut whole).unwrap();
    sealer.finish(&mut whole).unwrap();
    for n in 0..=3 {
        let mut sealer = Sealer::resumed(&Key::take(&mut { KEY }), b"", [1; 24], n as u64);
        let mut tail = Vec::new();
        sealer.update(&plain[n * CHUNK_BYTES..], &mut tail).unwrap();
        sealer.finish(&mut tail).unwrap();
        assert!(
            tail == whole[HEADER_BYTES + n * SEALED_CHUNK_BYTES..],
            "from chunk {n}"
        );
    }
    let beyond = Sealer::resumed(&Key::take(&mut { KEY }), b"", [1; 24], 1 << 38);
    let mut nothing = Vec::new();
    beyond.finish(&mut nothing).unwrap_err();
    assert!(nothing.is_empty());
}

#[test]
fn keys_are_not_printed_and_are_erased_where_they_came_from() {
    let mut bytes = [0x5a; 32];
    let key = Key::take(&mut bytes);
    assert_eq!(bytes, [0; 32]);
    assert_eq!(format!("{key:?}"), "Key");
    let (sealer, _) = Sealer::new(&key, b"").unwrap();
    assert!(!format!("{sealer:?}").contains("90, 90"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn where_the_pieces_are_cut_makes_no_difference(
        length in 0..3 * CHUNK_BYTES,
        cuts in prop::collection::vec(1..2 * CHUNK_BYTES, 1..8),
    ) {
        let plain = plaintext(length);
        let whole = {
            let (mut sealer, header) = Sealer::salted(&Key::take(&mut { KEY }), b"", [3; 24]);
            let mut stream = header.to_vec();
            sealer.update(&plain, &mut stream).unwrap();
            sealer.finish(&mut stream).unwrap();
            stream
        };
        let (mut sealer, header) = Sealer::salted(&Key::take(&mut { KEY }), b"", [3; 24]);
        let mut stream = header.to_vec();
        let (mut rest, mut cuts) = (&plain[..], cuts.iter().cycle());
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(*cuts.next().unwrap()));
            sealer.update(now, &mut stream).unwrap();
            rest = later;
        }
        sealer.finish(&mut stream).unwrap();
        prop_assert_eq!(&stream, &whole);
        prop_assert_eq!(open(KEY, b"", &stream).unwrap(), plain);
    }
}
