//! The keys of transfers, as the server wraps them.
//!
//! Written from the formulas in the server's `at_rest`, which nobody else may use.

use std::fs;
use std::io;
use std::path::Path;

use agentdrop_protocol::TransferId;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};

const LABEL: &[u8] = b"agentdrop/at-rest/v1 wrap";

/// What every transfer's key is wrapped with.
pub(crate) struct WrapKey(LessSafeKey);

impl WrapKey {
    /// Derived from the server's key at `path`.
    pub(crate) fn read(path: &Path) -> io::Result<Self> {
        let secret = fs::read(path)?;
        let key = Salt::new(HKDF_SHA256, &[]).extract(&secret);
        let key = key.expand(&[LABEL], &AES_256_GCM).map(UnboundKey::from);
        Ok(Self(LessSafeKey::new(key.map_err(io::Error::other)?)))
    }

    /// The key of `transfer`, from its wrapped form.
    pub(crate) fn open(&self, transfer: TransferId, wrapped: &[u8]) -> io::Result<[u8; 32]> {
        let (nonce, sealed) = wrapped.split_at_checked(NONCE_LEN).unwrap_or_default();
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(io::Error::other)?;
        let mut sealed = sealed.to_vec();
        let opened = self.0.open_in_place(nonce, aad(&transfer), &mut sealed);
        let opened = opened.map_err(io::Error::other)?;
        <[u8; 32]>::try_from(&*opened).map_err(io::Error::other)
    }

    /// The same key, wrapped for `transfer`.
    pub(crate) fn seal(
        &self,
        transfer: TransferId,
        key: &[u8; 32],
        nonce: [u8; NONCE_LEN],
    ) -> io::Result<Vec<u8>> {
        let mut sealed = key.to_vec();
        self.0
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                aad(&transfer),
                &mut sealed,
            )
            .map_err(io::Error::other)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }
}

fn aad(transfer: &TransferId) -> Aad<&[u8]> {
    Aad::from(transfer.as_bytes().as_slice())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_key_is_wrapped_for_one_transfer() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&[1; 32]).unwrap();
        let wrap = WrapKey::read(file.path()).unwrap();
        let [one, other] = [2, 3].map(|it| TransferId::from_bytes([it; 16]));
        let wrapped = wrap.seal(one, &[4; 32], [5; NONCE_LEN]).unwrap();
        assert_eq!(wrap.open(one, &wrapped).unwrap(), [4; 32]);
        assert!(wrap.open(other, &wrapped).is_err());
        assert!(wrap.open(one, &wrapped[..9]).is_err());
    }
}
