use agentdrop_protocol::wire::agents::AgentType;

use super::*;
use crate::agents::{AgentKeys, AgentState};
use crate::policy::{PolicyError, may_person_send, may_send};

const fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn account(byte: u8) -> AccountId {
    AccountId::new(at(1), [byte; 10])
}

fn agent(of: AccountId, byte: u8) -> Agent {
    Agent {
        id: AgentId::new(at(1), [byte; 10]),
        account: of,
        slug: "bot".parse().unwrap(),
        name: "Bot".parse().unwrap(),
        description: None,
        webhook_url: None,
        agent_type: AgentType::Custom,
        metadata: serde_json::Map::new(),
        available_for_connections: true,
        state: AgentState::Connected(AgentKeys {
            encryption: [9; 32].try_into().unwrap(),
            signing: None,
        }),
        key_version: 1,
        published: None,
        created_at: at(1),
        last_seen_at: None,
    }
}

fn connection() -> Connection {
    Connection {
        id: ConnectionId::new(at(1), [4; 10]),
        inviter: account(1),
        invitee: Some(account(2)),
        email: "bob@example.org".parse().unwrap(),
        message: None,
        created_at: at(1),
        accepted_at: Some(at(2)),
        revoked_at: None,
    }
}

/// Alice's agent and Bob's; Alice's has the higher id, so that she is not `a` by chance.
fn agents() -> (Agent, Agent) {
    (agent(account(1), 8), agent(account(2), 7))
}

fn propose(mine: &Agent, theirs: &Agent, permission: Permission) -> Result<Pairing, PairingError> {
    let id = PairingId::new(at(3), [5; 10]);
    Pairing::propose(id, &connection(), mine, theirs, permission, at(3))
}

fn proposed(permission: Permission) -> Pairing {
    let (ann, ben) = agents();
    propose(&ann, &ben, permission).unwrap()
}

#[test]
fn two_agents_are_paired_the_same_way_whoever_asks() {
    let (ann, ben) = agents();
    let pairing = proposed(Permission::Both);
    assert_eq!(pairing.status(), PairingStatus::Pending);
    assert!(pairing.a.agent < pairing.b.agent);
    let back = propose(&ben, &ann, Permission::Both).unwrap();
    assert_eq!((back.a, back.b), (pairing.a, pairing.b));
    assert_eq!(back.proposed_by, ben.account);
    assert_eq!(pairing.other(ann.id), Some(pairing.a));
    assert_eq!(pairing.other(ben.id), Some(pairing.b));
    assert_eq!(pairing.other(agent(account(3), 6).id), None);
}

#[test]
fn only_ready_agents_of_connected_accounts_are_paired() {
    let (ann, ben) = agents();
    let pair = |mine: &Agent, theirs: &Agent| propose(mine, theirs, Permission::Both).unwrap_err();
    let stranger = agent(account(3), 6);
    for (mine, theirs) in [
        (&ann, &stranger),
        (&stranger, &ben),
        (&ann, &ann),
        (&ann, &agent(account(1), 6)),
    ] {
        assert_eq!(pair(mine, theirs), PairingError::AgentNotFound);
    }
    let [bare_ann, mut bare_ben] = [&ann, &ben].map(|it| it.clone().disconnect().unwrap());
    assert_eq!(pair(&bare_ann, &ben), PairingError::AgentNotConnected);
    assert_eq!(pair(&ann, &bare_ben), PairingError::TargetNotConnected);
    bare_ben.available_for_connections = false;
    assert_eq!(pair(&ann, &bare_ben), PairingError::AgentNotAvailable);

    let mut shy = ann.clone();
    shy.available_for_connections = false;
    let own = propose(&shy, &ben, Permission::Both);
    assert!(own.is_ok(), "who proposes is willing");

    let id = PairingId::new(at(3), [5; 10]);
    let (pending, over) = (
        Connection {
            accepted_at: None,
            ..connection()
        },
        Connection {
            revoked_at: Some(at(3)),
            ..connection()
        },
    );
    for it in [pending, over] {
        let refused = Pairing::propose(id, &it, &ann, &ben, Permission::Both, at(4));
        assert_eq!(refused, Err(PairingError::ConnectionNotActive));
    }
}

#[test]
fn the_other_side_confirms_and_once() {
    let pairing = proposed(Permission::Both);
    let refused = |by| pairing.clone().confirm(by, at(4)).unwrap_err();
    assert_eq!(refused(account(1)), PairingError::CannotConfirmOwn);
    assert_eq!(refused(account(3)), PairingError::NotAParty);
    let active = pairing.confirm(account(2), at(4)).unwrap();
    assert!(active.is_active());
    for by in [account(1), account(2)] {
        let again = active.clone().confirm(by, at(5));
        let status = PairingStatus::Active;
        assert_eq!(again, Err(PairingError::InvalidStatus(status)));
    }
}

