//! GB/s of sealing, verifying and opening one gibibyte in memory, beside the library's one-shot interface; and how long it
//! takes to make, and to open, an envelope between agents.
//!
//! Each figure is the best of three: what the machine does when nothing else runs.

use std::{
    error::Error,
    io::{self, Cursor, Write},
    time::Instant,
};

use agentdrop_protocol::{AgentId, EncryptionPublicKey, Timestamp, TransferId};
use agentdrop_seal::identity::{Bundle, IdentityKey, KemKey};
use agentdrop_seal::native::{self, Arrived, FileSalt, KeyKind, Outgoing, Recipient, Sender};
use agentdrop_seal::{ContentKey, FileSealer, PartMac, SealedFile};
use aws_lc_rs::{aead, digest};

const BYTES: usize = 1 << 30;
const PIECE_BYTES: usize = 128 * 1024;
const BATCH_BYTES: usize = 64 * 1024;

fn main() -> Result<(), Box<dyn Error>> {
    let key = ContentKey::generate()?;
    let mut message = vec![0x5a; BYTES];

    let one_shot = aead::LessSafeKey::new(aead::UnboundKey::new(
        &aead::AES_256_GCM,
        key.expose_secret(),
    )?);
    measure("one shot, sealed in place", || {
        let nonce = aead::Nonce::assume_unique_for_key(*FileSealer::new(&key)?.nonce().as_bytes());
        one_shot
            .seal_in_place_separate_tag(nonce, aead::Aad::empty(), &mut message)
            .map(drop)?;
        Ok(())
    })?;
    measure("FileSealer::update, sealed in place", || {
        let mut sealer = FileSealer::new(&key)?;
        message
            .chunks_mut(PIECE_BYTES)
            .try_for_each(|piece| sealer.update(piece))?;
        sealer.finish()?;
        Ok(())
    })?;
    measure("FileSealer::seal_to", || {
        FileSealer::new(&key)?.seal_to(message.as_slice(), io::sink())?;
        Ok(())
    })?;

    let mut sealer = FileSealer::new(&key)?;
    let nonce = sealer.nonce();
    sealer.update(&mut message)?;
    message.extend(sealer.finish()?);
    measure("SealedFile::verify", || {
        SealedFile::new(Cursor::new(&message), nonce)?.verify(&key)?;
        Ok(())
    })?;
    measure("SealedFile::verify, then open_to", || {
        SealedFile::new(Cursor::new(&message), nonce)?
            .verify(&key)?
            .open_to(io::sink())?;
        Ok(())
    })?;
    message.truncate(BYTES);
    between_agents(message)
}

