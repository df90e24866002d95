//! GB/s of sealing, verifying and opening one gibibyte in memory, beside the library's one-shot interface.
//!
//! Each figure is the best of three: what the machine does when nothing else runs.

use std::{
    error::Error,
    io::{self, Cursor, Write},
    time::Instant,
};

use agentdrop_seal::{ContentKey, FileSealer, SealedFile};
use aws_lc_rs::aead;

const BYTES: usize = 1 << 30;
const PIECE_BYTES: usize = 128 * 1024;

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
    })
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
    writeln!(io::stdout(), "{what:<36} {:>6.2} GB/s", bytes / best / 1e9)?;
    Ok(())
}
