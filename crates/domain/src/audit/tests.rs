use agentdrop_protocol::{AgentId, KeyId, SessionId, TransferId};

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

fn event(byte: u8) -> NewEntry {
    NewEntry {
        account: AccountId::new(NOW, [1; 10]),
        at: NOW,
        action: Action::TransferCreated,
        who: Who::AgentKey(KeyId::new(NOW, [2; 10]), AgentId::new(NOW, [3; 10])),
        address: Some("192.0.2.7".parse().unwrap()),
        request_id: Some("r-1".to_owned()),
        subject: Subject::of(&TransferId::new(NOW, [byte; 10])),
    }
}

fn log(length: u8) -> Vec<Entry> {
    let mut head = Head::default();
    let append = |byte| {
        let entry = head.append(event(byte));
        head = Head::of(&entry);
        entry
    };
    (0..length).map(append).collect()
}

/// Follows a log from its beginning: the number that was expected where it breaks, and why.
fn follow(log: &[Entry]) -> Result<Head, (u64, Fault)> {
    log.iter().try_fold(Head::default(), |head, entry| {
        head.follow(entry).map_err(|fault| (head.seq + 1, fault))
    })
}

/// The formula is what others verify an export by: what it comes to is frozen, and was computed
/// by another program from the words above [`Entry::digest`].
#[test]
fn the_hash_is_the_documented_one() {
    let first = Head::default().append(event(4));
    assert_eq!(first.seq, 1);
    let digits: Vec<_> = first.hash.iter().map(|it| format!("{it:02x}")).collect();
    assert_eq!(
        digits.concat(),
        "8eb706d2f6de6bbf91a9e4436fca6d309c6c036e2c4bbedc0345334da6bfde78"
    );
}

#[test]
fn a_log_is_followed_to_its_head() {
    let log = log(5);
    assert_eq!(follow(&log), Ok(Head::of(&log[4])));
    assert_eq!(log[0].previous, [0; 32]);
    assert_eq!(log[4].seq, 5);
}

#[test]
fn whatever_is_changed_shows() {
    type Change = fn(&mut Entry);
    let changes: [Change; 11] = [
        |it| it.event.account = AccountId::new(NOW, [9; 10]),
        |it| it.event.at = Timestamp::from_millis(NOW.as_millis() + 1),
        |it| it.event.action = Action::TransferDeleted,
        |it| it.event.who = Who::AccountKey(KeyId::new(NOW, [2; 10])),
        |it| it.event.who = Who::Operator,
        |it| it.event.address = None,
        |it| it.event.address = Some("192.0.2.8".parse().unwrap()),
        |it| it.event.request_id = None,
        |it| it.event.subject = Subject::default(),
        |it| it.previous[31] ^= 1,
        |it| it.hash[0] ^= 1,
    ];
    for change in changes {
        let mut log = log(3);
        change(&mut log[1]);
        assert_eq!(follow(&log), Err((2, Fault::Changed)));
    }
}

#[test]
fn what_is_left_out_put_in_or_put_elsewhere_shows() {
    let whole = log(5);
    for gone in 0..4 {
        let mut log = whole.clone();
        log.remove(gone);
        assert_eq!(follow(&log), Err((gone as u64 + 1, Fault::Missing)));
    }
    let mut swapped = whole.clone();
    let (second, third) = (swapped[1].seq, swapped[2].seq);
    (swapped[1].seq, swapped[2].seq) = (third, second);
    swapped.swap(1, 2);
    assert_eq!(follow(&swapped), Err((2, Fault::Changed)));

    // One that is well-formed, and follows what it says it follows.
    let mut forked = whole.clone();
    forked[1] = Head::of(&forked[0]).append(event(9));
    assert_eq!(follow(&forked), Err((3, Fault::Forked)));
    let mut twice = whole.clone();
    twice.insert(2, Head::of(&whole[0]).append(event(9)));
    assert_eq!(follow(&twice), Err((3, Fault::Forked)));
}

#[test]
fn no_field_runs_into_the_next() {
    let one = NewEntry {
        request_id: Some("aagent_id".to_owned()),
        subject: Subject::default(),
        ..event(1)
    };
    let other = NewEntry {
        request_id: Some("a".to_owned()),
        subject: Subject::of(&"b".parse::<agentdrop_protocol::Slug>().unwrap()),
        ..event(1)
    };
    let hash = |it: NewEntry| Head::default().append(it).hash;
    assert_ne!(hash(one), hash(other));
}

#[test]
fn who_it_was_is_put_together_as_it_was_taken_apart() {
    let (account, agent) = (AccountId::new(NOW, [1; 10]), AgentId::new(NOW, [2; 10]));
    let (key, session) = (KeyId::new(NOW, [3; 10]), SessionId::new(NOW, [4; 10]));
    for who in [
        Who::Account(account),
        Who::AccountKey(key),
        Who::AgentKey(key, agent),
        Who::Anonymous,
        Who::ConnectionToken(agent),
        Who::Operator,
        Who::Session(session),
    ] {
        let again = Who::from_parts(who.kind(), who.id().as_deref(), who.agent());
        assert_eq!(again, Some(who));
        let more = Who::from_parts(who.kind(), Some("x"), Some(agent));
        assert_eq!(more, None, "{who:?}");
    }
}
