//! What agents say of themselves: read in one spelling, believed only if it follows.

use agentdrop_envelope::identity::{
    Bundle, Fingerprint, FingerprintError, IdentityPublicKey, KemPublicKey, Pin, Prekey, Rotation,
    SignedBundle, SignedPrekey, SignedRotation, Untrusted, VerifiedBundle, digits, words,
};
use agentdrop_envelope::{Malformed, Statement};
use agentdrop_protocol::{AgentId, EncryptionPublicKey, Timestamp};
use ed25519_dalek::{Signer as _, SigningKey};
use proptest::prelude::*;

const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);
const LATER: Timestamp = Timestamp::from_millis(1_792_592_000_000);
const AGENT: AgentId = AgentId::from_bytes([0xa; 16]);

fn secret(byte: u8) -> SigningKey {
    SigningKey::from_bytes(&[byte; 32])
}

fn public(byte: u8) -> IdentityPublicKey {
    IdentityPublicKey::from_bytes(secret(byte).verifying_key().as_bytes()).unwrap()
}

fn kem(byte: u8) -> KemPublicKey {
    KemPublicKey::from_bytes(&[byte; KemPublicKey::BYTES]).unwrap()
}

fn bundle(version: u64, previous: Option<[u8; 32]>) -> Bundle {
    Bundle {
        agent: AGENT,
        version,
        identity: public(1),
        kem: kem(1),
        compatible: EncryptionPublicKey::try_from([9; 32]).unwrap(),
        min_suite: 1,
        not_after: LATER,
        previous,
    }
}

fn signed_by(byte: u8, bundle: Bundle) -> SignedBundle {
    let statement = bundle.to_cbor();
    let signature = secret(byte).sign(&Statement::Bundle(&statement).to_bytes());
    SignedBundle {
        bundle,
        signature: signature.to_bytes(),
    }
}

fn signed(bundle: Bundle) -> SignedBundle {
    signed_by(1, bundle)
}

fn prekey() -> SignedPrekey {
    let prekey = Prekey {
        agent: AGENT,
        kem: kem(2),
        not_after: LATER,
    };
    let statement = prekey.to_cbor();
    let signature = secret(1).sign(&Statement::Prekey(&statement).to_bytes());
    SignedPrekey {
        prekey,
        signature: signature.to_bytes(),
    }
}

fn rotation(since: u64, previous: [u8; 32]) -> SignedRotation {
    let rotation = Rotation {
        agent: AGENT,
        from: public(1),
        to: public(2),
        since,
        previous,
    };
    let statement = rotation.to_cbor();
    let signature = secret(1).sign(&Statement::Rotation(&statement).to_bytes());
    SignedRotation {
        rotation,
        signature: signature.to_bytes(),
    }
}

/// An agent that is known by the key of this byte.
fn owner(byte: u8, agent: AgentId) -> VerifiedBundle {
    let mut it = bundle(1, None);
    (it.agent, it.identity) = (agent, public(byte));
    signed_by(byte, it).check(agent, None, NOW).unwrap()
}

/// What is known of the agent after its bundle of this version.
fn pin(version: u64) -> Pin {
    let previous = (version > 1).then_some([7; 32]);
    let bundle = signed(bundle(version, previous));
    bundle.check(AGENT, None, NOW).unwrap().pin()
}

#[test]
fn what_is_written_is_read_back_and_checked() {
    let first = signed(bundle(1, None));
    let read = SignedBundle::read(&first.to_bytes()).unwrap();
    assert_eq!(read, first);
    let verified = read.check(AGENT, None, NOW).unwrap();
    assert_eq!(verified.bundle(), &first.bundle);

    let next = signed(bundle(2, Some(first.bundle.hash())));
    let read = SignedBundle::read(&next.to_bytes()).unwrap();
    read.check(AGENT, Some(&verified.pin()), NOW).unwrap();

    let read = SignedPrekey::read(&prekey().to_bytes()).unwrap();
    assert_eq!(read.check(&owner(1, AGENT), NOW), Ok(kem(2)));

    let read = SignedRotation::read(&rotation(2, first.bundle.hash()).to_bytes()).unwrap();
    read.check(AGENT, &public(1)).unwrap();
}

