//! Who may send files to whom.

use crate::agents::Agent;
use crate::pairings::{Direction, Pairing};

/// Why files may not be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// No active pairing lets files go this way.
    #[error("no active pairing lets your agent send to this one")]
    ShareRequired,
}

/// Whether `from` may send files to `to`, given what pairing they have.
///
/// Within an account always; across accounts where an active pairing of just these two allows the
/// direction. That its connection is active follows: a pairing ends with its connection.
pub fn may_send(from: &Agent, to: &Agent, pairing: Option<&Pairing>) -> Result<(), PolicyError> {
    if from.account == to.account {
        return Ok(());
    }
    let allowed = pairing.is_some_and(|it| {
        it.is_active()
            && it.other(from.id).is_some_and(|other| other.agent == to.id)
            && it.permission_for(from.account).allows(Direction::Send)
    });
    if allowed {
        Ok(())
    } else {
        Err(PolicyError::ShareRequired)
    }
}
