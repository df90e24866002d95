//! What is seen of keys where somebody prints them.

use agentdrop_envelope::FileKey;
use agentdrop_envelope::identity::{Fingerprint, IdentityPublicKey, KemPublicKey};
use agentdrop_protocol::AgentId;
use ed25519_dalek::SigningKey;

#[test]
fn debug_tells_nothing_of_a_secret_key_and_which_a_public_one_is() {
    let secret = FileKey::take(&mut [0xab; 32]);
    assert_eq!(format!("{secret:?}"), "FileKey");

    let public = SigningKey::from_bytes(&[1; 32]).verifying_key();
    let identity = IdentityPublicKey::from_bytes(public.as_bytes()).unwrap();
    let hex = hex::encode(public.as_bytes());
    assert_eq!(format!("{identity:?}"), format!("IdentityPublicKey({hex})"));

    let mut bytes = [0; KemPublicKey::BYTES];
    bytes[1184] = 9;
    let kem = KemPublicKey::from_bytes(&bytes).unwrap();
    let id = hex::encode(kem.id().0);
    assert_eq!(format!("{:?}", kem.id()), id);
    assert_eq!(format!("{kem:?}"), format!("KemPublicKey({id})"));

    let fingerprint = Fingerprint::of(AgentId::from_bytes([1; 16]), &identity);
    assert_eq!(format!("{fingerprint:?}"), fingerprint.to_string());
}
