//! A person's receive key opens with their password, and with nothing else.

use agentdrop_seal::Nonce;
use agentdrop_seal::receive_password::{ITERATIONS, MAX_ITERATIONS, WrappedReceiveKey};

use crate::{counting, counting_key};

#[test]
fn what_is_wrapped_opens_with_its_password_alone() {
    let key = counting_key(1);
    let wrapped = WrappedReceiveKey::wrap(&key, "correct horse é").unwrap();
    let opened = wrapped.open("correct horse é").unwrap();
    assert_eq!(opened.expose_secret(), key.expose_secret());
    for wrong in ["", "correct horse e\u{301}", "correct horse"] {
        assert!(wrapped.open(wrong).is_err(), "{wrong}");
    }
    let again = WrappedReceiveKey::wrap(&key, "correct horse é").unwrap();
    assert_ne!((wrapped.salt, wrapped.nonce), (again.salt, again.nonce));
}

/// Made with another library: `AESGCM` and `PBKDF2HMAC` of `PyCA` cryptography.
#[test]
fn a_key_that_another_library_wrapped_opens() {
    let ciphertext = hex::decode(VECTOR).unwrap().try_into().unwrap();
    let wrapped = WrappedReceiveKey {
        iterations: ITERATIONS,
        salt: counting(0),
        nonce: Nonce::from_bytes(counting(0x20)),
        ciphertext,
    };
    let opened = wrapped.open("pässword").unwrap();
    assert_eq!(opened.expose_secret(), &counting::<32>(1));
}

const VECTOR: &str = "23e97efcf734aa76dd6c540970ba74d096a2fc8b3491a99539d53a99859dce297421b222dcac32b25aa3c1c204239f95";

#[test]
fn nothing_of_it_can_be_changed() {
    let wrapped = WrappedReceiveKey::wrap(&counting_key(1), "password").unwrap();
    let mut changed = wrapped;
    changed.ciphertext[47] ^= 1;
    assert!(changed.open("password").is_err());
    let mut changed = wrapped;
    changed.salt[0] ^= 1;
    assert!(changed.open("password").is_err());
    let nonce = Nonce::from_bytes([0; 12]);
    assert!(
        WrappedReceiveKey { nonce, ..wrapped }
            .open("password")
            .is_err()
    );
    for iterations in [
        0,
        1,
        ITERATIONS - 1,
        ITERATIONS + 1,
        MAX_ITERATIONS + 1,
        u32::MAX,
    ] {
        let changed = WrappedReceiveKey {
            iterations,
            ..wrapped
        };
        assert!(changed.open("password").is_err(), "{iterations}");
    }
}
