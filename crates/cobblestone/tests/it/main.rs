//! Streams against vectors that nobody here made, and against whoever changes them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod streams;
mod vectors;

use agentdrop_cobblestone::{HEADER_BYTES, Key, Opener, Refused, SEALED_CHUNK_BYTES, Sealer};

/// The whole stream of `plaintext`.
fn seal(key: [u8; 32], context: &[u8], plaintext: &[u8]) -> Vec<u8> {
    let (mut sealer, header) = Sealer::new(&Key::take(&mut { key }), context).unwrap();
    let mut stream = header.to_vec();
    sealer.update(plaintext, &mut stream).unwrap();
    sealer.finish(&mut stream).unwrap();
    stream
}

/// The whole plaintext of `stream`.
fn open(key: [u8; 32], context: &[u8], stream: &[u8]) -> Result<Vec<u8>, Refused> {
    let (header, chunks) = stream.split_first_chunk::<HEADER_BYTES>().ok_or(Refused)?;
    let mut opener = Opener::new(&Key::take(&mut { key }), context, header)?;
    let mut plaintext = Vec::new();
    for chunk in chunks.chunks(SEALED_CHUNK_BYTES) {
        opener.open_next(chunk, &mut plaintext)?;
    }
    opener.finish()?;
    Ok(plaintext)
}
