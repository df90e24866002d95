//! What the recipient is said to have said.

use agentdrop_client::ReceiptCheck;
use agentdrop_protocol::TransferId;

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
