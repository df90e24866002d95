//! What to make of keys that the server gives for an agent: pure, and the place where it is decided.

use agentdrop_protocol::{AgentId, Timestamp};
use agentdrop_seal::identity::{
    IdentityPublicKey, Pin, SignedBundle, SignedRotation, Untrusted, VerifiedBundle,
    VerifiedRotation,
};

use super::known::{Known, NativePin, Offer, Refusal};
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

/// What is believed of an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Belief {
    pub(super) how: MetHow,
    pub(super) bundle: VerifiedBundle,
    /// What it was known by before, and what it was in between, oldest first: each names the next.
    pub(super) passed: Vec<NativePin>,
}

/// Whether `bundle` is believed by whoever knows `known` of the agent.
pub(super) fn meet(
    agent: AgentId,
    known: Option<&Known>,
    bundle: &SignedBundle,
    rotations: &[SignedRotation],
    now: Timestamp,
) -> Result<Belief, Disbelief> {
    // By itself first: what did not even sign itself is nothing that a person could accept.
    let alone = bundle.clone().check(agent, None, now).map_err(by_itself)?;
    let offer = Offer::of(&alone);
    let refuse = |why| Err(Disbelief::Refused(why, Box::new(offer)));
    let believed = |how, bundle, passed| {
        Ok(Belief {
            how,
            bundle,
            passed,
        })
    };
    let Some(known) = known else {
        return believed(MetHow::FirstUse, alone, Vec::new());
    };
    let Some(native) = known.native else {
        // Known by its compatible key alone, which its bundle covers: another one is another agent's.
        if alone.bundle().compatible != known.compatible {
            return refuse(Refusal::Changed);
        }
        return believed(MetHow::FirstUse, alone, Vec::new());
    };
    let pinned = native.pin();
    let is_known = alone.bundle().identity == pinned.identity;
    let led = if is_known {
        Ok((pinned, Vec::new()))
    } else {
        rotated(agent, pinned, alone.bundle().identity, rotations)
    };
    let checked = led.and_then(|(pin, passed)| {
        let verified = bundle.clone().check(agent, Some(&pin), now)?;
        Ok((verified, passed))
    });
    match checked {
        Ok((verified, passed)) if is_known => believed(MetHow::Known, verified, passed),
        Ok((verified, passed)) => {
            let before = native.fingerprint(agent);
            believed(MetHow::Rotated(before), verified, passed)
        }
        Err(Untrusted::RolledBack) => refuse(Refusal::RolledBack),
        Err(Untrusted::Forked) => refuse(Refusal::Forked),
        Err(Untrusted::Downgraded) => refuse(Refusal::MinSuite),
        Err(_) => refuse(Refusal::Changed),
    }
}

/// What is known after those of the rotations that lead from what is known to `to`, each said by the
/// key before it; and all that was passed. One pass: a server cannot make it go round.
fn rotated(
    agent: AgentId,
    pinned: Pin,
    to: IdentityPublicKey,
    rotations: &[SignedRotation],
) -> Result<(Pin, Vec<NativePin>), Untrusted> {
    let (mut pin, mut passed) = (pinned, Vec::new());
    for rotation in rotations {
        if rotation.rotation.from != pin.identity {
            continue;
        }
        let verified: VerifiedRotation = rotation.clone().check(agent, &pin.identity)?;
        passed.push(pin.into());
        pin = pin.rotated(&verified)?;
        if pin.identity == to {
            return Ok((pin, passed));
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
