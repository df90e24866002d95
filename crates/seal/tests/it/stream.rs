//! Streaming: the same bytes as in one shot, however they are cut, and failures of the disk told as what they are.

use std::io::{self, Cursor, ErrorKind, Read, Seek, SeekFrom, Write};

use agentdrop_seal::{
    FileSealer, MAX_PLAINTEXT_BYTES, Nonce, OpenError, SealError, SealedFile, TAG_BYTES,
    compat::human,
};
use aws_lc_rs::aead;
use proptest::prelude::*;

use crate::{content_key, noise, open, open_for_human, seal};

/// The size of the buffer inside, whose edges are worth a visit.
const BUFFER_BYTES: usize = 128 * 1024;
const NONCE: Nonce = Nonce::from_bytes([3; 12]);

/// The same message by the library's own one-shot interface, which shares no line with ours.
fn one_shot(plaintext: &[u8]) -> Vec<u8> {
    let key = aead::UnboundKey::new(&aead::AES_256_GCM, content_key(7).expose_secret()).unwrap();
    let nonce = aead::Nonce::assume_unique_for_key(*NONCE.as_bytes());
    let mut sealed = plaintext.to_vec();
    let key = aead::LessSafeKey::new(key);
    key.seal_in_place_append_tag(nonce, aead::Aad::empty(), &mut sealed)
        .unwrap();
    sealed
}

fn pumped(plaintext: &[u8], cuts: &[usize]) -> Vec<u8> {
    let mut sealer = FileSealer::again(&content_key(7), NONCE).unwrap();
    let mut sealed = plaintext.to_vec();
    let mut rest = sealed.as_mut_slice();
    for cut in cuts {
        let (piece, after) = rest.split_at_mut((*cut).min(rest.len()));
        sealer.update(piece).unwrap();
        rest = after;
    }
    sealer.update(rest).unwrap();
    sealed.extend(sealer.finish().unwrap());
    sealed
}

proptest! {
    #[test]
    fn any_cuts_give_the_bytes_of_one_shot(
        seed: u64,
        len in 0_usize..5000,
        cuts in proptest::collection::vec(0_usize..200, 0..60),
    ) {
        let plaintext = noise(seed, len);
        prop_assert_eq!(pumped(&plaintext, &cuts), one_shot(&plaintext));
    }

    #[test]
    fn large_cuts_give_the_bytes_of_one_shot(
        seed: u64,
        len in 0_usize..600_000,
        cuts in proptest::collection::vec(0_usize..100_000, 0..8),
    ) {
        let plaintext = noise(seed, len);
        let sealed = pumped(&plaintext, &cuts);
        prop_assert!(sealed == one_shot(&plaintext));
        prop_assert!(open(&content_key(7), NONCE, &sealed).unwrap() == plaintext);
    }
}

#[test]
fn every_small_size_is_the_one_shot_and_opens() {
    for len in 0..=600 {
        let plaintext = noise(len as u64, len);
        let sealed = seal(&content_key(7), NONCE, &plaintext);
        assert_eq!(sealed, one_shot(&plaintext), "{len} bytes");
        assert_eq!(
            open(&content_key(7), NONCE, &sealed).unwrap(),
            plaintext,
            "{len} bytes"
        );
    }
}

#[test]
fn sizes_at_the_edge_of_the_buffer_are_the_one_shot_and_open() {
    for whole in [BUFFER_BYTES, 2 * BUFFER_BYTES, 5 * BUFFER_BYTES] {
        for len in (whole - 17)..=(whole + 17) {
            let plaintext = noise(len as u64, len);
            let sealed = seal(&content_key(7), NONCE, &plaintext);
            assert!(sealed == one_shot(&plaintext), "{len} bytes");
            let opened = open(&content_key(7), NONCE, &sealed).unwrap();
            assert!(opened == plaintext, "{len} bytes");
        }
    }
}

/// Yields a few bytes at a time, and is interrupted before each.
struct Dribble<'a> {
    rest: &'a [u8],
    interrupted: bool,
}

impl Read for Dribble<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.interrupted = !self.interrupted;
        if self.interrupted {
            return Err(ErrorKind::Interrupted.into());
        }
        let most = into.len().min(1 + self.rest.len() % 37);
        self.rest.read(&mut into[..most])
    }
}

#[test]
fn a_reader_that_dribbles_and_is_interrupted_is_read_to_its_end() {
    let plaintext = noise(1, 10_000);
    let mut sealed = Vec::new();
    let reader = Dribble {
        rest: &plaintext,
        interrupted: false,
    };
    FileSealer::again(&content_key(7), NONCE)
        .unwrap()
        .seal_to(reader, &mut sealed)
        .unwrap();
    assert_eq!(sealed, one_shot(&plaintext));
}

#[test]
fn a_file_begins_where_its_source_stands() {
    let mut source = Cursor::new([b"before".as_slice(), &one_shot(b"hello")].concat());
    source.set_position(6);
    let mut opened = Vec::new();
    let key = content_key(7);
    let verified = SealedFile::new(&mut source, NONCE)
        .unwrap()
        .verify(&key)
        .unwrap();
    verified.open_to(&mut opened).unwrap();
    assert_eq!(opened, b"hello");
}

