//! The envelope between agents: whatever was made opens, and nothing else does.

mod ahead;
mod arriving;
mod hostile;
mod padding;
mod parts;
mod receipts;
mod tampered;

use std::io::Cursor;
use std::time::Duration;

use agentdrop_protocol::{AgentId, EncryptionPublicKey, Timestamp, TransferId};
use agentdrop_seal::identity::{Bundle, IdentityKey, KemKey, Prekey, SignedPrekey, VerifiedBundle};
use agentdrop_seal::native::{
    About, Arrived, Envelope, File, FileSalt, Incoming, KeyKind, Outgoing, Policy, Recipient,
    Sender,
};
use agentdrop_seal::{OpenError, SealError};

use crate::noise;

pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);
pub(crate) const CHUNK: usize = 16 * 1024;

/// An agent, whose keys are made from one byte.
pub(crate) struct Agent {
    pub(crate) id: AgentId,
    pub(crate) identity: IdentityKey,
    pub(crate) kem: KemKey,
}

impl Agent {
    pub(crate) fn new(byte: u8) -> Self {
        Self {
            id: AgentId::from_bytes([byte; 16]),
            identity: IdentityKey::take(&mut [byte; 32]).unwrap(),
            kem: KemKey::take(&mut [byte; 32]).unwrap(),
        }
    }

    pub(crate) fn bundle_with(&self, min_suite: u8) -> VerifiedBundle {
        let signed = self.identity.sign_bundle(Bundle {
            agent: self.id,
            version: 1,
            identity: self.identity.public_key(),
            kem: self.kem.public_key().clone(),
            compatible: EncryptionPublicKey::try_from([9; 32]).unwrap(),
            min_suite,
            not_after: NOW.plus(Duration::from_hours(24 * 30)),
            previous: None,
        });
        signed.check(self.id, None, NOW).unwrap()
    }

    pub(crate) fn bundle(&self) -> VerifiedBundle {
        self.bundle_with(1)
    }

    pub(crate) fn recipient(&self) -> Recipient {
        Recipient::new(&self.bundle()).unwrap()
    }

    fn sign_prekey(&self, key: &KemKey) -> SignedPrekey {
        self.identity.sign_prekey(Prekey {
            agent: self.id,
            kem: key.public_key().clone(),
            not_after: NOW.plus(Duration::from_hours(24 * 30)),
        })
    }

    pub(crate) fn sender(&self) -> Sender<'_> {
        Sender {
            agent: self.id,
            identity: &self.identity,
        }
    }
}

pub(crate) fn transfer(byte: u8) -> TransferId {
    TransferId::new(NOW, [byte; 10])
}

pub(crate) fn about() -> About {
    About {
        message: Some("for your eyes".parse().unwrap()),
        created: NOW,
        expires: NOW.plus(Duration::from_hours(24)),
        seq: 7,
        policy: Policy {
            max_downloads: 10,
            auto_delete: true,
        },
    }
}

/// A transfer as it travels.
#[derive(Clone)]
pub(crate) struct Sent {
    pub(crate) transfer: TransferId,
    pub(crate) object: Vec<u8>,
    pub(crate) manifest_hash: [u8; 64],
    pub(crate) files: Vec<Vec<u8>>,
}

/// Seals `plain` as the files of a transfer.
pub(crate) fn seal_files(out: &Outgoing, plain: &[&[u8]]) -> (Vec<Vec<u8>>, Vec<File>) {
    let seal = |(i, plain): (u32, &&[u8])| {
        let (mut stream, salt) = (Vec::new(), FileSalt::generate().unwrap());
        let mut sealer = out.file(i, salt, &mut stream);
        sealer.update(plain, &mut stream).unwrap();
        let it = sealer.finish(&mut stream).unwrap();
        let said = File {
            name: format!("file {i}").parse().unwrap(),
            content_type: "text/plain".parse().unwrap(),
            size: it.size,
            sealed_size: it.sealed_size,
            digest: it.digest,
        };
        (stream, said)
    };
    (1..).zip(plain).map(seal).unzip()
}

