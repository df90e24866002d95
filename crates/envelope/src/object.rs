//! Object 0: the header, and the manifest sealed behind it.

use agentdrop_cobblestone::{HEADER_BYTES, Opener, SALT_BYTES, SEALED_CHUNK_BYTES, Sealer};
use zeroize::Zeroizing;

use crate::file_key::{FileKey, manifest_context};
use crate::header::Rest;
use crate::{Header, MAX_MANIFEST_BYTES, MAX_RECIPIENTS, Malformed, Stanza};

/// `header ‖ u32be length ‖ sealed manifest`, with a salt that was drawn for it.
pub fn manifest_object(
    header: &Header,
    key: &FileKey,
    manifest: &[u8],
    salt: [u8; SALT_BYTES],
) -> Result<Vec<u8>, Malformed> {
    let mut object = header.to_bytes()?;
    let length = sealed_manifest_len(manifest.len())?;
    object.extend_from_slice(&length.to_be_bytes());
    let (mut sealer, begin) = Sealer::salted(&key.manifest(), &manifest_context(&object), salt);
    object.extend_from_slice(&begin);
    sealer
        .update(manifest, &mut object)
        .map_err(|_| Malformed)?;
    sealer.finish(&mut object).map_err(|_| Malformed)?;
    Ok(object)
}

/// How many bytes that has, with a header of so many stanzas and a manifest of `manifest` bytes, padded.
pub fn manifest_object_len(stanzas: usize, manifest: usize) -> Result<u64, Malformed> {
    let header = Header::FIXED_BYTES + stanzas.min(MAX_RECIPIENTS) * Stanza::BYTES;
    let sealed = u64::from(sealed_manifest_len(manifest)?);
    Ok(header as u64 + size_of::<u32>() as u64 + sealed)
}

fn sealed_manifest_len(manifest: usize) -> Result<u32, Malformed> {
    let length = agentdrop_cobblestone::sealed_len(manifest as u64);
    let length = length.and_then(|it| u32::try_from(it).ok());
    let length = length.filter(|it| *it as usize <= MAX_MANIFEST_BYTES);
    length.ok_or(Malformed)
}

/// The bytes of the manifest in `object`, whose header was read already and left `behind`.
pub fn open_manifest(
    object: &[u8],
    behind: &[u8],
    key: &FileKey,
) -> Result<Zeroizing<Vec<u8>>, Malformed> {
    let mut rest = Rest(behind);
    let length = u32::from_be_bytes(rest.array()?) as usize;
    if length > MAX_MANIFEST_BYTES || rest.0.len() != length {
        return Err(Malformed);
    }
    let before = object
        .len()
        .checked_sub(length)
        .and_then(|at| object.get(..at));
    let context = manifest_context(before.ok_or(Malformed)?);
    let begin = rest.array::<HEADER_BYTES>()?;
    let mut opener = Opener::new(&key.manifest(), &context, &begin)?;
    let mut sealed = Zeroizing::new(rest.0.to_vec());
    let mut manifest = Zeroizing::new(Vec::with_capacity(sealed.len()));
    for chunk in sealed.chunks_mut(SEALED_CHUNK_BYTES) {
        manifest.extend_from_slice(opener.open_next(chunk)?);
    }
    opener.finish()?;
    Ok(manifest)
}
