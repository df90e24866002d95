//! Opening an envelope that is for a person.

use std::io::{Read, Seek, Write};

use agentdrop_cobblestone::HEADER_BYTES;
use agentdrop_envelope::{Header, Manifest, Padding, open_manifest};
use agentdrop_protocol::{Timestamp, TransferId};

use super::{MAX_ENVELOPE_BYTES, file_key, fingerprint};
use crate::files::{Contents, FileKeys, FileOpening};
use crate::{OpenError, PublicKey, Salt, SecretKey};

/// A transfer whose envelope opened: what it holds, and what opens it.
#[derive(Debug)]
pub struct Incoming(Contents);

impl Incoming {
    /// Opens object 0 of `transfer`, which came with `ephemeral` as `encrypted_key` and `salt` as `encryption_salt`.
    ///
    /// It has to be of this very transfer, and for this very key. Who sent it is not shown by it: what it says of that is the
    /// word of whoever made it.
    pub fn open(
        transfer: TransferId,
        mine: &SecretKey,
        ephemeral: &PublicKey,
        salt: &Salt,
        envelope: &[u8],
        now: Timestamp,
    ) -> Result<Self, OpenError> {
        if envelope.len() as u64 > MAX_ENVELOPE_BYTES {
            return Err(OpenError::Refused);
        }
        let key = file_key(mine, ephemeral, salt)?;
        let (header, behind) = Header::read(envelope)?;
        // Other keys than the one that was agreed on here could be wrapped in stanzas: for whom, nobody could tell.
        if header.transfer != *transfer.as_bytes() || !header.stanzas.is_empty() || header.prekeys {
            return Err(OpenError::Refused);
        }
        let manifest = open_manifest(envelope, behind, &key)?;
        let (manifest, ..) = Manifest::read(&manifest, Padding::None)?;
        let mine = fingerprint(&mine.public_key());
        let is_for_me = matches!(&*manifest.recipients, [it] if it.fingerprint == mine);
        if manifest.transfer != header.transfer || !is_for_me || manifest.files.is_empty() {
            return Err(OpenError::Refused);
        }
        if manifest.expires <= now {
            return Err(OpenError::Expired);
        }
        Ok(Self(Contents::new(
            FileKeys::new(key, transfer, Padding::None),
            manifest,
        )))
    }

    /// What the envelope says.
    pub const fn manifest(&self) -> &Manifest {
        self.0.manifest()
    }

    /// Begins to open file `i`, from 1, as it comes.
    pub fn opening(&self, i: u32) -> Result<FileOpening, OpenError> {
        self.0.opening(i)
    }

    /// Goes on with file `i`, of which `chunks` chunks were opened before, here or in another process.
    ///
    /// `header` is what its stream begins with, and `kept` the first `chunks * 16384` bytes of the file, or all of it where
    /// that is less; what stands behind them there is not read. The digest in the envelope vouches for them too: if one of
    /// them was changed, [`FileOpening::finish`] is an error, and the file has to come anew. [`FileOpening::taken`] says from
    /// where on the stream has to come.
    pub fn opening_from(
        &self,
        i: u32,
        header: &[u8; HEADER_BYTES],
        chunks: u64,
        kept: impl Read,
    ) -> Result<FileOpening, OpenError> {
        self.0.opening_from(i, header, chunks, kept)
    }

    /// Opens file `i`, from 1, into `sink`, flushes it, and answers how many bytes it wrote.
    ///
    /// Every byte that is written is genuine and stands where it belongs. Whether it is all of them is known at the end: on
    /// **any** error, throw away what `sink` holds.
    pub fn open_to(&self, i: u32, source: impl Read, sink: impl Write) -> Result<u64, OpenError> {
        self.0.open_to(i, source, sink)
    }

    /// Opens file `i`, from 1, where it lies, from where `source` stands on; answers how many bytes of it are plaintext now.
    ///
    /// Behind them still stands what is left of the sealed file, for the caller to cut off. On **any** error the file is
    /// neither the one nor the other any more: throw it away.
    pub fn open_in_place<R: Read + Write + Seek>(
        &self,
        i: u32,
        source: R,
    ) -> Result<(R, u64), OpenError> {
        self.0.open_in_place(i, source)
    }
}
