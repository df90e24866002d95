//! Envelopes: what is written is read back, and what was changed is not.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod identity;
mod receipt;
mod shown;

use agentdrop_cobblestone::sealed_len;
use agentdrop_envelope::{
    File, FileKey, Header, MAX_RECIPIENTS, Malformed, Manifest, Padding, Policy, Recipient, Stanza,
    file_context, manifest_object, open_manifest,
};
use agentdrop_protocol::{AgentId, Timestamp};
use proptest::prelude::*;

fn header(stanzas: usize) -> Header {
    let stanza = |n: usize| Stanza {
        recipient: [n.to_le_bytes()[0]; 16],
        key: [2; 16],
        encapsulation: Box::new([3; 1120]),
        wrapped: [4; 48],
    };
    Header {
        transfer: [9; 16],
        prekeys: stanzas % 2 == 1,
        stanzas: (0..stanzas).map(stanza).collect(),
    }
}

fn manifest(files: u64, message: Option<&str>) -> Manifest {
    let file = |size: u64| File {
        name: format!("report {size}.pdf").parse().unwrap(),
        content_type: "application/pdf".parse().unwrap(),
        size,
        sealed_size: sealed_len(size).unwrap(),
        digest: [5; 32],
    };
    Manifest {
        transfer: [9; 16],
        sender: Some(AgentId::new(Timestamp::from_millis(1), [1; 10])),
        sender_fingerprint: [6; 32],
        recipients: vec![Recipient {
            id: [7; 16],
            fingerprint: [8; 32],
        }],
        created: Timestamp::from_millis(1_790_000_000_000),
        expires: Timestamp::from_millis(1_790_000_086_400),
        seq: 3,
        message: message.map(|it| it.parse().unwrap()),
        files: (0..files).map(file).collect(),
        policy: Policy {
            max_downloads: 10,
            auto_delete: true,
        },
    }
}

fn key() -> FileKey {
    FileKey::take(&mut [7; 32])
}

/// The manifest in an object, and its signature.
fn open(object: &[u8], key: &FileKey) -> Result<(Header, Manifest, [u8; 64]), Malformed> {
    let (header, behind) = Header::read(object)?;
    let bytes = open_manifest(object, behind, key)?;
    let (manifest, _, signature) = Manifest::read(&bytes, Padding::None)?;
    Ok((header, manifest, signature))
}

#[test]
fn what_is_sealed_is_read_back() {
    for (stanzas, files, message) in [(0, 0, None), (1, 1, Some("hello")), (3, 100, Some("ü"))] {
        let (header, manifest) = (header(stanzas), manifest(files, message));
        let padded = manifest.padded(&[1; 64]);
        let object = manifest_object(&header, &key(), &padded, [2; 24]).unwrap();
        let opened = open(&object, &key()).unwrap();
        assert_eq!(opened, (header, manifest, [1; 64]));
        let other = FileKey::take(&mut [8; 32]);
        assert!(open(&object, &other).is_err());
    }
}

#[test]
fn no_byte_of_it_can_be_changed_and_none_left_out() {
    let padded = manifest(2, Some("hello")).padded(&[0; 64]);
    let object = manifest_object(&header(1), &key(), &padded, [2; 24]).unwrap();
    for at in 0..object.len() {
        let mut changed = object.clone();
        changed[at] ^= 1 << (at % 8);
        assert!(open(&changed, &key()).is_err(), "byte {at}");
        assert!(open(&object[..at], &key()).is_err(), "cut at {at}");
    }
    assert!(open(&[&object[..], b"\0"].concat(), &key()).is_err());
}

/// The bytes are a promise: somebody else reads them.
#[test]
fn the_encoding_is_frozen() {
    let cbor = manifest(1, Some("hello")).to_cbor();
    assert_eq!(
        hex::encode(cbor),
        "ab61760263736571036566696c657381a6616901646e616d656c7265706f727420302e7064666473697a650064747970656f6170706c69636174696f6e2f7064666663745f6c656e1848666469676573745820050505050505050505050505050505050505050505050505050505050505050566706f6c696379a26b6175746f5f64656c657465f56d6d61785f646f776e6c6f6164730a67637265617465641b000001a0c4506c0067657870697265731b000001a0c451bd80676d6573736167656568656c6c6f6973656e6465725f6670582006060606060606060606060606060606060606060606060606060606060606066973656e6465725f696450000000000001710181010101010101016a726563697069656e747381825007070707070707070707070707070707582008080808080808080808080808080808080808080808080808080808080808086b7472616e736665725f69645009090909090909090909090909090909"
    );
    assert_eq!(
        hex::encode(header(0).to_bytes().unwrap()),
        "4144583202010000090909090909090909090909090909090000"
    );
    let context = file_context(&[9; 16], 1);
    assert_eq!(
        hex::encode(context),
        "6167656e7464726f702f76322066696c65000909090909090909090909090909090900000001"
    );
}

