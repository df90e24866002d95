//! What can be wrong with an envelope.

use agentdrop_cobblestone::Refused;

/// Bytes that are no envelope, or not a genuine one. It says little on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the envelope is malformed, or was changed")]
pub struct Malformed;

impl From<Refused> for Malformed {
    fn from(_: Refused) -> Self {
        Self
    }
}
