//! Against the published client, in both directions: what one side seals the other opens.

use agentdrop_seal::{
    ContentKey, FileSealer, Nonce, Salt, SecretKey,
    compat::{
        channel, human,
        wrapped::{self, WrappedKey},
    },
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use crate::python::Python;
use crate::{noise, open, open_for_human, public_key};

const CASES: u64 = 1000;
const FORMATS: [&str; 3] = ["channel", "wrapped", "human"];

#[test]
fn what_we_seal_the_published_client_opens() {
    let mut python = Python::start("published_client.py", "open");
    for format in FORMATS {
        for (seed, size) in sizes() {
            let plaintext = noise(seed, size);
            let answer = python.ask(&sealed_by_us(format, &plaintext));
            assert!(
                bytes(&answer, "plaintext") == plaintext,
                "{format}, {size} bytes"
            );
        }
    }
}

#[test]
fn what_the_published_client_seals_we_open() {
    let mut python = Python::start("published_client.py", "seal");
    for format in FORMATS {
        for (_, size) in sizes() {
            let case = python.ask(&json!({ "format": format, "size": size }));
            let opened = opened_by_us(format, &case);
            assert!(
                opened == bytes(&case, "plaintext"),
                "{format}, {size} bytes: {case}"
            );
            assert_eq!(opened.len(), size);
        }
    }
}

/// A seed and a size for every case: up to 70 KiB, and a few above our buffer and theirs.
fn sizes() -> impl Iterator<Item = (u64, usize)> {
    let small = (0..CASES).map(|seed| {
        let chance = u64::from_le_bytes(noise(seed, 8).try_into().unwrap());
        (seed, usize::try_from(chance % (70 * 1024 + 1)).unwrap())
    });
    let chosen = [
        0, 1, 15, 16, 17, 131_071, 131_072, 131_073, 1_048_576, 1_048_577, 3_000_000,
    ];
    small.chain((CASES..).zip(chosen))
}

fn sealed_by_us(format: &str, plaintext: &[u8]) -> Value {
    let (sender, recipient) = (
        SecretKey::generate().unwrap(),
        SecretKey::generate().unwrap(),
    );
    let peer = recipient.public_key();
    let salt = Salt::generate().unwrap();
    let mut case = json!({
        "format": format,
        "private": BASE64_STANDARD.encode(recipient.expose_secret()),
        "peer": BASE64_STANDARD.encode(sender.public_key().as_bytes()),
        "salt": BASE64_STANDARD.encode(salt.as_bytes()),
    });
    let mut sealed = Vec::new();
    let mut with_nonce_apart = |key: &ContentKey| {
        let sealer = FileSealer::new(key).unwrap();
        case["nonce"] = BASE64_STANDARD.encode(sealer.nonce().as_bytes()).into();
        sealer.seal_to(plaintext, &mut sealed).unwrap();
    };
    match format {
        "channel" => with_nonce_apart(&channel::content_key(&sender, &peer, &salt).unwrap()),
        "wrapped" => {
            let key = ContentKey::generate().unwrap();
            with_nonce_apart(&key);
            let wrapped = wrapped::wrap(&key, &sender, &peer).unwrap();
            case["encrypted_key"] = BASE64_STANDARD.encode(wrapped.as_bytes()).into();
        }
        _ => {
            let outgoing = human::Outgoing::generate(&peer).unwrap();
            human::seal_to(&outgoing.content_key, plaintext, &mut sealed).unwrap();
            case["salt"] = BASE64_STANDARD.encode(outgoing.salt.as_bytes()).into();
            case["encrypted_key"] = BASE64_STANDARD.encode(outgoing.ephemeral.as_bytes()).into();
        }
    }
    case["sealed"] = BASE64_STANDARD.encode(sealed).into();
    case
}

fn opened_by_us(format: &str, case: &Value) -> Vec<u8> {
    let mine = SecretKey::take(&mut bytes(case, "private")).unwrap();
    let peer = public_key(&bytes(case, "peer"));
    let salt = Salt::try_from(bytes(case, "salt").as_slice()).unwrap();
    let nonce = || Nonce::try_from(bytes(case, "nonce").as_slice()).unwrap();
    let sealed = bytes(case, "sealed");
    match format {
        "channel" => open(
            &channel::content_key(&mine, &peer, &salt).unwrap(),
            nonce(),
            &sealed,
        )
        .unwrap(),
        "wrapped" => {
            let wrapped = WrappedKey::try_from(bytes(case, "encrypted_key").as_slice()).unwrap();
            open(
                &wrapped::unwrap(&wrapped, &mine, &peer).unwrap(),
                nonce(),
                &sealed,
            )
            .unwrap()
        }
        _ => {
            let ephemeral = public_key(&bytes(case, "encrypted_key"));
            let key = human::content_key(&mine, &ephemeral, &salt).unwrap();
            open_for_human(&key, &sealed).unwrap()
        }
    }
}

fn bytes(case: &Value, field: &str) -> Vec<u8> {
    BASE64_STANDARD
        .decode(case[field].as_str().unwrap())
        .unwrap()
}