#[test]
fn another_spelling_of_a_manifest_is_refused() {
    let good = manifest(1, None).padded(&[0; 64]);
    assert!(Manifest::read(&good, Padding::None).is_ok());
    // A longer spelling of the version, of a length, an indefinite map, something behind.
    let respelled = |from: &[u8], to: &[u8]| {
        let at = good.windows(from.len()).position(|it| it == from).unwrap();
        [&good[..at], to, &good[at + from.len()..]].concat()
    };
    for bad in [
        respelled(b"\x61v\x02", b"\x61v\x18\x02"),
        respelled(b"\x61v\x02", b"\x61v\x03"),
        respelled(b"\x63seq\x03", b"\x63seq\x18\x03"),
        respelled(b"\x61v\x02\x63seq\x03", b"\x63seq\x03\x61v\x02"),
        respelled(b"\x61i\x01", b"\x61i\x02"),
        respelled(b"report 0.pdf", b"../ort 0.pdf"),
        respelled(b"\xab\x61v", b"\xbf\x61v"),
        [&good[..], &[0; 100]].concat(),
        good[..good.len() - 1].to_vec(),
        [&good[..good.len() - 1], &[1][..]].concat(),
    ] {
        assert!(
            Manifest::read(&bad, Padding::None).is_err(),
            "{}",
            hex::encode(bad)
        );
    }
}

#[test]
fn a_file_is_as_long_as_its_padding_says_and_nothing_else() {
    let mut manifest = manifest(1, None);
    let mut read = |sealed_size, padding| {
        manifest.files[0].size = 100;
        manifest.files[0].sealed_size = sealed_size;
        Manifest::read(&manifest.padded(&[0; 64]), padding).map(drop)
    };
    let (plain, padded) = (sealed_len(100).unwrap(), sealed_len(104).unwrap());
    read(plain, Padding::None).unwrap();
    read(padded, Padding::Padme).unwrap();
    for wrong in [0, plain - 1, plain + 1, padded, padded + 8, u64::MAX] {
        assert_eq!(read(wrong, Padding::None), Err(Malformed), "{wrong}");
    }
    for wrong in [0, plain, padded - 1, padded + 1, padded + 8, u64::MAX] {
        assert_eq!(read(wrong, Padding::Padme), Err(Malformed), "{wrong}");
    }
}

#[test]
fn a_header_takes_no_more_room_than_was_sent() {
    let many = header(MAX_RECIPIENTS);
    let bytes = many.to_bytes().unwrap();
    assert_eq!(Header::read(&bytes).unwrap().0, many);
    assert!(header(MAX_RECIPIENTS + 1).to_bytes().is_err());
    // One more than there may be, which was sent too.
    let mut more = [&bytes[..], &[0; Stanza::BYTES]].concat();
    more[24..26].copy_from_slice(&257_u16.to_be_bytes());
    assert!(Header::read(&more).is_err());
    let mut lies = header(0).to_bytes().unwrap();
    lies[24..26].copy_from_slice(&256_u16.to_be_bytes());
    assert!(Header::read(&lies).is_err());
    for (at, to) in [(0, b'a'), (4, 1), (4, 3), (5, 2), (6, 1), (7, 2)] {
        let mut other = header(0).to_bytes().unwrap();
        other[at] = to;
        assert!(Header::read(&other).is_err(), "{at} {to}");
    }
}

proptest! {
    #[test]
    fn whatever_comes_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        drop(Header::read(&bytes));
        drop(Manifest::read(&bytes, Padding::Padme));
        drop(open(&bytes, &key()));
    }

    #[test]
    fn a_manifest_with_a_byte_changed_is_another_or_none(at in 0..600_usize, to in any::<u8>()) {
        let good = manifest(3, Some("hello")).padded(&[0; 64]);
        let mut changed = good.clone();
        let at = at % changed.len();
        changed[at] = to;
        let read = Manifest::read(&changed, Padding::None);
        if changed != good && let Ok((read, cbor, signature)) = read {
            prop_assert_eq!(read.to_cbor(), cbor);
            prop_assert!(read != manifest(3, Some("hello")) || signature != [0; 64]);
        }
    }
}
