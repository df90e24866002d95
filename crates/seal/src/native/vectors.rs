//! `docs/vectors/native.json`, by which others can see whether they do the same. With `UPDATE=1` it is written.

use std::path::Path;

use agentdrop_cobblestone::Sealer;
use agentdrop_envelope::identity::{digits, words};
use agentdrop_envelope::{
    FileKey, Header, Manifest, Statement, Verdict, manifest_object, open_manifest,
};
use agentdrop_protocol::{AgentId, EncryptionPublicKey, Timestamp, TransferId};
use aws_lc_rs::hkdf::{HKDF_SHA512, KeyType, Prk};
use serde_json::{Value, json};

use super::outgoing::Chances;
use super::*;
use crate::identity::{
    Bundle, Chance, Fingerprint, IdentityKey, KemKey, Prekey, Rotation, VerifiedBundle,
};
use crate::{OpenError, SecretKey};

const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);
const LATER: Timestamp = Timestamp::from_millis(1_792_592_000_000);
const TRANSFER: TransferId = TransferId::from_bytes([
    0x01, 0xa0, 0xc4, 0x50, 0x6c, 0x00, 0x70, 0x11, 0x92, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88,
]);
const FILE_KEY: [u8; 32] = [0x0f; 32];

struct Agent {
    id: AgentId,
    identity: IdentityKey,
    kem: KemKey,
    compatible: SecretKey,
}

impl Agent {
    fn new(byte: u8) -> Self {
        Self {
            id: AgentId::from_bytes([byte; 16]),
            identity: IdentityKey::take(&mut [byte + 1; 32]).unwrap(),
            kem: KemKey::take(&mut [byte + 2; 32]).unwrap(),
            compatible: SecretKey::take(&mut [byte + 3; 32]).unwrap(),
        }
    }

    fn said(&self) -> Bundle {
        let compatible = *self.compatible.public_key().as_bytes();
        Bundle {
            agent: self.id,
            version: 1,
            identity: self.identity.public_key(),
            kem: self.kem.public_key().clone(),
            compatible: EncryptionPublicKey::try_from(compatible).unwrap(),
            min_suite: 1,
            not_after: LATER,
            previous: None,
        }
    }

    fn bundle(&self) -> VerifiedBundle {
        let signed = self.identity.sign_bundle(self.said());
        signed.check(self.id, None, NOW).unwrap()
    }

    fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self.id, &self.identity.public_key())
    }

    fn to_json(&self) -> Value {
        json!({
            "agent_id": hex::encode(self.id.as_bytes()),
            "ik_seed": hex::encode(self.identity.expose_secret()),
            "ik": hex::encode(self.identity.public_key().as_bytes()),
            "ek_seed": hex::encode(self.kem.expose_secret()),
            "ek": hex::encode(self.kem.public_key().as_bytes()),
            "ek_id": self.kem.id().to_string(),
            "xk": hex::encode(self.said().compatible.as_bytes()),
            "fingerprint": self.fingerprint().to_string(),
            "bundle": hex::encode(self.identity.sign_bundle(self.said()).to_bytes()),
            "bundle_hash": hex::encode(self.said().hash()),
        })
    }
}

struct Length;

impl KeyType for Length {
    fn len(&self) -> usize {
        32
    }
}

fn expand(info: &[&[u8]]) -> String {
    let mut out = [0; 32];
    let key = Prk::new_less_safe(HKDF_SHA512, &FILE_KEY);
    key.expand(info, Length).unwrap().fill(&mut out).unwrap();
    hex::encode(out)
}

fn about() -> About {
    About {
        message: Some("for your eyes".parse().unwrap()),
        created: NOW,
        expires: Timestamp::from_millis(NOW.as_millis() + 86_400_000),
        seq: 7,
        policy: Policy {
            max_downloads: 10,
            auto_delete: true,
        },
    }
}