pub(crate) fn send(id: TransferId, from: &Agent, to: &[Recipient], plain: &[&[u8]]) -> Sent {
    let out = Outgoing::generate(id).unwrap();
    let (files, said) = seal_files(&out, plain);
    let envelope = out.envelope(&from.sender(), to, about(), said).unwrap();
    let Envelope {
        object,
        manifest_hash,
    } = envelope;
    Sent {
        transfer: id,
        object,
        manifest_hash,
        files,
    }
}

impl Sent {
    pub(crate) fn open(&self, from: &Agent, to: &Agent) -> Result<Incoming, OpenError> {
        self.open_with(from, to, &to.kem, KeyKind::Bundle)
    }

    pub(crate) fn open_with(
        &self,
        from: &Agent,
        to: &Agent,
        key: &KemKey,
        kind: KeyKind,
    ) -> Result<Incoming, OpenError> {
        let identity = to.identity.public_key();
        let arrived = Arrived::read(self.transfer, to.id, &identity, &self.object)?;
        let claimed = arrived.open(key, kind)?;
        claimed.verify(from.id, &from.identity.public_key(), NOW)
    }

    /// All of it, opened in all three ways, or the first refusal.
    pub(crate) fn receive(&self, from: &Agent, to: &Agent) -> Result<Vec<Vec<u8>>, OpenError> {
        let incoming = self.open(from, to)?;
        let mut opened = Vec::new();
        for (i, sealed) in (1..).zip(&self.files) {
            let mut plain = Vec::new();
            let to = incoming.open_to(i, &**sealed, &mut plain);
            let place = incoming.open_in_place(i, Cursor::new(sealed.clone()));
            let mut came = Vec::new();
            let mut opening = incoming.opening(i)?;
            let coming = sealed
                .chunks(CHUNK + 1)
                .try_for_each(|it| opening.update(it, &mut came));
            match (to, place, coming.and_then(|()| opening.finish())) {
                (Ok(size), Ok((place, there)), Ok(said)) => {
                    assert_eq!([size; 3], [there, said, plain.len() as u64]);
                    assert_eq!(place.into_inner()[..plain.len()], plain);
                    assert_eq!(came, plain);
                }
                (Err(error), Err(_), Err(_)) => return Err(error),
                (to, place, coming) => panic!("{to:?}, but {place:?} and {coming:?}"),
            }
            opened.push(plain);
        }
        Ok(opened)
    }

    pub(crate) fn assert_refused(&self, from: &Agent, to: &Agent, what: &str) {
        let received = self.receive(from, to);
        assert!(received.is_err(), "{what}");
    }
}

#[test]
fn files_of_every_size_come_back_as_they_were() {
    let (alice, bob) = (Agent::new(1), Agent::new(2));
    let sizes = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 1, 20 * CHUNK];
    let files: Vec<_> = (0..).zip(sizes).map(|(n, it)| noise(n, it)).collect();
    let plain: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
    let sent = send(transfer(1), &alice, &[bob.recipient()], &plain);
    assert_eq!(sent.receive(&alice, &bob).unwrap(), files);
    let incoming = sent.open(&alice, &bob).unwrap();
    let manifest = incoming.manifest();
    assert_eq!(incoming.sender(), alice.id);
    assert_eq!(manifest.message, about().message);
    assert_eq!(manifest.seq, 7);
    assert_eq!(manifest.files[1].name.as_str(), "file 2");
}

#[test]
fn each_of_many_recipients_opens_it_and_nobody_else() {
    let alice = Agent::new(1);
    let many: Vec<_> = (2..=20).map(Agent::new).collect();
    let to: Vec<_> = many.iter().map(Agent::recipient).collect();
    let sent = send(transfer(1), &alice, &to, &[b"hello"]);
    for it in &many {
        assert_eq!(sent.receive(&alice, it).unwrap(), [b"hello"]);
    }
    let other = Agent::new(21);
    let refused = sent.open(&alice, &other);
    assert!(matches!(refused, Err(OpenError::NotForMe)));
}

