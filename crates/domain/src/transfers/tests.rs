//! The life of a transfer, step by step.

use super::*;
use agentdrop_protocol::{AgentId, KeyId, PartTag, UploadId};

use crate::uploads::{NamedPart, Part, StoredPart, Upload, UploadError};
use crate::{Credential, Scope};

const fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1_000)
}

fn agent(n: u8) -> AgentId {
    AgentId::new(at(0), [n; 10])
}

fn account(n: u8) -> AccountId {
    AccountId::new(at(0), [n; 10])
}

/// From agent 1 of account 1 to agent 2 of account 2, for an hour and two downloads.
fn transfer() -> Transfer {
    Transfer {
        id: TransferId::new(at(0), [0; 10]),
        mode: TransferMode::AgentToAgent,
        sender: Sender {
            account: account(1),
            agent: Some(agent(1)),
            label: "alice".parse().unwrap(),
            credential: Credential::Key(KeyId::new(at(0), [0; 10])),
        },
        recipient: Recipient::Agent {
            account: account(2),
            agent: agent(2),
            label: "bob".into(),
        },
        sealing: None,
        wrapped_key: vec![],
        details: vec![],
        files: vec![],
        auto_delete: false,
        max_downloads: 2,
        downloads: 0,
        status: TransferStatus::Active,
        bytes_until: Some(at(3_600)),
        created_at: at(0),
        announced: false,
        expires_at: at(3_600),
        deleted_at: None,
    }
}

#[test]
fn it_is_downloaded_as_often_as_allowed_and_no_more() {
    let once = transfer().claim_download(at(1)).unwrap();
    assert_eq!((once.downloads, once.status), (1, TransferStatus::Active));
    let twice = once.claim_download(at(2)).unwrap();
    assert_eq!(
        (twice.downloads, twice.status),
        (2, TransferStatus::Downloaded)
    );
    assert!(
        twice.require_bytes(at(3)).is_ok(),
        "whoever holds a grant may still fetch"
    );
    assert_eq!(twice.claim_download(at(3)), Err(TransferError::Exhausted));
}

#[test]
fn the_last_millisecond_still_counts() {
    assert!(
        transfer()
            .claim_download(Timestamp::from_millis(3_599_999))
            .is_ok()
    );
    assert_eq!(
        transfer().claim_download(at(3_600)),
        Err(TransferError::Expired)
    );
    assert_eq!(
        transfer().require_bytes(at(3_600)),
        Err(TransferError::Expired)
    );
    assert_eq!(transfer().status_at(at(3_600)), TransferStatus::Expired);
}

#[test]
fn after_the_last_download_no_grant_outlives_the_transfer() {
    let once = Transfer {
        max_downloads: 1,
        ..transfer()
    };
    let spent = once.claim_download(at(1)).unwrap();
    assert_eq!(spent.bytes_until, Some(at(3_600)));
    assert_eq!(spent.require_bytes(at(3_600)), Err(TransferError::Expired));
}

#[test]
fn a_deleted_transfer_is_gone_at_once() {
    let deleted = transfer().delete(at(5)).unwrap();
    assert_eq!(deleted.bytes_until, Some(at(5)));
    assert_eq!(deleted.require_bytes(at(5)), Err(TransferError::Deleted));
    assert_eq!(
        deleted.clone().claim_download(at(5)),
        Err(TransferError::Deleted)
    );
    assert_eq!(deleted.clone().delete(at(6)), Err(TransferError::Deleted));
    let swept = deleted.sweep(at(5)).unwrap();
    assert_eq!((swept.bytes_until, swept.deleted_at), (None, Some(at(5))));
    assert_eq!(
        swept.sweep(at(99_999)),
        None,
        "there is nothing left to sweep"
    );
}

