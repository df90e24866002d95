//! Files opened as they come, in any pieces, and gone on with in another process.

use std::io::{self, ErrorKind, Read};

use agentdrop_seal::OpenError;
use agentdrop_seal::native::{FileKeys, FileOpening, FileSalt, Incoming, Padding};
use proptest::prelude::*;

use super::hostile::open_envelope_of;
use super::{Agent, CHUNK, Sent, send, transfer};
use crate::noise;

/// A transfer of one file to one recipient, who opened the envelope.
fn arrived(plain: &[u8]) -> (Incoming, Vec<u8>) {
    let (alice, bob) = (Agent::new(1), Agent::new(2));
    let sent = send(transfer(1), &alice, &[bob.recipient()], &[plain]);
    let incoming = sent.open(&alice, &bob).unwrap();
    let Sent { mut files, .. } = sent;
    (incoming, files.remove(0))
}

/// What comes out until the end, or the first refusal.
fn take(
    opening: &mut FileOpening,
    sealed: &[u8],
    piece: usize,
    out: &mut Vec<u8>,
) -> Result<(), OpenError> {
    sealed
        .chunks(piece)
        .try_for_each(|it| opening.update(it, out))
}

/// Opens it in pieces of this size.
fn opened(incoming: &Incoming, sealed: &[u8], piece: usize) -> (Result<u64, OpenError>, Vec<u8>) {
    let (mut opening, mut out) = (incoming.opening(1).unwrap(), Vec::new());
    let result = take(&mut opening, sealed, piece, &mut out);
    (result.and_then(|()| opening.finish()), out)
}

/// Goes on behind `chunks` chunks, which are all that is kept.
fn resumed(
    incoming: &Incoming,
    sealed: &[u8],
    kept: impl Read,
    chunks: u64,
) -> Result<FileOpening, OpenError> {
    let header = sealed.first_chunk().unwrap();
    incoming.opening_from(1, header, chunks, kept)
}

#[test]
fn any_pieces_give_the_same_file() {
    for len in [0, 1, 100, CHUNK - 1, CHUNK, 2 * CHUNK, 2 * CHUNK + 100] {
        let plain = noise(1, len);
        let (incoming, sealed) = arrived(&plain);
        for piece in [
            1,
            7,
            55,
            56,
            57,
            CHUNK,
            CHUNK + 15,
            CHUNK + 16,
            CHUNK + 17,
            usize::MAX,
        ] {
            let (size, out) = opened(&incoming, &sealed, piece);
            assert_eq!(size.unwrap(), len as u64, "{len} in pieces of {piece}");
            assert!(out == plain, "{len} in pieces of {piece}");
        }
    }
}

#[test]
fn a_chunk_is_released_as_soon_as_it_is_whole_and_not_before() {
    let plain = noise(1, 3 * CHUNK + 5);
    let (incoming, sealed) = arrived(&plain);
    let (mut opening, mut out) = (incoming.opening(1).unwrap(), Vec::new());
    assert!(opening.header().is_none());
    assert_eq!(
        format!("{opening:?}"),
        "FileOpening { taken: 0, chunks: 0, .. }"
    );
    for (at, byte) in (1_u64..).zip(&sealed) {
        opening.update(&[*byte], &mut out).unwrap();
        assert_eq!(opening.taken(), at);
        let whole = if at == sealed.len() as u64 {
            plain.len()
        } else {
            usize::try_from(at.saturating_sub(56)).unwrap() / (CHUNK + 16) * CHUNK
        };
        assert_eq!(out.len(), whole.min(plain.len()), "at {at}");
        assert_eq!(opening.chunks(), out.len() as u64 / CHUNK as u64);
        assert_eq!(opening.header().is_some(), at >= 56);
    }
    assert_eq!(opening.header().unwrap()[..], sealed[..56]);
    assert_eq!(opening.taken(), opening.sealed_size());
    assert_eq!(opening.finish().unwrap(), plain.len() as u64);
    assert_eq!(out, plain);
}

#[test]
fn after_a_refusal_nothing_is_taken_in() {
    let plain = noise(1, 3 * CHUNK);
    let (incoming, sealed) = arrived(&plain);
    let mut bad = sealed.clone();
    bad[56 + CHUNK + 16 + 5] ^= 1;
    for piece in [1, 1000, CHUNK + 16, usize::MAX] {
        let (mut opening, mut out) = (incoming.opening(1).unwrap(), Vec::new());
        let refused = take(&mut opening, &bad, piece, &mut out);
        assert!(matches!(refused, Err(OpenError::Refused)));
        // Of the chunk before it all, of it nothing, in whatever pieces it came.
        assert!(out == plain[..CHUNK]);
        let begin = usize::try_from(opening.taken()).unwrap();
        let refused = opening.update(&sealed[begin..], &mut out);
        assert!(matches!(refused, Err(OpenError::Refused)));
        assert!(matches!(
            opening.update(b"", &mut out),
            Err(OpenError::Refused)
        ));
        assert_eq!(out.len(), CHUNK);
        assert!(matches!(opening.finish(), Err(OpenError::Refused)));
    }
}