/// The files of the transfer, sealed, and what is said of them.
fn files(out: &Outgoing) -> (Vec<Value>, Vec<File>) {
    // 5 bytes are padded to 5, 100 to 104.
    let plain = [
        ("hello.txt", &b"hello"[..]),
        ("empty.bin", b""),
        ("padded.bin", &[7; 100]),
    ];
    let seal = |(i, (name, plain)): (u32, (&str, &[u8]))| {
        let salt = [0xa0 + u8::try_from(i).unwrap(); 24];
        let mut stream = Vec::new();
        let mut sealer = out.file(i, FileSalt::from_bytes(salt), &mut stream);
        sealer.update(plain, &mut stream).unwrap();
        let it = sealer.finish(&mut stream).unwrap();
        let said = File {
            name: name.parse().unwrap(),
            content_type: "text/plain".parse().unwrap(),
            size: it.size,
            sealed_size: it.sealed_size,
            digest: it.digest,
        };
        let shown = json!({
            "plaintext": hex::encode(plain),
            "salt": hex::encode(salt),
            "file_key": expand(&[b"agentdrop/v2 kf\0", &i.to_be_bytes()]),
            "digest_key": expand(&[b"agentdrop/v2 kd\0", &i.to_be_bytes()]),
            "digest": hex::encode(it.digest),
            "object": hex::encode(stream),
        });
        (shown, said)
    };
    (1..).zip(plain).map(seal).unzip()
}

fn made() -> Value {
    let (alice, bob) = (Agent::new(0x11), Agent::new(0x21));
    let carol = Agent::new(0x31);
    let once = KemKey::take(&mut [0x41; 32]).unwrap();
    let prekey = bob.identity.sign_prekey(Prekey {
        agent: bob.id,
        kem: once.public_key().clone(),
        not_after: LATER,
    });
    let rotation = alice.identity.sign_rotation(Rotation {
        agent: alice.id,
        from: alice.identity.public_key(),
        to: carol.identity.public_key(),
        since: 2,
        previous: alice.said().hash(),
    });
    let out = Outgoing::with(FileKeys::take(TRANSFER, Padding::Padme, &mut { FILE_KEY }));
    let (shown, said) = files(&out);
    let to = [
        Recipient::with_prekey(&bob.bundle(), prekey.clone(), NOW).unwrap(),
        Recipient::new(&carol.bundle()).unwrap(),
    ];
    let sender = Sender {
        agent: alice.id,
        identity: &alice.identity,
    };
    let chances = Chances {
        salt: [0xa0; 24],
        encapsulations: vec![Chance::repeating(0x51), Chance::repeating(0x52)],
    };
    let envelope = out
        .envelope_with(&sender, &to, about(), said, chances)
        .unwrap();
    let (_, behind) = Header::read(&envelope.object).unwrap();
    let header = &envelope.object[..envelope.object.len() - behind.len()];
    let begin = header.first_chunk().unwrap();
    let info = stanza::info(begin, bob.id.as_bytes(), once.id(), &bob.fingerprint());
    let sealed = open_manifest(&envelope.object, behind, out.file_keys().key()).unwrap();
    let (_, cbor, signature) = Manifest::read(&sealed, Padding::Padme).unwrap();

    let identity = bob.identity.public_key();
    let arrived = Arrived::read(TRANSFER, bob.id, &identity, &envelope.object).unwrap();
    let claimed = arrived.open(&once, KeyKind::Prekey).unwrap();
    let incoming = claimed.verify(alice.id, &alice.identity.public_key(), NOW);
    let receipt = incoming.unwrap().receipt(&bob.identity, Verdict::Placed);
    let (one, other) = (alice.fingerprint(), bob.fingerprint());
    json!({
        "about": "The envelope between agents, docs/protocol.md. Bytes are hex, times milliseconds since 1970. Chance is bytes that repeat: 51 and 52 for the two encapsulations, a0 for the salt of the manifest.",
        "alice": alice.to_json(),
        "bob": bob.to_json(),
        "carol": carol.to_json(),
        "prekey_seed_of_bob": hex::encode(once.expose_secret()),
        "prekey_of_bob": hex::encode(prekey.to_bytes()),
        "rotation_of_alice_to_carols_ik": hex::encode(rotation.to_bytes()),
        "alice_and_bob": {"digits": digits(&one, &other), "words": words(&one, &other)},
        "transfer": {
            "now": NOW.as_millis(),
            "transfer_id": hex::encode(TRANSFER.as_bytes()),
            "file_key": hex::encode(FILE_KEY),
            "info_of_bobs_stanza": hex::encode(info),
            "header": hex::encode(header),
            "manifest_key": expand(&[b"agentdrop/v2 km\0"]),
            "manifest_cbor": hex::encode(cbor),
            "manifest_signature": hex::encode(signature),
            "object": hex::encode(&envelope.object),
            "files": shown,
        },
        "receipt_of_bob": hex::encode(receipt.to_bytes()),
        "must_be_refused_by_bob": refused(&alice, &envelope.object),
        "files_must_be_refused_by_bob": refused_files(&alice, &envelope.object, &out.file_keys()),
    })
}

