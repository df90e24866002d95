//! Ids: one type a noun, so that none is taken for another.
//!
//! Each is a UUID of version 7 (RFC 9562 §5.7), so ids sort by the time they were made. The moment
//! and the chance in it are passed in.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use crate::{ParseError, Timestamp, serde_as_text};

/// Defines an id: its prefix on the wire, and how its UUID is written behind it.
macro_rules! define_id {
    ($(#[doc = $doc:literal])* $name:ident, $prefix:literal, $form:ident, $example:literal) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id, from the moment it is made and ten random bytes.
            pub fn new(now: Timestamp, chance: [u8; 10]) -> Self {
                Self(uuid_v7(now, chance))
            }

            /// The id of these sixteen bytes.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            /// The sixteen bytes of the id.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0.$form())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = ParseError;

            fn from_str(text: &str) -> Result<Self, ParseError> {
                let wrong = || ParseError::new(concat!("is not an id like ", $example));
                let rest = text.strip_prefix($prefix).ok_or_else(wrong)?;
                let uuid = Uuid::try_parse(rest).map_err(|_| wrong())?;
                // One spelling an id: a second one would dodge every comparison of texts.
                if uuid.$form().to_string() == rest { Ok(Self(uuid)) } else { Err(wrong()) }
            }
        }

        serde_as_text!($name);

        #[cfg(feature = "openapi")]
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                let pattern = match stringify!($form) {
                    "simple" => "[0-9a-f]{32}",
                    _ => "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
                };
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .description(Some(concat!($($doc),*).trim()))
                    .pattern(Some(format!("^{}{pattern}$", $prefix)))
                    .examples([$example])
                    .into()
            }
        }

        #[cfg(feature = "openapi")]
        impl utoipa::ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
        }

        impl crate::cursor::Position for $name {
            fn to_bytes(&self) -> Vec<u8> {
                self.as_bytes().to_vec()
            }

            fn from_bytes(bytes: &[u8]) -> Option<Self> {
                Uuid::from_slice(bytes).ok().map(Self)
            }
        }
    };
}

define_id! {
    /// An account: a person or an organisation that owns agents.
    AccountId, "", hyphenated, "019a9f3e-5c1a-7b2d-8e4f-a1b2c3d4e5f6"
}
define_id! {
    /// An agent, in all of the server; its slug is unique in its account only.
    AgentId, "", hyphenated, "019a9f3e-5c1a-7b2d-8e4f-a1b2c3d4e5f6"
}
define_id! {
    /// A note that one account wants nothing to do with another.
    BlockId, "", hyphenated, "019a9f3e-5c1a-7b2d-8e4f-a1b2c3d4e5f6"
}
define_id! {
    /// A channel between two agents.
    ChannelId, "", hyphenated, "019a9f3e-5c1a-7b2d-8e4f-a1b2c3d4e5f6"
}
define_id! {
    /// A connection between two accounts, from the invitation on.
    ConnectionId, "", hyphenated, "019a9f3e-5c1a-7b2d-8e4f-a1b2c3d4e5f6"
}
define_id! {
    /// A grant to download the files of one transfer.
    DownloadId, "dl_", simple, "dl_019a9f3e5c1a7b2d8e4fa1b2c3d4e5f6"
}
define_id! {
    /// A file of a transfer.
    FileId, "", hyphenated, "019a9f3e-5c1a-7b2d-8e4f-a1b2c3d4e5f6"
}
define_id! {
    /// An API key; not the key itself.
    KeyId, "key_", simple, "key_019a9f3e5c1a7b2d8e4fa1b2c3d4e5f6"
}
define_id! {
    /// A mail that waits to be sent.
    MailId, "mail_", simple, "mail_019a9f3e5c1a7b2d8e4fa1b2c3d4e5f6"
}
define_id! {
    /// A pairing of two agents of connected accounts.
    PairingId, "", hyphenated, "019a9f3e-5c1a-7b2d-8e4f-a1b2c3d4e5f6"
}
define_id! {
    /// A session of a person who signed in; not its token.
    SessionId, "ses_", simple, "ses_019a9f3e5c1a7b2d8e4fa1b2c3d4e5f6"
}
define_id! {
    /// A transfer: one or more files on their way.
    TransferId, "tr_", simple, "tr_019a9f3e5c1a7b2d8e4fa1b2c3d4e5f6"
}

define_id! {
    /// The coming of one file in parts.
    UploadId, "up_", simple, "up_019a9f3e5c1a7b2d8e4fa1b2c3d4e5f6"
}

impl TransferId {
    /// When its maker says it was made; `None` if it is no UUID of version 7.
    pub fn made_at(&self) -> Option<Timestamp> {
        let is_rfc = self.0.get_variant() == uuid::Variant::RFC4122;
        let (seconds, nanos) = self
            .0
            .get_timestamp()
            .filter(|_| is_rfc && self.0.get_version_num() == 7)?
            .to_unix();
        let millis = i64::try_from(seconds).ok()?.checked_mul(1000)?;
        Some(Timestamp::from_millis(
            millis.checked_add(i64::from(nanos / 1_000_000))?,
        ))
    }
}

/// `unix_ts_ms(48) | version 7 | rand_a(12) | variant | rand_b(62)`, RFC 9562 §5.7.
fn uuid_v7(now: Timestamp, chance: [u8; 10]) -> Uuid {
    let millis = u64::try_from(now.as_millis()).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, &chance).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

    #[test]
    fn an_id_is_read_back_as_it_is_written() {
        let id = TransferId::new(NOW, [7; 10]);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.to_string().len(), 3 + 32);
        let id = AgentId::new(NOW, [7; 10]);
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn ids_sort_by_the_time_they_were_made() {
        let later = Timestamp::from_millis(NOW.as_millis() + 1);
        assert!(TransferId::new(NOW, [255; 10]) < TransferId::new(later, [0; 10]));
    }

    #[test]
    fn only_an_id_of_version_7_says_when_it_was_made() {
        let id = TransferId::new(NOW, [7; 10]);
        assert_eq!(id.made_at(), Some(NOW));
        let with = |at: usize, byte| {
            let mut bytes = *id.as_bytes();
            bytes[at] = byte;
            TransferId::from_bytes(bytes).made_at()
        };
        assert_eq!(with(6, 0x40), None, "version 4");
        assert_eq!(with(8, 0x00), None, "another variant");
        assert_eq!(TransferId::from_bytes([0; 16]).made_at(), None);
        assert_eq!(TransferId::from_bytes([0xff; 16]).made_at(), None);
    }

    #[test]
    fn an_id_has_one_spelling() {
        let id = TransferId::new(NOW, [0xab; 10]).to_string();
        assert!(id.to_uppercase().parse::<TransferId>().is_err());
        assert!(id.trim_start_matches("tr_").parse::<TransferId>().is_err());
        assert!(id.replace("tr_", "key_").parse::<TransferId>().is_err());
        let agent = AgentId::new(NOW, [0xab; 10]).to_string();
        assert!(agent.replace('-', "").parse::<AgentId>().is_err());
        assert!(format!("{{{agent}}}").parse::<AgentId>().is_err());
    }
}
