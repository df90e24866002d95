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
    let mut manifest = Zeroizing::new(Vec::with_capacity(rest.0.len()));
    for chunk in rest.0.chunks(SEALED_CHUNK_BYTES) {
        opener.open_next(chunk, &mut manifest)?;
    }
    opener.finish()?;
    Ok(manifest)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `manifest` would be where another length stands before it, made by somebody who has the key: bound to what the
    /// reader takes for all that stands before.
    fn lying(manifest: &[u8], lie: i32) -> Result<Zeroizing<Vec<u8>>, Malformed> {
        let key = FileKey::take(&mut [7; 32]);
        let header = Header {
            transfer: [9; 16],
            prekeys: false,
            stanzas: vec![],
        };
        let salt = [2; SALT_BYTES];
        let mut object = header.to_bytes().unwrap();
        let length = agentdrop_cobblestone::sealed_len(manifest.len() as u64).unwrap();
        let said = u32::try_from(length).unwrap().checked_add_signed(lie);
        object.extend_from_slice(&said.unwrap().to_be_bytes());
        let mut before = [&object[..], &salt].concat();
        before.truncate(object.len().checked_add_signed(-lie as isize).unwrap());
        let (mut sealer, begin) = Sealer::salted(&key.manifest(), &manifest_context(&before), salt);
        object.extend_from_slice(&begin);
        sealer.update(manifest, &mut object).unwrap();
        sealer.finish(&mut object).unwrap();
        let (_, behind) = Header::read(&object).unwrap();
        open_manifest(&object, behind, &key)
    }

    #[test]
    fn a_manifest_is_as_long_as_is_said_before_it() {
        assert_eq!(lying(b"manifest", 0).unwrap()[..], b"manifest"[..]);
        for lie in [-24, -1, 1, 4] {
            assert_eq!(lying(b"manifest", lie), Err(Malformed), "{lie}");
        }
    }

    #[test]
    fn a_manifest_fills_its_room_and_no_more() {
        // Sealed, in 256 chunks, these are 4 MiB.
        let largest = vec![1; MAX_MANIFEST_BYTES - HEADER_BYTES - 256 * 16];
        assert_eq!(sealed_manifest_len(largest.len()), Ok(4 << 20));
        assert!(*lying(&largest, 0).unwrap() == largest);
        let larger = [&largest[..], &[1]].concat();
        assert_eq!(sealed_manifest_len(larger.len()), Err(Malformed));
        assert_eq!(lying(&larger, 0), Err(Malformed));
    }
}
