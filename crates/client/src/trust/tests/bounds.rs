//! How much a server, or strangers, can make an agent remember.

use super::super::known::NativePin;
use super::super::pins::{Agents, MAX_AGENTS, MAX_BYTES};
use super::*;

/// The agent number `n` of those that were made up.
fn stranger(n: usize) -> AgentId {
    AgentId::from_bytes((u128::MAX - n as u128).to_be_bytes())
}

/// As many agents as are remembered, each with all that there can be to say of it.
fn all_that_fit() -> Agents {
    let mut other = Other::new();
    let bundle = other.next_with(|it| (it.version, it.min_suite) = (u64::MAX, u8::MAX));
    let offer = Offer::of(&verified(&bundle));
    let refused = Refused {
        why: Refusal::MinSuite,
        offer,
        at: Timestamp::from_millis(i64::MIN),
    };
    let mut known = Known::new(&"\u{1}".repeat(1000), &offer, How::FirstUse, END);
    known.keep_former(vec![NativePin::from(verified(&bundle).pin()); 100]);
    known.refused = Some(refused);
    let agents = (0..MAX_AGENTS).map(|n| (stranger(n), known.clone()));
    Agents {
        agents: agents.collect(),
    }
}

#[test]
fn as_many_as_are_known_fit_into_the_file() {
    let json = serde_json::to_vec(&all_that_fit()).unwrap();
    assert!(json.len() + 100 < MAX_BYTES, "{}", json.len());
}

#[test]
fn strangers_fill_it_up_and_cost_nothing_of_what_is_known() {
    let (here, mut other) = (Here::new(), Other::new());
    let first = other.next();
    here.met(&first);
    let (held, mut agents) = here.known.hold().unwrap();
    agents.agents.extend(all_that_fit().agents);
    while agents.agents.len() > MAX_AGENTS {
        agents.agents.pop_last();
    }
    held.write(&agents).unwrap();
    drop(held);

    let one_more = AgentId::from_bytes([0xb; 16]);
    let meets = || here.known.meet_compatible(one_more, "one more", xk(9), NOW);
    assert_eq!(code(meets()), "KEYRING_FULL");
    let signed = Other::new().next_with(|it| it.agent = one_more);
    let met = here.known.meet(one_more, "one more", &signed, &[], NOW);
    assert_eq!(code(met), "KEYRING_FULL");
    let exported = Here::new();
    exported
        .known
        .meet_compatible(one_more, "one more", xk(9), NOW)
        .unwrap();
    let exported = exported.known.export().unwrap();
    let imported = here.known.import(&exported, Contradictions::Refuse);
    assert_eq!(code(imported), "KEYRING_FULL");

    // Who is known is met still, goes on to other keys, and is refused what contradicts them.
    let rotated = other.rotate();
    let met = here.meet(&rotated, &other.rotations).unwrap();
    assert_eq!(met.how, MetHow::Rotated(first.bundle.fingerprint()));
    assert_eq!(here.refused(&Other::new().next()), "PEER_KEY_CHANGED");
    assert!(here.knows().is_blocked());

    here.known.reset(stranger(7)).unwrap();
    assert_eq!(meets().unwrap(), MetHow::FirstUse);
}
