//! How a sender says that it encrypted a transfer.

use agentdrop_domain::agents::Agent;
use agentdrop_domain::transfers::Sealing;
use agentdrop_protocol::wire::channels::ChannelStatus;
use agentdrop_protocol::{AccountId, ChannelId, EncryptionPublicKey, ErrorCode};
use agentdrop_store::Tx;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::native::{is_native, require_bundles};
use crate::api::error::{ApiError, Result};
use crate::api::fields::Fields;
use crate::auth::Caller;

/// Longest name of an algorithm.
const MAX_ALGORITHM_CHARS: usize = 64;
/// Longest wrapped key or signature, in base64.
const MAX_SEALING_CHARS: usize = 4_096;
/// Bytes of a salt.
const SALT: usize = 32;
/// Bytes of a nonce.
const NONCE: usize = 12;
/// Bytes of an ephemeral public key.
const PUBLIC_KEY: usize = 32;
/// What a person can open.
const TO_PEOPLE: [&str; 2] = ["X25519-HKDF-AES-256-GCM-A2H", ENVELOPE];
/// What has an envelope.
const ENVELOPE: &str = "AGENTDROP-2-A2H";

/// What agents open that is sealed by a person, whose browser has no key of its own.
const FROM_PEOPLE: &str = "X25519-HKDF-AES-256-GCM";
/// Bytes of a wrapped file key: its nonce, the key, and its tag.
const WRAPPED_KEY: usize = 12 + 32 + 16;

/// Checks the channel, and adds the keys of this time, so that it opens after they have changed.
pub(in crate::api) async fn complete(
    tx: &mut Tx,
    caller: &Caller,
    sealing: &Sealing,
    sending: Option<&Agent>,
    recipient: &Agent,
) -> Result<Sealing> {
    require_channel(tx, caller.actor.account, sealing, sending, recipient).await?;
    if is_native(sealing) {
        require_bundles(sending, recipient)?;
    }
    let keys = recipient.keys();
    let version = keys.map(|_| recipient.key_version);
    // The recipient could not open what was sealed for a key that it has no more.
    let key = keys.map(|it| it.encryption);
    if (sealing.recipient_key_version.is_some() && sealing.recipient_key_version != version)
        || (sealing.recipient_key.is_some() && sealing.recipient_key != key)
    {
        let message = "the recipient has another key now; ask for it, and encrypt for that one";
        return Err(ApiError::refused(ErrorCode::KeyChanged, message));
    }
    Ok(Sealing {
        // A person's is the one that they made for this transfer.
        sender_key: match sending {
            Some(agent) => agent.keys().map(|it| it.encryption),
            None => sealing.sender_key,
        },
        recipient_key: key,
        recipient_key_version: version,
        ..sealing.clone()
    })
}

/// Refuses a channel that is none between the two, or no longer.
pub(in crate::api) async fn require_channel(
    tx: &mut Tx,
    account: AccountId,
    sealing: &Sealing,
    sending: Option<&Agent>,
    recipient: &Agent,
) -> Result<()> {
    let Some(id) = sealing.channel else {
        return Ok(());
    };
    let channel = tx.channel_of(account, id).await?;
    let usable = channel.filter(|it| {
        it.status() == ChannelStatus::Active
            && it.is_between(recipient.id)
            && sending.is_some_and(|agent| it.is_between(agent.id))
    });
    if usable.is_none() {
        let message = "is not an active channel between the sender and the recipient";
        return Err(ApiError::invalid("channel_id", message));
    }
    Ok(())
}

/// What a form says of it, and the nonces of its files.
pub(in crate::api) fn read(
    fields: &mut Fields,
    file_count: usize,
) -> (Option<Sealing>, Vec<Option<String>>) {
    let algorithm = fields.text("encryption_algorithm").filter(|it| {
        let good = it.len() <= MAX_ALGORITHM_CHARS && it.bytes().all(|it| it.is_ascii_graphic());
        if !good {
            fields.refuse(
                "encryption_algorithm",
                "must be at most 64 printable characters",
            );
        }
        good
    });
    let sealing = Sealing {
        algorithm,
        encrypted_key: base64(fields, "encrypted_key", None),
        channel: fields.optional::<ChannelId>("channel_id"),
        salt: base64(fields, "encryption_salt", Some(SALT)),
        signature: base64(fields, "sender_signature", None),
        recipient_key: fields.optional("recipient_public_key"),
        recipient_key_version: fields.number("recipient_key_version", 1, i32::MAX.cast_unsigned()),
        ..Sealing::default()
    };
    (Some(sealing), nonces(fields, file_count))
}

