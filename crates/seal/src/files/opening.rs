//! Opening the files of an envelope whose manifest was read.

use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};

use agentdrop_cobblestone::{HEADER_BYTES, Opener, SEALED_CHUNK_BYTES};
use agentdrop_envelope::{File, FileKey, Manifest, file_context};
use agentdrop_protocol::TransferId;
use aws_lc_rs::digest::{Context, SHA256};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::{FileKeys, FileReader};
use crate::OpenError;

/// Chunks that are opened at a time: as many bytes as the other formats buffer.
const CHUNKS: usize = 8;

/// What an envelope holds, and what opens it.
#[derive(Debug)]
pub(crate) struct Contents {
    keys: FileKeys,
    manifest: Manifest,
}

impl Contents {
    pub(crate) const fn new(key: FileKey, transfer: TransferId, manifest: Manifest) -> Self {
        Self {
            keys: FileKeys { key, transfer },
            manifest,
        }
    }

    pub(crate) const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Opens file `i`, from 1, into `sink`, flushes it, and answers how many bytes it wrote.
    ///
    /// Every byte that is written is genuine and stands where it belongs. Whether it is all of them is known at the end: on
    /// **any** error, throw away what `sink` holds.
    pub(crate) fn open_to(
        &self,
        i: u32,
        mut source: impl Read,
        mut sink: impl Write,
    ) -> Result<u64, OpenError> {
        let size = self.pass(i, &mut source, |_, piece| sink.write_all(piece))?;
        sink.flush()?;
        Ok(size)
    }

    /// Opens file `i`, from 1, where it lies, from where `source` stands on; answers how many bytes of it are plaintext now.
    ///
    /// Behind them still stands what is left of the sealed file, for the caller to cut off. On **any** error the file is
    /// neither the one nor the other any more: throw it away.
    pub(crate) fn open_in_place<R: Read + Write + Seek>(
        &self,
        i: u32,
        mut source: R,
    ) -> Result<(R, u64), OpenError> {
        let mut written = source.stream_position()?;
        let size = self.pass(i, &mut source, |source, piece| {
            // What is written is shorter than what was read by then: the header alone is ahead of it.
            let read = source.stream_position()?;
            source.seek(SeekFrom::Start(written))?;
            source.write_all(piece)?;
            written += piece.len() as u64;
            source.seek(SeekFrom::Start(read)).map(drop)
        })?;
        source.flush()?;
        Ok((source, size))
    }

    /// Opens parts of file `i`, whose stream begins with `header`.
    pub(crate) fn reader(
        &self,
        i: u32,
        header: &[u8; HEADER_BYTES],
    ) -> Result<FileReader, OpenError> {
        let said = self.said(i)?;
        let opener = self.opener(i, header)?;
        Ok(FileReader::new(opener, said.size, said.sealed_size))
    }

    fn said(&self, i: u32) -> Result<&File, OpenError> {
        let n = usize::try_from(i).ok().and_then(|it| it.checked_sub(1));
        let said = n.and_then(|it| self.manifest.files.get(it));
        said.ok_or(OpenError::Refused)
    }

    fn opener(&self, i: u32, header: &[u8; HEADER_BYTES]) -> Result<Opener, OpenError> {
        let context = file_context(self.keys.transfer.as_bytes(), i);
        Ok(Opener::new(&self.keys.key.file(i), &context, header)?)
    }

    fn pass<R: Read>(
        &self,
        i: u32,
        source: &mut R,
        mut take: impl FnMut(&mut R, &[u8]) -> std::io::Result<()>,
    ) -> Result<u64, OpenError> {
        let said = self.said(i)?;
        let mut digest = Context::new(&SHA256);
        let mut left = said.sealed_size;

        let mut begin = [0; HEADER_BYTES];
        source.read_exact(&mut begin).map_err(refuse_short)?;
        digest.update(&begin);
        left -= begin.len() as u64;
        let mut opener = self.opener(i, &begin)?;

        let whole = usize::try_from(left).unwrap_or(usize::MAX);
        let mut buffer = Zeroizing::new(vec![0; whole.min(CHUNKS * SEALED_CHUNK_BYTES)]);
        let mut size = 0;
        while left > 0 {
            let len = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
            let piece = buffer.get_mut(..len).ok_or(OpenError::Refused)?;
            source.read_exact(piece).map_err(refuse_short)?;
            digest.update(piece);
            left -= len as u64;
            for chunk in piece.chunks_mut(SEALED_CHUNK_BYTES) {
                let plain = opener.open_next(chunk)?;
                take(source, plain)?;
                size += plain.len() as u64;
            }
        }
        opener.finish()?;
        let more = source.take(1).read_to_end(&mut Vec::new())? > 0;
        let genuine = digest.finish().as_ref().ct_eq(&said.sealed_sha256);
        if more || size != said.size || !bool::from(genuine) {
            return Err(OpenError::Refused);
        }
        Ok(size)
    }
}

/// A file that ends too early is not a failure of the disk: it was cut.
fn refuse_short(error: std::io::Error) -> OpenError {
    if error.kind() == ErrorKind::UnexpectedEof {
        OpenError::Refused
    } else {
        OpenError::Io(error)
    }
}