#[test]
fn the_largest_of_each_kind_has_room() {
    let mut largest = bundle(u64::MAX, Some([0xff; 32]));
    largest.min_suite = u8::MAX;
    largest.not_after = Timestamp::from_millis(i64::MAX);
    SignedBundle::read(&signed(largest).to_bytes()).unwrap();
    let mut largest = prekey();
    largest.prekey.not_after = Timestamp::from_millis(i64::MAX);
    SignedPrekey::read(&largest.to_bytes()).unwrap();
    SignedRotation::read(&rotation(u64::MAX, [0xff; 32]).to_bytes()).unwrap();
}

/// Reads and checks; whatever was changed must not get through.
fn believed(kind: usize, bytes: &[u8]) -> bool {
    match kind {
        0 => SignedBundle::read(bytes).is_ok_and(|it| it.check(AGENT, None, NOW).is_ok()),
        1 => SignedPrekey::read(bytes).is_ok_and(|it| it.check(&owner(1, AGENT), NOW).is_ok()),
        _ => SignedRotation::read(bytes).is_ok_and(|it| it.check(AGENT, &public(1)).is_ok()),
    }
}

fn samples() -> [Vec<u8>; 3] {
    [
        signed(bundle(1, None)).to_bytes(),
        prekey().to_bytes(),
        rotation(2, [3; 32]).to_bytes(),
    ]
}

#[test]
fn no_byte_can_be_changed_cut_off_or_added() {
    for (kind, good) in samples().into_iter().enumerate() {
        assert!(believed(kind, &good));
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1 << (at % 8);
            assert!(!believed(kind, &bad), "{kind}, byte {at}");
            assert!(!believed(kind, &good[..at]), "{kind}, cut at {at}");
        }
        assert!(!believed(kind, &[&good[..], b"\0"].concat()));
        // Signed for another purpose.
        for (other, bytes) in samples().iter().enumerate().filter(|it| it.0 != kind) {
            assert!(!believed(kind, bytes), "{other} as {kind}");
        }
    }
}

#[test]
fn another_spelling_of_the_same_is_refused_though_it_is_signed() {
    let cbor = bundle(1, None).to_cbor();
    let sign = |cbor: &[u8]| {
        let signature = secret(1).sign(&Statement::Bundle(cbor).to_bytes());
        [cbor, &signature.to_bytes()].concat()
    };
    assert!(believed(0, &sign(&cbor)));
    let respelled = |from: &[u8], to: &[u8]| {
        let at = cbor.windows(from.len()).position(|it| it == from).unwrap();
        sign(&[&cbor[..at], to, &cbor[at + from.len()..]].concat())
    };
    for bad in [
        respelled(b"\x61v\x02", b"\x61v\x18\x02"),
        respelled(b"\x61v\x02", b"\x61v\x03"),
        respelled(b"\x67version\x01", b"\x67version\x00"),
        respelled(b"\x67version\x01", b"\x67version\x02"),
        respelled(b"\x67version\x01", b"\x67version\x1b\0\0\0\0\0\0\0\x01"),
        respelled(b"\x69min_suite\x01", b"\x69min_suite\x19\x01\x00"),
        respelled(b"\x69min_suite\x01", b"\x69min_suite\x20"),
        respelled(b"\x69prev_hash\xf6", b"\x69prev_hash\xf7"),
        respelled(b"\x69prev_hash\xf6", b"\x69prev_hash\x40"),
        respelled(b"\xa9\x61v", b"\xaa\x61v"),
        respelled(b"\xa9\x61v", b"\xbf\x61v"),
        respelled(b"\xa9\x61v", b"\xb9\0\x09\x61v"),
        sign(&[&cbor[..], b"\0"].concat()),
    ] {
        assert_eq!(SignedBundle::read(&bad), Err(Malformed));
    }
}

#[test]
fn what_cannot_be_is_refused_though_it_is_signed() {
    let read = |it: Bundle| SignedBundle::read(&signed(it).to_bytes());
    for (version, previous) in [(0, None), (0, Some([7; 32])), (1, Some([7; 32])), (2, None)] {
        assert_eq!(read(bundle(version, previous)), Err(Malformed), "{version}");
    }
    let read = |since, to| {
        let mut it = rotation(since, [7; 32]).rotation;
        it.to = to;
        let statement = it.to_cbor();
        let signature = secret(1).sign(&Statement::Rotation(&statement).to_bytes());
        let signed = SignedRotation {
            rotation: it,
            signature: signature.to_bytes(),
        };
        SignedRotation::read(&signed.to_bytes()).map(drop)
    };
    assert_eq!(read(2, public(2)), Ok(()));
    assert_eq!(read(1, public(2)), Err(Malformed));
    assert_eq!(read(0, public(2)), Err(Malformed));
    assert_eq!(read(2, public(1)), Err(Malformed));
}