#[test]
fn what_was_cut_or_grew_is_refused() {
    let plain = noise(1, CHUNK + 100);
    let (incoming, sealed) = arrived(&plain);
    for len in 0..sealed.len() {
        let (result, out) = opened(&incoming, &sealed[..len], 5000);
        assert!(matches!(result, Err(OpenError::Refused)), "{len} bytes");
        assert!(plain.starts_with(&out));
    }
    let longer = [&sealed[..], b"\0"].concat();
    for piece in [1, 1000, longer.len()] {
        let (result, out) = opened(&incoming, &longer, piece);
        assert!(matches!(result, Err(OpenError::Refused)));
        assert!(out == plain);
        // Though the file itself came whole.
        let mut opening = incoming.opening(1).unwrap();
        take(&mut opening, &longer, piece, &mut Vec::new()).unwrap_err();
        assert_eq!(opening.taken(), opening.sealed_size());
        assert!(matches!(opening.finish(), Err(OpenError::Refused)));
    }
}

#[test]
fn a_byte_that_another_recipient_changed_is_refused_at_the_end() {
    let (alice, bob, carol) = (Agent::new(1), Agent::new(2), Agent::new(3));
    let to = [bob.recipient(), carol.recipient()];
    let open = open_envelope_of(&alice, &to, b"hello");
    let incoming = open.sent.open(&alice, &bob).unwrap();
    // Carol has the key: what she makes opens, and is not what Alice told of.
    let keys = FileKeys::take(transfer(1), Padding::Padme, &mut { open.key });
    let (mut forged, salt) = (Vec::new(), FileSalt::generate().unwrap());
    let mut sealer = keys.file(1, salt, &mut forged);
    sealer.update(b"HELLO", &mut forged).unwrap();
    sealer.finish(&mut forged).unwrap();
    let (result, out) = opened(&incoming, &forged, 1000);
    assert_eq!(out, b"HELLO");
    assert!(matches!(result, Err(OpenError::Refused)));
    let (result, out) = opened(&incoming, &open.sent.files[0], 1000);
    assert_eq!((result.unwrap(), &*out), (5, &b"hello"[..]));
}

#[test]
fn it_goes_on_behind_any_chunk() {
    // The last two have padding of more than a chunk.
    for len in [0, 5, CHUNK, 2 * CHUNK + 100, 70 * CHUNK + 1, 65 * CHUNK] {
        let plain = noise(1, len);
        let (incoming, sealed) = arrived(&plain);
        let chunks = (sealed.len() - 56) / (CHUNK + 16);
        for n in 0..=chunks {
            let kept = &plain[..len.min(n * CHUNK)];
            let mut opening = resumed(&incoming, &sealed, kept, n as u64).unwrap();
            let at = usize::try_from(opening.taken()).unwrap();
            assert_eq!((at, opening.chunks()), (56 + n * (CHUNK + 16), n as u64));
            let mut out = kept.to_vec();
            take(&mut opening, &sealed[at..], 10_000, &mut out).unwrap();
            assert_eq!(opening.finish().unwrap(), len as u64);
            assert!(out == plain, "{len} from chunk {n}");
        }
        let beyond = resumed(&incoming, &sealed, &*plain, chunks as u64 + 1);
        assert!(matches!(beyond, Err(OpenError::Refused)));
        let absurd = resumed(&incoming, &sealed, &*plain, u64::MAX);
        assert!(matches!(absurd, Err(OpenError::Refused)));
    }
}

#[test]
fn of_a_file_that_is_all_here_nothing_has_to_come() {
    for len in [0, 5, CHUNK, 2 * CHUNK + 100, 70 * CHUNK + 1, 65 * CHUNK] {
        let plain = noise(1, len);
        let (incoming, _) = arrived(&plain);
        assert_eq!(incoming.check_whole(1, &*plain).unwrap(), len as u64);
        let refused = |i: u32, kept: &[u8]| {
            let checked = incoming.check_whole(i, kept);
            assert!(matches!(checked, Err(OpenError::Refused)), "{len}");
        };
        // The padding is zeros too, and no part of the file.
        refused(1, &[&plain[..], b"\0"].concat());
        refused(2, &plain);
        for at in (0..len).step_by(len / 20 + 1).chain(len.checked_sub(1)) {
            let mut other = plain.clone();
            other[at] ^= 1 << (at % 8);
            refused(1, &other);
            refused(1, &plain[..at]);
        }
    }
}