#[test]
fn files_go_after_their_delivery_where_the_sender_wants_it() {
    let kept = transfer()
        .note_streamed(at(10))
        .acknowledge(DeliveryStatus::Received, at(11));
    assert_eq!(kept, transfer());

    let automatic = Transfer {
        auto_delete: true,
        ..transfer()
    };
    let streamed = automatic.clone().note_streamed(at(10));
    assert_eq!(streamed.bytes_until, Some(at(610)), "a grace to resume in");
    assert_eq!(streamed.clone().sweep(at(609)), None);
    assert_eq!(
        streamed.sweep(at(610)).unwrap().status,
        TransferStatus::Deleted
    );

    let rejected = automatic
        .clone()
        .acknowledge(DeliveryStatus::Rejected, at(10));
    assert_eq!(
        rejected, automatic,
        "a failed delivery never loses the file"
    );
    let received = automatic.acknowledge(DeliveryStatus::Received, at(10));
    assert_eq!(
        (received.status, received.bytes_until),
        (TransferStatus::Deleted, Some(at(10)))
    );
}

#[test]
fn what_has_expired_is_swept_as_expired() {
    assert_eq!(transfer().sweep(at(3_599)), None);
    let swept = transfer().sweep(at(3_600)).unwrap();
    assert_eq!(
        (swept.status, swept.deleted_at),
        (TransferStatus::Expired, None)
    );
}

#[test]
fn a_key_of_an_agent_sees_what_is_its_own() {
    let actor = |account, scope| Actor {
        account,
        credential: Credential::Key(KeyId::new(at(0), [0; 10])),
        scope,
    };
    let it = transfer();
    assert!(it.is_sent_by(&actor(account(1), Scope::Account)));
    assert!(it.is_sent_by(&actor(account(1), Scope::Agent(agent(1)))));
    assert!(!it.is_visible_to(&actor(account(1), Scope::Agent(agent(3)))));
    assert!(it.is_received_by(&actor(account(2), Scope::Agent(agent(2)))));
    assert!(
        !it.is_visible_to(&actor(account(2), Scope::Agent(agent(1)))),
        "another account"
    );
    assert!(!it.is_visible_to(&actor(account(3), Scope::Account)));
}

#[test]
fn what_was_swept_after_its_delivery_is_gone_though_a_grant_is_left() {
    let sent = Transfer {
        auto_delete: true,
        max_downloads: 1,
        ..transfer()
    };
    let streamed = sent.claim_download(at(1)).unwrap().note_streamed(at(2));
    let swept = streamed.sweep(at(602)).unwrap();
    assert_eq!(swept.status, TransferStatus::Downloaded);
    assert_eq!(swept.require_bytes(at(603)), Err(TransferError::Deleted));
}

#[test]
fn what_waits_is_activated_once_and_not_past_its_time() {
    let waiting = Transfer {
        status: TransferStatus::PendingRecipient,
        ..transfer()
    };
    let activate = |it: Transfer, now| it.activate(Sealing::default(), vec![], now);
    assert_eq!(
        waiting.clone().claim_download(at(1)),
        Err(TransferError::NotReady)
    );
    let active = activate(waiting.clone(), at(1)).unwrap();
    assert_eq!(active.status, TransferStatus::Active);
    assert_eq!(active.sealing, Some(Sealing::default()));
    assert_eq!(activate(active, at(2)), Err(TransferError::NotReady));
    let late = activate(waiting.clone(), at(3_600));
    assert_eq!(late, Err(TransferError::Expired));
    let deleted = waiting.delete(at(1)).unwrap();
    assert_eq!(activate(deleted, at(2)), Err(TransferError::Deleted));
}

/// One whose files, one that comes whole and one that comes in parts, are still to come.
fn announced() -> Transfer {
    let file = |n, upload| File {
        id: FileId::new(at(0), [n; 10]),
        size: 10,
        at_rest: AtRest::Sender,
        nonce: None,
        blob: None,
        in_database: false,
        upload: Some(upload),
        direct: None,
    };
    let upload = UploadId::from_bytes([1; 16]);
    Transfer {
        status: TransferStatus::Pending,
        announced: true,
        bytes_until: Some(at(600)),
        files: vec![
            file(1, Upload::whole(10)),
            file(2, Upload::in_parts(upload, 5)),
        ],
        ..transfer()
    }
}

