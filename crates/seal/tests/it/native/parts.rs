//! Files in parts: sealed from a chunk on, and opened from any byte to any other.

use agentdrop_seal::native::{FileSalt, Outgoing};
use agentdrop_seal::{OpenError, random_bytes};
use proptest::prelude::*;

use super::{Agent, CHUNK, send, transfer};
use crate::noise;

#[test]
fn a_file_that_is_gone_on_with_is_the_same() {
    let plain = noise(1, 3 * CHUNK + 5);
    let out = Outgoing::generate(transfer(1)).unwrap();
    let salt = FileSalt::from_bytes(random_bytes().unwrap());
    let mut whole = Vec::new();
    let mut sealer = out.file(1, salt, &mut whole);
    sealer.update(&plain, &mut whole).unwrap();
    sealer.finish(&mut whole).unwrap();

    let keys = out.file_keys();
    for n in 0..=3 {
        let mut tail = Vec::new();
        let mut sealer = keys.resume(1, salt, plain.len() as u64, n as u64).unwrap();
        for piece in plain[n * CHUNK..].chunks(5_000) {
            sealer.update(piece, &mut tail).unwrap();
        }
        sealer.finish(&mut tail).unwrap();
        assert!(tail == whole[56 + n * (CHUNK + 16)..], "from chunk {n}");
    }
}

#[test]
fn any_part_opens_without_the_rest() {
    let (alice, bob) = (Agent::new(1), Agent::new(2));
    for len in [0, 1, CHUNK, 2 * CHUNK + 100] {
        let plain = noise(1, len);
        let sent = send(transfer(1), &alice, &[bob.recipient()], &[&plain]);
        let sealed = &sent.files[0];
        let incoming = sent.open(&alice, &bob).unwrap();
        let reader = incoming.reader(1, sealed.first_chunk().unwrap()).unwrap();
        assert_eq!(reader.size(), len as u64);
        let edges = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, len];
        let edges = edges.into_iter().filter(|it| *it <= len);
        let ranges = edges
            .clone()
            .flat_map(|from| edges.clone().map(move |to| (from, to)));
        for (from, to) in ranges.filter(|(from, to)| from <= to) {
            let range = from as u64..to as u64;
            let at = reader.sealed_range(&range).unwrap();
            let at = usize::try_from(at.start).unwrap()..usize::try_from(at.end).unwrap();
            let mut part = sealed[at].to_vec();
            let opened = reader.open(&range, &mut part).unwrap();
            assert!(**opened == plain[from..to], "{from} to {to} of {len}");
        }
        let beyond = 0..len as u64 + 1;
        assert_eq!(reader.sealed_range(&beyond), None);
        let refused = reader.open(&beyond, &mut sealed.clone());
        assert!(matches!(refused, Err(OpenError::Refused)));
    }
}

#[test]
fn a_part_that_was_changed_moved_or_cut_is_refused() {
    let (alice, bob) = (Agent::new(1), Agent::new(2));
    let plain = noise(1, 2 * CHUNK + 100);
    let sent = send(transfer(1), &alice, &[bob.recipient()], &[&plain, &plain]);
    let sealed = &sent.files[0];
    let incoming = sent.open(&alice, &bob).unwrap();
    let reader = incoming.reader(1, sealed.first_chunk().unwrap()).unwrap();
    let refused = |range, part: &[u8]| {
        let refused = reader.open(&range, &mut part.to_vec());
        assert!(matches!(refused, Err(OpenError::Refused)));
    };
    let chunk = |n: usize| &sealed[56 + n * (CHUNK + 16)..][..CHUNK + 16];
    let first = 0..CHUNK as u64;
    reader.open(&first, &mut chunk(0).to_vec()).unwrap();
    refused(first.clone(), chunk(1));
    refused(first.clone(), &chunk(0)[1..]);
    refused(first.clone(), &chunk(0)[..CHUNK]);
    refused(first.clone(), &sent.files[1][56..][..CHUNK + 16]);
    for at in 0..CHUNK + 16 {
        let mut bad = chunk(0).to_vec();
        bad[at] ^= 1;
        refused(first.clone(), &bad);
    }
    // A file cannot pass for another, nor for one that is not there.
    for (i, header) in [(1, &sent.files[1]), (2, sealed), (3, sealed), (0, sealed)] {
        let header = header.first_chunk().unwrap();
        assert!(incoming.reader(i, header).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn whatever_is_sent_comes_back(
        files in prop::collection::vec((any::<u64>(), 0..3 * CHUNK), 1..5),
        recipients in 2_u8..6,
    ) {
        let alice = Agent::new(1);
        let files: Vec<_> = files.into_iter().map(|(seed, len)| noise(seed, len)).collect();
        let plain: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
        let agents: Vec<_> = (2..=recipients).map(Agent::new).collect();
        let to: Vec<_> = agents.iter().map(Agent::recipient).collect();
        let sent = send(transfer(1), &alice, &to, &plain);
        for it in &agents {
            prop_assert_eq!(&sent.receive(&alice, it).unwrap(), &files);
        }
    }
}
