//! The envelope for a person: whatever was made opens, and nothing else does.

use std::io::{Cursor, Write as _};
use std::path::Path;
use std::time::Duration;

use agentdrop_protocol::{Timestamp, TransferId};
use agentdrop_seal::person::{About, File, FileSalt, Incoming, Outgoing, Policy, sealed_len};
use agentdrop_seal::{OpenError, PublicKey, Salt, SecretKey};

use crate::{counting_key, noise};

const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);
const CHUNK: usize = 16 * 1024;

/// A transfer as it travels.
#[derive(Clone)]
struct Sent {
    transfer: TransferId,
    ephemeral: PublicKey,
    salt: Salt,
    envelope: Vec<u8>,
    files: Vec<Vec<u8>>,
}

fn transfer(byte: u8) -> TransferId {
    TransferId::new(NOW, [byte; 10])
}

fn about() -> About {
    About {
        sender: None,
        message: Some("for your eyes".parse().unwrap()),
        created: NOW,
        expires: NOW.plus(Duration::from_hours(24)),
        policy: Policy {
            max_downloads: 10,
            auto_delete: true,
        },
    }
}

fn send(transfer: TransferId, recipient: &PublicKey, files: &[&[u8]]) -> Sent {
    let out = Outgoing::generate(transfer, recipient).unwrap();
    let (mut sealed, mut said) = (Vec::new(), Vec::new());
    for (i, plaintext) in (1..).zip(files) {
        let salt = FileSalt::generate().unwrap();
        let twice = [7, usize::MAX].map(|piece| {
            let mut stream = Vec::new();
            let mut sealer = out.file(i, salt, &mut stream);
            for piece in plaintext.chunks(piece.min(plaintext.len().max(1))) {
                sealer.update(piece, &mut stream).unwrap();
            }
            let sealed = sealer.finish(&mut stream).unwrap();
            (stream, sealed)
        });
        assert_eq!(twice[0], twice[1], "however it is cut, it is sealed alike");
        let [(stream, it), _] = twice;
        assert_eq!(it.sealed_size, stream.len() as u64);
        assert_eq!(sealed_len(it.size), Some(it.sealed_size));
        said.push(File {
            name: format!("file {i}").parse().unwrap(),
            content_type: "text/plain".parse().unwrap(),
            size: it.size,
            sealed_size: it.sealed_size,
            digest: it.digest,
        });
        sealed.push(stream);
    }
    Sent {
        transfer,
        ephemeral: out.ephemeral,
        salt: out.salt,
        envelope: out.envelope(about(), said).unwrap(),
        files: sealed,
    }
}

impl Sent {
    fn open(&self, mine: &SecretKey) -> Result<Incoming, OpenError> {
        let (ephemeral, salt) = (&self.ephemeral, &self.salt);
        Incoming::open(self.transfer, mine, ephemeral, salt, &self.envelope, NOW)
    }

    /// All of it, opened both ways, or the first refusal.
    fn receive(&self, mine: &SecretKey) -> Result<Vec<Vec<u8>>, OpenError> {
        let incoming = self.open(mine)?;
        let mut opened = Vec::new();
        for (i, sealed) in (1..).zip(&self.files) {
            let mut plain = Vec::new();
            let to = incoming.open_to(i, &**sealed, &mut plain);
            let place = incoming.open_in_place(i, Cursor::new(sealed.clone()));
            let size = match (to, place) {
                (Ok(size), Ok((place, there))) => {
                    assert_eq!(size, there);
                    let place = place.into_inner();
                    assert_eq!(place[..usize::try_from(there).unwrap()], plain);
                    size
                }
                (Err(error), Err(_)) => return Err(error),
                (to, place) => panic!("{to:?}, but {place:?}"),
            };
            assert_eq!(size, plain.len() as u64);
            opened.push(plain);
        }
        Ok(opened)
    }

    fn assert_refused(&self, mine: &SecretKey, what: &str) {
        let received = self.receive(mine);
        assert!(matches!(received, Err(OpenError::Refused)), "{what}");
    }
}

#[test]
fn files_of_every_size_come_back_as_they_were() {
    let mine = SecretKey::generate().unwrap();
    let sizes = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 1, 20 * CHUNK];
    let files: Vec<_> = (0..).zip(sizes).map(|(n, it)| noise(n, it)).collect();
    let plain: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
    let sent = send(transfer(1), &mine.public_key(), &plain);
    assert_eq!(sent.receive(&mine).unwrap(), files);
    let incoming = sent.open(&mine).unwrap();
    let manifest = incoming.manifest();
    assert_eq!(manifest.message, about().message);
    assert_eq!(manifest.files.len(), sizes.len());
    assert_eq!(manifest.recipients[0].id, [0; 16]);
    assert_eq!(manifest.files[1].name.as_str(), "file 2");
}

