//! What the recipient is said to have said.

use agentdrop_client::ReceiptCheck;
use agentdrop_protocol::TransferId;
use agentdrop_protocol::wire::transfers::{DeliveryStatus, Transfer};

use super::{receives, sent};
use crate::between::world::World;

async fn receipt(world: &World, id: TransferId) -> Vec<u8> {
    let shown = world.alice.transfer(id).await.unwrap();
    shown.deliveries[0]
        .receipt
        .clone()
        .unwrap()
        .as_bytes()
        .to_vec()
}

#[tokio::test]
async fn a_receipt_is_of_one_transfer_by_one_recipient() {
    let world = World::start().await;
    let (one, other) = (sent(&world).await, sent(&world).await);
    receives(&world, one).await;
    world.clear();
    receives(&world, other).await;
    let (of_one, of_other) = (receipt(&world, one).await, receipt(&world, other).await);
    assert!(world.is_genuine(one, &of_one).unwrap());

    let mut wrong = vec![of_other.clone(), Vec::new(), of_one[1..].to_vec()];
    for at in 0..of_one.len() {
        let mut changed = of_one.clone();
        changed[at] ^= 1;
        wrong.push(changed);
    }
    // One that says of the other what was said of this.
    let mut moved = of_one.clone();
    moved[..16].copy_from_slice(&of_other[..16]);
    wrong.push(moved);
    for receipt in wrong {
        let error = world.is_genuine(one, &receipt).unwrap_err();
        assert_eq!(error.code(), "RECEIPT_NOT_GENUINE");
    }
    // It says nothing of what was never sent from here.
    let never: TransferId = "tr_019a9f3e5c1a7b2d8e4fa1b2c3d4e5f6".parse().unwrap();
    assert!(!world.is_genuine(never, &of_one).unwrap());
}

#[tokio::test]
async fn a_receipt_of_who_rotated_before_and_after_it_is_verified_along_the_chain() {
    let world = World::start().await;
    let id = sent(&world).await;
    world.bob.rotate_identity().await.unwrap();
    receives(&world, id).await;
    world.bob.rotate_identity().await.unwrap();
    let shown = world.alice.transfer(id).await.unwrap();
    let checked = world.alice.check_receipt(&shown, &shown.deliveries[0]);
    assert_eq!(checked.await.unwrap(), ReceiptCheck::Verified);
}

/// What the first delivery's receipt is worth to Alice, where the server shows this.
async fn checked(world: &World, shown: &Transfer) -> ReceiptCheck {
    let check = world.alice.check_receipt(shown, &shown.deliveries[0]).await;
    check.unwrap()
}

#[tokio::test]
async fn what_the_server_says_of_a_delivery_is_worth_what_the_recipient_signed() {
    let world = World::start().await;
    let (id, other) = (sent(&world).await, sent(&world).await);
    receives(&world, id).await;
    let shown = world.alice.transfer(id).await.unwrap();
    assert_eq!(checked(&world, &shown).await, ReceiptCheck::Verified);

    let mut none = shown.clone();
    none.deliveries[0].receipt = None;
    assert_eq!(checked(&world, &none).await, ReceiptCheck::None);
    let mut refused = shown.clone();
    refused.deliveries[0].status = DeliveryStatus::Rejected;
    assert_eq!(checked(&world, &refused).await, ReceiptCheck::NotGenuine);
    let mut moved = shown.clone();
    moved.id = other;
    assert_eq!(checked(&world, &moved).await, ReceiptCheck::NotGenuine);
    // Nor is anybody met for a receipt who is not known, or whose word is good: any key would fit.
    let known = world.alice.known_agents().unwrap().unwrap();
    let bob = shown.recipient_agent_id.unwrap();
    assert!(known.reset(bob).unwrap());
    assert_eq!(checked(&world, &moved).await, ReceiptCheck::NotGenuine);
    assert_eq!(checked(&world, &shown).await, ReceiptCheck::Verified);
    assert_eq!(known.look_up(bob).unwrap(), None);
    // Of what others sent, and of what is not remembered, nothing is known here.
    let mut of_others = shown.clone();
    of_others.sender_agent_id = shown.recipient_agent_id;
    assert_eq!(checked(&world, &of_others).await, ReceiptCheck::Unchecked);
    let mut forgotten = shown.clone();
    forgotten.id = "tr_019a9f3e5c1a7b2d8e4fa1b2c3d4e5f6".parse().unwrap();
    assert_eq!(checked(&world, &forgotten).await, ReceiptCheck::Unchecked);
}

#[tokio::test]
async fn a_receipt_after_a_rotation_is_checked_with_what_the_recipient_says_of_itself() {
    let world = World::start().await;
    let id = sent(&world).await;
    world.bob.rotate_identity().await.unwrap();
    receives(&world, id).await;
    let shown = world.alice.transfer(id).await.unwrap();
    // A server that withholds the rotation makes nothing genuine, and nothing else of it.
    world.lie(|asked, answered| {
        if asked.path.ends_with("/bundle") {
            agentdrop_testkit::hostile::Answered::refused(404, "NO_BUNDLE")
        } else {
            answered
        }
    });
    assert_eq!(checked(&world, &shown).await, ReceiptCheck::NotGenuine);
    world.stop_lying();
    assert_eq!(checked(&world, &shown).await, ReceiptCheck::Verified);
}

#[test]
fn there_are_words_for_what_a_receipt_is_worth() {
    let words = [
        ReceiptCheck::Verified,
        ReceiptCheck::NotGenuine,
        ReceiptCheck::None,
        ReceiptCheck::Unchecked,
    ];
    let words = words.map(ReceiptCheck::as_str);
    assert_eq!(words, ["verified", "not genuine", "none", "unchecked"]);
}
