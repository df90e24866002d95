//! `AGENTDROP-2`: an envelope between agents that both have published their keys. Its form is as
//! bare as can be, for all that there is to say is sealed in the envelope; the server does not
//! open it, and has no business in it.

use agentdrop_domain::agents::Agent;
use agentdrop_domain::transfers::{File, Sealing};
use agentdrop_envelope::{MAX_MANIFEST_BYTES, MAX_RECIPIENTS};
use agentdrop_protocol::{ErrorCode, TransferId};

use super::asked::Asked;
use crate::api::error::{ApiError, Result};
use crate::api::fields::Fields;
use crate::at_rest::Details;

const ALGORITHM: &str = "AGENTDROP-2";
/// What is in the envelope, or is the envelope.
const NOT_BESIDE: [&str; 6] = [
    "message",
    "metadata",
    "encrypted_key",
    "encryption_salt",
    "channel_id",
    "encryption_ivs",
];
/// What an envelope begins with, and a stanza of a recipient, and what is between those and the
/// manifest.
const BEGIN_BYTES: usize = 26;
const STANZA_BYTES: usize = 1_200;
const LENGTH_BYTES: usize = 4;
/// The longest envelope.
const MAX_ENVELOPE_BYTES: usize =
    BEGIN_BYTES + MAX_RECIPIENTS * STANZA_BYTES + LENGTH_BYTES + MAX_MANIFEST_BYTES;

/// Whether it is sealed so.
pub(super) fn is_native(sealing: &Sealing) -> bool {
    sealing.algorithm.as_deref() == Some(ALGORITHM)
}

/// Refuses what would be left in the open, or in doubt.
pub(super) fn require_fields(fields: &mut Fields, id: Option<TransferId>, file_count: usize) {
    for name in NOT_BESIDE {
        if fields.text(name).is_some() {
            fields.refuse(name, format_args!("does not go beside {ALGORITHM}"));
        }
    }
    if id.is_none() && fields.text("transfer_id").is_none() {
        let message = format_args!("is required with {ALGORITHM}, which binds what it seals to it");
        fields.refuse("transfer_id", message);
    }
    if file_count < 2 {
        fields.refuse("files", "must be the envelope, and at least one file");
    }
}

/// Refuses to take for plain what is said to be sealed: it would be encrypted once more, and nobody
/// would know what it is.
pub(super) fn require_said(fields: &mut Fields) {
    if fields.text("encryption_algorithm").as_deref() == Some(ALGORITHM) {
        fields.refuse(
            "is_encrypted",
            format_args!("must be true with {ALGORITHM}"),
        );
    }
}

/// Refuses files whose names tell what they are, and an envelope that nobody would open.
pub(in crate::api) fn require_files(
    asked: &Asked,
    details: &Details,
    files: &[File],
) -> Result<()> {
    if !asked.sealing.as_ref().is_some_and(is_native) {
        return Ok(());
    }
    for (n, said) in details.files.iter().enumerate() {
        let expected = match n {
            0 => "envelope".to_owned(),
            _ => n.to_string(),
        };
        if said.name.as_str() != expected {
            let message = format!("must be called {expected} with {ALGORITHM}");
            return Err(ApiError::invalid(format!("files[{n}]"), message));
        }
    }
    if files
        .first()
        .is_some_and(|it| it.size > MAX_ENVELOPE_BYTES as u64)
    {
        let message = format!("an envelope is at most {MAX_ENVELOPE_BYTES} bytes");
        return Err(ApiError::invalid("files[0]", message));
    }
    Ok(())
}

/// Refuses where one of the two has not published its keys. The agents are kept.
pub(super) fn require_bundles(sending: Option<&Agent>, recipient: &Agent) -> Result<()> {
    if sending.is_none_or(|it| it.published.is_none()) {
        let message = format!("must be an agent that has published its keys, with {ALGORITHM}");
        return Err(ApiError::invalid("sender", message));
    }
    if recipient.published.is_none() {
        let message = "the recipient has no identity key; ask for its keys, and seal for those";
        return Err(ApiError::refused(ErrorCode::KeyChanged, message));
    }
    Ok(())
}
