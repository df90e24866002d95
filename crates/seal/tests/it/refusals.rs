//! What must not open, named by the defect. `open` hands out bytes only when it succeeds: a refusal released none.

use agentdrop_seal::{
    ContentKey, Nonce, OpenError, ParseError, PublicKey, Salt, SecretKey,
    compat::{
        channel, human,
        wrapped::{self, WrappedKey},
    },
};

use crate::{content_key, counting_key, noise, open, open_for_human, public_key, seal};

const NONCE: Nonce = Nonce::from_bytes([3; 12]);

fn assert_refused<T>(what: &str, result: Result<T, OpenError>) {
    assert!(matches!(result.err(), Some(OpenError::Refused)), "{what}");
}

/// Every copy of `bytes` in which one bit is not as it was.
fn with_a_bit_flipped(bytes: &[u8]) -> impl Iterator<Item = (usize, Vec<u8>)> {
    (0..bytes.len() * 8).map(|bit| {
        let mut flipped = bytes.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        (bit, flipped)
    })
}

#[test]
fn file_with_any_bit_flipped() {
    let key = content_key(7);
    for len in [0, 1, 16, 100] {
        for (bit, flipped) in with_a_bit_flipped(&seal(&key, NONCE, &noise(1, len))) {
            assert_refused(
                &format!("bit {bit} of {len} bytes"),
                open(&key, NONCE, &flipped),
            );
        }
    }
}

#[test]
fn file_with_any_byte_changed() {
    let key = content_key(7);
    let sealed = seal(&key, NONCE, b"a small file");
    for at in 0..sealed.len() {
        for change in 1..=255 {
            let mut changed = sealed.clone();
            changed[at] ^= change;
            assert_refused(
                &format!("byte {at} by {change}"),
                open(&key, NONCE, &changed),
            );
        }
    }
}

#[test]
fn file_cut_at_any_length() {
    let key = content_key(7);
    let sealed = seal(&key, NONCE, &noise(1, 300));
    for len in 0..sealed.len() {
        assert_refused(&format!("{len} bytes"), open(&key, NONCE, &sealed[..len]));
        assert_refused(
            &format!("last {len} bytes"),
            open(&key, NONCE, &sealed[sealed.len() - len..]),
        );
    }
}

#[test]
fn file_cut_at_the_edge_of_the_buffer() {
    let key = content_key(7);
    let sealed = seal(&key, NONCE, &noise(1, 128 * 1024));
    for len in (sealed.len() - 40)..sealed.len() {
        assert_refused(&format!("{len} bytes"), open(&key, NONCE, &sealed[..len]));
    }
}

#[test]
fn file_with_a_byte_too_many() {
    let key = content_key(7);
    let sealed = seal(&key, NONCE, b"hello");
    assert_refused("after", open(&key, NONCE, &[&sealed[..], &[0]].concat()));
    assert_refused("before", open(&key, NONCE, &[&[0], &sealed[..]].concat()));
}

#[test]
fn file_under_another_key_or_nonce() {
    let sealed = seal(&content_key(7), NONCE, b"hello");
    assert_refused("key", open(&content_key(8), NONCE, &sealed));
    assert_refused(
        "nonce",
        open(&content_key(7), Nonce::from_bytes([4; 12]), &sealed),
    );
}

#[test]
fn file_with_a_bit_of_key_or_nonce_flipped() {
    let sealed = seal(&content_key(7), NONCE, b"hello");
    for (bit, mut flipped) in with_a_bit_flipped(content_key(7).expose_secret()) {
        let key = ContentKey::take(&mut flipped).unwrap();
        assert_refused(&format!("key bit {bit}"), open(&key, NONCE, &sealed));
    }
    for (bit, flipped) in with_a_bit_flipped(NONCE.as_bytes()) {
        let nonce = Nonce::try_from(flipped.as_slice()).unwrap();
        assert_refused(
            &format!("nonce bit {bit}"),
            open(&content_key(7), nonce, &sealed),
        );
    }
}

#[test]
fn channel_file_with_another_salt_or_peer_or_label() {
    let (a, b) = (counting_key(0x01), counting_key(0x21));
    let (peer, salt) = (a.public_key(), Salt::from_bytes([1; 32]));
    let key = channel::content_key(&a, &b.public_key(), &salt).unwrap();
    let sealed = seal(&key, NONCE, b"hello");
    let other_salt = channel::content_key(&b, &peer, &Salt::from_bytes([2; 32])).unwrap();
    assert_refused("salt", open(&other_salt, NONCE, &sealed));
    let stranger = counting_key(0x41).public_key();
    let other_peer = channel::content_key(&b, &stranger, &salt).unwrap();
    assert_refused("peer", open(&other_peer, NONCE, &sealed));
    let other_label = human::content_key(&b, &peer, &salt).unwrap();
    assert_refused("label", open(&other_label, NONCE, &sealed));
}

