//! An envelope from one folder to another, and its receipt back.

use std::path::Path;
use std::time::Duration;

use agentdrop_protocol::TransferId;
use agentdrop_seal::identity::Verdict;
use agentdrop_seal::native::{
    About, Arrived, Envelope, File, FileSalt, Incoming, KeyKind, Outgoing, Policy, Recipient,
    Sender,
};

use super::*;
use crate::keyring::Keyring;

const FROM: AgentId = AgentId::from_bytes([1; 16]);
const TO: AgentId = AgentId::from_bytes([2; 16]);
const DAY: Duration = Duration::from_hours(24);

/// An agent with all that it keeps.
struct Agent {
    keyring: Keyring,
    known: KnownAgents,
    sequence: Sequence,
    received: Received,
    sent: SentTransfers,
}

impl Agent {
    fn new(id: AgentId, folder: &Path) -> Self {
        let folder = &folder.join(id.to_string());
        let mut keyring = Keyring::create(folder, id, xk(9), NOW).unwrap();
        let first = keyring.draft().unwrap().bundle.clone();
        keyring.published(&first).unwrap();
        Self {
            keyring,
            known: KnownAgents::load(folder).unwrap(),
            sequence: Sequence::open(folder),
            received: Received::open(folder),
            sent: SentTransfers::open(folder),
        }
    }

    fn met(&self, other: &Self) -> VerifiedBundle {
        let (agent, bundle) = (other.keyring.agent(), other.keyring.bundle().unwrap());
        self.known
            .meet(agent, "x", bundle, &[], NOW)
            .unwrap()
            .bundle
    }

    fn send(&self, transfer: TransferId, to: &Self) -> Envelope {
        let bundle = self.met(to);
        let prekey = to.keyring.new_prekeys(1, NOW).unwrap().remove(0);
        let recipient = Recipient::with_prekey(&bundle, prekey, NOW).unwrap();
        let out = Outgoing::generate(transfer).unwrap();
        let mut stream = Vec::new();
        let salt = FileSalt::generate().unwrap();
        let sealed = out.file(1, salt, &mut stream).finish(&mut stream).unwrap();
        let file = File {
            name: "empty".parse().unwrap(),
            content_type: "text/plain".parse().unwrap(),
            size: sealed.size,
            sealed_size: sealed.sealed_size,
            digest: sealed.digest,
        };
        let about = About {
            message: None,
            created: NOW,
            expires: NOW.plus(DAY),
            seq: self.sequence.next(NOW).unwrap(),
            policy: Policy {
                max_downloads: 1,
                auto_delete: false,
            },
        };
        let sender = Sender {
            agent: FROM,
            identity: self.keyring.identity(),
        };
        let expires = about.expires;
        let envelope = out.envelope(&sender, &[recipient], about, vec![file]);
        let envelope = envelope.unwrap();
        let sent_to = SentTo {
            agent: TO,
            identity: bundle.bundle().identity,
        };
        let hash = envelope.manifest_hash;
        self.sent
            .remember(transfer, hash, &[sent_to], expires)
            .unwrap();
        envelope
    }

    fn open(&self, transfer: TransferId, envelope: &Envelope, from: &Self) -> (Incoming, Arrival) {
        self.met(from);
        let me = self.keyring.identity().public_key();
        let arrived = Arrived::read(transfer, TO, &me, &envelope.object).unwrap();
        let (key, kind) = self.keyring.key_for(arrived.key_id()).unwrap().unwrap();
        assert_eq!(kind, KeyKind::Prekey);
        let claimed = arrived.open(&key, kind).unwrap();
        let sender = self.known.look_up(claimed.sender()).unwrap().unwrap();
        let identity = sender.native.unwrap().identity();
        let incoming = claimed.verify(FROM, &identity, NOW).unwrap();
        let arrival = Arrival {
            sender: FROM,
            transfer,
            manifest_hash: envelope.manifest_hash,
            seq: incoming.manifest().seq,
            expires: incoming.manifest().expires,
        };
        (incoming, arrival)
    }
}

#[test]
fn what_is_kept_on_both_sides_is_enough_and_a_receipt_is_of_one_transfer() {
    let folder = tempfile::tempdir().unwrap();
    let [alice, bob] = [FROM, TO].map(|it| Agent::new(it, folder.path()));
    let [one, two] = [3, 4].map(|it| TransferId::from_bytes([it; 16]));
    let [first, second] = [one, two].map(|it| alice.send(it, &bob));

    let (incoming, arrival) = bob.open(one, &first, &alice);
    bob.received.check(&arrival).unwrap();
    bob.received.remember(&arrival, NOW).unwrap();
    let receipt = incoming.receipt(bob.keyring.identity(), Verdict::Placed);
    let bytes = receipt.to_bytes();
    let (again, replayed) = bob.open(one, &first, &alice);
    assert_eq!(code(bob.received.check(&replayed)), "REPLAYED");
    assert_eq!(
        again.receipt(bob.keyring.identity(), Verdict::Placed),
        receipt
    );
    let (_, other) = bob.open(two, &second, &alice);
    bob.received.check(&other).unwrap();
    assert!(other.seq > arrival.seq);

    let check =
        |transfer, recipient, bytes: &[u8]| alice.sent.check(transfer, recipient, &[], bytes);
    assert_eq!(check(one, TO, &bytes).unwrap(), Some(Verdict::Placed));
    assert_eq!(code(check(two, TO, &bytes)), "RECEIPT_NOT_GENUINE");
    assert_eq!(code(check(one, FROM, &bytes)), "RECEIPT_NOT_GENUINE");
    for n in 0..bytes.len() {
        let mut bad = bytes;
        bad[n] ^= 1;
        assert_eq!(
            code(check(one, TO, &bad)),
            "RECEIPT_NOT_GENUINE",
            "byte {n}"
        );
    }
    assert_eq!(code(check(one, TO, &bytes[1..])), "RECEIPT_NOT_GENUINE");
    assert_eq!(
        check(TransferId::from_bytes([5; 16]), TO, &bytes).unwrap(),
        None
    );

    let late = NOW.plus(DAY * 31);
    alice
        .sent
        .sweep(late.minus(Duration::from_millis(1)))
        .unwrap();
    assert_eq!(check(one, TO, &bytes).unwrap(), Some(Verdict::Placed));
    alice.sent.forget(two).unwrap();
    assert_eq!(check(two, TO, &bytes).unwrap(), None);
    alice.sent.sweep(late).unwrap();
    assert_eq!(check(one, TO, &bytes).unwrap(), None);
}

