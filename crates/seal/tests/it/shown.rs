//! What is seen of keys, and of what is under way, where somebody prints it.

use agentdrop_protocol::TransferId;
use agentdrop_seal::compat::wrapped::{WrappedKey, wrap};
use agentdrop_seal::native::{FileKeys, FileSalt, Padding};
use agentdrop_seal::{FileSealer, PartMac};

use crate::{content_key, counting, counting_key};

#[test]
fn debug_tells_of_no_key() {
    let sealer = FileSealer::new(&content_key(0xab)).unwrap();
    assert!(format!("{sealer:?}").contains("Context { taken_bytes: 0, .. }"));
    let mac = PartMac::take(&mut [0xab; 32]).unwrap();
    let wrapped = WrappedKey::from_bytes([0xab; 60]);
    assert_eq!(format!("{mac:?} {wrapped:?}"), "PartMac(…) WrappedKey(…)");
}

#[test]
fn debug_of_a_public_key_is_the_key() {
    let shown = format!("{:?}", counting_key(1).public_key());
    let hex = hex::encode(counting_key(1).public_key().as_bytes());
    assert_eq!(shown, format!("PublicKey({hex})"));
}

#[test]
fn debug_of_a_file_under_way_tells_how_far_it_is() {
    let transfer = TransferId::from_bytes([1; 16]);
    let keys = FileKeys::take(transfer, Padding::None, &mut [0xab; 32]);
    let (mut out, salt) = (Vec::new(), FileSalt::generate().unwrap());
    let mut sealer = keys.file(1, salt, &mut out);
    sealer.update(b"secret", &mut out).unwrap();
    assert_eq!(format!("{sealer:?}"), "FileSealer { size: 6, .. }");
    let tail = keys.resume(1, salt, 6, 0).unwrap();
    assert_eq!(format!("{tail:?}"), "FileTail(…)");
}

#[test]
fn what_was_kept_as_bytes_is_the_same_again() {
    let bytes = counting::<24>(1);
    assert_eq!(FileSalt::from_bytes(bytes).as_bytes(), &bytes);
    let (sender, recipient) = (counting_key(1), counting_key(0x21).public_key());
    let key = wrap(&content_key(1), &sender, &recipient).unwrap();
    assert_eq!(WrappedKey::from_bytes(*key.as_bytes()), key);
}
