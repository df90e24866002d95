//! Every byte flipped, every length cut, every object in the place of another.

use agentdrop_seal::OpenError;

use super::{Agent, CHUNK, Sent, send, transfer};
use crate::noise;

/// Where chunk `n` of a file begins.
const fn chunk(n: usize) -> usize {
    56 + n * (CHUNK + 16)
}

/// A transfer of one file of three chunks.
fn three_chunks() -> (Agent, Agent, Vec<u8>, Sent) {
    let (alice, bob) = (Agent::new(1), Agent::new(2));
    let plain = noise(1, 2 * CHUNK + 100);
    let sent = send(transfer(1), &alice, &[bob.recipient()], &[&plain]);
    assert_eq!(sent.receive(&alice, &bob).unwrap(), [&*plain]);
    (alice, bob, plain, sent)
}

#[test]
fn every_byte_of_an_envelope_counts() {
    let (alice, bob, _, sent) = three_chunks();
    for at in 0..sent.object.len() {
        let mut bad = sent.clone();
        bad.object[at] ^= 1 << (at % 8);
        let opened = bad.open(&alice, &bob);
        assert!(opened.is_err(), "byte {at}");
        bad = sent.clone();
        bad.object.truncate(at);
        assert!(bad.open(&alice, &bob).is_err(), "cut at {at}");
    }
    let mut bad = sent;
    bad.object.push(0);
    assert!(bad.open(&alice, &bob).is_err(), "longer");
}

#[test]
fn every_byte_of_a_file_counts_and_of_a_bad_chunk_none_is_released() {
    let (alice, bob, plain, sent) = three_chunks();
    let incoming = sent.open(&alice, &bob).unwrap();
    let mut sealed = sent.files[0].clone();
    let mut opened = Vec::with_capacity(plain.len());
    for at in 0..sealed.len() {
        sealed[at] ^= 1 << (at % 8);
        opened.clear();
        let refused = incoming.open_to(1, &*sealed, &mut opened);
        assert!(matches!(refused, Err(OpenError::Refused)), "byte {at}");
        let good = at.saturating_sub(56) / (CHUNK + 16);
        assert!(opened == plain[..good * CHUNK], "byte {at}");
        sealed[at] ^= 1 << (at % 8);
    }
    assert_eq!(sealed, sent.files[0]);
}

#[test]
fn a_file_that_was_cut_anywhere_is_refused() {
    let (alice, bob, plain, sent) = three_chunks();
    let incoming = sent.open(&alice, &bob).unwrap();
    let sealed = &sent.files[0];
    let mut opened = Vec::with_capacity(plain.len());
    for len in 0..sealed.len() {
        opened.clear();
        let refused = incoming.open_to(1, &sealed[..len], &mut opened);
        assert!(matches!(refused, Err(OpenError::Refused)), "{len} bytes");
        assert!(plain.starts_with(&opened), "{len} bytes");
    }
    let longer = [&sealed[..], b"\0"].concat();
    let refused = incoming.open_to(1, &*longer, &mut opened);
    assert!(matches!(refused, Err(OpenError::Refused)));
}

#[test]
fn no_object_takes_the_place_of_another() {
    let (alice, bob) = (Agent::new(1), Agent::new(2));
    let plain: [&[u8]; 2] = [b"same", b"size"];
    let to = [bob.recipient()];
    let transfers = [1, 2].map(|it| send(transfer(it), &alice, &to, &plain));
    let object = |sent: &[Sent; 2], n: usize| match n % 3 {
        0 => sent[n / 3].object.clone(),
        i => sent[n / 3].files[i - 1].clone(),
    };
    let set = |sent: &mut [Sent; 2], n: usize, object| match n % 3 {
        0 => sent[n / 3].object = object,
        i => sent[n / 3].files[i - 1] = object,
    };
    for (one, other) in (0..6).flat_map(|one| (0..one).map(move |other| (one, other))) {
        let mut swapped = transfers.clone();
        set(&mut swapped, one, object(&transfers, other));
        set(&mut swapped, other, object(&transfers, one));
        for n in [one, other] {
            swapped[n / 3].assert_refused(&alice, &bob, &format!("{one} and {other}"));
        }
    }
    // A whole transfer in the place of another, and either half of it.
    let mut bad = transfers[0].clone();
    bad.transfer = transfers[1].transfer;
    bad.assert_refused(&alice, &bob, "a transfer under another name");
}

#[test]
fn no_chunk_takes_the_place_of_another() {
    let (alice, bob) = (Agent::new(1), Agent::new(2));
    let plain = noise(1, 3 * CHUNK);
    let sent = send(transfer(1), &alice, &[bob.recipient()], &[&plain, &plain]);
    let other = send(transfer(2), &alice, &[bob.recipient()], &[&plain]);
    let from = [&sent.files[0], &sent.files[1], &other.files[0]];
    for (source, n, m) in (0..27).map(|it| (it / 9, it / 3 % 3, it % 3)) {
        if source == 0 && n == m {
            continue;
        }
        let mut bad = sent.clone();
        let taken = &from[source][chunk(n)..chunk(n + 1)];
        bad.files[0][chunk(m)..chunk(m + 1)].copy_from_slice(taken);
        bad.assert_refused(&alice, &bob, &format!("{n} of {source} as {m}"));
    }
}
