//! Key derivation: every label in one place, so that no two purposes can share one.

use aws_lc_rs::hkdf;

use crate::{Salt, secret::Secret};

/// What a derived key is for. Two labels never give the same key.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Label {
    /// The content key of a transfer over a channel.
    Channel,
    /// The content key of a transfer to a person.
    Human,
    /// The key of what somebody writes down for themselves.
    OwnNotes,
    /// The key of an [envelope](crate::person) for a person.
    Person,
    /// The key that wraps a random content key.
    Wrap,
}

impl Label {
    const fn info(self) -> &'static [u8] {
        match self {
            Self::Channel => b"agentdrop-transfer-v1",
            Self::Human => b"agentdrop-a2h-v1",
            Self::OwnNotes => b"agentdrop/v2 own notes",
            Self::Person => b"agentdrop/v2 a2h",
            Self::Wrap => b"agentdrop-file-transfer-v1",
        }
    }
}

/// `HKDF-SHA256(ikm = secret, salt, info = label, 32)`, RFC 5869.
///
/// An absent salt is 32 zero bytes (RFC 5869 §2.2).
pub(crate) fn derive(secret: &Secret, salt: Option<&Salt>, label: Label) -> Secret {
    let salt = salt.map_or_else(
        || hkdf::Salt::none(hkdf::HKDF_SHA256),
        |salt| hkdf::Salt::new(hkdf::HKDF_SHA256, salt.as_bytes()),
    );
    let prk = salt.extract(secret.expose());
    Secret::fill(|out| prk.expand(&[label.info()], hkdf::HKDF_SHA256)?.fill(out))
        .expect("32 bytes are one block of SHA-256, far below the 255 that HKDF allows")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absent_salt_is_thirty_two_zero_bytes() {
        let secret = Secret::take("a secret", &mut [7; 32]).unwrap();
        let zeros = Salt::from_bytes([0; 32]);
        assert_eq!(
            derive(&secret, None, Label::Wrap).expose(),
            derive(&secret, Some(&zeros), Label::Wrap).expose()
        );
    }

    #[test]
    fn no_two_labels_give_the_same_key() {
        let secret = Secret::take("a secret", &mut [7; 32]).unwrap();
        let labels = [
            Label::Channel,
            Label::Human,
            Label::OwnNotes,
            Label::Person,
            Label::Wrap,
        ];
        let keys = labels.map(|label| *derive(&secret, None, label).expose());
        assert_eq!(std::collections::BTreeSet::from(keys).len(), labels.len());
    }
}
