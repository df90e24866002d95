//! What stands behind a file, so that its length does not show.

use agentdrop_cobblestone::{Sealer, sealed_len};
use agentdrop_envelope::{FileKey, file_context};
use agentdrop_seal::native::{self, FileKeys, FileSalt, Outgoing, Padding};
use agentdrop_seal::{OpenError, SealError};

use super::hostile::{Open, open_envelope_of};
use super::{Agent, CHUNK, send, transfer};
use crate::noise;

const SALT: FileSalt = FileSalt::from_bytes([9; 24]);

/// Seals `plain` in one go.
fn seal(keys: &FileKeys, plain: &[u8]) -> Vec<u8> {
    let mut sealed = Vec::new();
    let mut sealer = keys.file(1, SALT, &mut sealed);
    sealer.update(plain, &mut sealed).unwrap();
    let it = sealer.finish(&mut sealed).unwrap();
    assert_eq!(it.size, plain.len() as u64);
    assert_eq!(it.sealed_size, sealed.len() as u64);
    let mut ahead = keys.measuring(1);
    ahead.update(plain);
    assert_eq!(ahead.finish().unwrap(), it);
    assert_eq!(keys.padding().sealed_len(it.size), Some(it.sealed_size));
    sealed
}

fn keys() -> FileKeys {
    Outgoing::generate(transfer(1)).unwrap().file_keys()
}

#[test]
fn files_of_about_one_size_are_of_one_length() {
    let keys = keys();
    let lengths = [99_329, 99_500, 100_000, 100_352].map(|it| seal(&keys, &noise(1, it)).len());
    let as_said = native::sealed_len(100_000).map(|it| usize::try_from(it).unwrap());
    assert_eq!(lengths.map(Some), [as_said; 4]);
    assert_eq!(native::sealed_len(100_000), sealed_len(100_352));
}

#[test]
fn padding_comes_in_pieces_and_is_the_same() {
    let keys = keys();
    // Padded with 2 MiB of zeros, but for one.
    let plain = noise(1, (64 << 20) + 1);
    let whole = seal(&keys, &plain);
    let mut sealed = Vec::new();
    let mut sealer = keys.file(1, SALT, &mut sealed);
    sealer.update(&plain, &mut sealed).unwrap();
    let (mut piece, mut pieces) = (Vec::new(), 0);
    while sealer.pad(&mut piece).unwrap() {
        assert!(piece.len() <= 5 * (CHUNK + 16), "memory stays flat");
        sealed.append(&mut piece);
        pieces += 1;
    }
    assert_eq!(pieces, 31);
    sealed.append(&mut piece);
    // Asked once more, it has nothing to add.
    assert!(!sealer.pad(&mut sealed).unwrap());
    sealer.finish(&mut sealed).unwrap();
    assert!(sealed == whole);
}

#[test]
fn nothing_comes_behind_padding() {
    let keys = keys();
    let mut out = Vec::new();
    let mut sealer = keys.file(1, SALT, &mut out);
    sealer.update(&[1; 100], &mut out).unwrap();
    sealer.pad(&mut out).unwrap();
    assert!(matches!(
        sealer.update(b"x", &mut out),
        Err(SealError::Size)
    ));
    let mut ahead = keys.measuring(1);
    ahead.update(&[1; 100]);
    assert_eq!(sealer.finish(&mut out).unwrap(), ahead.finish().unwrap());
}

#[test]
fn a_tail_from_any_chunk_on_has_its_padding() {
    let keys = keys();
    for len in [0, 1, 16_300, 5 * CHUNK, 40 * CHUNK + 1, 64 * CHUNK + 77] {
        let plain = noise(1, len);
        let whole = seal(&keys, &plain);
        let chunks = (whole.len() - 56) / (CHUNK + 16);
        for n in 0..=chunks {
            let mut tail = Vec::new();
            let mut sealer = keys.resume(1, SALT, len as u64, n as u64).unwrap();
            let rest = plain.get(n * CHUNK..).unwrap_or_default();
            sealer.update(rest, &mut tail).unwrap();
            while sealer.pad(&mut tail).unwrap() {}
            sealer.finish(&mut tail).unwrap();
            assert!(tail == whole[56 + n * (CHUNK + 16)..], "{len} from {n}");
        }
        let beyond = keys.resume(1, SALT, len as u64, chunks as u64 + 1);
        assert!(matches!(beyond, Err(SealError::Size)));
    }
}

