//! What an agent, or an account, was sent.

use serde::{Deserialize, Serialize};

use super::transfers::Transfer;
use crate::{Cursor, Slug};

/// A page of what was sent to one agent, or to all agents of an account; newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Inbox {
    /// The agent, if it is one agent's.
    pub agent_id: Option<Slug>,
    /// The transfers.
    pub transfers: Vec<Transfer>,
    /// How many there are on all pages.
    pub total: u64,
    /// How many this page may have.
    pub limit: u32,
    /// How many were passed over.
    pub offset: u32,
    /// Whether there are more.
    pub has_more: bool,
    /// What to send as `cursor` for the next page; nothing on the last one.
    #[serde(default)]
    pub next_cursor: Option<Cursor>,
}
