//! Who may send files to whom.

use agentdrop_protocol::AccountId;

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

/// Whether a person of the account `from` may send files to `to`, given the pairings that agents of
/// the account have with it: to whomever one of their agents may send.
pub fn may_person_send(
    from: AccountId,
    to: &Agent,
    pairings: &[Pairing],
) -> Result<(), PolicyError> {
    let allows = |it: &Pairing| {
        it.is_active()
            && it.other(to.id).is_some_and(|mine| mine.account == from)
            && it.permission_for(from).allows(Direction::Send)
    };
    if from == to.account || pairings.iter().any(allows) {
        Ok(())
    } else {
        Err(PolicyError::ShareRequired)
    }
}
