//! How long object 0 will be is known before a file was read.

use std::time::Duration;

use agentdrop_envelope::manifest_object_len;
use agentdrop_seal::SealError;
use agentdrop_seal::native::{
    About, KeyKind, MAX_ENVELOPE_BYTES, Outgoing, Policy, Recipient, Sealed, Unsealed, sealed_len,
};
use agentdrop_seal::person;
use proptest::prelude::*;

use super::{Agent, NOW, Sent, about, transfer};

fn unsealed(name: &str, content_type: &str, size: u64) -> Unsealed {
    Unsealed {
        name: name.parse().unwrap(),
        content_type: content_type.parse().unwrap(),
        size,
    }
}

/// As if it had been sealed; what its digest is, object 0 does not mind.
fn sealed(it: &Unsealed) -> Sealed {
    Sealed {
        size: it.size,
        sealed_size: sealed_len(it.size).unwrap(),
        digest: [it.name.as_str().len().to_le_bytes()[0]; 32],
    }
}

fn recipients(count: u8) -> Vec<Recipient> {
    (2..2 + count)
        .map(|it| Agent::new(it).recipient())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn it_is_as_long_as_was_said(
        files in prop::collection::vec(
            ("[a-zäß你]{1,60}", prop::option::of("[a-z]{1,30}"), 0..51_u32, any::<u64>()), 1..100,
        ),
        count in 1..4_u8,
        message in prop::option::of("[a-z 好]{1,1000}"),
        seq: u64,
        seq_bits in 0..64_u32,
        times in (0..50_u32, 0..50_u32),
        max_downloads: u32,
        auto_delete: bool,
    ) {
        let alice = Agent::new(1);
        let files: Vec<_> = files.into_iter().map(|(name, kind, bits, size)| {
            let kind = kind.map_or_else(|| "text/plain".to_owned(), |it| format!("application/{it}"));
            unsealed(&name, &kind, size >> (63 - bits))
        }).collect();
        let at = |bits| NOW.plus(Duration::from_millis(1_u64 << bits));
        let about = About {
            message: message.and_then(|it| it.parse().ok()),
            created: at(times.0),
            expires: at(times.1),
            seq: seq >> seq_bits,
            policy: Policy { max_downloads, auto_delete },
        };
        let (out, to) = (Outgoing::generate(transfer(1)).unwrap(), recipients(count));
        let ahead = out.envelope_size(&about, &to, &files).unwrap();
        let said = files.into_iter().map(|it| { let sealed = sealed(&it); it.sealed(sealed) });
        let made = out.envelope(&alice.sender(), &to, about, said.collect()).unwrap();
        prop_assert_eq!(ahead, made.object.len() as u64);
    }
}

#[test]
fn announced_first_and_made_last_it_opens() {
    let (alice, bob) = (Agent::new(1), Agent::new(2));
    let out = Outgoing::generate(transfer(1)).unwrap();
    let (to, ahead) = ([bob.recipient()], unsealed("a.txt", "text/plain", 5));
    let size = out
        .envelope_size(&about(), &to, std::slice::from_ref(&ahead))
        .unwrap();
    let (files, said) = super::seal_files(&out, &[b"hello"]);
    let it = &said[0];
    let sealed = Sealed {
        size: it.size,
        sealed_size: it.sealed_size,
        digest: it.digest,
    };
    let said = vec![ahead.sealed(sealed)];
    let made = out.envelope(&alice.sender(), &to, about(), said).unwrap();
    assert_eq!(made.object.len() as u64, size);
    let sent = Sent {
        transfer: transfer(1),
        object: made.object,
        manifest_hash: made.manifest_hash,
        files,
    };
    assert_eq!(sent.receive(&alice, &bob).unwrap(), [b"hello"]);
    let incoming = sent
        .open_with(&alice, &bob, &bob.kem, KeyKind::Bundle)
        .unwrap();
    assert_eq!(incoming.manifest().files[0].name.as_str(), "a.txt");
}

#[test]
fn what_cannot_be_sealed_has_no_size() {
    let (out, bob) = (Outgoing::generate(transfer(1)).unwrap(), recipients(1));
    let file = unsealed("a", "text/plain", 1);
    let size = |to: &[Recipient], files: &[Unsealed]| out.envelope_size(&about(), to, files);
    assert!(matches!(
        size(&[], std::slice::from_ref(&file)),
        Err(SealError::Recipients)
    ));
    assert!(matches!(size(&bob, &[]), Err(SealError::Recipients)));
    let twice = [bob.clone(), bob.clone()].concat();
    assert!(matches!(
        size(&twice, std::slice::from_ref(&file)),
        Err(SealError::Recipients)
    ));
    let everyone: Vec<_> = (0..=255).map(|it| Agent::new(it).recipient()).collect();
    size(&everyone, std::slice::from_ref(&file)).unwrap();
    let more = [&everyone[..], &bob].concat();
    assert!(matches!(
        size(&more, std::slice::from_ref(&file)),
        Err(SealError::TooMuch)
    ));
    let many = vec![file; 101];
    assert!(matches!(size(&bob, &many), Err(SealError::TooMuch)));
    let huge = unsealed("a", "text/plain", 1 << 52);
    assert!(matches!(size(&bob, &[huge]), Err(SealError::TooLong)));
    let most = size(&bob, &many[..100]).unwrap();
    assert!(most < MAX_ENVELOPE_BYTES as u64);
}

#[test]
fn the_largest_envelope_has_all_recipients_and_the_largest_manifest() {
    // Sealed, in 256 chunks, these are 4 MiB.
    let manifest = (4 << 20) - 56 - 256 * 16;
    let largest = manifest_object_len(256, manifest).unwrap();
    assert_eq!(largest, MAX_ENVELOPE_BYTES as u64);
    let largest = manifest_object_len(0, manifest).unwrap();
    assert_eq!(largest, person::MAX_ENVELOPE_BYTES);
    manifest_object_len(0, manifest + 1).unwrap_err();
}
