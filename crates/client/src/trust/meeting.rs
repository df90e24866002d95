//! What to make of keys that the server gives for an agent: pure, and the place where it is decided.

use agentdrop_protocol::{AgentId, Timestamp};
use agentdrop_seal::identity::{
    IdentityPublicKey, Pin, SignedBundle, SignedRotation, Untrusted, VerifiedBundle,
    VerifiedRotation,
};

use super::known::{Known, Offer, Refusal};
use super::pins::MetHow;

/// Why a bundle is not believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Disbelief {
    /// Its time is over.
    Expired,
    /// The agent did not sign it.
    NotGenuine,
    /// It is the agent's, or may be, and contradicts what is known: what was offered.
    Refused(Refusal, Box<Offer>),
}

/// Whether `bundle` is believed by whoever knows `known` of the agent.
pub(super) fn meet(
    agent: AgentId,
    known: Option<&Known>,
    bundle: &SignedBundle,
    rotations: &[SignedRotation],
    now: Timestamp,
) -> Result<(MetHow, VerifiedBundle), Disbelief> {
    // By itself first: what did not even sign itself is nothing that a person could accept.
    let alone = bundle.clone().check(agent, None, now).map_err(by_itself)?;
    let offer = Offer::of(&alone);
    let refuse = |why| Err(Disbelief::Refused(why, Box::new(offer)));
    let Some(known) = known else {
        return Ok((MetHow::FirstUse, alone));
    };
    let Some(native) = known.native else {
        // Known by its compatible key alone, which its bundle covers: another one is another agent's.
        if alone.bundle().compatible != known.compatible {
            return refuse(Refusal::Changed);
        }
        return Ok((MetHow::FirstUse, alone));
    };
    let pinned = native.pin();
    let is_known = alone.bundle().identity == pinned.identity;
    let pin = if is_known {
        Ok(pinned)
    } else {
        rotated(agent, pinned, alone.bundle().identity, rotations)
    };
    let checked = pin.and_then(|it| bundle.clone().check(agent, Some(&it), now));
    match checked {
        Ok(verified) if is_known => Ok((MetHow::Known, verified)),
        Ok(verified) => Ok((MetHow::Rotated(native.fingerprint(agent)), verified)),
        Err(Untrusted::RolledBack) => refuse(Refusal::RolledBack),
        Err(Untrusted::Forked) => refuse(Refusal::Forked),
        Err(Untrusted::Downgraded) => refuse(Refusal::MinSuite),
        Err(_) => refuse(Refusal::Changed),
    }
}

/// What is known after those of the rotations that lead from what is known to `to`, each said by the
/// key before it. One pass: a server cannot make it go round.
fn rotated(
    agent: AgentId,
    pinned: Pin,
    to: IdentityPublicKey,
    rotations: &[SignedRotation],
) -> Result<Pin, Untrusted> {
    let mut pin = pinned;
    for rotation in rotations {
        if rotation.rotation.from != pin.identity {
            continue;
        }
        let verified: VerifiedRotation = rotation.clone().check(agent, &pin.identity)?;
        pin = pin.rotated(&verified)?;
        if pin.identity == to {
            return Ok(pin);
        }
    }
    Err(Untrusted::OtherIdentity)
}

const fn by_itself(why: Untrusted) -> Disbelief {
    match why {
        Untrusted::Expired => Disbelief::Expired,
        _ => Disbelief::NotGenuine,
    }
}
