//! What must hold of any bytes: they are refused, or they are the one spelling of what was read.

use agentdrop_envelope::identity::{Fingerprint, SignedBundle, SignedPrekey, SignedRotation};
use agentdrop_envelope::{Header, Manifest, Padding, Receipt};
use agentdrop_protocol::{AgentId, Timestamp, TransferId};
use agentdrop_seal::identity::{IdentityKey, KemKey};
use agentdrop_seal::native::{Arrived, Incoming, KeyKind};

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

/// A file, in pieces and gone on with: the first two bytes say how it is cut.
pub fn opening(data: &[u8]) {
    const GENUINE: &[u8] = include_bytes!("../seeds/opening/vector");
    thread_local!(static INCOMING: Incoming = incoming());
    let Some((cuts, sealed)) = data.split_first_chunk() else {
        return;
    };
    let piece = usize::from(u16::from_le_bytes(*cuts)).max(1);
    let (mut plain, mut taken) = (Vec::new(), Ok(()));
    let finished = INCOMING.with(|incoming| {
        let mut opening = incoming.opening(3).unwrap();
        for piece in sealed.chunks(piece) {
            taken = taken.and_then(|()| opening.update(piece, &mut plain));
        }
        taken.is_ok().then(|| opening.finish())
    });
    let genuine = Some(sealed) == GENUINE.get(2..);
    assert_eq!(finished.is_some_and(|it| it.is_ok()), genuine);
    // Whatever is released is the file, for nobody here has its key.
    assert!([7; 100].starts_with(&plain));

    // The same bytes as what was kept of a file: it has no whole chunk, so there is nothing to go on from but its header.
    let header = sealed.first_chunk().copied().unwrap_or([0; 56]);
    for chunks in [0, 1, u64::from(cuts[0]) << 56] {
        let resumed = INCOMING.with(|it| it.opening_from(3, &header, chunks, sealed));
        let is_header = GENUINE.get(2..58) == Some(&header[..]);
        assert_eq!(resumed.is_ok(), is_header && chunks == 0);
    }
}

/// The envelope of `docs/vectors/native.json`, as Bob opens it.
fn incoming() -> Incoming {
    let [alice, bob] = [0x12, 0x22].map(|it| IdentityKey::take(&mut [it; 32]).unwrap());
    let object = include_bytes!("../seeds/arrived/vector");
    let transfer = TransferId::from_bytes(array(object, 8).unwrap());
    let me = AgentId::from_bytes([0x21; 16]);
    let arrived = Arrived::read(transfer, me, &bob.public_key(), object).unwrap();
    let key = KemKey::take(&mut [0x41; 32]).unwrap();
    let claimed = arrived.open(&key, KeyKind::Prekey).unwrap();
    let sender = claimed.sender();
    let now = Timestamp::from_millis(0);
    claimed.verify(sender, &alice.public_key(), now).unwrap()
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