#[test]
fn a_receipt_of_a_recipient_that_rotated_since_is_its_word_still() {
    let folder = tempfile::tempdir().unwrap();
    let [alice, mut bob] = [FROM, TO].map(|it| Agent::new(it, folder.path()));
    let one = TransferId::from_bytes([3; 16]);
    let envelope = alice.send(one, &bob);
    let (incoming, _) = bob.open(one, &envelope, &alice);
    let rotated = bob.keyring.rotate_identity(xk(9), NOW).unwrap().unwrap();
    bob.keyring.published(&rotated.bundle).unwrap();
    let receipt = incoming.receipt(bob.keyring.identity(), Verdict::Refused);
    let check = |known: &[_]| alice.sent.check(one, TO, known, &receipt.to_bytes());
    assert_eq!(code(check(&[])), "RECEIPT_NOT_GENUINE");
    let rotations = [rotated.rotation.unwrap()];
    let met = alice.known.meet(TO, "x", &rotated.bundle, &rotations, NOW);
    let identity = met.unwrap().bundle.bundle().identity;
    assert_eq!(check(&[identity]).unwrap(), Some(Verdict::Refused));
}

#[test]
fn a_receipt_of_a_recipient_that_rotated_twice_since_is_its_word_still() {
    let folder = tempfile::tempdir().unwrap();
    let [alice, mut bob] = [FROM, TO].map(|it| Agent::new(it, folder.path()));
    let mut rotations = Vec::new();
    let mut rotate = |bob: &mut Agent| {
        let rotated = bob.keyring.rotate_identity(xk(9), NOW).unwrap().unwrap();
        bob.keyring.published(&rotated.bundle).unwrap();
        rotations.push(rotated.rotation.unwrap());
        rotations.clone()
    };
    alice.met(&bob);
    let stolen = Keyring::open(&folder.path().join(TO.to_string()), TO);
    let stolen = stolen.unwrap().unwrap();
    let named = rotate(&mut bob);
    let bundle = bob.keyring.bundle().unwrap();
    alice.known.meet(TO, "x", bundle, &named, NOW).unwrap();

    // Alice sees the first key and the last, and none of those between.
    let one = TransferId::from_bytes([3; 16]);
    let envelope = alice.send(one, &bob);
    let (incoming, _) = bob.open(one, &envelope, &alice);
    let receipts = [(); 2].map(|()| {
        rotate(&mut bob);
        incoming.receipt(bob.keyring.identity(), Verdict::Placed)
    });
    let rotations = rotate(&mut bob);
    let identities = || alice.known.look_up(TO).unwrap().unwrap().identities();
    let check = |receipt: &agentdrop_seal::native::Receipt| {
        alice
            .sent
            .check(one, TO, &identities(), &receipt.to_bytes())
    };
    for receipt in &receipts {
        assert_eq!(code(check(receipt)), "RECEIPT_NOT_GENUINE", "not yet known");
    }
    let last = bob.keyring.bundle().unwrap();
    alice.known.meet(TO, "x", last, &rotations, NOW).unwrap();
    for receipt in &receipts {
        assert_eq!(check(receipt).unwrap(), Some(Verdict::Placed));
    }
    // Whoever has a key that was given up before says nothing of what was sent after.
    let forged = incoming.receipt(stolen.identity(), Verdict::Placed);
    assert!(identities().contains(&stolen.identity().public_key()));
    assert_eq!(code(check(&forged)), "RECEIPT_NOT_GENUINE");
}

#[test]
fn nothing_is_forgotten_where_it_cannot_be_seen_what_was_sent() {
    let folder = tempfile::tempdir().unwrap();
    let sent = SentTransfers::open(folder.path());
    sent.sweep(NOW).unwrap();
    crate::write_private(&folder.path().join("sent"), b"no folder").unwrap();
    assert_eq!(code(sent.sweep(NOW)), "IO");
}

#[test]
fn as_many_recipients_as_there_may_be_are_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let sent = SentTransfers::open(folder.path());
    let identity = IdentityKey::generate().unwrap().public_key();
    let to = (0..=255).map(|n| SentTo {
        agent: AgentId::from_bytes([n; 16]),
        identity,
    });
    let transfer = TransferId::from_bytes([1; 16]);
    let to: Vec<_> = to.collect();
    sent.remember(transfer, [0xff; 64], &to, NOW).unwrap();
    let nobody = sent.check(transfer, to[255].agent, &[], b"");
    assert_eq!(code(nobody), "RECEIPT_NOT_GENUINE");
}
