//! Setting a password by a mailed link.

use serde::{Deserialize, Serialize};

use crate::text::Email;
use crate::{LinkToken, Password};

/// Asks for a link to set a password with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreatePasswordReset {
    /// The address of the account; the link is mailed there.
    pub email: Email,
}

/// Sets a password, with what was mailed.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConfirmPasswordReset {
    /// What stands in the mailed link, `agl_…`.
    #[serde(serialize_with = "LinkToken::serialize")]
    pub token: LinkToken,
    /// What the owner signs in with from now on.
    #[serde(serialize_with = "Password::serialize")]
    pub password: Password,
}
