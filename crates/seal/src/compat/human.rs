//! From an agent to a person who has a receive password.
//!
//! On the wire: `encrypted_key` is the public half of a key drawn for this transfer, `encryption_salt` the salt. A file
//! carries its nonce: `nonce ‖ ciphertext ‖ tag`.

use std::io::{Read, Seek, Write};

use crate::{
    ContentKey, FileSealer, Nonce, OpenError, PublicKey, Salt, SealError, SealedFile, SecretKey,
    TAG_BYTES, UnusableKey,
    kdf::{Label, derive},
};

/// The name on the wire.
pub const ALGORITHM: &str = "X25519-HKDF-AES-256-GCM-A2H";

/// How many bytes a sealed file has more than its plaintext: nonce and tag.
pub const OVERHEAD_BYTES: usize = Nonce::BYTES + TAG_BYTES;

/// What a sender needs for one transfer to a person.
#[derive(Debug)]
pub struct Outgoing {
    /// Seals the files.
    pub content_key: ContentKey,
    /// The public half of the key drawn for this transfer; travels as `encrypted_key`.
    pub ephemeral: PublicKey,
    /// Travels as `encryption_salt`.
    pub salt: Salt,
}

impl Outgoing {
    /// Draws what seals one transfer to the person with the public receive key `recipient`.
    ///
    /// The private half of the drawn key is erased before this returns: the sender cannot open the transfer later.
    pub fn generate(recipient: &PublicKey) -> Result<Self, SealError> {
        let ephemeral = SecretKey::generate()?;
        let salt = Salt::generate()?;
        let content_key = content_key(&ephemeral, recipient, &salt)?;
        Ok(Self {
            content_key,
            ephemeral: ephemeral.public_key(),
            salt,
        })
    }
}

/// `HKDF-SHA256(ikm = X25519(mine, peer), salt, info = "agentdrop-a2h-v1", 32)`, RFC 7748 §6.1 and RFC 5869 §2.
///
/// To open: `mine` is the person's receive key, `peer` what came as `encrypted_key`.
pub fn content_key(
    mine: &SecretKey,
    peer: &PublicKey,
    salt: &Salt,
) -> Result<ContentKey, UnusableKey> {
    let shared = mine.agree(peer)?;
    Ok(ContentKey::new(derive(&shared, Some(salt), Label::Human)))
}

/// Seals everything that `plaintext` yields, nonce first, and answers how many bytes it wrote.
pub fn seal_to(
    key: &ContentKey,
    plaintext: impl Read,
    mut sink: impl Write,
) -> Result<u64, SealError> {
    let sealer = FileSealer::new(key)?;
    sink.write_all(sealer.nonce().as_bytes())?;
    Ok(sealer.seal_to(plaintext, sink)? + Nonce::BYTES as u64)
}

/// Finds the file that begins where `source` stands, with its nonce, and ends where `source` ends.
pub fn sealed_file<R: Read + Seek>(mut source: R) -> Result<SealedFile<R>, OpenError> {
    let mut nonce = [0; Nonce::BYTES];
    source.read_exact(&mut nonce).map_err(refuse_short)?;
    SealedFile::new(source, Nonce::from_bytes(nonce))
}

/// A file that ends within its nonce is not a failure of the disk: it was cut.
fn refuse_short(error: std::io::Error) -> OpenError {
    if error.kind() == std::io::ErrorKind::UnexpectedEof {
        OpenError::Refused
    } else {
        OpenError::Io(error)
    }
}
