//! The key of one transfer, wrapped with the server key.

use std::fmt;

use agentdrop_protocol::{PartTag, TransferId};
use zeroize::Zeroizing;

use super::gcm::{open, seal};
use super::{AtRestError, ServerKey, derive, label};
use crate::clock::{NoChance, random};

/// The key of one transfer, for what its sender did not encrypt.
pub(crate) struct TransferKey(Zeroizing<[u8; 32]>);

impl ServerKey {
    /// A new key for `transfer`, and the same key wrapped:
    /// `nonce(12) ‖ AES-256-GCM(wrap key, nonce, key, aad = transfer id) ‖ tag(16)`.
    pub(crate) fn new_transfer_key(
        &self,
        transfer: TransferId,
    ) -> Result<(TransferKey, Vec<u8>), NoChance> {
        let key = TransferKey(Zeroizing::new(random()?));
        let wrapped = self.wrap_transfer_key(transfer, &key)?;
        Ok((key, wrapped))
    }

    /// A key that was made before its transfer had this id, wrapped.
    pub(crate) fn wrap_transfer_key(
        &self,
        transfer: TransferId,
        key: &TransferKey,
    ) -> Result<Vec<u8>, NoChance> {
        seal(&self.wrap, transfer.as_bytes(), &key.0[..])
    }

    /// The key of `transfer`, from its wrapped form.
    pub(crate) fn transfer_key(
        &self,
        transfer: TransferId,
        wrapped: &[u8],
    ) -> Result<TransferKey, AtRestError> {
        let key = Zeroizing::new(open(&self.wrap, transfer.as_bytes(), wrapped)?);
        let key = <[u8; 32]>::try_from(&key[..]).map_err(|_| AtRestError)?;
        Ok(TransferKey(Zeroizing::new(key)))
    }
}

impl TransferKey {
    /// Encrypts names and messages: `nonce(12) ‖ AES-256-GCM(details key, nonce, text) ‖ tag(16)`.
    pub(super) fn seal_details(&self, text: &[u8]) -> Result<Vec<u8>, NoChance> {
        seal(&derive(&self.0, label::DETAILS, &[]), &[], text)
    }

    /// Decrypts what [`TransferKey::seal_details`] made.
    pub(super) fn open_details(&self, sealed: &[u8]) -> Result<Vec<u8>, AtRestError> {
        open(&derive(&self.0, label::DETAILS, &[]), &[], sealed)
    }

    /// The key of the file at `position`.
    pub(super) fn file_key(&self, position: u32) -> Zeroizing<[u8; 32]> {
        derive(&self.0, label::FILE, &position.to_be_bytes())
    }

    /// The key of one try to upload a part.
    pub(super) fn part_key(&self, tag: PartTag) -> Zeroizing<[u8; 32]> {
        derive(&self.0, label::PART, tag.as_bytes())
    }
}

impl fmt::Debug for TransferKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TransferKey")
    }
}

#[cfg(test)]
mod tests {
    use agentdrop_protocol::Timestamp;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1);

    #[test]
    fn a_wrapped_key_opens_for_its_transfer_alone() {
        let server = ServerKey::new(&[1; 32]);
        let transfer = TransferId::new(NOW, [1; 10]);
        let (key, wrapped) = server.new_transfer_key(transfer).unwrap();
        assert_eq!(*server.transfer_key(transfer, &wrapped).unwrap().0, *key.0);
        let other = TransferId::new(NOW, [2; 10]);
        assert!(server.transfer_key(other, &wrapped).is_err());
        assert!(
            ServerKey::new(&[2; 32])
                .transfer_key(transfer, &wrapped)
                .is_err()
        );
        for at in 0..wrapped.len() {
            let mut bad = wrapped.clone();
            bad[at] ^= 1;
            assert!(server.transfer_key(transfer, &bad).is_err());
            assert!(server.transfer_key(transfer, &wrapped[..at]).is_err());
        }
    }
}
