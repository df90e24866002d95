//! The published vectors, byte for byte.

use agentdrop_seal::{
    ContentKey, Nonce, Salt,
    compat::{Algorithm, UnknownAlgorithm, channel, human},
};
use base64::{Engine, prelude::BASE64_STANDARD};

use crate::{counting, counting_key, open, seal};

#[test]
fn public_keys() {
    for (first, private, public) in [
        (
            0x01,
            "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=",
            "B6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw=",
        ),
        (
            0x21,
            "ISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+P0A=",
            "WGmv9FBUlzLLqu1eXfmzCm2jHLDldCutWtShp2jxpns=",
        ),
    ] {
        let key = counting_key(first);
        assert_eq!(BASE64_STANDARD.encode(key.expose_secret()), private);
        assert_eq!(BASE64_STANDARD.encode(key.public_key().as_bytes()), public);
    }
}

#[test]
fn channel_key() {
    let expected = "3f88cc051ce976a90df7c5c0b99315868471e8becdc0f4df1d8a1d9286d4a0e3";
    assert_both_sides(channel::content_key, expected);
}

#[test]
fn human_key() {
    let expected = "5f02c4e99b3d7158dcaad8769326c330d7dec89f4fa4017e005d5f6d86465775";
    assert_both_sides(human::content_key, expected);
}

type Agreement = fn(
    &agentdrop_seal::SecretKey,
    &agentdrop_seal::PublicKey,
    &Salt,
) -> Result<ContentKey, agentdrop_seal::UnusableKey>;

fn assert_both_sides(content_key: Agreement, expected: &str) {
    let (a, b) = (counting_key(0x01), counting_key(0x21));
    let salt = Salt::from_bytes(counting(0x40));
    let of_a = content_key(&a, &b.public_key(), &salt).unwrap();
    let of_b = content_key(&b, &a.public_key(), &salt).unwrap();
    assert_eq!(hex::encode(of_a.expose_secret()), expected);
    assert_eq!(hex::encode(of_b.expose_secret()), expected);
}

#[test]
fn file() {
    let (a, b) = (counting_key(0x01), counting_key(0x21));
    let salt = Salt::from_bytes(counting(0x40));
    let key = channel::content_key(&a, &b.public_key(), &salt).unwrap();
    let nonce = Nonce::from_bytes(counting(0x00));
    let sealed = seal(&key, nonce, b"hello");
    assert_eq!(
        hex::encode(&sealed),
        "749c8e677aa7d43653e85e65f1273dde7e850d5653"
    );
    assert_eq!(open(&key, nonce, &sealed).unwrap(), b"hello");
}

#[test]
fn algorithm_names() {
    for (algorithm, name) in [
        (Algorithm::Channel, "X25519-CHANNEL-HKDF-AES-256-GCM"),
        (Algorithm::Human, "X25519-HKDF-AES-256-GCM-A2H"),
        (Algorithm::Wrapped, "X25519-HKDF-AES-256-GCM"),
    ] {
        assert_eq!(algorithm.to_string(), name);
        assert_eq!(name.parse(), Ok(algorithm));
    }
    for unknown in [
        "",
        "x25519-hkdf-aes-256-gcm",
        "X25519-HKDF-AES-256-GCM ",
        "none",
    ] {
        assert_eq!(unknown.parse::<Algorithm>(), Err(UnknownAlgorithm));
    }
}