#[test]
fn a_file_opens_as_it_comes_and_goes_on_elsewhere() {
    let mine = SecretKey::generate().unwrap();
    let plain = noise(1, 2 * CHUNK + 100);
    let sent = send(transfer(1), &mine.public_key(), &[&plain]);
    let (incoming, sealed) = (sent.open(&mine).unwrap(), &sent.files[0]);
    let (mut opening, mut out) = (incoming.opening(1).unwrap(), Vec::new());
    for piece in sealed.chunks(1000).take(30) {
        opening.update(piece, &mut out).unwrap();
    }
    assert_eq!((opening.chunks(), out.len()), (1, CHUNK));
    let header = *opening.header().unwrap();
    let resumed = |kept: &[u8]| {
        let mut opening = incoming.opening_from(1, &header, 1, kept).unwrap();
        let (at, mut out) = (usize::try_from(opening.taken()).unwrap(), kept.to_vec());
        opening.update(&sealed[at..], &mut out).unwrap();
        opening.finish().map(|_| out)
    };
    assert_eq!(resumed(&out).unwrap(), plain);
    out[7] ^= 1;
    assert!(matches!(resumed(&out), Err(OpenError::Refused)));
}

#[test]
fn names_and_message_are_not_to_be_seen() {
    let mine = SecretKey::generate().unwrap();
    let sent = send(transfer(1), &mine.public_key(), &[b"hello"]);
    for secret in ["file 1", "for your eyes", "text/plain", "hello"] {
        let secret = secret.as_bytes();
        let seen = |it: &Vec<u8>| it.windows(secret.len()).any(|it| it == secret);
        assert!(!seen(&sent.envelope) && !sent.files.iter().any(seen));
    }
}

#[test]
fn any_byte_that_was_changed_is_noticed() {
    let mine = SecretKey::generate().unwrap();
    let sent = send(transfer(1), &mine.public_key(), &[b"hello", b""]);
    for at in 0..sent.envelope.len() {
        for bit in [0x01, 0x80] {
            let mut bad = sent.clone();
            bad.envelope[at] ^= bit;
            bad.assert_refused(&mine, &format!("byte {at} of the envelope"));
        }
    }
    for n in 0..sent.files.len() {
        for at in 0..sent.files[n].len() {
            let mut bad = sent.clone();
            bad.files[n][at] ^= 0x10;
            bad.assert_refused(&mine, &format!("byte {at} of file {n}"));
        }
    }
    let mut bad = sent.clone();
    bad.salt = Salt::generate().unwrap();
    bad.assert_refused(&mine, "another salt");
    let mut bad = sent;
    bad.ephemeral = SecretKey::generate().unwrap().public_key();
    bad.assert_refused(&mine, "another ephemeral key");
}

#[test]
fn nothing_of_a_large_file_that_was_changed_late_is_taken_for_all_of_it() {
    let mine = SecretKey::generate().unwrap();
    let plain = noise(1, 3 * CHUNK + 1);
    let sent = send(transfer(1), &mine.public_key(), &[&plain]);
    let incoming = sent.open(&mine).unwrap();
    for chunk in 0..4 {
        let mut sealed = sent.files[0].clone();
        sealed[56 + chunk * (CHUNK + 16)] ^= 1;
        let mut opened = Vec::new();
        let refused = incoming.open_to(1, &*sealed, &mut opened);
        assert!(matches!(refused, Err(OpenError::Refused)));
        // What stands before the bad chunk is genuine, and of the bad one there is not a byte.
        assert_eq!(opened, plain[..chunk * CHUNK]);
    }
}

