//! A person who opens what they were sent, without any code of our clients: `AGENTDROP-2-A2H`.

use agentdrop_cobblestone::{HEADER_BYTES, Opener, SEALED_CHUNK_BYTES};
use agentdrop_envelope::{FileKey, Header, Manifest, Padding, file_context, open_manifest};
use aws_lc_rs::agreement::{PrivateKey, UnparsedPublicKey, X25519, agree};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::server::text;

/// A receive key, with its private half.
#[derive(Debug)]
pub struct ReceiveKey(PrivateKey);

impl Default for ReceiveKey {
    fn default() -> Self {
        Self::new()
    }
}

impl ReceiveKey {
    /// Draws one.
    pub fn new() -> Self {
        Self(PrivateKey::generate(&X25519).expect("there is chance"))
    }

    /// Its public half, as the API has it.
    pub fn public(&self) -> String {
        let public = self.0.compute_public_key().expect("it is a key");
        STANDARD.encode(public)
    }

    /// What sets it; its private half is kept here, and not in there.
    pub fn password(&self) -> Value {
        json!({
            "public_key": self.public(),
            "encrypted_private_key": {
                "v": 1, "kdf": "PBKDF2-HMAC-SHA256", "iterations": 600_000,
                "salt": "AAAAAAAAAAAAAAAAAAAAAA==", "cipher": "AES-256-GCM",
                "nonce": "AAAAAAAAAAAAAAAA", "ciphertext": "A".repeat(64),
            }
        })
    }

    /// The files that a grant is for, given the objects that were fetched under it: their names,
    /// and what they hold. Whatever is not as it should be fails.
    pub fn open(&self, grant: &Value, mut objects: Vec<Vec<u8>>) -> Vec<(String, Vec<u8>)> {
        let file_key = self.file_key(grant);
        let envelope = objects.remove(0);
        let (header, behind) = Header::read(&envelope).expect("a header");
        assert!(header.stanzas.is_empty(), "a person has no stanza");
        let manifest = open_manifest(&envelope, behind, &file_key).expect("a manifest");
        let (manifest, _, signature) =
            Manifest::read(&manifest, Padding::None).expect("a manifest");
        assert_eq!(signature, [0; 64], "the server signs in nobody's name");
        assert_eq!(manifest.files.len(), objects.len(), "no file is left out");
        let mut files = Vec::new();
        for ((i, object), said) in (1..).zip(objects).zip(&manifest.files) {
            assert_eq!(object.len() as u64, said.sealed_size, "it is whole");
            let (begin, sealed) = object.split_at(HEADER_BYTES);
            let begin = begin.try_into().expect("it was split there");
            let context = file_context(&header.transfer, i);
            let mut opener =
                Opener::new(&file_key.file(i), &context, begin).expect("it is for this key");
            let (mut plain, mut hasher) = (Vec::new(), file_key.hasher(i));
            for chunk in sealed.chunks(SEALED_CHUNK_BYTES) {
                opener.open_next(chunk, &mut plain).expect("a chunk");
            }
            hasher.update(&plain);
            assert_eq!(hasher.finish(), said.digest, "it is the one that is meant");
            opener.finish().expect("nothing is cut off");
            assert_eq!(plain.len() as u64, said.size, "it is as long as it says");
            files.push((said.name.as_str().to_owned(), plain));
        }
        files
    }

    /// What a grant says its files are encrypted with.
    fn file_key(&self, grant: &Value) -> FileKey {
        struct Length;
        impl KeyType for Length {
            fn len(&self) -> usize {
                32
            }
        }
        assert_eq!(grant["encryption_algorithm"], "AGENTDROP-2-A2H", "{grant}");
        assert_eq!(grant["recipient_public_key"], self.public(), "{grant}");
        let bytes = |field| STANDARD.decode(text(grant, field)).expect("it is base64");
        let (ephemeral, salt) = (bytes("encrypted_key"), bytes("encryption_salt"));
        let peer = UnparsedPublicKey::new(&X25519, ephemeral);
        let key = agree(&self.0, peer, aws_lc_rs::error::Unspecified, |shared| {
            let mut key = [0; 32];
            let prk = Salt::new(HKDF_SHA256, &salt).extract(shared);
            let okm = prk.expand(&[b"agentdrop/v2 a2h"], Length)?;
            okm.fill(&mut key)?;
            Ok(FileKey::take(&mut key))
        });
        key.expect("it is a key")
    }
}
