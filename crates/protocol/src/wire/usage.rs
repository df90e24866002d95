//! What an account uses of its plan.

use serde::{Deserialize, Serialize};

use super::plans::Plan;
use crate::Timestamp;

/// What an account uses of its plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Usage {
    /// Its plan.
    pub plan: Plan,
    /// The month that its transfers are counted in.
    pub cycle: Cycle,
    /// Transfers created in this month, whatever became of them.
    pub transfers: Used,
    /// Bytes of the transfers it sent that can still be fetched.
    pub storage_bytes: Used,
    /// Keys of the account that work; those of its agents do not count.
    pub api_keys: Used,
    /// Agents.
    pub agents: Used,
    /// Connections to other accounts, and invitations that it sent.
    pub connections: Used,
    /// Bytes of one file, before it is encrypted.
    pub max_file_bytes: u64,
    /// How long a transfer may live.
    pub max_expires_in_seconds: u64,
}

/// The month that transfers are counted in; it begins on the day of the month, and at the time of
/// the day, that the account was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Cycle {
    /// When it began.
    pub starts_at: Timestamp,
    /// When the next one begins.
    pub ends_at: Timestamp,
}

/// How much of something is used, and how much may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Used {
    /// How much is used.
    pub used: u64,
    /// How much may be; `null` is without limit.
    pub limit: Option<u64>,
}