#[test]
fn a_key_that_is_used_once_opens_it_and_the_lasting_one_does_not() {
    let (alice, bob) = (Agent::new(1), Agent::new(2));
    let once = KemKey::generate().unwrap();
    let prekey = bob.sign_prekey(&once);
    let to = Recipient::with_prekey(&bob.bundle(), prekey, NOW).unwrap();
    let sent = send(transfer(1), &alice, &[to], &[b"hello"]);

    let identity = bob.identity.public_key();
    let arrived = Arrived::read(sent.transfer, bob.id, &identity, &sent.object).unwrap();
    assert_eq!(arrived.key_id(), once.id());
    sent.open_with(&alice, &bob, &once, KeyKind::Prekey)
        .unwrap();
    sent.open(&alice, &bob).unwrap_err();
    // It says that every key in it is used once, so none that lasts may open it.
    let refused = sent.open_with(&alice, &bob, &once, KeyKind::Bundle);
    assert!(matches!(refused, Err(OpenError::Refused)));
}

#[test]
fn one_recipient_without_a_prekey_does_not_keep_the_others_from_theirs() {
    let (alice, bob, carol) = (Agent::new(1), Agent::new(2), Agent::new(3));
    let once = KemKey::generate().unwrap();
    let prekey = bob.sign_prekey(&once);
    let to = Recipient::with_prekey(&bob.bundle(), prekey, NOW).unwrap();
    let sent = send(transfer(1), &alice, &[to, carol.recipient()], &[b"hello"]);
    sent.open(&alice, &carol).unwrap();
    sent.open_with(&alice, &bob, &once, KeyKind::Prekey)
        .unwrap();
}

#[test]
fn nothing_of_it_is_to_be_seen() {
    let (alice, bob) = (Agent::new(1), Agent::new(2));
    let sent = send(transfer(1), &alice, &[bob.recipient()], &[b"hello"]);
    let fingerprint = alice.bundle().bundle().fingerprint();
    let secrets: [&[u8]; 6] = [
        b"file 1",
        b"for your eyes",
        b"text/plain",
        b"hello",
        fingerprint.as_bytes(),
        alice.id.as_bytes(),
    ];
    for secret in secrets {
        let seen = |it: &Vec<u8>| it.windows(secret.len()).any(|it| it == secret);
        assert!(!seen(&sent.object) && !sent.files.iter().any(seen));
    }
}

#[test]
fn what_cannot_be_sealed_is_said() {
    let (alice, bob) = (Agent::new(1), Agent::new(2));
    let out = Outgoing::generate(transfer(1)).unwrap();
    let (_, said) = seal_files(&out, &[b"hello"]);
    let seal = |to: &[Recipient], said: &[File]| {
        let envelope = out.envelope(&alice.sender(), to, about(), said.to_vec());
        envelope.map(drop).unwrap_err()
    };
    let twice = [bob.recipient(), bob.recipient()];
    for to in [&[][..], &twice[..]] {
        assert!(matches!(seal(to, &said), SealError::Recipients));
    }
    let to = [bob.recipient()];
    assert!(matches!(seal(&to, &[]), SealError::Recipients));
    let too_many = vec![said[0].clone(); 101];
    assert!(matches!(seal(&to, &too_many), SealError::TooMuch));
    let too_many = vec![bob.recipient(); 257];
    assert!(matches!(seal(&too_many, &said), SealError::TooMuch));
    let newer = Recipient::new(&bob.bundle_with(2));
    assert!(matches!(newer, Err(SealError::NewerSuite)));
    let carol = Agent::new(3);
    let of_carol = carol.sign_prekey(&carol.kem);
    let refused = Recipient::with_prekey(&bob.bundle(), of_carol, NOW);
    assert!(matches!(refused, Err(SealError::Untrusted(_))));
}

#[test]
fn secrets_are_not_printed_and_are_erased_where_they_came_from() {
    let mut bytes = [0xab; 32];
    let identity = IdentityKey::take(&mut bytes).unwrap();
    assert_eq!(bytes, [0; 32]);
    bytes = [0xab; 32];
    let kem = KemKey::take(&mut bytes).unwrap();
    assert_eq!(bytes, [0; 32]);
    let out = Outgoing::generate(transfer(1)).unwrap();
    let printed = format!("{identity:?} {kem:?} {out:?}");
    assert_eq!(printed, "IdentityKey(…) KemKey(…) Outgoing(FileKeys(…))");
    assert!(IdentityKey::take(&mut [1; 31]).is_err());
    assert!(KemKey::take(&mut [1; 33]).is_err());
}