/// The same with its second file put together.
fn completed() -> Transfer {
    let tags = [1, 2].map(|it| PartTag::new([it; 16]));
    let stored = [1, 2].map(|number| {
        StoredPart::from(Part {
            number,
            tag: tags[number as usize - 1],
            bytes: 5,
        })
    });
    let etags = tags.map(|it| it.to_string());
    let named = [1, 2].map(|number| NamedPart {
        number,
        etag: &etags[number as usize - 1],
    });
    let (transfer, file) = (announced(), announced().files[1].id);
    transfer
        .complete_file(file, &named, &stored, at(1))
        .unwrap()
}

#[test]
fn it_is_confirmed_once_and_only_with_all_its_files() {
    let whole = [announced().files[0].id];
    let confirm = |it: Transfer, whole| it.confirm(whole, TransferStatus::Active, at(2));
    for (transfer, whole, missing) in [
        (announced(), &[][..], vec![0, 1]),
        (announced(), &whole, vec![1]),
        (completed(), &[], vec![0]),
    ] {
        let refused = confirm(transfer, whole);
        assert_eq!(refused, Err(UploadError::FilesMissing(missing)));
    }
    let confirmed = confirm(completed(), &whole).unwrap();
    assert_eq!(confirmed.status, TransferStatus::Active);
    assert_eq!(confirmed.bytes_until, Some(at(3_600)));
    assert!(!confirmed.announced && !confirmed.is_coming());
    let again = confirm(confirmed, &whole);
    assert_eq!(again, Err(UploadError::AlreadyConfirmed));
}

#[test]
fn nothing_of_it_comes_at_the_wrong_time() {
    let [whole, parts] = [0, 1].map(|it| announced().files[it].id);
    let comes =
        |it: &Transfer, file, number, now| it.expected_part(file, number, at(now)).map(|it| it.0);
    assert_eq!(comes(&announced(), whole, 1, 599), Ok(10));
    assert_eq!(comes(&announced(), parts, 2, 599), Ok(5));
    let other = FileId::new(at(0), [9; 10]);
    for (file, number) in [(whole, 0), (whole, 2), (parts, 3), (other, 1)] {
        let none = comes(&announced(), file, number, 1);
        assert_eq!(none, Err(UploadError::NoSuchPart));
    }
    let late = comes(&announced(), whole, 1, 600);
    assert_eq!(late, Err(TransferError::Expired.into()));
    let late = comes(&completed(), parts, 1, 1);
    assert_eq!(late, Err(UploadError::AlreadyCompleted));
    // What comes whole may come again until it is confirmed.
    assert_eq!(comes(&completed(), whole, 1, 1), Ok(10));
    let deleted = announced().delete(at(1)).unwrap();
    let late = comes(&deleted, whole, 1, 2);
    assert_eq!(late, Err(TransferError::Deleted.into()));
}

#[test]
fn what_is_announced_is_seen_by_its_sender_alone_whatever_becomes_of_it() {
    let whole = [announced().files[0].id];
    let confirmed = completed().confirm(&whole, TransferStatus::Active, at(2));
    let swept = announced().sweep(at(600)).unwrap();
    assert_eq!(
        (swept.status, swept.bytes_until),
        (TransferStatus::Expired, None)
    );
    assert_eq!(announced().sweep(at(599)), None);
    for (transfer, is_seen) in [
        (announced(), false),
        (announced().delete(at(1)).unwrap(), false),
        (swept, false),
        (confirmed.unwrap(), true),
    ] {
        let recipient = Actor {
            account: account(2),
            scope: Scope::Account,
            credential: transfer.sender.credential,
        };
        assert_eq!(transfer.is_visible_to(&recipient), is_seen);
        assert_eq!(transfer.told().is_some(), is_seen);
        assert_eq!(
            transfer.blobs(),
            Vec::<u32>::new(),
            "its parts have its bytes"
        );
    }
}

#[test]
fn a_person_is_told_once_it_is_encrypted_for_them() {
    assert_eq!(transfer().told(), Some(account(2)));
    let to = |account, sealing| Transfer {
        recipient: Recipient::Person {
            email: "pat@example.org".parse().unwrap(),
            account,
        },
        sealing,
        ..transfer()
    };
    assert_eq!(to(Some(account(2)), None).told(), None);
    assert_eq!(to(None, Some(Sealing::default())).told(), None);
    let theirs = to(Some(account(2)), Some(Sealing::default()));
    assert_eq!(theirs.told(), Some(account(2)));
}