#[test]
fn a_tail_of_another_length_is_not_sealed() {
    let keys = keys();
    let mut out = Vec::new();
    let mut longer = keys.resume(1, SALT, 10, 0).unwrap();
    assert!(matches!(
        longer.update(&[1; 11], &mut out),
        Err(SealError::Size)
    ));
    let mut shorter = keys.resume(1, SALT, 10, 0).unwrap();
    shorter.update(&[1; 9], &mut out).unwrap();
    assert!(matches!(shorter.pad(&mut out), Err(SealError::Size)));
    assert!(matches!(shorter.finish(&mut out), Err(SealError::Size)));
    assert!(out.is_empty());
}

/// One envelope, of which `sealed` is the file, whatever it is; its digest, which is of what is not padding, stays.
fn forged(open: &mut Open, sealed: Vec<u8>) {
    open.manifest.files[0].sealed_size = sealed.len() as u64;
    open.sent.files = vec![sealed];
}

/// A stream of just these bytes, as anybody can make it who has the key.
fn stream(open: &Open, bytes: &[u8]) -> Vec<u8> {
    let key = FileKey::take(&mut { open.key });
    let context = file_context(transfer(1).as_bytes(), 1);
    let (mut sealer, begin) = Sealer::new(&key.file(1), &context).unwrap();
    let mut sealed = begin.to_vec();
    sealer.update(bytes, &mut sealed).unwrap();
    sealer.finish(&mut sealed).unwrap();
    sealed
}

#[test]
fn a_sender_can_pad_in_one_way_only() {
    let (alice, bob) = (Agent::new(1), Agent::new(2));
    // Within one chunk, over the edge of one, and with whole chunks of padding.
    for len in [100, 2 * CHUNK - 100, 70 * CHUNK + 1] {
        let plain = noise(1, len);
        let padded = usize::try_from(Padding::Padme.padded_len(len as u64).unwrap()).unwrap();
        assert!(padded > len);
        let bytes = [&plain[..], &vec![0; padded - len]].concat();
        let mut open = open_envelope_of(&alice, &[bob.recipient()], &plain);
        let sealed = stream(&open, &bytes);
        forged(&mut open, sealed);
        // The tool does what the sender does.
        let sent = open.resealed(&alice.identity);
        assert_eq!(sent.receive(&alice, &bob).unwrap(), [&*plain]);

        for at in [len, usize::midpoint(len, padded), padded - 1] {
            let mut bytes = bytes.clone();
            bytes[at] = 1;
            let sealed = stream(&open, &bytes);
            forged(&mut open, sealed);
            let sent = open.resealed(&alice.identity);
            let incoming = sent.open(&alice, &bob).unwrap();
            let mut opened = Vec::new();
            let refused = incoming.open_to(1, &*sent.files[0], &mut opened);
            assert!(matches!(refused, Err(OpenError::Refused)), "{at} of {len}");
            assert!(plain.starts_with(&opened), "{at} of {len}");
            sent.assert_refused(&alice, &bob, "padding that is not zeros");
        }
        for other in [len, padded - 1, padded + 1, padded + CHUNK] {
            let mut bytes = bytes.clone();
            bytes.resize(other, 0);
            let sealed = stream(&open, &bytes);
            forged(&mut open, sealed);
            let refused = open.resealed(&alice.identity).open(&alice, &bob);
            assert!(matches!(refused, Err(OpenError::Refused)), "{other}");
            // And where the manifest says what it should, and the file is another.
            open.manifest.files[0].sealed_size = sealed_len(padded as u64).unwrap();
            let sent = open.resealed(&alice.identity);
            sent.open(&alice, &bob).unwrap();
            sent.assert_refused(&alice, &bob, "a file of another length");
        }
    }
}

#[test]
fn padding_is_never_given_out() {
    let (alice, bob) = (Agent::new(1), Agent::new(2));
    for len in [1000, 2 * CHUNK - 100, 70 * CHUNK + 1] {
        let plain = vec![7; len];
        let sent = send(transfer(1), &alice, &[bob.recipient()], &[&plain]);
        assert_eq!(sent.receive(&alice, &bob).unwrap(), [&*plain]);
        let incoming = sent.open(&alice, &bob).unwrap();
        let header = sent.files[0].first_chunk().unwrap();
        let reader = incoming.reader(1, header).unwrap();
        let last = len as u64 - 1..len as u64;
        let at = reader.sealed_range(&last).unwrap();
        let at = usize::try_from(at.start).unwrap()..usize::try_from(at.end).unwrap();
        let mut part = sent.files[0][at].to_vec();
        assert_eq!(**reader.open(&last, &mut part).unwrap(), [7]);
        assert_eq!(reader.sealed_range(&(0..len as u64 + 1)), None);
    }
}
