//! What is believed of what a server gives for an agent.

use super::*;

#[test]
fn an_agent_is_known_from_the_first_use_on() {
    let (here, mut other) = (Here::new(), Other::new());
    let first = other.next();
    let met = here.meet(&first, &[]).unwrap();
    assert_eq!((met.how, met.bundle), (MetHow::FirstUse, verified(&first)));
    assert_eq!(here.met(&first), MetHow::Known);
    other.next();
    let third = other.next_with(|it| it.compatible = xk(8));
    assert_eq!(
        here.met(&third),
        MetHow::Known,
        "what came between is not missed"
    );
    let known = here.knows();
    assert_eq!((known.how, known.compatible), (How::FirstUse, xk(8)));
    assert_eq!(known.native.unwrap().pin(), verified(&third).pin());
    assert_eq!(here.known.list().unwrap(), [(AGENT, known)]);
}

#[test]
fn a_key_that_the_known_one_names_is_taken_over() {
    let (here, mut other) = (Here::new(), Other::new());
    let first = other.next();
    here.met(&first);
    here.known
        .compared(AGENT, &first.bundle.fingerprint())
        .unwrap();
    other.rotate();
    let third = other.rotate();
    let mut shuffled = other.rotations.clone();
    shuffled.reverse();
    let lone = &other.rotations[1..];
    for insufficient in [&[], lone, &shuffled] {
        let elsewhere = Here::new();
        elsewhere.met(&first);
        let refused = elsewhere.meet(&third, insufficient);
        assert_eq!(code(refused), "PEER_KEY_CHANGED");
    }
    let met = here.meet(&third, &other.rotations).unwrap();
    assert_eq!(met.how, MetHow::Rotated(first.bundle.fingerprint()));
    assert_eq!(here.knows().how, How::Rotated, "nobody compared this one");
    let former: Vec<_> = here.knows().former_identities().collect();
    assert_eq!(former.len(), 2, "the one between is of the chain, too");
    assert_eq!(former[1], first.bundle.identity);
    assert_eq!(
        here.meet(&third, &other.rotations).unwrap().how,
        MetHow::Known
    );
    assert_eq!(here.knows().how, How::Rotated, "and it stays told");
    let back = here.meet(&first, &other.rotations);
    assert_eq!(code(back), "PEER_KEY_CHANGED");
}

#[test]
fn since_when_an_agent_is_known_is_when_its_key_was_met() {
    let (here, mut other) = (Here::new(), Other::new());
    let meet = |bundle: &SignedBundle, rotations: &[SignedRotation], now| {
        let met = here.known.meet(AGENT, "worker", bundle, rotations, now);
        (met.unwrap().how, here.knows().since)
    };
    here.meet_compatible(9).unwrap();
    assert_eq!(here.knows().label(), "worker");
    let bundle = other.next();
    assert_eq!(meet(&bundle, &[], LATER), (MetHow::FirstUse, LATER));
    assert_eq!(meet(&bundle, &[], NOW), (MetHow::Known, LATER));
    let former = MetHow::Rotated(bundle.bundle.fingerprint());
    let rotated = other.rotate();
    assert_eq!(meet(&rotated, &other.rotations, NOW), (former, NOW));
}

#[test]
fn who_signs_is_not_dealt_with_in_another_form_nor_who_is_blocked_in_any() {
    let (here, mut other) = (Here::new(), Other::new());
    let not_native = || here.known.expect_not_native(AGENT);
    not_native().unwrap();
    here.meet_compatible(9).unwrap();
    not_native().unwrap();
    here.met(&other.next());
    assert_eq!(code(not_native()), "PEER_DOWNGRADED");
    here.known.expect_unblocked(AGENT).unwrap();
    here.refused(&Other::new().next());
    assert_eq!(code(not_native()), "PEER_KEY_CHANGED");
    let unblocked = here.known.expect_unblocked(AGENT);
    assert_eq!(code(unblocked), "PEER_KEY_CHANGED");
}

#[test]
fn of_who_one_was_before_the_last_are_remembered_the_latest_first() {
    let (here, mut other) = (Here::new(), Other::new());
    here.met(&other.next());
    let mut former = Vec::new();
    for _ in 0..10 {
        former.insert(0, other.identity.public_key());
        let next = other.rotate();
        here.meet(&next, &other.rotations).unwrap();
    }
    let remembered: Vec<_> = here.knows().former_identities().collect();
    assert_eq!(remembered, former[..8]);
}

#[test]
fn a_rotation_that_somebody_else_signed_is_no_rotation() {
    let (here, mut other, mut thief) = (Here::new(), Other::new(), Other::new());
    let first = other.next();
    here.met(&first);
    thief.last = Some(first.bundle.clone());
    let bad = thief.next();
    let forged = thief.identity.sign_rotation(Rotation {
        agent: AGENT,
        from: thief.identity.public_key(),
        to: thief.identity.public_key(),
        since: 2,
        previous: first.bundle.hash(),
    });
    let mut forged = forged;
    forged.rotation.from = other.identity.public_key();
    assert_eq!(code(here.meet(&bad, &[forged])), "PEER_KEY_CHANGED");
}

