//! The envelope between agents against a second implementation, which stands on another library.
//!
//! `AGENTDROP_NATIVE_CASES` says how many cases, each way.

use std::env;

use agentdrop_protocol::{AgentId, TransferId};
use agentdrop_seal::identity::{
    Fingerprint, IdentityKey, IdentityPublicKey, KemKey, Prekey, Rotation, SignedBundle,
    SignedPrekey, SignedRotation, Verdict, digits, words,
};
use agentdrop_seal::native::{About, Arrived, KeyKind, Outgoing, Receipt, Recipient, Sender};
use bip39::Language;
use serde_json::{Value, json};

use crate::native::{Agent, NOW, about, seal_files};
use crate::noise;
use crate::python::Python;

const CASES: u64 = 1000;
const VECTORS: &str = include_str!("../../../../docs/vectors/native.json");

/// What a case is made of, by its number.
struct Case {
    sizes: Vec<usize>,
    others: u8,
    prekey: bool,
    message: Option<&'static str>,
    seq: u64,
    verdict: Verdict,
}

fn cases() -> impl Iterator<Item = (u64, Case)> {
    let count = env::var("AGENTDROP_NATIVE_CASES").map_or(CASES, |it| it.parse().unwrap());
    (0..count).map(|seed| {
        let chance = noise(seed, 32);
        let number = |n: usize| usize::from(u16::from_le_bytes([chance[n], chance[n + 1]]));
        // Small ones mostly, and some that end where a chunk does.
        let size = |n| match number(n) % 8 {
            0 => number(n + 2) % 40_000,
            1 => 16_384 * (number(n + 2) % 3),
            _ => number(n + 2) % 300,
        };
        let case = Case {
            sizes: (0..=number(0) % 3).map(|n| size(2 + 4 * n)).collect(),
            others: chance[20] % 3,
            prekey: chance[21].is_multiple_of(2),
            message: [None, Some(""), Some("for your eyes: üöä 你好")][usize::from(chance[22] % 3)],
            seq: u64::from_le_bytes(chance[24..].try_into().unwrap()) >> (chance[23] % 64),
            verdict: [Verdict::Placed, Verdict::Quarantined, Verdict::Refused]
                [usize::from(chance[23] % 3)],
        };
        (seed, case)
    })
}

