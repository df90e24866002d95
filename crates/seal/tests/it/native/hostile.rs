//! Senders, co-recipients and servers that make what was never meant.

use std::time::Duration;

use agentdrop_envelope::{
    FileKey, Header, Manifest, Padding, Recipient as Said, Statement, manifest_object,
};
use agentdrop_protocol::{AgentId, Timestamp};
use agentdrop_seal::identity::{Fingerprint, IdentityKey};
use agentdrop_seal::native::{
    Arrived, FileKeys, FileSalt, KeyKind, MAX_ENVELOPE_BYTES, Outgoing, Recipient,
};
use agentdrop_seal::{OpenError, random_bytes};
use ed25519_dalek::{Signer as _, SigningKey};

use super::{Agent, NOW, Sent, about, seal_files, transfer};

/// An envelope whose file key is known to whoever changes it, as it is to its sender and to every recipient.
pub(super) struct Open {
    pub(super) key: [u8; 32],
    header: Header,
    pub(super) manifest: Manifest,
    pub(super) sent: Sent,
}

fn open_envelope(from: &Agent, to: &[Recipient]) -> Open {
    open_envelope_of(from, to, b"hello")
}

/// An envelope of this one file.
pub(super) fn open_envelope_of(from: &Agent, to: &[Recipient], plain: &[u8]) -> Open {
    let out = Outgoing::generate(transfer(1)).unwrap();
    let key = *out.file_keys().expose_secret();
    let (files, said) = seal_files(&out, &[plain]);
    let made = out.envelope(&from.sender(), to, about(), said).unwrap();
    let (header, behind) = Header::read(&made.object).unwrap();
    let sealed =
        agentdrop_envelope::open_manifest(&made.object, behind, &FileKey::take(&mut { key }));
    let (manifest, ..) = Manifest::read(&sealed.unwrap(), Padding::Padme).unwrap();
    let sent = Sent {
        transfer: transfer(1),
        object: made.object,
        manifest_hash: made.manifest_hash,
        files,
    };
    Open {
        key,
        header,
        manifest,
        sent,
    }
}

impl Open {
    /// Seals again what was changed, signed by `signer`.
    pub(super) fn resealed(&self, signer: &IdentityKey) -> Sent {
        let cbor = self.manifest.to_cbor();
        let header = self.header.to_bytes().unwrap();
        let statement = Statement::Manifest {
            header: &header,
            cbor: &cbor,
        };
        let signer = SigningKey::from_bytes(signer.expose_secret());
        self.with_signature(&signer.sign(&statement.to_bytes()).to_bytes())
    }

    fn with_signature(&self, signature: &[u8; 64]) -> Sent {
        let key = FileKey::take(&mut { self.key });
        let padded = self.manifest.padded(signature);
        let object = manifest_object(&self.header, &key, &padded, random_bytes().unwrap());
        Sent {
            object: object.unwrap(),
            ..self.sent.clone()
        }
    }
}

fn three() -> (Agent, Agent, Agent) {
    (Agent::new(1), Agent::new(2), Agent::new(3))
}

#[test]
fn only_its_sender_can_have_signed_it() {
    let (alice, bob, carol) = three();
    let open = open_envelope(&alice, &[bob.recipient()]);
    // The tool does what the sender does.
    assert_eq!(
        open.resealed(&alice.identity)
            .receive(&alice, &bob)
            .unwrap(),
        [b"hello"]
    );
    let refused = |sent: &Sent| {
        let refused = sent.open(&alice, &bob).map(drop);
        assert!(matches!(refused, Err(OpenError::OtherSender)));
    };
    refused(&open.resealed(&carol.identity));
    refused(&open.with_signature(&[0; 64]));
    refused(&open.with_signature(&[0xff; 64]));
    // Carol says of herself to be Carol, and the server says that it is Alice's.
    let of_carol = open_envelope(&carol, &[bob.recipient()]);
    refused(&of_carol.sent);
    of_carol.sent.open(&carol, &bob).unwrap();
    // Carol says to be Alice, with either fingerprint.
    let mut forged = open_envelope(&carol, &[bob.recipient()]);
    forged.manifest.sender = Some(alice.id);
    refused(&forged.resealed(&carol.identity));
    forged.manifest.sender_fingerprint =
        *Fingerprint::of(alice.id, &alice.identity.public_key()).as_bytes();
    refused(&forged.resealed(&carol.identity));
    // Alice says to be Carol, with her own fingerprint and key.
    let mut disguised = open_envelope(&alice, &[bob.recipient()]);
    disguised.manifest.sender = Some(carol.id);
    refused(&disguised.resealed(&alice.identity));
    // Signed by nobody's agent.
    forged.manifest.sender = None;
    let sent = forged.resealed(&alice.identity);
    assert!(matches!(sent.open(&alice, &bob), Err(OpenError::Refused)));
}