#[test]
fn a_bundle_is_believed_only_of_whom_it_is_and_while_it_lasts() {
    let check = |it: SignedBundle, agent, pin: Option<&Pin>, now| {
        it.check(agent, pin, now).map(drop).unwrap_err()
    };
    let first = || signed(bundle(1, None));
    let other = AgentId::from_bytes([0xb; 16]);
    assert_eq!(check(first(), other, None, NOW), Untrusted::OtherAgent);
    assert_eq!(check(first(), AGENT, None, LATER), Untrusted::Expired);
    let forged = signed_by(2, bundle(1, None));
    assert_eq!(check(forged, AGENT, None, NOW), Untrusted::Forged);
    let mut theirs = bundle(2, Some([7; 32]));
    theirs.identity = public(2);
    let theirs = signed_by(2, theirs);
    let refused = check(theirs, AGENT, Some(&pin(1)), NOW);
    assert_eq!(refused, Untrusted::OtherIdentity);
}

#[test]
fn bundles_only_go_forward_in_one_row() {
    let known = pin(5);
    let check = |it: Bundle| signed(it).check(AGENT, Some(&known), NOW).map(drop);
    let referring = |version, hash| bundle(version, Some(hash));
    // The same again, the next, and one after some that were missed.
    assert_eq!(check(referring(5, [7; 32])), Ok(()));
    assert_eq!(check(referring(6, known.hash)), Ok(()));
    assert_eq!(check(referring(8, [1; 32])), Ok(()));
    let refused = check(referring(4, [7; 32]));
    assert_eq!(refused, Err(Untrusted::RolledBack));
    assert_eq!(check(referring(5, [1; 32])), Err(Untrusted::Forked));
    assert_eq!(check(referring(6, [1; 32])), Err(Untrusted::Forked));
    let mut weaker = referring(6, known.hash);
    weaker.min_suite = 0;
    assert_eq!(check(weaker), Err(Untrusted::Downgraded));
}

#[test]
fn a_new_identity_is_believed_if_the_old_one_says_so() {
    let known = pin(5);
    let verified = |it: SignedRotation| it.check(AGENT, &public(1));
    let rotated = known.rotated(&verified(rotation(6, known.hash)).unwrap());
    let rotated = rotated.unwrap();
    assert_eq!((rotated.identity, rotated.version), (public(2), 5));

    let under_new = |version, previous| {
        let mut it = bundle(version, Some(previous));
        it.identity = public(2);
        signed_by(2, it).check(AGENT, Some(&rotated), NOW).map(drop)
    };
    assert_eq!(under_new(6, known.hash), Ok(()));
    assert_eq!(under_new(6, [1; 32]), Err(Untrusted::Forked));
    assert_eq!(under_new(5, [7; 32]), Err(Untrusted::Forked));
    assert_eq!(under_new(4, [7; 32]), Err(Untrusted::RolledBack));
    // The old key has no say any more.
    let old = signed(bundle(6, Some(known.hash)));
    let refused = old.check(AGENT, Some(&rotated), NOW).map(drop);
    assert_eq!(refused, Err(Untrusted::OtherIdentity));

    let refused = |it, pin: &Pin| pin.rotated(&verified(it).unwrap()).unwrap_err();
    assert_eq!(refused(rotation(5, [7; 32]), &known), Untrusted::RolledBack);
    assert_eq!(refused(rotation(6, [1; 32]), &known), Untrusted::Forked);
    assert_eq!(
        refused(rotation(9, [1; 32]), &rotated),
        Untrusted::OtherIdentity
    );

    let it = rotation(6, known.hash);
    let other = AgentId::from_bytes([0xb; 16]);
    let refused = it.clone().check(other, &public(1)).map(drop);
    assert_eq!(refused, Err(Untrusted::OtherAgent));
    let refused = it.clone().check(AGENT, &public(2)).map(drop);
    assert_eq!(refused, Err(Untrusted::OtherIdentity));
    let mut forged = it;
    let statement = forged.rotation.to_cbor();
    let signature = secret(2).sign(&Statement::Rotation(&statement).to_bytes());
    forged.signature = signature.to_bytes();
    assert_eq!(verified(forged).map(drop), Err(Untrusted::Forged));
}

