//! What is told to an account as it happens: some of what its audit log has.

use agentdrop_protocol::wire::events::EventKind;

use crate::audit::Action;

/// What an entry of a log is told as, if it is told.
///
/// Of what an account sent to another it is not told: it did that. What it sent to itself, an agent
/// of its own received; whoever tells of an entry looks which it is.
pub const fn told_as(action: Action) -> Option<EventKind> {
    Some(match action {
        Action::AgentKeyRotated => EventKind::AgentKeyRotated,
        Action::ConnectionAccepted => EventKind::ConnectionAccepted,
        Action::ConnectionInvited => EventKind::ConnectionInvited,
        Action::ConnectionRevoked => EventKind::ConnectionRevoked,
        Action::PairingChanged => EventKind::PairingChanged,
        Action::PairingConfirmed => EventKind::PairingConfirmed,
        Action::PairingProposed => EventKind::PairingProposed,
        Action::PairingRevoked => EventKind::PairingRevoked,
        Action::TransferActivated => EventKind::TransferActivated,
        Action::TransferCreated | Action::TransferReceived => EventKind::TransferCreated,
        Action::TransferDeleted => EventKind::TransferDeleted,
        Action::TransferDelivered => EventKind::TransferDelivered,
        Action::TransferDownloaded => EventKind::TransferDownloaded,
        Action::TransferExpired => EventKind::TransferExpired,
        Action::TransferRejected => EventKind::TransferRejected,
        Action::AccountBlocked
        | Action::AccountCreated
        | Action::AccountPlanChanged
        | Action::AccountUnblocked
        | Action::AccountUpdated
        | Action::AccountVerified
        | Action::AgentBundlePublished
        | Action::AgentConnected
        | Action::AgentDeleted
        | Action::AgentDisconnected
        | Action::AgentRegistered
        | Action::AgentUpdated
        | Action::ChannelCreated
        | Action::ChannelRevoked
        | Action::ConnectionRejected
        | Action::KeyCreated
        | Action::KeyRevoked
        | Action::PasswordChanged
        | Action::ReceivePasswordRemoved
        | Action::ReceivePasswordSet
        | Action::SessionCreated
        | Action::SessionEnded
        | Action::SessionRefused
        | Action::TransferAnnounced => return None,
    })
}