#[test]
fn who_changes_the_permission_waits_for_the_other_side() {
    let (alice, bob) = (account(1), account(2));
    let active = proposed(Permission::Both).confirm(bob, at(4)).unwrap();

    let changed = active.clone().change_permission(bob, Permission::SendOnly);
    let changed = changed.unwrap();
    assert_eq!(changed.status(), PairingStatus::Pending);
    assert_eq!(changed.permission, Permission::ReceiveOnly, "as Alice sees");
    assert_eq!(changed.permission_for(alice), Permission::ReceiveOnly);
    assert_eq!(changed.permission_for(bob), Permission::SendOnly);
    let own = changed.clone().confirm(bob, at(5));
    assert_eq!(own, Err(PairingError::CannotConfirmOwn));
    assert!(changed.clone().confirm(alice, at(5)).unwrap().is_active());

    let countered = changed.change_permission(alice, Permission::SendOnly);
    let countered = countered.unwrap();
    assert_eq!(countered.permission, Permission::SendOnly);
    assert_eq!(countered.proposed_by, alice);
    let own = countered.clone().confirm(alice, at(6));
    assert_eq!(own, Err(PairingError::CannotConfirmOwn));
    assert!(countered.confirm(bob, at(6)).unwrap().is_active());

    let stranger = active.change_permission(account(3), Permission::Both);
    assert_eq!(stranger, Err(PairingError::NotAParty));
}

#[test]
fn a_revoked_pairing_stays_revoked() {
    let (alice, bob) = (account(1), account(2));
    let pending = proposed(Permission::Both);
    let active = pending.clone().confirm(bob, at(4)).unwrap();
    let stranger = active.clone().revoke(account(3), at(5));
    assert_eq!(stranger, Err(PairingError::NotAParty));
    for (pairing, by) in [(pending, bob), (active.clone(), alice), (active, bob)] {
        let over = pairing.revoke(by, at(5)).unwrap();
        assert_eq!(over.status(), PairingStatus::Revoked);
        let revoked = PairingError::InvalidStatus(PairingStatus::Revoked);
        assert_eq!(over.clone().confirm(bob, at(6)), Err(revoked));
        let changed = over.clone().change_permission(bob, Permission::Both);
        assert_eq!(changed, Err(revoked));
        let again = over.revoke(by, at(6));
        assert_eq!(again, Err(PairingError::AlreadyRevoked));
    }
}

#[test]
fn files_go_where_an_active_pairing_lets_them() {
    let (ann, ben) = agents();
    let send = |from: &Agent, to: &Agent, pairing: Option<&Pairing>| may_send(from, to, pairing);
    let refused = Err(PolicyError::ShareRequired);
    assert_eq!(send(&ann, &agent(account(1), 6), None), Ok(()));
    assert_eq!(send(&ann, &ann, None), Ok(()), "of one account, always");
    assert_eq!(send(&ann, &ben, None), refused);

    for (permission, there, back) in [
        (Permission::Both, Ok(()), Ok(())),
        (Permission::SendOnly, Ok(()), refused),
        (Permission::ReceiveOnly, refused, Ok(())),
    ] {
        let pending = proposed(permission);
        assert_eq!(send(&ann, &ben, Some(&pending)), refused);
        assert_eq!(send(&ben, &ann, Some(&pending)), refused);
        let active = pending.confirm(ben.account, at(4)).unwrap();
        assert_eq!(send(&ann, &ben, Some(&active)), there);
        assert_eq!(send(&ben, &ann, Some(&active)), back);
        let sibling = agent(ben.account, 6);
        assert_eq!(send(&ann, &sibling, Some(&active)), refused);
        assert_eq!(send(&sibling, &ann, Some(&active)), refused);
        let over = active.revoke(ben.account, at(5)).unwrap();
        assert_eq!(send(&ann, &ben, Some(&over)), refused);
    }
}

/// A person may send to whomever one of their agents may send.
#[test]
fn files_of_a_person_go_where_those_of_an_agent_of_theirs_do() {
    let (ann, ben) = agents();
    let send = |from: &Agent, to: &Agent, all: &[Pairing]| may_person_send(from.account, to, all);
    let refused = Err(PolicyError::ShareRequired);
    assert_eq!(send(&ann, &agent(account(1), 6), &[]), Ok(()));
    assert_eq!(send(&ann, &ben, &[]), refused);
    for (permission, there, back) in [
        (Permission::Both, Ok(()), Ok(())),
        (Permission::SendOnly, Ok(()), refused),
        (Permission::ReceiveOnly, refused, Ok(())),
    ] {
        let pending = proposed(permission);
        assert_eq!(send(&ann, &ben, std::slice::from_ref(&pending)), refused);
        let active = pending.confirm(ben.account, at(4)).unwrap();
        let over = active.clone().revoke(ben.account, at(5)).unwrap();
        assert_eq!(send(&ann, &ben, std::slice::from_ref(&over)), refused);
        let all = [over, active];
        assert_eq!(send(&ann, &ben, &all), there);
        assert_eq!(send(&ben, &ann, &all), back);
        let sibling = agent(ben.account, 6);
        assert_eq!(send(&ann, &sibling, &all), refused);
        let stranger = agent(account(7), 7);
        assert_eq!(send(&stranger, &ben, &all), refused);
    }
}