#[test]
fn a_recipient_cannot_pass_it_on_as_the_senders() {
    let (alice, bob, carol) = three();
    let dave = Agent::new(4);
    let open = open_envelope(&alice, &[bob.recipient(), carol.recipient()]);
    // Carol wraps the key for Dave, in an envelope of the same transfer, and leaves what Alice signed as it is.
    let for_dave = Outgoing::generate(transfer(1)).unwrap();
    let (_, said) = seal_files(&for_dave, &[b"hello"]);
    let sender = carol.sender();
    let theirs = for_dave.envelope(&sender, &[dave.recipient(), bob.recipient()], about(), said);
    let (header, _) = Header::read(&theirs.unwrap().object).unwrap();
    let mut passed = open_envelope(&alice, &[bob.recipient(), carol.recipient()]);
    passed.header = header;
    passed.key = *for_dave.file_keys().expose_secret();
    passed.manifest = open.manifest.clone();
    let (_, _, signature) = signature_of(&open);
    let sent = passed.with_signature(&signature);
    assert!(matches!(sent.open(&alice, &dave), Err(OpenError::Refused)));
    // And with Dave in the manifest, which Alice did not sign.
    passed.manifest.recipients = vec![said_of(&dave), said_of(&bob)];
    let sent = passed.with_signature(&signature);
    let refused = sent.open(&alice, &dave);
    assert!(matches!(refused, Err(OpenError::OtherSender)));
}

fn said_of(agent: &Agent) -> Said {
    Said {
        id: *agent.id.as_bytes(),
        fingerprint: *Fingerprint::of(agent.id, &agent.identity.public_key()).as_bytes(),
    }
}

fn signature_of(open: &Open) -> (Manifest, Vec<u8>, [u8; 64]) {
    let (_, behind) = Header::read(&open.sent.object).unwrap();
    let key = FileKey::take(&mut { open.key });
    let sealed = agentdrop_envelope::open_manifest(&open.sent.object, behind, &key).unwrap();
    let (manifest, cbor, signature) = Manifest::read(&sealed, Padding::Padme).unwrap();
    (manifest, cbor.to_vec(), signature)
}

#[test]
fn another_recipient_cannot_change_a_file() {
    let (alice, bob, carol) = three();
    let mut open = open_envelope(&alice, &[bob.recipient(), carol.recipient()]);
    let key = FileKeys::take(transfer(1), Padding::Padme, &mut { open.key });
    let mut forged = Vec::new();
    let salt = FileSalt::generate().unwrap();
    let mut sealer = key.file(1, salt, &mut forged);
    sealer.update(b"HELLO", &mut forged).unwrap();
    sealer.finish(&mut forged).unwrap();
    open.sent.files = vec![forged];
    let refused = open.sent.receive(&alice, &bob);
    assert!(matches!(refused, Err(OpenError::Refused)));
    // Nor is a part of it opened, for which nothing vouches.
    let incoming = open.sent.open(&alice, &bob).unwrap();
    let header = open.sent.files[0].first_chunk().unwrap();
    assert!(matches!(
        incoming.reader(1, header),
        Err(OpenError::Refused)
    ));
}

#[test]
fn stanzas_and_recipients_have_to_agree() {
    let (alice, bob, carol) = three();
    let resealed = |change: &dyn Fn(&mut Open)| {
        let mut open = open_envelope(&alice, &[bob.recipient(), carol.recipient()]);
        change(&mut open);
        open.resealed(&alice.identity).open(&alice, &bob).map(drop)
    };
    resealed(&|_| {}).unwrap();
    let changes: [&dyn Fn(&mut Open); 10] = [
        &|it| it.manifest.recipients.clear(),
        &|it| it.manifest.recipients.truncate(1),
        &|it| it.manifest.recipients.rotate_left(1),
        &|it| it.manifest.recipients[1].id = [0; 16],
        &|it| it.manifest.recipients[0].fingerprint = [0; 32],
        &|it| it.manifest.transfer = [0; 16],
        &|it| it.manifest.files.clear(),
        // These change what is before the manifest, and in every stanza.
        &|it| it.header.prekeys = true,
        &|it| it.header.transfer = [0; 16],
        &|it| it.header.stanzas.swap(0, 1),
    ];
    for (n, change) in changes.iter().enumerate() {
        assert!(matches!(resealed(change), Err(OpenError::Refused)), "{n}");
    }
    let twice: &dyn Fn(&mut Open) = &|it| {
        let mine = it.header.stanzas[0].clone();
        it.header.stanzas.push(mine);
    };
    assert!(matches!(resealed(twice), Err(OpenError::Refused)));
    // Also where the manifest says the same.
    let twice_in_both: &dyn Fn(&mut Open) = &|it| {
        it.header.stanzas[1] = it.header.stanzas[0].clone();
        it.manifest.recipients[1] = it.manifest.recipients[0];
    };
    assert!(matches!(resealed(twice_in_both), Err(OpenError::Refused)));
    let under_my_name: &dyn Fn(&mut Open) = &|it| {
        it.header.stanzas.swap(0, 1);
        it.header.stanzas[0].recipient = *Agent::new(2).id.as_bytes();
        it.header.stanzas.truncate(1);
    };
    assert!(matches!(resealed(under_my_name), Err(OpenError::Refused)));
}

