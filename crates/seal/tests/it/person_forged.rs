//! What whoever has the key of a transfer for a person can make of its envelope: its sender, or the server.

use std::time::Duration;

use agentdrop_envelope::{
    FileKey, Header, Manifest, Padding, Recipient, Stanza, manifest_object, open_manifest,
};
use agentdrop_protocol::{Timestamp, TransferId};
use agentdrop_seal::person::{About, File, Incoming, Outgoing, Policy, sealed_len};
use agentdrop_seal::{OpenError, SecretKey, random_bytes};

const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);
const ANOTHER: [u8; 16] = [9; 16];

/// Opens an envelope in which something was changed, and which was sealed with its own key.
fn opened(change: impl FnOnce(&mut Header, &mut Manifest)) -> Result<Incoming, OpenError> {
    let transfer = TransferId::new(NOW, [1; 10]);
    let mine = SecretKey::generate().unwrap();
    let out = Outgoing::generate(transfer, &mine.public_key()).unwrap();
    let about = About {
        sender: None,
        message: None,
        created: NOW,
        expires: NOW.plus(Duration::from_hours(24)),
        policy: Policy {
            max_downloads: 1,
            auto_delete: false,
        },
    };
    let file = File {
        name: "a".parse().unwrap(),
        content_type: "text/plain".parse().unwrap(),
        size: 5,
        sealed_size: sealed_len(5).unwrap(),
        digest: [7; 32],
    };
    let envelope = out.envelope(about, vec![file]).unwrap();
    let key = FileKey::take(&mut { *out.file_keys().expose_secret() });
    let (mut header, behind) = Header::read(&envelope).unwrap();
    let manifest = open_manifest(&envelope, behind, &key).unwrap();
    let (mut manifest, ..) = Manifest::read(&manifest, Padding::None).unwrap();
    change(&mut header, &mut manifest);
    let padded = manifest.padded(&[0; 64]);
    let forged = manifest_object(&header, &key, &padded, random_bytes().unwrap()).unwrap();
    Incoming::open(transfer, &mine, &out.ephemeral, &out.salt, &forged, NOW)
}

#[test]
fn what_is_not_changed_opens() {
    opened(|_, _| {}).unwrap();
}

#[test]
fn an_envelope_is_of_one_transfer_and_for_one_key_and_for_nobody_else() {
    type Change = fn(&mut Header, &mut Manifest);
    let changes: [(&str, Change); 7] = [
        ("another transfer, in both", |header, manifest| {
            header.transfer = ANOTHER;
            manifest.transfer = ANOTHER;
        }),
        ("another transfer, in the manifest", |_, manifest| {
            manifest.transfer = ANOTHER;
        }),
        ("a stanza, for whom nobody can tell", |header, _| {
            header.stanzas.push(Stanza {
                recipient: ANOTHER,
                key: ANOTHER,
                encapsulation: Box::new([0; 1120]),
                wrapped: [0; 48],
            });
        }),
        ("keys that are used once", |header, _| header.prekeys = true),
        ("another's key", |_, manifest| {
            manifest.recipients[0].fingerprint = [0; 32];
        }),
        ("one more recipient", |_, manifest| {
            manifest.recipients.push(Recipient {
                id: ANOTHER,
                fingerprint: [0; 32],
            });
        }),
        ("no files", |_, manifest| manifest.files.clear()),
    ];
    for (what, change) in changes {
        assert!(matches!(opened(change), Err(OpenError::Refused)), "{what}");
    }
}
