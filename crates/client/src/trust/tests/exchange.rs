//! What is taken from one machine to another.

use super::*;

#[test]
fn an_import_adds_and_never_weakens() {
    let (there, mut other) = (Here::new(), Other::new());
    let first = other.next();
    there.met(&first);
    let old = there.known.export().unwrap();
    let second = other.next_with(|it| it.min_suite = 1);
    there.met(&second);
    let shown = second.bundle.fingerprint();
    there.known.compared(AGENT, &shown).unwrap();
    let new = there.known.export().unwrap();
    let refuse = Contradictions::Refuse;

    let here = Here::new();
    assert_eq!(here.known.import(&old, refuse).unwrap(), 1);
    assert_eq!(here.met(&first), MetHow::Known);
    assert_eq!(here.known.import(&new, refuse).unwrap(), 1);
    assert_eq!(here.knows(), there.knows());
    for nothing_new in [&old, &new] {
        assert_eq!(here.known.import(nothing_new, refuse).unwrap(), 0);
    }
    assert_eq!(here.refused(&first), "PEER_KEY_ROLLED_BACK");

    // Another key, a second row, and no signature where there is one.
    let (thief, compatible) = (Here::new(), Here::new());
    thief.met(&Other::new().next());
    compatible.meet_compatible(9).unwrap();
    let fork = Here::new();
    other.last = Some(first.bundle);
    fork.met(&other.next_with(|it| it.compatible = xk(7)));
    for from in [&thief, &compatible, &fork] {
        let json = from.known.export().unwrap();
        let before = here.knows();
        assert_eq!(
            code(here.known.import(&json, refuse)),
            "TRUST_IMPORT_CONTRADICTS"
        );
        assert_eq!(here.knows(), before);
        let forced = Here::new();
        forced.known.import(&new, refuse).unwrap();
        let taken = forced.known.import(&json, Contradictions::TakeImported);
        assert_eq!(taken.unwrap(), 1);
        assert_eq!(forced.knows().offer(), from.knows().offer());
    }
    assert_eq!(compatible.known.import(&new, refuse).unwrap(), 1);
    for malformed in [
        "",
        "{}",
        r#"{"v":2,"agents":{}}"#,
        &new.replace("\"hash\": \"", "\"hash\": \"A"),
    ] {
        assert_eq!(
            code(here.known.import(malformed, refuse)),
            "TRUST_IMPORT_MALFORMED"
        );
    }
}

#[test]
fn another_compatible_key_is_not_imported_whoever_vouches_for_it() {
    let refuse = Contradictions::Refuse;
    let (here, there, mut other) = (Here::new(), Here::new(), Other::new());
    here.meet_compatible(9).unwrap();
    there.meet_compatible(8).unwrap();
    let imported = here.known.import(&there.known.export().unwrap(), refuse);
    assert_eq!(code(imported), "TRUST_IMPORT_CONTRADICTS");
    // Nor with an identity beside it.
    let there = Here::new();
    there.met(&other.next_with(|it| it.compatible = xk(8)));
    let imported = here.known.import(&there.known.export().unwrap(), refuse);
    assert_eq!(code(imported), "TRUST_IMPORT_CONTRADICTS");
    // Nor beside the very bundle that is known, which is of another.
    let (here, mut other) = (Here::new(), Other::new());
    here.met(&other.next());
    let json = here.known.export().unwrap();
    let changed = json.replace(&xk(9).to_string(), &xk(8).to_string());
    assert_ne!(changed, json);
    assert_eq!(here.known.import(&changed, refuse).unwrap(), 0);
    assert_eq!(here.knows().compatible, xk(9));
}

#[test]
fn an_import_lifts_no_block() {
    let (here, mut other) = (Here::new(), Other::new());
    let good = other.next();
    here.met(&good);
    let export = here.known.export().unwrap();
    here.refused(&Other::new().next());
    here.known.import(&export, Contradictions::Refuse).unwrap();
    assert_eq!(here.refused(&good), "PEER_KEY_CHANGED");
}
