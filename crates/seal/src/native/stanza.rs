//! The file key, wrapped for one recipient.

use agentdrop_envelope::identity::{Fingerprint, KemKeyId};
use agentdrop_envelope::{FileKey, Header, Stanza};

use super::Recipient;
use crate::identity::{Chance, KemKey, wrap};
use crate::{OpenError, SealError};

const LABEL: &[u8] = b"agentdrop/v2 wrap\0";

/// `"agentdrop/v2 wrap\0" ‖ bytes 0..26 of the header ‖ recipient id ‖ key id ‖ fingerprint`: so a stanza is of one
/// envelope, one recipient, one key and one identity.
pub(super) fn info(
    begin: &[u8; Header::FIXED_BYTES],
    recipient: &[u8; 16],
    key: KemKeyId,
    fingerprint: &Fingerprint,
) -> Vec<u8> {
    [LABEL, begin, recipient, &key.0, fingerprint.as_bytes()].concat()
}

/// Wraps `key` for `to`, in an envelope that begins with these bytes.
pub(super) fn seal(
    begin: &[u8; Header::FIXED_BYTES],
    key: &FileKey,
    to: &Recipient,
    chance: Chance,
) -> Result<Stanza, SealError> {
    let (recipient, key_id) = (*to.agent.as_bytes(), to.key.id());
    let info = info(begin, &recipient, key_id, &to.fingerprint);
    let (encapsulation, wrapped) = wrap(key, &to.key, &info, chance)?;
    Ok(Stanza {
        recipient,
        key: key_id.0,
        encapsulation,
        wrapped,
    })
}

/// Unwraps what is in `stanza` for `key`, whose owner has this fingerprint.
pub(super) fn open(
    begin: &[u8; Header::FIXED_BYTES],
    stanza: &Stanza,
    key: &KemKey,
    fingerprint: &Fingerprint,
) -> Result<FileKey, OpenError> {
    let key_id = key.id();
    if key_id.0 != stanza.key {
        return Err(OpenError::Refused);
    }
    let info = info(begin, &stanza.recipient, key_id, fingerprint);
    key.unwrap(&info, &stanza.encapsulation, &stanza.wrapped)
}