#[test]
fn a_file_is_opened_where_it_lies() {
    let key = content_key(7);
    for len in [
        0,
        1,
        1000,
        BUFFER_BYTES,
        BUFFER_BYTES + 1,
        3 * BUFFER_BYTES + 7,
    ] {
        let plaintext = noise(4, len);
        let mut file = Cursor::new([b"before".as_slice(), &one_shot(&plaintext)].concat());
        file.set_position(6);
        let sealed = SealedFile::new(file, NONCE).unwrap();
        let (file, bytes) = sealed.verify(&key).unwrap().open_in_place().unwrap();
        assert_eq!(bytes, len as u64);
        assert!(file.into_inner()[6..6 + len] == plaintext);
    }
}

#[test]
fn a_file_that_is_refused_is_not_written_to() {
    let mut bad = one_shot(&noise(4, 1000));
    bad[999] ^= 1;
    let mut file = Cursor::new(bad.clone());
    let sealed = SealedFile::new(&mut file, NONCE).unwrap();
    assert!(matches!(
        sealed.verify(&content_key(7)),
        Err(OpenError::Refused)
    ));
    assert_eq!(file.into_inner(), bad);
}

#[test]
fn files_to_a_person_carry_their_nonce() {
    let key = content_key(7);
    for len in [0, 1, 5, BUFFER_BYTES - 12, BUFFER_BYTES, BUFFER_BYTES + 1] {
        let plaintext = noise(2, len);
        let mut sealed = Vec::new();
        let written = human::seal_to(&key, plaintext.as_slice(), &mut sealed).unwrap();
        assert_eq!(written, sealed.len() as u64);
        assert_eq!(sealed.len(), len + human::OVERHEAD_BYTES);
        let (nonce, rest) = sealed.split_at(Nonce::BYTES);
        let nonce = Nonce::try_from(nonce).unwrap();
        assert!(open(&key, nonce, rest).unwrap() == plaintext);
        assert!(open_for_human(&key, &sealed).unwrap() == plaintext);
    }
}

#[test]
fn no_two_files_get_the_same_nonce() {
    let key = content_key(7);
    let mut nonces: Vec<_> = (0..1000)
        .map(|_| *FileSealer::new(&key).unwrap().nonce().as_bytes())
        .collect();
    nonces.sort_unstable();
    nonces.dedup();
    assert_eq!(nonces.len(), 1000);
}

/// Becomes another file the moment its reader goes back for the second pass.
struct Turncoat {
    file: Cursor<Vec<u8>>,
    second: Vec<u8>,
    rewound: u32,
}

impl Read for Turncoat {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.file.read(into)
    }
}

impl Seek for Turncoat {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        if to == SeekFrom::Start(0) {
            self.rewound += 1;
            if self.rewound == 2 {
                *self.file.get_mut() = self.second.clone();
            }
        }
        self.file.seek(to)
    }
}

fn second_pass_over(second: Vec<u8>) -> OpenError {
    let file = Cursor::new(one_shot(&noise(3, 1000)));
    let key = content_key(7);
    let source = Turncoat {
        file,
        second,
        rewound: 0,
    };
    let verified = SealedFile::new(source, NONCE)
        .unwrap()
        .verify(&key)
        .unwrap();
    verified.open_to(io::sink()).unwrap_err()
}

#[test]
fn a_file_changed_after_it_was_verified_is_refused_at_its_end() {
    let mut changed = one_shot(&noise(3, 1000));
    changed[500] ^= 1;
    assert!(matches!(second_pass_over(changed), OpenError::Refused));
}

#[test]
fn a_file_cut_after_it_was_verified_is_an_unexpected_end() {
    let mut cut = one_shot(&noise(3, 1000));
    cut.truncate(500);
    let error = second_pass_over(cut);
    assert!(matches!(error, OpenError::Io(error) if error.kind() == ErrorKind::UnexpectedEof));
}

/// A file of which only the length is real: reading it is a failure.
#[derive(Debug)]
struct Vast(u64);

impl Read for Vast {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(ErrorKind::PermissionDenied.into())
    }
}

impl Seek for Vast {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match to {
            SeekFrom::End(0) => Ok(self.0),
            _ => Ok(0),
        }
    }
}

#[test]
fn a_file_longer_than_a_seal_can_hold_is_refused_before_it_is_read() {
    let longest = MAX_PLAINTEXT_BYTES + TAG_BYTES as u64;
    SealedFile::new(Vast(longest), NONCE).unwrap();
    let refused = SealedFile::new(Vast(longest + 1), NONCE);
    assert!(matches!(refused, Err(OpenError::Refused)));
}

/// Has no room.
struct Full;

impl Write for Full {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn failures_of_the_disk_are_told_as_what_they_are() {
    let key = content_key(7);
    let sealer = || FileSealer::new(&key).unwrap();
    let error = sealer().seal_to(Vast(9), io::sink()).unwrap_err();
    assert!(matches!(error, SealError::Io(error) if error.kind() == ErrorKind::PermissionDenied));
    let error = sealer().seal_to(&b"hello"[..], Full).unwrap_err();
    assert!(matches!(error, SealError::Io(error) if error.kind() == ErrorKind::StorageFull));
    let error = SealedFile::new(Vast(99), NONCE)
        .unwrap()
        .verify(&key)
        .unwrap_err();
    assert!(matches!(error, OpenError::Io(error) if error.kind() == ErrorKind::PermissionDenied));
    let sealed = Cursor::new(one_shot(b"hello"));
    let verified = SealedFile::new(sealed, NONCE)
        .unwrap()
        .verify(&key)
        .unwrap();
    let error = verified.open_to(Full).unwrap_err();
    assert!(matches!(error, OpenError::Io(error) if error.kind() == ErrorKind::StorageFull));
}
