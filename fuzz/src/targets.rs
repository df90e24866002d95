//! What must hold of any bytes: they are refused, or they are the one spelling of what was read.

use agentdrop_envelope::identity::{Fingerprint, SignedBundle, SignedPrekey, SignedRotation};
use agentdrop_envelope::{Header, Manifest, Padding, Receipt};
use agentdrop_protocol::{AgentId, Timestamp, TransferId};
use agentdrop_seal::identity::{IdentityKey, KemKey};
use agentdrop_seal::native::{Arrived, KeyKind};

/// Object 0, as its first recipient gets it.
pub fn arrived(data: &[u8]) {
    let (Some(transfer), Some(me)) = (array(data, 8), array(data, 26)) else {
        return;
    };
    let identity = IdentityKey::take(&mut [1; 32]).unwrap().public_key();
    let key = KemKey::take(&mut [0x41; 32]).unwrap();
    let (transfer, me) = (TransferId::from_bytes(transfer), AgentId::from_bytes(me));
    let Ok(arrived) = Arrived::read(transfer, me, &identity, data) else {
        return;
    };
    // Nobody sealed for this identity.
    assert!(arrived.open(&key, KeyKind::Prekey).is_err());
}

/// A bundle.
pub fn bundle(data: &[u8]) {
    if let Ok(it) = SignedBundle::read(data) {
        assert_eq!(it.to_bytes(), data);
        let agent = it.bundle.agent;
        drop(it.check(agent, None, Timestamp::from_millis(0)));
    }
}

/// A fingerprint, as people type it.
pub fn fingerprint(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(it) = text.parse::<Fingerprint>() {
        assert_eq!(it.to_string(), text.to_ascii_lowercase());
    }
}

/// What stands before the sealed manifest.
pub fn header(data: &[u8]) {
    if let Ok((it, rest)) = Header::read(data) {
        assert_eq!([&it.to_bytes().unwrap()[..], rest].concat(), data);
    }
}

/// A manifest that opened.
pub fn manifest(data: &[u8]) {
    for padding in [Padding::None, Padding::Padme] {
        if let Ok((it, cbor, signature)) = Manifest::read(data, padding) {
            assert_eq!(it.to_cbor(), cbor);
            assert_eq!(it.padded(&signature), data);
        }
    }
}

/// A one-time prekey.
pub fn prekey(data: &[u8]) {
    if let Ok(it) = SignedPrekey::read(data) {
        assert_eq!(it.to_bytes(), data);
    }
}

/// A receipt.
pub fn receipt(data: &[u8]) {
    if let Ok(it) = Receipt::read(data) {
        assert_eq!(it.to_bytes()[..], *data);
    }
}

/// A rotation.
pub fn rotation(data: &[u8]) {
    if let Ok(it) = SignedRotation::read(data) {
        assert_eq!(it.to_bytes(), data);
    }
}

fn array(data: &[u8], at: usize) -> Option<[u8; 16]> {
    data.get(at..)?.first_chunk().copied()
}
