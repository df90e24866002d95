//! RFC 9180's own vectors, for the half of our suite that the draft with X-Wing has none of: AES-256-GCM
//! under HKDF-SHA256, in base mode. The other half, X-Wing under HKDF-SHA256, stands beside the code.

use std::convert::Infallible;

use hpke::aead::AesGcm256;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::rand_core::{TryCryptoRng, TryRng};
use hpke::{Deserializable as _, Kem, OpModeR, OpModeS, Serializable as _};
use hpke::{setup_receiver, setup_sender_with_rng};
use serde_json::Value;

const VECTOR: &str = include_str!("vectors/hpke-rfc9180.json");

/// Bytes that are no chance at all.
struct Fixed(Vec<u8>);

impl TryRng for Fixed {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        let rest = self.0.split_off(out.len());
        out.copy_from_slice(&self.0);
        self.0 = rest;
        Ok(())
    }
}

impl TryCryptoRng for Fixed {}

fn bytes(of: &Value, name: &str) -> Vec<u8> {
    hex::decode(of[name].as_str().unwrap()).unwrap()
}

#[test]
fn the_schedule_and_the_cipher_are_those_of_the_rfc() {
    type X25519 = X25519HkdfSha256;

    let vector: Value = serde_json::from_str(VECTOR).unwrap();
    let suite = ["mode", "kem_id", "kdf_id", "aead_id"].map(|it| vector[it].as_u64().unwrap());
    assert_eq!(suite, [0, 0x20, 1, 2]);
    let info = bytes(&vector, "info");
    let theirs = <X25519 as Kem>::PublicKey::from_bytes(&bytes(&vector, "pkRm")).unwrap();
    let (enc, mut sealer) = setup_sender_with_rng::<AesGcm256, HkdfSha256, X25519>(
        &OpModeS::Base,
        &theirs,
        &info,
        &mut Fixed(bytes(&vector, "ikmE")),
    )
    .unwrap();
    assert_eq!(enc.to_bytes()[..], bytes(&vector, "enc"));
    let key = <X25519 as Kem>::PrivateKey::from_bytes(&bytes(&vector, "skRm")).unwrap();
    let mut opener =
        setup_receiver::<AesGcm256, HkdfSha256, X25519>(&OpModeR::Base, &key, &enc, &info).unwrap();

    // The RFC prints some messages of one row: past one byte's worth of them the nonce carries.
    let printed = vector["encryptions"].as_array().unwrap();
    let plain = bytes(&printed[0], "pt");
    for n in 0..=256 {
        let aad = format!("Count-{n}");
        let sealed = sealer.seal(&plain, aad.as_bytes()).unwrap();
        if let Some(it) = printed.iter().find(|it| it["n"] == n) {
            assert_eq!(bytes(it, "aad"), aad.as_bytes());
            assert_eq!(sealed, bytes(it, "ct"), "{n}");
        }
        let mut changed = sealed.clone();
        changed[0] ^= 1;
        assert!(opener.open(&changed, aad.as_bytes()).is_err(), "{n}");
        assert_eq!(opener.open(&sealed, aad.as_bytes()).unwrap(), plain);
    }
    assert_eq!(printed.last().unwrap()["n"], 256);
    for it in vector["exports"].as_array().unwrap() {
        let mut exported = [0; 32];
        let context = bytes(it, "exporter_context");
        opener.export(&context, &mut exported).unwrap();
        assert_eq!(exported[..], bytes(it, "exported_value"));
    }
}
