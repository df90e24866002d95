//! What people decide.

use super::*;

#[test]
fn another_key_blocks_until_a_person_decides() {
    let (here, mut other, mut thief) = (Here::new(), Other::new(), Other::new());
    let (good, bad) = (other.next(), thief.next());
    here.met(&good);
    let error = here.meet(&bad, &[]).unwrap_err();
    assert_eq!(error.code(), "PEER_KEY_CHANGED");
    let (text, hint) = (error.to_string(), error.hint().unwrap());
    for key in [&good, &bad] {
        assert!(
            text.contains(&key.bundle.fingerprint().to_string()),
            "{text}"
        );
    }
    assert!(
        hint.contains(&format!("agentdrop trust accept {AGENT}")),
        "{hint}"
    );
    // The right one does not lift it, nor does any other format.
    assert_eq!(here.refused(&good), "PEER_KEY_CHANGED");
    assert_eq!(code(here.meet_compatible(9)), "PEER_KEY_CHANGED");
    assert!(here.knows().is_blocked());

    let offer = here.offer();
    let another = Offer::of_compatible(xk(9));
    let accept = |offer| here.known.accept(AGENT, offer, LATER);
    assert_eq!(code(accept(&another)), "PEER_OFFER_CHANGED");
    here.known.keep(AGENT).unwrap();
    assert_eq!(here.met(&good), MetHow::Known);
    assert_eq!(code(accept(&offer)), "NOTHING_TO_DECIDE");
    assert_eq!(code(here.known.keep(AGENT)), "NOTHING_TO_DECIDE");

    here.refused(&bad);
    let known = accept(&offer).unwrap();
    assert_eq!((known.since, known.how), (LATER, How::FirstUse));
    assert_eq!(here.met(&bad), MetHow::Known);
    assert_eq!(here.refused(&good), "PEER_KEY_CHANGED");
    assert!(here.known.reset(AGENT).unwrap());
    assert!(!here.known.reset(AGENT).unwrap());
    assert_eq!(here.met(&good), MetHow::FirstUse);
}

#[test]
fn what_was_compared_is_what_is_known() {
    let (here, mut other) = (Here::new(), Other::new());
    let bundle = other.next();
    let shown = bundle.bundle.fingerprint();
    let another = Other::new().next().bundle.fingerprint();
    assert_eq!(
        code(here.known.compared(AGENT, &shown)),
        "NOTHING_TO_DECIDE"
    );
    here.met(&bundle);
    assert_eq!(
        code(here.known.compared(AGENT, &another)),
        "PEER_OFFER_CHANGED"
    );
    assert_eq!(here.known.paired(AGENT, &shown).unwrap().how, How::Pairing);
    assert_eq!(
        here.known.compared(AGENT, &shown).unwrap().how,
        How::Compared
    );
    assert_eq!(here.known.paired(AGENT, &shown).unwrap().how, How::Compared);
    here.met(&other.next());
    assert_eq!(here.knows().how, How::Compared);
}

#[test]
fn a_label_does_nothing_to_a_terminal() {
    let (here, mut other, mut thief) = (Here::new(), Other::new(), Other::new());
    let label = format!("\u{1b}[2Jworker\n{}", "x".repeat(5_000));
    let meet = |bundle: SignedBundle| here.known.meet(AGENT, &label, &bundle, &[], NOW);
    meet(other.next()).unwrap();
    assert!(here.knows().label().contains("worker"));
    let error = meet(thief.next()).unwrap_err();
    for text in [
        here.knows().label(),
        error.to_string(),
        error.hint().unwrap(),
    ] {
        assert!(
            text.chars().all(|it| !it.is_control()) && text.len() < 1_000,
            "{text}"
        );
    }
}
