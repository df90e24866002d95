//! What a recipient signs, and nobody else can.

use agentdrop_seal::identity::{Untrusted, Verdict};
use agentdrop_seal::native::Receipt;

use super::{Agent, send, transfer};

#[test]
fn a_receipt_is_the_recipients_word_on_this_transfer() {
    let (alice, bob, carol) = (Agent::new(1), Agent::new(2), Agent::new(3));
    let to = [bob.recipient()];
    let [one, two] = [1, 2].map(|it| send(transfer(it), &alice, &to, &[b"hello"]));
    let incoming = one.open(&alice, &bob).unwrap();
    let bytes = incoming
        .receipt(&bob.identity, Verdict::Quarantined)
        .to_bytes();
    let receipt = Receipt::read(&bytes).unwrap();
    let check = |by: &Agent, sent: &super::Sent| {
        let (transfer, manifest) = (sent.transfer.as_bytes(), &sent.manifest_hash);
        receipt.check(&by.identity.public_key(), transfer, manifest)
    };
    assert_eq!(check(&bob, &one), Ok(Verdict::Quarantined));
    assert_eq!(check(&bob, &two), Err(Untrusted::OtherTransfer));
    assert_eq!(check(&carol, &one), Err(Untrusted::Forged));
}