/// Whether an envelope, which says what its files are, goes before them.
pub(super) fn has_envelope(sealing: &Sealing) -> bool {
    sealing.algorithm.as_deref() == Some(ENVELOPE) || is_native(sealing)
}

/// Refuses what no person could open.
pub(in crate::api) fn require_for_person(fields: &mut Fields, sealing: &Sealing) {
    let algorithm = sealing.algorithm.as_deref().unwrap_or_default();
    if !TO_PEOPLE.contains(&algorithm) {
        let message = format_args!("must be one of {}", TO_PEOPLE.join(" "));
        fields.refuse("encryption_algorithm", message);
    }
    let ephemeral = sealing.encrypted_key.as_deref().unwrap_or_default();
    if !is_base64(ephemeral, Some(PUBLIC_KEY)) {
        fields.refuse("encrypted_key", "must be base64 of 32 bytes, for a person");
    }
    if sealing.salt.is_none() {
        fields.refuse("encryption_salt", "is required, for a person");
    }
    if sealing.channel.is_some() {
        fields.refuse("channel_id", "is between agents");
    }
}

/// The key that a person made for a transfer; agents send with the one they are registered with.
pub(in crate::api) fn sender_key(
    fields: &mut Fields,
    is_sealed_by_person: bool,
) -> Option<EncryptionPublicKey> {
    const FIELD: &str = "sender_public_key";
    if is_sealed_by_person {
        return fields.required(FIELD);
    }
    if fields.text(FIELD).is_some() {
        fields.refuse(
            FIELD,
            "is for what a person encrypted, in the mode human-to-agent",
        );
    }
    None
}

/// Refuses what no agent could open that is sealed by a person.
pub(in crate::api) fn require_from_person(
    fields: &mut Fields,
    sealing: &Sealing,
    nonces: &[Option<String>],
) {
    if sealing.algorithm.as_deref() != Some(FROM_PEOPLE) {
        fields.refuse(
            "encryption_algorithm",
            format_args!("must be {FROM_PEOPLE}"),
        );
    }
    let wrapped = sealing.encrypted_key.as_deref().unwrap_or_default();
    if !is_base64(wrapped, Some(WRAPPED_KEY)) {
        let message = format_args!("must be base64 of {WRAPPED_KEY} bytes, from a person");
        fields.refuse("encrypted_key", message);
    }
    if !nonces.iter().all(Option::is_some) {
        fields.refuse(
            "encryption_ivs",
            "must have one for each file, from a person",
        );
    }
    if sealing.channel.is_some() {
        fields.refuse("channel_id", "is between agents");
    }
    if sealing.salt.is_some() {
        fields.refuse(
            "encryption_salt",
            "is not for what a person sends to an agent",
        );
    }
}

/// A JSON array with a nonce for each file, in the order of the files.
fn nonces(fields: &mut Fields, file_count: usize) -> Vec<Option<String>> {
    let Some(text) = fields.text("encryption_ivs") else {
        return vec![None; file_count];
    };
    let nonces: Vec<Option<String>> = serde_json::from_str(&text).unwrap_or_default();
    let good = |it: &Option<String>| it.as_ref().is_none_or(|it| is_base64(it, Some(NONCE)));
    if nonces.len() != file_count || !nonces.iter().all(good) {
        let message = "must be a JSON array with the base64 of 12 bytes for each file";
        fields.refuse("encryption_ivs", message);
    }
    nonces
}

fn base64(fields: &mut Fields, name: &str, length: Option<usize>) -> Option<String> {
    let text = fields.text(name)?;
    if !is_base64(&text, length) {
        let bytes = length.map_or_else(String::new, |it| format!(" of {it} bytes"));
        fields.refuse(name, format_args!("must be base64{bytes}"));
    }
    Some(text)
}

fn is_base64(text: &str, length: Option<usize>) -> bool {
    let fits = |it: Vec<u8>| length.is_none_or(|length| it.len() == length);
    text.len() <= MAX_SEALING_CHARS && STANDARD.decode(text).is_ok_and(fits)
}