/// The native envelope: files in chunks, with their digest, in batches as they come from a disk or a socket.
fn between_agents(message: Vec<u8>) -> Result<(), Box<dyn Error>> {
    measure("SHA-256 alone, for comparison", || {
        std::hint::black_box(digest::digest(&digest::SHA256, &message));
        Ok(())
    })?;
    measure("BLAKE3 alone, which a file's digest takes", || {
        let mut hasher = blake3::Hasher::new_keyed(&[0; 32]);
        message.chunks(BATCH_BYTES).for_each(|it| {
            hasher.update(it);
        });
        std::hint::black_box(hasher.finalize());
        Ok(())
    })?;
    let (now, transfer) = (Timestamp::from_millis(0), TransferId::from_bytes([1; 16]));
    let out = Outgoing::generate(transfer)?;
    let salt = FileSalt::generate()?;
    let mut sealed = Vec::with_capacity(2 * BATCH_BYTES);
    let mut said = None;
    measure("native file, sealed in 64 KiB batches", || {
        sealed.clear();
        let mut sealer = out.file(1, salt, &mut sealed);
        for piece in message.chunks(BATCH_BYTES) {
            sealed.clear();
            sealer.update(piece, &mut sealed)?;
        }
        said = Some(sealer.finish(&mut sealed)?);
        Ok(())
    })?;
    let said = said.ok_or("nothing was sealed")?;
    let mut stream = Vec::with_capacity(usize::try_from(said.sealed_size)?);
    let mut sealer = out.file(1, salt, &mut stream);
    sealer.update(&message, &mut stream)?;
    sealer.finish(&mut stream)?;
    drop(message);
    tags(&stream)?;

    let (alice, bob) = (AgentId::from_bytes([2; 16]), AgentId::from_bytes([3; 16]));
    let (identity, mine) = (IdentityKey::generate()?, IdentityKey::generate()?);
    let kem = KemKey::generate()?;
    let bundle = mine.sign_bundle(Bundle {
        agent: bob,
        version: 1,
        identity: mine.public_key(),
        kem: kem.public_key().clone(),
        compatible: EncryptionPublicKey::try_from([9; 32])?,
        min_suite: 1,
        not_after: Timestamp::from_millis(2),
        previous: None,
    });
    let to = [Recipient::new(&bundle.check(bob, None, now)?)?];
    let sender = Sender {
        agent: alice,
        identity: &identity,
    };
    let about = native::About {
        message: None,
        created: now,
        expires: Timestamp::from_millis(1),
        seq: 1,
        policy: native::Policy {
            max_downloads: 1,
            auto_delete: true,
        },
    };
    let file = native::File {
        name: "a.bin".parse()?,
        content_type: "application/octet-stream".parse()?,
        size: said.size,
        sealed_size: said.sealed_size,
        digest: said.digest,
    };
    let seal = || out.envelope(&sender, &to, about.clone(), vec![file.clone()]);
    let object = seal()?.object;
    let open = || {
        let arrived = Arrived::read(transfer, bob, &mine.public_key(), &object)?;
        let claimed = arrived.open(&kem, KeyKind::Bundle)?;
        claimed.verify(alice, &identity.public_key(), now)
    };
    let incoming = open()?;
    measure("native file, opened", || {
        incoming.open_to(1, stream.as_slice(), io::sink())?;
        Ok(())
    })?;
    let mut plain = Vec::with_capacity(2 * BATCH_BYTES);
    measure("native file, opened as it comes, 64 KiB", || {
        let mut opening = incoming.opening(1)?;
        for piece in stream.chunks(BATCH_BYTES) {
            plain.clear();
            opening.update(piece, &mut plain)?;
        }
        opening.finish()?;
        Ok(())
    })?;
    each("envelope for one recipient, sealed", || {
        seal().map(drop).map_err(Into::into)
    })?;
    each("envelope for one recipient, opened", || {
        open().map(drop).map_err(Into::into)
    })
}

/// Tags of parts, by which what left the machine is known again.
fn tags(stream: &[u8]) -> Result<(), Box<dyn Error>> {
    const PART_BYTES: usize = 50 << 20;
    let mac = PartMac::generate()?;
    measure("PartMac::tag, of parts of 50 MiB", || {
        for (n, part) in (1..).zip(stream.chunks(PART_BYTES)) {
            std::hint::black_box(mac.tag(1, n, part)?);
        }
        Ok(())
    })?;
    measure("PartMac::tag_of_chunks, of the same", || {
        for (n, part) in (1..).zip(stream.chunks(PART_BYTES)) {
            let from = u64::from(n - 1) * PART_BYTES as u64;
            std::hint::black_box(mac.tag_of_chunks(1, n, from, part)?);
        }
        Ok(())
    })
}

fn each(
    what: &str,
    mut work: impl FnMut() -> Result<(), Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    const TIMES: u32 = 1000;
    let begin = Instant::now();
    for _ in 0..TIMES {
        work()?;
    }
    let one = begin.elapsed().as_secs_f64() / f64::from(TIMES);
    writeln!(io::stdout(), "{what:<42} {:>6.0} µs", one * 1e6)?;
    Ok(())
}

fn measure(
    what: &str,
    mut work: impl FnMut() -> Result<(), Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    let mut best = f64::INFINITY;
    for _ in 0..3 {
        let begin = Instant::now();
        work()?;
        best = best.min(begin.elapsed().as_secs_f64());
    }
    let bytes = f64::from(u32::try_from(BYTES)?);
    writeln!(io::stdout(), "{what:<42} {:>6.2} GB/s", bytes / best / 1e9)?;
    Ok(())
}