#[test]
fn a_prekey_of_the_servers_own_is_refused() {
    let mut forged = prekey();
    forged.prekey.kem = kem(3);
    let (mine, other) = (owner(1, AGENT), AgentId::from_bytes([0xb; 16]));
    assert_eq!(prekey().check(&mine, NOW), Ok(kem(2)));
    assert_eq!(forged.check(&mine, NOW), Err(Untrusted::Forged));
    let refused = prekey().check(&owner(2, AGENT), NOW);
    assert_eq!(refused, Err(Untrusted::Forged));
    let refused = prekey().check(&owner(1, other), NOW);
    assert_eq!(refused, Err(Untrusted::OtherAgent));
    assert_eq!(prekey().check(&mine, LATER), Err(Untrusted::Expired));
}

#[test]
fn a_fingerprint_is_read_back_and_a_mistyped_one_is_not() {
    let fingerprint = Fingerprint::of(AGENT, &public(1));
    let text = fingerprint.to_string();
    assert_eq!(text.len(), 62);
    assert_eq!(text.parse(), Ok(fingerprint));
    assert_eq!(text.to_uppercase().parse(), Ok(fingerprint));
    for at in 0..text.len() {
        let mut bad = text.clone().into_bytes();
        bad[at] = if bad[at] == b'q' { b'p' } else { b'q' };
        let bad = String::from_utf8(bad).unwrap();
        assert_eq!(bad.parse::<Fingerprint>(), Err(FingerprintError), "{bad}");
        let cut = text.get(..at).unwrap();
        assert_eq!(cut.parse::<Fingerprint>(), Err(FingerprintError), "{cut}");
    }
    // Another prefix, and 31 and 33 bytes, each with the right check digits.
    let of = |prefix, bytes: &[u8]| {
        let prefix = bech32::Hrp::parse(prefix).unwrap();
        bech32::encode::<bech32::Bech32>(prefix, bytes).unwrap()
    };
    for bad in [
        of("adl", &[1; 32]),
        of("adk", &[1; 31]),
        of("adk", &[1; 33]),
        bech32::encode::<bech32::Bech32m>(bech32::Hrp::parse("adk").unwrap(), &[1; 32]).unwrap(),
    ] {
        assert_eq!(bad.parse::<Fingerprint>(), Err(FingerprintError), "{bad}");
    }
    assert_eq!(
        of("adk", &[1; 32]).parse(),
        Ok(Fingerprint::from_bytes([1; 32]))
    );
}

#[test]
fn both_sides_read_the_same_and_another_key_reads_otherwise() {
    let (one, other) = (
        Fingerprint::of(AGENT, &public(1)),
        Fingerprint::of(AGENT, &public(2)),
    );
    assert_eq!(digits(&one, &other), digits(&other, &one));
    assert_eq!(words(&one, &other), words(&other, &one));
    assert_ne!(digits(&one, &other), digits(&one, &one));
    assert_ne!(words(&one, &other), words(&one, &one));
    let groups: Vec<_> = digits(&one, &other).split(' ').map(str::len).collect();
    assert_eq!(groups, [5; 12]);
    assert_eq!(words(&one, &other).split(' ').count(), 18);
}

proptest! {
    #[test]
    fn whatever_comes_is_read_in_its_one_spelling_or_refused(
        bytes in prop::collection::vec(any::<u8>(), 0..1_600),
    ) {
        if let Ok(it) = SignedBundle::read(&bytes) {
            prop_assert_eq!(it.to_bytes(), &bytes[..]);
        }
        if let Ok(it) = SignedPrekey::read(&bytes) {
            prop_assert_eq!(it.to_bytes(), &bytes[..]);
        }
        if let Ok(it) = SignedRotation::read(&bytes) {
            prop_assert_eq!(it.to_bytes(), &bytes[..]);
        }
    }

    #[test]
    fn any_bundle_is_read_back(
        version in 2..=u64::MAX, min_suite: u8, ends in 0..i64::MAX, previous: [u8; 32], agent: [u8; 16],
    ) {
        let it = signed(Bundle {
            agent: AgentId::from_bytes(agent),
            min_suite,
            not_after: Timestamp::from_millis(ends),
            ..bundle(version, Some(previous))
        });
        prop_assert_eq!(SignedBundle::read(&it.to_bytes()), Ok(it));
    }
}
