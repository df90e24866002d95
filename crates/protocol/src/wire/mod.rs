//! Requests and responses, one file a noun.
//!
//! Where the two generations of the public documentation name one thing twice, both names are
//! written and one is read. Unknown fields are ignored, and `null` is the same as absent.

pub mod accounts;
pub mod agents;
pub mod audit;
pub mod blocks;
pub mod bundles;
pub mod channels;
pub mod connections;
pub mod downloads;
pub mod email_verifications;
pub mod events;
pub mod health;
pub mod inbox;
pub mod keys;
pub mod links;
pub mod pairings;
pub mod password_resets;
pub mod plans;
pub mod profile;
pub mod receive_passwords;
pub mod sessions;
pub mod shield;
pub mod transfers;
pub mod uploads;
pub mod usage;

use serde::{Deserialize, Serialize};

/// Defines an enum of fixed spellings, which is also read from form fields and queries.
macro_rules! define_choice {
    ($(#[doc = $doc:literal])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $wire:literal,)* }) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $wire)] $variant,)*
        }

        impl $name {
            /// The value as the wire spells it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $wire,)* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = crate::ParseError;

            fn from_str(text: &str) -> Result<Self, crate::ParseError> {
                match text {
                    $($wire => Ok(Self::$variant),)*
                    _ => Err(crate::ParseError::new(concat!("must be one of", $(" ", $wire),*))),
                }
            }
        }

        // Derived, it would name the variants: the derive does not see into a macro's `rename`.
        #[cfg(feature = "openapi")]
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                let lines: &[&str] = &[$($doc),*];
                let lines: Vec<_> = lines.iter().map(|it| it.trim()).collect();
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .description(Some(lines.join("\n")))
                    .enum_values(Some([$($wire),*]))
                    .into()
            }
        }

        #[cfg(feature = "openapi")]
        impl utoipa::ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
        }
    };
}
pub(crate) use define_choice;

/// An answer that says only that something was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Done {
    /// What was done, for people.
    pub message: String,
}
