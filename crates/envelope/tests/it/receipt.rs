//! Receipts: only the recipient's, only of this envelope.

use agentdrop_envelope::identity::{IdentityPublicKey, Untrusted};
use agentdrop_envelope::{Receipt, Verdict, manifest_hash};
use ed25519_dalek::{Signer as _, SigningKey};

const TRANSFER: [u8; 16] = [9; 16];
const CBOR: &[u8] = b"a manifest";

fn hash() -> [u8; 64] {
    manifest_hash(CBOR)
}

fn key(byte: u8) -> (SigningKey, IdentityPublicKey) {
    let secret = SigningKey::from_bytes(&[byte; 32]);
    let public = IdentityPublicKey::from_bytes(secret.verifying_key().as_bytes()).unwrap();
    (secret, public)
}

fn receipt(secret: &SigningKey, verdict: Verdict) -> Receipt {
    let mut receipt = Receipt {
        transfer: TRANSFER,
        manifest: hash(),
        verdict,
        signature: [0; 64],
    };
    receipt.signature = secret.sign(&receipt.statement().to_bytes()).to_bytes();
    receipt
}

#[test]
fn a_receipt_says_what_it_said() {
    let (secret, public) = key(1);
    for verdict in [Verdict::Placed, Verdict::Quarantined, Verdict::Refused] {
        let bytes = receipt(&secret, verdict).to_bytes();
        let read = Receipt::read(&bytes).unwrap();
        assert_eq!(read.check(&public, &TRANSFER, &hash()), Ok(verdict));
    }
}

#[test]
fn no_byte_of_it_can_be_changed() {
    let (secret, public) = key(1);
    let bytes = receipt(&secret, Verdict::Placed).to_bytes();
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut bad = bytes;
            bad[at] ^= 1 << bit;
            let read = Receipt::read(&bad);
            let checked = read.map(|it| it.check(&public, &TRANSFER, &hash()));
            assert!(!matches!(checked, Ok(Ok(_))), "byte {at}, bit {bit}");
        }
        assert!(Receipt::read(&bytes[..at]).is_err());
    }
    assert!(Receipt::read(&[&bytes[..], b"\0"].concat()).is_err());
}

#[test]
fn a_receipt_is_of_one_recipient_one_transfer_and_one_manifest() {
    let (secret, public) = key(1);
    let (other, _) = key(2);
    let good = receipt(&secret, Verdict::Placed);
    let elsewhere = Err(Untrusted::OtherTransfer);
    assert_eq!(good.check(&public, &[8; 16], &hash()), elsewhere);
    assert_eq!(
        good.check(&public, &TRANSFER, &manifest_hash(b"another")),
        elsewhere
    );
    let forged = receipt(&other, Verdict::Placed);
    let check = forged.check(&public, &TRANSFER, &hash());
    assert_eq!(check, Err(Untrusted::Forged));
}