#[test]
fn a_stanza_is_for_one_identity() {
    let (alice, bob, carol) = three();
    let open = open_envelope(&alice, &[bob.recipient()]);
    // Somebody has Bob's name and sealing key, and another identity.
    let identity = carol.identity.public_key();
    let arrived = Arrived::read(transfer(1), bob.id, &identity, &open.sent.object).unwrap();
    let refused = arrived.open(&bob.kem, KeyKind::Bundle);
    assert!(matches!(refused, Err(OpenError::Refused)));
    // And another key than the one it was sealed for.
    let identity = bob.identity.public_key();
    let arrived = Arrived::read(transfer(1), bob.id, &identity, &open.sent.object).unwrap();
    let refused = arrived.open(&carol.kem, KeyKind::Bundle);
    assert!(matches!(refused, Err(OpenError::Refused)));
}

#[test]
fn a_point_of_low_order_is_refused_in_an_encapsulation() {
    let (alice, bob, _) = three();
    let mut open = open_envelope(&alice, &[bob.recipient()]);
    open.header.stanzas[0].encapsulation[1088..].fill(0);
    let refused = open.resealed(&alice.identity).open(&alice, &bob);
    assert!(matches!(refused, Err(OpenError::Refused)));
}

#[test]
fn after_its_time_it_is_refused() {
    let (alice, bob, _) = three();
    let open = open_envelope(&alice, &[bob.recipient()]);
    let at = |now: Timestamp| {
        let identity = bob.identity.public_key();
        let arrived = Arrived::read(transfer(1), bob.id, &identity, &open.sent.object).unwrap();
        let claimed = arrived.open(&bob.kem, KeyKind::Bundle).unwrap();
        assert_eq!(claimed.sender(), alice.id);
        claimed.verify(alice.id, &alice.identity.public_key(), now)
    };
    let expires = NOW.plus(Duration::from_hours(24));
    at(Timestamp::from_millis(expires.as_millis() - 1)).unwrap();
    assert!(matches!(at(expires), Err(OpenError::Expired)));
}

#[test]
fn more_than_an_envelope_holds_is_not_looked_at() {
    let bob = Agent::new(2);
    let identity = bob.identity.public_key();
    let huge = vec![0; MAX_ENVELOPE_BYTES + 1];
    let read = |bytes: &[u8]| Arrived::read(transfer(1), bob.id, &identity, bytes).map(drop);
    assert!(matches!(read(&huge), Err(OpenError::Refused)));
    assert!(matches!(read(b""), Err(OpenError::Refused)));
    // Also where it begins as it must; as many bytes as there may be are looked at.
    let mut open = open_envelope(&Agent::new(1), &[bob.recipient()]).sent;
    open.object.resize(MAX_ENVELOPE_BYTES, 0);
    read(&open.object).unwrap();
    open.object.push(0);
    assert!(matches!(read(&open.object), Err(OpenError::Refused)));
    // 256 stanzas said, and none there.
    let mut lies = Header {
        transfer: *transfer(1).as_bytes(),
        prekeys: false,
        stanzas: vec![],
    }
    .to_bytes()
    .unwrap();
    lies[24..26].copy_from_slice(&256_u16.to_be_bytes());
    assert!(matches!(read(&lies), Err(OpenError::Refused)));
    let none_for_me = AgentId::from_bytes([8; 16]);
    let open = open_envelope(&Agent::new(1), &[bob.recipient()]);
    let arrived = Arrived::read(transfer(1), none_for_me, &identity, &open.sent.object);
    assert!(matches!(arrived, Err(OpenError::NotForMe)));
}
