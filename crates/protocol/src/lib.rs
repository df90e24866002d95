//! What travels between AgentDrop clients and servers.
//!
//! Wire types, ids, error codes and limits: the one vocabulary that both sides share. A value of
//! a type in here has been checked, so whoever holds one need not look again. Nothing here
//! decides anything, reads a clock or draws a random number.

pub mod api_key;
pub mod cursor;
pub mod error_body;
pub mod error_code;
pub mod file_name;
pub mod id;
pub mod idempotency_key;
pub mod lifetime;
pub mod limits;
pub mod link_token;
pub mod part_tag;
pub mod password;
pub mod public_key;
pub mod report;
pub mod slug;
pub mod statement;
pub mod text;
pub mod time;
pub mod wire;

pub use cursor::Cursor;
pub use error_body::ErrorBody;
pub use error_code::ErrorCode;
pub use file_name::FileName;
pub use id::{
    AccountId, AgentId, BlockId, ChannelId, ConnectionId, DownloadId, FileId, KeyId, MailId,
    PairingId, SessionId, TransferId, UploadId,
};
pub use idempotency_key::IdempotencyKey;
pub use lifetime::Lifetime;
pub use link_token::LinkToken;
pub use part_tag::PartTag;
pub use password::Password;
pub use public_key::{EncryptionPublicKey, SigningPublicKey};
pub use slug::{AgentRef, Slug};
pub use statement::SignedStatement;
pub use time::Timestamp;

/// Why a text is not what it should be; the message is fit to be shown to its author.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ParseError(pub(crate) String);

impl ParseError {
    /// With this message.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

/// Makes a type that is written as text use its own `FromStr` and `Display` in serde.
macro_rules! serde_as_text {
    ($type:ty) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use serde_as_text;

/// Says in the API's document that a type is written as text, where a derive cannot.
#[cfg(feature = "openapi")]
macro_rules! schema_as_text {
    ($type:ty, $name:expr, $min_chars:expr, $max_chars:expr) => {
        impl utoipa::PartialSchema for $type {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .min_length(Some($min_chars))
                    .max_length(Some($max_chars))
                    .into()
            }
        }

        impl utoipa::ToSchema for $type {
            fn name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }
        }
    };
}
#[cfg(feature = "openapi")]
pub(crate) use schema_as_text;
