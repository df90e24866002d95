//! Showing that an e-mail address is its account's.

use serde::{Deserialize, Serialize};

use crate::LinkToken;

/// Shows that the address is one's own, with what was mailed to it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConfirmEmail {
    /// What stands in the mailed link, `agl_…`.
    #[serde(serialize_with = "LinkToken::serialize")]
    pub token: LinkToken,
}
