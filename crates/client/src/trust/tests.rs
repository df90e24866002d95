use agentdrop_protocol::{AgentId, EncryptionPublicKey, Timestamp, TransferId};
use agentdrop_seal::identity::{
    Bundle, IdentityKey, KemKey, Rotation, SignedBundle, SignedRotation, VerifiedBundle,
};
use tempfile::TempDir;

use super::*;
use crate::error::{Error, Result};

const AGENT: AgentId = AgentId::from_bytes([0xa; 16]);
const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);
const LATER: Timestamp = Timestamp::from_millis(1_790_000_000_001);
const END: Timestamp = Timestamp::from_millis(1_790_000_000_002);

/// Another agent, honest or not, and what it signs.
struct Other {
    identity: IdentityKey,
    kem: KemKey,
    last: Option<Bundle>,
    rotations: Vec<SignedRotation>,
}

impl Other {
    fn new() -> Self {
        Self {
            identity: IdentityKey::generate().unwrap(),
            kem: KemKey::generate().unwrap(),
            last: None,
            rotations: Vec::new(),
        }
    }

    /// The next bundle, in which something may be otherwise.
    fn next_with(&mut self, change: impl FnOnce(&mut Bundle)) -> SignedBundle {
        let mut bundle = Bundle {
            agent: AGENT,
            version: self.last.as_ref().map_or(1, |it| it.version + 1),
            identity: self.identity.public_key(),
            kem: self.kem.public_key().clone(),
            compatible: xk(9),
            min_suite: self.last.as_ref().map_or(0, |it| it.min_suite),
            not_after: END,
            previous: self.last.as_ref().map(Bundle::hash),
        };
        change(&mut bundle);
        let signed = self.identity.sign_bundle(bundle);
        self.last = Some(signed.bundle.clone());
        signed
    }

    fn next(&mut self) -> SignedBundle {
        self.next_with(|_| ())
    }

    fn rotate(&mut self) -> SignedBundle {
        let (new, last) = (Self::new().identity, self.last.clone().unwrap());
        self.rotations.push(self.identity.sign_rotation(Rotation {
            agent: AGENT,
            from: self.identity.public_key(),
            to: new.public_key(),
            since: last.version + 1,
            previous: last.hash(),
        }));
        self.identity = new;
        self.next()
    }
}

struct Here {
    _folder: TempDir,
    known: KnownAgents,
}

impl Here {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let known = KnownAgents::load(folder.path()).unwrap();
        Self {
            _folder: folder,
            known,
        }
    }

    fn meet(&self, bundle: &SignedBundle, rotations: &[SignedRotation]) -> Result<Met> {
        self.known.meet(AGENT, "worker", bundle, rotations, NOW)
    }

    fn met(&self, bundle: &SignedBundle) -> MetHow {
        self.meet(bundle, &[]).unwrap().how
    }

    fn refused(&self, bundle: &SignedBundle) -> &'static str {
        self.meet(bundle, &[]).unwrap_err().code()
    }

    fn meet_compatible(&self, byte: u8) -> Result<MetHow> {
        self.known.meet_compatible(AGENT, "worker", xk(byte), NOW)
    }

    fn knows(&self) -> Known {
        self.known.look_up(AGENT).unwrap().unwrap()
    }

    fn offer(&self) -> Offer {
        self.knows().refused.unwrap().offer
    }
}

fn xk(byte: u8) -> EncryptionPublicKey {
    EncryptionPublicKey::try_from([byte; 32]).unwrap()
}

fn code<T>(result: Result<T>) -> &'static str {
    result.map(drop).map_err(|it: Error| it.code()).unwrap_err()
}

fn verified(bundle: &SignedBundle) -> VerifiedBundle {
    bundle.clone().check(AGENT, None, NOW).unwrap()
}

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
    assert_eq!(here.knows().how, How::Compared);
    assert_eq!(
        here.meet(&third, &other.rotations).unwrap().how,
        MetHow::Known
    );
    let back = here.meet(&first, &other.rotations);
    assert_eq!(code(back), "PEER_KEY_CHANGED");
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
    other.last = Some(first.bundle.clone());
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
fn an_import_lifts_no_block() {
    let (here, mut other) = (Here::new(), Other::new());
    let good = other.next();
    here.met(&good);
    let export = here.known.export().unwrap();
    here.refused(&Other::new().next());
    here.known.import(&export, Contradictions::Refuse).unwrap();
    assert_eq!(here.refused(&good), "PEER_KEY_CHANGED");
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

mod receipts {
    use agentdrop_seal::identity::Verdict;
    use agentdrop_seal::native::Receipt;

    use super::*;

    const TRANSFER: TransferId = TransferId::from_bytes([5; 16]);

    /// Receipts are made by opening an envelope: here is one.
    fn receipt(other: &Other, manifest: [u8; 64]) -> Receipt {
        Receipt {
            transfer: *TRANSFER.as_bytes(),
            manifest,
            verdict: Verdict::Placed,
            signature: other
                .identity
                .sign_bundle(Other::new().next().bundle)
                .signature,
        }
    }

    #[test]
    fn what_the_recipient_did_not_sign_is_no_receipt() {
        let folder = tempfile::tempdir().unwrap();
        let (sent, other) = (SentTransfers::open(folder.path()), Other::new());
        let check = |agent, bytes: &[u8]| sent.check(TRANSFER, agent, &[], bytes);
        let forged = receipt(&other, [1; 64]).to_bytes();
        assert_eq!(check(AGENT, &forged).unwrap(), None, "it is not remembered");
        let to = SentTo {
            agent: AGENT,
            identity: other.identity.public_key(),
        };
        sent.remember(TRANSFER, [1; 64], &[to], NOW).unwrap();
        let stranger = AgentId::from_bytes([0xb; 16]);
        for (agent, bytes) in [
            (AGENT, &forged[..]),
            (AGENT, b""),
            (AGENT, &forged[1..]),
            (stranger, &forged),
        ] {
            assert_eq!(code(check(agent, bytes)), "RECEIPT_NOT_GENUINE");
        }
        let late = std::time::Duration::from_hours(30 * 24);
        sent.sweep(NOW.plus(late).minus(std::time::Duration::from_millis(1)))
            .unwrap();
        assert_eq!(code(check(AGENT, &forged)), "RECEIPT_NOT_GENUINE");
        sent.sweep(NOW.plus(late)).unwrap();
        assert_eq!(check(AGENT, &forged).unwrap(), None);
    }
}