/// Object 0 anew, in ways in which whoever has the file key, and some even the sender's identity, can make it.
fn refused(alice: &Agent, object: &[u8]) -> Vec<Value> {
    let key = FileKey::take(&mut { FILE_KEY });
    let (header, behind) = Header::read(object).unwrap();
    let sealed = open_manifest(object, behind, &key).unwrap();
    let (manifest, _, signature) = Manifest::read(&sealed, Padding::Padme).unwrap();
    let sign = |header: &Header, cbor: &[u8]| {
        let header = &header.to_bytes().unwrap();
        alice.identity.sign(&Statement::Manifest { header, cbor })
    };
    let seal = |header: &Header, padded: &[u8]| {
        hex::encode(manifest_object(header, &key, padded, [0xa1; 24]).unwrap())
    };
    let resealed = |header: &Header, manifest: &Manifest| {
        seal(header, &manifest.padded(&sign(header, &manifest.to_cbor())))
    };
    let with_manifest = |change: &dyn Fn(&mut Manifest)| {
        let mut changed = manifest.clone();
        change(&mut changed);
        resealed(&header, &changed)
    };
    let with_header = |change: &dyn Fn(&mut Header)| {
        let mut changed = header.clone();
        change(&mut changed);
        resealed(&changed, &manifest)
    };
    let cbor = manifest.to_cbor();
    // `"seq": 7` in two bytes, signed and padded as it should be.
    let at = cbor.windows(5).position(|it| it == b"\x63seq\x07").unwrap();
    let respelled = [&cbor[..at], b"\x63seq\x18\x07", &cbor[at + 5..]].concat();
    let behind = |cbor: &[u8], rest: &[u8]| {
        let signature = sign(&header, cbor);
        let mut padded = [cbor, &signature, rest].concat();
        padded.resize(sealed.len().max(padded.len()), 0);
        seal(&header, &padded)
    };
    let mut half = [0; 64];
    half[..32].copy_from_slice(&signature[..32]);
    let mut other = header.clone();
    other.stanzas[1].wrapped = [0; 48];
    let cases = [
        (
            "the signature is not one",
            seal(&header, &manifest.padded(&half)),
        ),
        (
            "the signature is of another header",
            seal(&other, &manifest.padded(&signature)),
        ),
        (
            "the CBOR is not in its one spelling",
            behind(&respelled, b""),
        ),
        ("the padding is not zeros", behind(&cbor, b"\x01")),
        ("the padding is too long", behind(&cbor, &[0; 1000])),
        (
            "the recipients are not those of the stanzas",
            with_manifest(&|it| it.recipients.truncate(1)),
        ),
        (
            "the recipient has another fingerprint",
            with_manifest(&|it| it.recipients[0].fingerprint = [0; 32]),
        ),
        (
            "the sender has another fingerprint",
            with_manifest(&|it| it.sender_fingerprint = [0; 32]),
        ),
        ("its time is over", with_manifest(&|it| it.expires = NOW)),
        (
            "it is of another transfer",
            with_manifest(&|it| it.transfer = [0; 16]),
        ),
        ("there are no files", with_manifest(&|it| it.files.clear())),
        (
            "a file is as long as if it was not padded",
            with_manifest(&|it| it.files[2].sealed_size = 56 + 100 + 16),
        ),
        (
            "a file is longer than its padding makes it",
            with_manifest(&|it| it.files[2].sealed_size = 56 + 112 + 16),
        ),
        (
            "the flags are not those that the key was wrapped with",
            with_header(&|it| it.prekeys = true),
        ),
        (
            "there are two stanzas for one recipient",
            with_header(&|it| it.stanzas[1] = it.stanzas[0].clone()),
        ),
        (
            "the encapsulation ends in a point of low order",
            with_header(&|it| it.stanzas[0].encapsulation[1088..].fill(0)),
        ),
    ];
    let cases = cases.into_iter();
    cases
        .map(|(why, object)| json!({"why": why, "object": object}))
        .collect()
}

