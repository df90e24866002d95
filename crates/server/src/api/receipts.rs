//! What recipients sign of what they were sent. Its sender checks it; here a mistake is refused
//! while whoever made it is there to hear of it.

use agentdrop_domain::transfers::{Recipient, Transfer};
use agentdrop_envelope::identity::{IdentityPublicKey, SignedRotation};
use agentdrop_envelope::{Receipt, Verdict};
use agentdrop_protocol::AgentRef;
use agentdrop_protocol::wire::transfers::{Acknowledge, DeliveryStatus};
use agentdrop_store::Tx;

use super::error::{ApiError, Result};

const FIELD: &str = "receipt";

/// Refuses a receipt of something else than what is acknowledged, or by somebody else than the
/// agent that received it, under its identity of today or an earlier one. Of what the manifest was the server knows nothing.
pub(super) async fn require(tx: &mut Tx, transfer: &Transfer, said: &Acknowledge) -> Result<()> {
    let Some(signed) = &said.receipt else {
        return Ok(());
    };
    let Recipient::Agent { account, agent, .. } = &transfer.recipient else {
        return Err(ApiError::invalid(FIELD, "is what agents sign"));
    };
    let receipt = Receipt::read(signed.as_bytes());
    let receipt = receipt.map_err(|it| ApiError::invalid(FIELD, it.to_string()))?;
    if receipt.transfer != *transfer.id.as_bytes() {
        return Err(ApiError::invalid(FIELD, "is of another transfer"));
    }
    let is_same = match said.status {
        DeliveryStatus::Received => {
            matches!(receipt.verdict, Verdict::Placed | Verdict::Quarantined)
        }
        DeliveryStatus::Rejected => receipt.verdict == Verdict::Refused,
    };
    if !is_same {
        return Err(ApiError::invalid(FIELD, "says another thing than status"));
    }
    let found = tx.agent_of(*account, &AgentRef::Id(*agent)).await?;
    // Of who has published no key it stands as it came: nothing tells whose it is.
    let Some(published) = found.and_then(|it| it.published) else {
        return Ok(());
    };
    let today = IdentityPublicKey::from_bytes(published.identity.as_bytes());
    let today = today.map_err(|it| ApiError::Internal(it.into()))?;
    let mut verified = today.verify(&receipt.statement(), &receipt.signature);
    if verified.is_err() {
        // It may have been signed before the agent rotated its identity, and told of after.
        for signed in tx.rotations_of_agent(*agent).await? {
            let rotation = SignedRotation::read(signed.as_bytes());
            let rotation = rotation.map_err(|it| ApiError::Internal(it.into()))?;
            let earlier = rotation.rotation.from;
            if earlier
                .verify(&receipt.statement(), &receipt.signature)
                .is_ok()
            {
                verified = Ok(());
                break;
            }
        }
    }
    verified.map_err(|it| ApiError::invalid(FIELD, it.to_string()))
}