#[test]
fn what_contradicts_is_refused_each_with_its_reason() {
    type Make = fn(&mut Other) -> SignedBundle;
    let cases: [(Make, &str, bool); 7] = [
        (
            |it| {
                it.identity.sign_bundle(Bundle {
                    version: 1,
                    previous: None,
                    ..it.last.clone().unwrap()
                })
            },
            "PEER_KEY_ROLLED_BACK",
            false,
        ),
        (
            |it| {
                let mut last = it.last.clone().unwrap();
                last.compatible = xk(7);
                it.identity.sign_bundle(last)
            },
            "PEER_KEY_FORKED",
            true,
        ),
        (
            |it| it.next_with(|it| it.previous = Some([7; 32])),
            "PEER_KEY_FORKED",
            true,
        ),
        (
            |it| it.next_with(|it| it.min_suite = 0),
            "PEER_DOWNGRADED",
            true,
        ),
        (
            |it| it.next_with(|it| it.not_after = NOW),
            "BUNDLE_EXPIRED",
            false,
        ),
        (
            |it| it.next_with(|it| it.agent = AgentId::from_bytes([0xb; 16])),
            "BUNDLE_NOT_GENUINE",
            false,
        ),
        (
            |it| {
                let mut bad = it.next();
                bad.signature[5] ^= 1;
                bad
            },
            "BUNDLE_NOT_GENUINE",
            false,
        ),
    ];
    for (n, (make, expected, blocks)) in cases.into_iter().enumerate() {
        let (here, mut other) = (Here::new(), Other::new());
        other.next();
        let good = other.next_with(|it| it.min_suite = 1);
        here.met(&good);
        let before = here.knows();
        let bad = make(&mut other);
        assert_eq!(here.refused(&bad), expected, "case {n}");
        assert_eq!(
            here.knows().offer(),
            before.offer(),
            "nothing of it is believed"
        );
        assert_eq!(here.knows().is_blocked(), blocks, "case {n}");
        assert_eq!(here.meet(&good, &[]).is_err(), blocks, "case {n}");
        if let Some(refused) = here.knows().refused {
            here.known.accept(AGENT, &refused.offer, LATER).unwrap();
            assert_eq!(here.met(&bad), MetHow::Known, "case {n}");
        }
    }
}

#[test]
fn what_never_was_genuine_makes_nobody_known() {
    let (here, mut other) = (Here::new(), Other::new());
    let mut bad = other.next();
    bad.bundle.compatible = xk(7);
    assert_eq!(here.refused(&bad), "BUNDLE_NOT_GENUINE");
    let over = other.next_with(|it| it.not_after = NOW);
    assert_eq!(here.refused(&over), "BUNDLE_EXPIRED");
    assert_eq!(here.known.list().unwrap(), []);
}

#[test]
fn an_agent_without_signed_keys_is_known_by_its_compatible_one() {
    let (here, mut other) = (Here::new(), Other::new());
    assert_eq!(here.meet_compatible(9).unwrap(), MetHow::FirstUse);
    assert_eq!(here.meet_compatible(9).unwrap(), MetHow::Known);
    assert_eq!(code(here.meet_compatible(8)), "PEER_KEY_CHANGED");
    assert_eq!(code(here.meet_compatible(9)), "PEER_KEY_CHANGED", "blocked");
    here.known.accept(AGENT, &here.offer(), NOW).unwrap();
    assert_eq!(here.meet_compatible(8).unwrap(), MetHow::Known);
    // Its bundle names the key it is known by, or is another's.
    let bundle = other.next();
    assert_eq!(here.refused(&bundle), "PEER_KEY_CHANGED");
    here.known.keep(AGENT).unwrap();
    let bundle = other.next_with(|it| it.compatible = xk(8));
    assert_eq!(here.met(&bundle), MetHow::FirstUse);
}

#[test]
fn whoever_had_signed_keys_is_not_met_without_them() {
    let (here, mut other) = (Here::new(), Other::new());
    let bundle = other.next();
    here.met(&bundle);
    for key in [9, 8] {
        assert_eq!(code(here.meet_compatible(key)), "PEER_DOWNGRADED");
    }
    assert!(here.knows().refused.is_some());
    assert_eq!(
        here.met(&bundle),
        MetHow::Known,
        "withheld keys may come again"
    );
    assert_eq!(here.knows().refused, None);
    assert_eq!(code(here.meet_compatible(9)), "PEER_DOWNGRADED");
    here.known.accept(AGENT, &here.offer(), NOW).unwrap();
    assert_eq!(here.meet_compatible(9).unwrap(), MetHow::Known);
}

#[test]
fn ten_thousand_agents_are_known_at_a_time() {
    let here = Here::new();
    let (held, mut agents) = here.known.hold().unwrap();
    let offer = Offer::of(&verified(&Other::new().next()));
    for n in 0..10_000_u128 {
        let known = Known::new("somebody", &offer, How::Compared, NOW);
        agents
            .agents
            .insert(AgentId::from_bytes((n << 64).to_be_bytes()), known);
    }
    held.write(&agents).unwrap();
    assert_eq!(here.known.list().unwrap().len(), 10_000);
}

#[test]
fn two_at_once_meet_different_agents_and_both_are_known() {
    let here = Here::new();
    std::thread::scope(|scope| {
        for n in 0..8 {
            let known = &here.known;
            scope.spawn(move || {
                let agent = AgentId::from_bytes([n; 16]);
                known.meet_compatible(agent, "one", xk(9), NOW).unwrap();
            });
        }
    });
    assert_eq!(here.known.list().unwrap().len(), 8);
}