/// Files that their sender sealed and told of in object 0 as it should be, but for their padding, or their digest.
fn refused_files(alice: &Agent, object: &[u8], keys: &FileKeys) -> Vec<Value> {
    let key = keys.key();
    let (header, behind) = Header::read(object).unwrap();
    let sealed = open_manifest(object, behind, key).unwrap();
    let (manifest, ..) = Manifest::read(&sealed, Padding::Padme).unwrap();
    let case = |why: &str, plain: &[u8], digest: [u8; 32]| {
        let context = agentdrop_envelope::file_context(TRANSFER.as_bytes(), 3);
        let (mut sealer, begin) = Sealer::salted(&key.file(3), &context, [0xb0; 24]);
        let mut file = begin.to_vec();
        sealer.update(plain, &mut file).unwrap();
        sealer.finish(&mut file).unwrap();
        let mut manifest = manifest.clone();
        manifest.files[2].digest = digest;
        let (cbor, header_bytes) = (manifest.to_cbor(), header.to_bytes().unwrap());
        let signature = alice.identity.sign(&Statement::Manifest {
            header: &header_bytes,
            cbor: &cbor,
        });
        let object = manifest_object(&header, key, &manifest.padded(&signature), [0xa2; 24]);
        json!({
            "why": why,
            "object": hex::encode(object.unwrap()),
            "i": 3,
            "file": hex::encode(file),
        })
    };
    let padded = |end: &[u8]| [&[7; 100], end].concat();
    let digest = |i, plain: &[u8]| {
        let mut hasher = key.hasher(i);
        hasher.update(plain);
        hasher.finish()
    };
    let right = digest(3, &[7; 100]);
    let case_of_padding = |why: &str, plain: &[u8]| case(why, plain, right);
    let case_of_digest = |why: &str, digest| case(why, &padded(&[0; 4]), digest);
    vec![
        case_of_padding(
            "the first byte of the padding is not zero",
            &padded(b"\x01\0\0\0"),
        ),
        case_of_padding(
            "the last byte of the padding is not zero",
            &padded(b"\0\0\0\x80"),
        ),
        case_of_padding("it is not padded", &padded(b"")),
        case_of_padding("its padding is too short", &padded(b"\0\0\0")),
        case_of_padding("its padding is too long", &padded(&[0; 5])),
        case_of_digest("its digest is that of another content", digest(3, &[7; 99])),
        case_of_digest(
            "its digest is that of its padding, too",
            digest(3, &padded(&[0; 4])),
        ),
        case_of_digest(
            "its digest is made with the key of another file",
            digest(1, &[7; 100]),
        ),
        case_of_digest(
            "its digest is made without a key",
            *blake3::hash(&[7; 100]).as_bytes(),
        ),
    ]
}

/// What is made from the keys, and what is read from the file, is the same and opens; the rest is refused.
#[test]
fn the_vectors_are_what_is_made_and_read() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/vectors/native.json");
    let made = made();
    if std::env::var_os("UPDATE").is_some() {
        let text = serde_json::to_string_pretty(&made).unwrap() + "\n";
        let mut file = std::fs::File::create(&path).unwrap();
        std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
    }
    let kept: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert!(kept == made, "UPDATE=1 writes them anew, if that is meant");

    let (alice, bob) = (Agent::new(0x11), Agent::new(0x21));
    let once = KemKey::take(&mut [0x41; 32]).unwrap();
    let open = |object: &Value| -> Result<Incoming, OpenError> {
        let object = hex::decode(object.as_str().unwrap()).unwrap();
        let identity = bob.identity.public_key();
        let arrived = Arrived::read(TRANSFER, bob.id, &identity, &object)?;
        let claimed = arrived.open(&once, KeyKind::Prekey)?;
        claimed.verify(alice.id, &alice.identity.public_key(), NOW)
    };
    let incoming = open(&kept["transfer"]["object"]).unwrap();
    for (i, file) in (1..).zip(kept["transfer"]["files"].as_array().unwrap()) {
        let sealed = hex::decode(file["object"].as_str().unwrap()).unwrap();
        let mut opened = Vec::new();
        incoming.open_to(i, &*sealed, &mut opened).unwrap();
        assert_eq!(hex::encode(opened), file["plaintext"].as_str().unwrap());
    }
    for bad in kept["must_be_refused_by_bob"].as_array().unwrap() {
        assert!(open(&bad["object"]).is_err(), "{}", bad["why"]);
    }
    for bad in kept["files_must_be_refused_by_bob"].as_array().unwrap() {
        let incoming = open(&bad["object"]).unwrap();
        let i = u32::try_from(bad["i"].as_u64().unwrap()).unwrap();
        let file = hex::decode(bad["file"].as_str().unwrap()).unwrap();
        let refused = incoming.open_to(i, &*file, Vec::new());
        assert!(matches!(refused, Err(OpenError::Refused)), "{}", bad["why"]);
    }
}