#[test]
fn human_file_with_any_bit_flipped() {
    let key = content_key(7);
    let mut sealed = Vec::new();
    human::seal_to(&key, &b"a small file"[..], &mut sealed).unwrap();
    assert_eq!(open_for_human(&key, &sealed).unwrap(), b"a small file");
    for (bit, flipped) in with_a_bit_flipped(&sealed) {
        assert_refused(&format!("bit {bit}"), open_for_human(&key, &flipped));
    }
}

#[test]
fn human_file_cut_at_any_length() {
    let key = content_key(7);
    let mut sealed = Vec::new();
    human::seal_to(&key, &b"a small file"[..], &mut sealed).unwrap();
    for len in 0..sealed.len() {
        assert_refused(
            &format!("{len} bytes"),
            open_for_human(&key, &sealed[..len]),
        );
    }
}

#[test]
fn human_transfer_for_somebody_else() {
    let (person, other) = (counting_key(0x01), counting_key(0x21));
    let outgoing = human::Outgoing::generate(&person.public_key()).unwrap();
    let mut sealed = Vec::new();
    human::seal_to(&outgoing.content_key, &b"hello"[..], &mut sealed).unwrap();
    let theirs = human::content_key(&person, &outgoing.ephemeral, &outgoing.salt).unwrap();
    assert_eq!(open_for_human(&theirs, &sealed).unwrap(), b"hello");
    let others = human::content_key(&other, &outgoing.ephemeral, &outgoing.salt).unwrap();
    assert_refused("other person", open_for_human(&others, &sealed));
}

#[test]
fn wrapped_key_with_any_bit_flipped() {
    let (sender, recipient) = (counting_key(0x01), counting_key(0x21));
    let wrapped = wrapped::wrap(&content_key(7), &sender, &recipient.public_key()).unwrap();
    let key = wrapped::unwrap(&wrapped, &recipient, &sender.public_key()).unwrap();
    assert_eq!(key.expose_secret(), &[7; 32]);
    for (bit, flipped) in with_a_bit_flipped(wrapped.as_bytes()) {
        let flipped = WrappedKey::try_from(flipped.as_slice()).unwrap();
        let result = wrapped::unwrap(&flipped, &recipient, &sender.public_key());
        assert_refused(&format!("bit {bit}"), result);
    }
}

#[test]
fn wrapped_key_from_or_for_somebody_else() {
    let (sender, recipient, other) = (counting_key(1), counting_key(33), counting_key(65));
    let wrapped = wrapped::wrap(&content_key(7), &sender, &recipient.public_key()).unwrap();
    assert_refused(
        "sender",
        wrapped::unwrap(&wrapped, &recipient, &other.public_key()),
    );
    assert_refused(
        "recipient",
        wrapped::unwrap(&wrapped, &other, &sender.public_key()),
    );
}

#[test]
fn wrapped_key_from_a_browser_under_an_agents_name() {
    let (agent, recipient) = (counting_key(0x01), counting_key(0x21));
    let browser = SecretKey::generate().unwrap();
    let wrapped = wrapped::wrap(&content_key(7), &browser, &recipient.public_key()).unwrap();
    wrapped::unwrap(&wrapped, &recipient, &browser.public_key()).unwrap();
    assert_refused(
        "agent",
        wrapped::unwrap(&wrapped, &recipient, &agent.public_key()),
    );
}

#[test]
fn bytes_of_a_wrong_length() {
    for len in (0..100).filter(|len| *len != 32) {
        let expected = ParseError::Length {
            what: "a public key",
            expected: 32,
            actual: len,
        };
        assert_eq!(PublicKey::try_from(noise(1, len).as_slice()), Err(expected));
        Salt::try_from(noise(1, len).as_slice()).unwrap_err();
        SecretKey::take(&mut noise(1, len)).unwrap_err();
        ContentKey::take(&mut noise(1, len)).unwrap_err();
    }
    for len in (0..100).filter(|len| *len != 12) {
        Nonce::try_from(noise(1, len).as_slice()).unwrap_err();
    }
    for len in (0..100).filter(|len| *len != 60) {
        WrappedKey::try_from(noise(1, len).as_slice()).unwrap_err();
    }
}

#[test]
fn public_key_of_low_order() {
    for point in [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        // once more, with the bit set that is not part of the number
        "0000000000000000000000000000000000000000000000000000000000000080",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    ] {
        let point = hex::decode(point).unwrap();
        assert_eq!(
            PublicKey::try_from(point.as_slice()),
            Err(ParseError::LowOrder)
        );
    }
    // The base point, beside them, is a key like any other.
    public_key(&[&[9][..], &[0; 31]].concat());
}