#[test]
fn what_was_cut_or_grew_is_refused() {
    let mine = SecretKey::generate().unwrap();
    let sent = send(transfer(1), &mine.public_key(), &[b"hello"]);
    for len in 0..sent.envelope.len() {
        let mut bad = sent.clone();
        bad.envelope.truncate(len);
        bad.assert_refused(&mine, &format!("an envelope of {len} bytes"));
    }
    for len in 0..sent.files[0].len() {
        let mut bad = sent.clone();
        bad.files[0].truncate(len);
        bad.assert_refused(&mine, &format!("a file of {len} bytes"));
    }
    let mut bad = sent.clone();
    bad.envelope.push(0);
    bad.assert_refused(&mine, "a longer envelope");
    let mut bad = sent;
    bad.files[0].push(0);
    bad.assert_refused(&mine, "a longer file");

    // At the border of a chunk, where what is left looks like a whole stream.
    let sent = send(transfer(1), &mine.public_key(), &[&noise(1, 2 * CHUNK)]);
    for len in [
        56,
        56 + 16,
        56 + CHUNK + 16,
        56 + 2 * (CHUNK + 16),
        56 + CHUNK + 32,
    ] {
        let mut bad = sent.clone();
        bad.files[0].truncate(len);
        bad.assert_refused(&mine, &format!("a file of {len} bytes"));
    }
}

#[test]
fn what_belongs_elsewhere_is_refused() {
    let (mine, other) = (
        SecretKey::generate().unwrap(),
        SecretKey::generate().unwrap(),
    );
    let one = send(transfer(1), &mine.public_key(), &[b"same", b"size"]);
    let two = send(transfer(2), &mine.public_key(), &[b"same", b"size"]);
    one.receive(&mine).unwrap();

    let mut bad = one.clone();
    bad.files.swap(0, 1);
    bad.assert_refused(&mine, "files that were swapped");
    let mut bad = one.clone();
    bad.files[0].clone_from(&two.files[0]);
    bad.assert_refused(&mine, "a file of another transfer");
    let mut bad = one.clone();
    bad.envelope.clone_from(&two.envelope);
    bad.assert_refused(&mine, "the envelope of another transfer");
    let mut bad = two.clone();
    bad.transfer = one.transfer;
    bad.assert_refused(&mine, "a whole transfer in the place of another");
    one.assert_refused(&other, "another person's key");

    let incoming = one.open(&mine).unwrap();
    for i in [0, 3, u32::MAX] {
        let refused = incoming.open_to(i, &*one.files[0], Vec::new());
        assert!(matches!(refused, Err(OpenError::Refused)), "file {i}");
    }
}

#[test]
fn an_envelope_without_files_or_after_its_time_is_refused() {
    let mine = SecretKey::generate().unwrap();
    let empty = send(transfer(1), &mine.public_key(), &[]);
    empty.assert_refused(&mine, "no files");
    let sent = send(transfer(1), &mine.public_key(), &[b"x"]);
    let at = |now| {
        let (ephemeral, salt) = (&sent.ephemeral, &sent.salt);
        Incoming::open(sent.transfer, &mine, ephemeral, salt, &sent.envelope, now)
    };
    let last = Timestamp::from_millis(about().expires.as_millis() - 1);
    at(last).unwrap();
    assert!(matches!(at(about().expires), Err(OpenError::Expired)));
}

/// Made once by this code, and opened by hand with `second_native.py`'s functions, which were written from the
/// specification. `UPDATE=person` makes it anew, where the format is meant to change; then open it so again.
#[test]
fn the_frozen_transfer_opens() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/vectors/person.json");
    if std::env::var_os("UPDATE").is_some_and(|it| it == "person") {
        let sent = send(
            transfer(1),
            &counting_key(0x41).public_key(),
            &[b"hello", b""],
        );
        let frozen = serde_json::json!({
            "transfer": sent.transfer.to_string(),
            "ephemeral": hex::encode(sent.ephemeral.as_bytes()),
            "salt": hex::encode(sent.salt.as_bytes()),
            "envelope": hex::encode(&sent.envelope),
            "file 1": hex::encode(&sent.files[0]),
            "file 2": hex::encode(&sent.files[1]),
        });
        let mut file = std::fs::File::create(&path).unwrap();
        writeln!(file, "{frozen:#}").unwrap();
    }
    let frozen: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let bytes = |name: &str| hex::decode(frozen[name].as_str().unwrap()).unwrap();
    let sent = Sent {
        transfer: frozen["transfer"].as_str().unwrap().parse().unwrap(),
        ephemeral: PublicKey::try_from(&*bytes("ephemeral")).unwrap(),
        salt: Salt::try_from(&*bytes("salt")).unwrap(),
        envelope: bytes("envelope"),
        files: vec![bytes("file 1"), bytes("file 2")],
    };
    let mine = counting_key(0x41);
    assert_eq!(sent.receive(&mine).unwrap(), [&b"hello"[..], b""]);
    let incoming = sent.open(&mine).unwrap();
    assert_eq!(incoming.manifest().message, about().message);
}