#[test]
fn what_we_make_another_opens() {
    let mut python = Python::start("second_native.py", "open");
    let (alice, bob) = (Agent::new(1), Agent::new(2));
    let fingerprints = [&alice, &bob].map(|it| it.bundle().bundle().fingerprint());
    for (seed, case) in cases() {
        let out = Outgoing::generate(crate::native::transfer(1)).unwrap();
        let plain: Vec<_> = case.sizes.iter().map(|it| noise(seed, *it)).collect();
        let (files, said) = seal_files(&out, &plain.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let once = KemKey::generate().unwrap();
        let signed = |owner: &Agent| {
            let (agent, kem) = (owner.id, once.public_key().clone());
            owner.identity.sign_prekey(Prekey {
                agent,
                kem,
                not_after: about().expires,
            })
        };
        let bundle = bob.bundle();
        let recipient = if case.prekey {
            Recipient::with_prekey(&bundle, signed(&bob), NOW).unwrap()
        } else {
            bob.recipient()
        };
        let mut to: Vec<_> = (3..3 + case.others)
            .map(Agent::new)
            .map(|it| it.recipient())
            .collect();
        to.insert(usize::from(case.others / 2), recipient);
        let about = About {
            message: case.message.and_then(|it| it.parse().ok()),
            seq: case.seq,
            ..about()
        };
        let sender = Sender {
            agent: alice.id,
            identity: &alice.identity,
        };
        let made = out.envelope(&sender, &to, about.clone(), said).unwrap();

        let of_alice = alice.bundle().bundle().clone();
        let rotation = alice.identity.sign_rotation(Rotation {
            agent: alice.id,
            from: alice.identity.public_key(),
            to: bob.identity.public_key(),
            since: 2,
            previous: of_alice.hash(),
        });
        let key = if case.prekey { &once } else { &bob.kem };
        let answer = python.ask(&json!({
            "id": hex::encode(bob.id.as_bytes()),
            "ik": hex::encode(bob.identity.expose_secret()),
            "ek": hex::encode(key.expose_secret()),
            "transfer": hex::encode(crate::native::transfer(1).as_bytes()),
            "bundle": hex::encode(alice.identity.sign_bundle(of_alice).to_bytes()),
            "prekey": hex::encode(signed(&alice).to_bytes()),
            "rotation": hex::encode(rotation.to_bytes()),
            "object": hex::encode(&made.object),
            "files": files.iter().map(hex::encode).collect::<Vec<_>>(),
            "verdict": case.verdict.to_byte(),
        }));
        assert_eq!(
            answer["files"],
            json!(plain.iter().map(hex::encode).collect::<Vec<_>>())
        );
        let names = (1..=plain.len()).map(|it| format!("file {it}"));
        assert_eq!(answer["names"], json!(names.collect::<Vec<_>>()));
        let message = about.message.as_ref().map(|it| it.as_str().to_owned());
        assert_eq!(answer["message"], json!(message));
        assert_eq!(answer["seq"], case.seq);
        let receipt = Receipt::read(&bytes(&answer, "receipt")).unwrap();
        let checked = receipt.check(
            &bob.identity.public_key(),
            crate::native::transfer(1).as_bytes(),
            &made.manifest_hash,
        );
        assert_eq!(checked, Ok(case.verdict), "{seed}");
        compare(&answer, fingerprints[0], fingerprints[1], fingerprints[0]);
    }
}

#[test]
fn what_another_makes_we_open() {
    let mut python = Python::start("second_native.py", "seal");
    for (seed, case) in cases() {
        let answer = python.ask(&json!({
            "now": NOW.as_millis(),
            "sizes": case.sizes,
            "others": case.others,
            "prekey": case.prekey,
            "message": case.message.filter(|it| !it.is_empty()),
            "seq": case.seq,
            "verdict": case.verdict.to_byte(),
        }));
        let get = |name: &str| bytes(&answer, name);
        let me = AgentId::from_bytes(get("id").try_into().unwrap());
        let identity = IdentityKey::take(&mut get("ik")).unwrap();
        let key = KemKey::take(&mut get("ek")).unwrap();
        let bundle = SignedBundle::read(&get("bundle")).unwrap();
        let bundle = bundle.check(me, None, NOW).unwrap();
        assert_eq!(bundle.pin().hash[..], get("bundle_hash"));
        let prekey = SignedPrekey::read(&get("prekey")).unwrap();
        let prekey = prekey.check(&bundle, NOW).unwrap();
        assert_eq!(prekey == *key.public_key(), case.prekey);
        let rotation = SignedRotation::read(&get("rotation")).unwrap();
        let rotation = rotation.check(me, &identity.public_key()).unwrap();
        let sender_key =
            IdentityPublicKey::from_bytes(&get("sender_ik").try_into().unwrap()).unwrap();
        assert_eq!(
            bundle.pin().rotated(&rotation).unwrap().identity,
            sender_key
        );

        let transfer = TransferId::from_bytes(get("transfer").try_into().unwrap());
        let object = get("object");
        let arrived = Arrived::read(transfer, me, &identity.public_key(), &object).unwrap();
        assert_eq!(arrived.key_id(), key.id());
        let kind = if case.prekey {
            KeyKind::Prekey
        } else {
            KeyKind::Bundle
        };
        let claimed = arrived.open(&key, kind).unwrap();
        let sender = AgentId::from_bytes(get("sender").try_into().unwrap());
        let incoming = claimed.verify(sender, &sender_key, NOW).unwrap();
        let manifest = incoming.manifest();
        assert_eq!(
            (manifest.seq, manifest.files.len()),
            (case.seq, case.sizes.len())
        );
        for (i, (sealed, plain)) in
            (1..).zip(list(&answer, "files").iter().zip(list(&answer, "plain")))
        {
            let mut opened = Vec::new();
            incoming.open_to(i, &**sealed, &mut opened).unwrap();
            assert!(opened == plain, "{seed}");
        }
        // Signatures of one text by one key are the same, whoever makes them.
        let receipt = incoming.receipt(&identity, case.verdict).to_bytes();
        assert_eq!(receipt[..], get("receipt"));
        let mine = Fingerprint::of(me, &identity.public_key());
        compare(&answer, mine, mine, Fingerprint::of(sender, &sender_key));
    }
}

#[test]
fn another_reads_the_vectors_as_we_do() {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let mut python = Python::start("second_native.py", "read");
    let answer = python.ask(&vectors);
    let plain = vectors["transfer"]["files"].as_array().unwrap().iter();
    let plain: Vec<_> = plain.map(|it| it["plaintext"].clone()).collect();
    assert_eq!(answer["opened"], json!(plain));
    let lists = ["must_be_refused_by_bob", "files_must_be_refused_by_bob"];
    let bad = lists.iter().flat_map(|it| vectors[it].as_array().unwrap());
    let bad: Vec<_> = bad.map(|it| it["why"].clone()).collect();
    assert_eq!(answer["refused"], json!(bad));
    let words = vectors["alice_and_bob"]["words"].as_str().unwrap();
    assert!(words.split(' ').eq(spelled(&answer)));
}

/// What people compare is the same on both sides: the text of one fingerprint, and digits and words of the pair.
fn compare(answer: &Value, shown: Fingerprint, one: Fingerprint, other: Fingerprint) {
    assert_eq!(answer["fingerprint"], shown.to_string());
    assert_eq!(answer["digits"], digits(&one, &other));
    let ours = words(&one, &other);
    assert!(ours.split(' ').eq(spelled(answer)));
}

/// The words of the numbers that the other side answers.
fn spelled(answer: &Value) -> impl Iterator<Item = &'static str> {
    let list = Language::English.word_list();
    let numbers = answer["words"].as_array().unwrap().iter();
    numbers.map(|it| list[usize::try_from(it.as_u64().unwrap()).unwrap()])
}

fn bytes(of: &Value, field: &str) -> Vec<u8> {
    hex::decode(of[field].as_str().unwrap()).unwrap()
}

fn list(of: &Value, field: &str) -> Vec<Vec<u8>> {
    let list = of[field].as_array().unwrap().iter();
    list.map(|it| hex::decode(it.as_str().unwrap()).unwrap())
        .collect()
}