#[test]
fn what_stands_behind_what_is_kept_does_not_count() {
    let plain = noise(1, 3 * CHUNK);
    let (incoming, sealed) = arrived(&plain);
    let torn = [&plain[..CHUNK], &noise(2, 777)].concat();
    let mut opening = resumed(&incoming, &sealed, &*torn, 1).unwrap();
    let mut out = Vec::new();
    opening
        .update(&sealed[56 + CHUNK + 16..], &mut out)
        .unwrap();
    assert_eq!(opening.finish().unwrap(), plain.len() as u64);
    assert!(out == plain[CHUNK..]);
}

#[test]
fn a_byte_changed_in_what_was_kept_is_an_error_at_the_end() {
    let plain = noise(1, 2 * CHUNK + 100);
    let (incoming, sealed) = arrived(&plain);
    let rest = &sealed[56 + 2 * (CHUNK + 16)..];
    let finished = |kept: &[u8]| {
        let mut opening = resumed(&incoming, &sealed, kept, 2)?;
        opening.update(rest, &mut Vec::new())?;
        opening.finish()
    };
    let mut kept = plain[..2 * CHUNK].to_vec();
    finished(&kept).unwrap();
    for at in (0..kept.len()).step_by(101).chain([kept.len() - 1]) {
        kept[at] ^= 1 << (at % 8);
        assert!(matches!(finished(&kept), Err(OpenError::Refused)), "{at}");
        kept[at] ^= 1 << (at % 8);
    }
    // Chunks in another order, and less than there should be.
    kept.rotate_left(CHUNK);
    assert!(matches!(finished(&kept), Err(OpenError::Refused)));
    kept.pop();
    assert!(matches!(finished(&kept), Err(OpenError::Refused)));
}

#[test]
fn a_header_that_was_kept_wrong_is_refused_at_once() {
    let plain = noise(1, 2 * CHUNK);
    let (incoming, sealed) = arrived(&plain);
    for at in 0..56 {
        let mut header = *sealed.first_chunk::<56>().unwrap();
        header[at] ^= 1;
        let refused = incoming.opening_from(1, &header, 1, &*plain);
        assert!(matches!(refused, Err(OpenError::Refused)), "byte {at}");
    }
    for i in [0, 2, u32::MAX] {
        let header = sealed.first_chunk().unwrap();
        assert!(incoming.opening_from(i, header, 1, &*plain).is_err());
        assert!(incoming.opening(i).is_err());
    }
}

#[test]
fn a_disk_that_fails_is_told_as_what_it_is() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(ErrorKind::PermissionDenied.into())
        }
    }
    let (incoming, sealed) = arrived(&noise(1, 2 * CHUNK));
    let error = resumed(&incoming, &sealed, Broken, 1).unwrap_err();
    assert!(matches!(error, OpenError::Io(it) if it.kind() == ErrorKind::PermissionDenied));
    let error = incoming.check_whole(1, Broken);
    assert!(matches!(error, Err(OpenError::Io(it)) if it.kind() == ErrorKind::PermissionDenied));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_the_cuts_and_wherever_it_goes_on(
        seed: u64,
        len in 0..5 * CHUNK,
        pieces in prop::collection::vec(1..40_000_usize, 1..20),
        stop in 0..6 * CHUNK,
    ) {
        let plain = noise(seed, len);
        let (incoming, sealed) = arrived(&plain);
        let mut pieces = pieces.into_iter().cycle();
        let (mut opening, mut out) = (incoming.opening(1).unwrap(), Vec::new());
        let (mut rest, mut stopped) = (&sealed[..], false);
        while !rest.is_empty() {
            let (now, later) = rest.split_at(pieces.next().unwrap().min(rest.len()));
            opening.update(now, &mut out).unwrap();
            rest = later;
            // As if the process was killed, and another went on with the whole chunks that were kept.
            if !stopped && opening.taken() > stop as u64 && opening.header().is_some() {
                stopped = true;
                let (header, chunks) = (*opening.header().unwrap(), opening.chunks());
                out.truncate(out.len().min(usize::try_from(chunks).unwrap() * CHUNK));
                opening = incoming.opening_from(1, &header, chunks, &*out).unwrap();
                rest = &sealed[usize::try_from(opening.taken()).unwrap()..];
            }
        }
        prop_assert_eq!(opening.finish().unwrap(), len as u64);
        prop_assert!(out == plain);
    }
}
