//! Opening the files of an envelope whose manifest was read.

use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};

use agentdrop_cobblestone::{HEADER_BYTES, SEALED_CHUNK_BYTES};
use agentdrop_envelope::{File, Manifest};
use zeroize::Zeroizing;

use super::{FileKeys, FileOpening, FileReader};
use crate::OpenError;

/// Chunks that are opened at a time: as many bytes as the other formats buffer.
pub(super) const CHUNKS: usize = 8;

/// What an envelope holds, and what opens it.
#[derive(Debug)]
pub(crate) struct Contents {
    keys: FileKeys,
    manifest: Manifest,
}

/// What the envelope says of one file, and what opens it.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) keys: FileKeys,
    pub(super) i: u32,
    pub(super) size: u64,
    /// How long it is with its padding.
    pub(super) padded: u64,
    pub(super) sealed_size: u64,
    pub(super) digest: [u8; 32],
}

impl Contents {
    pub(crate) const fn new(keys: FileKeys, manifest: Manifest) -> Self {
        Self { keys, manifest }
    }

    pub(crate) const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Begins to open file `i`, from 1.
    pub(crate) fn opening(&self, i: u32) -> Result<FileOpening, OpenError> {
        Ok(FileOpening::new(self.said(i)?))
    }

    /// Goes on with file `i` behind `chunks` chunks, of which `kept` holds the plaintext.
    pub(crate) fn opening_from(
        &self,
        i: u32,
        header: &[u8; HEADER_BYTES],
        chunks: u64,
        kept: impl Read,
    ) -> Result<FileOpening, OpenError> {
        FileOpening::resumed(self.said(i)?, header, chunks, kept)
    }

    /// Whether `kept` is all of file `i`, and nothing more.
    pub(crate) fn check_whole(&self, i: u32, kept: impl Read) -> Result<u64, OpenError> {
        FileOpening::check_whole(&self.said(i)?, kept)
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
        let said = self.file(i)?;
        let opener = self.keys.opener(i, header, 0)?;
        Ok(FileReader::new(opener, said.size, said.sealed_size))
    }

    fn file(&self, i: u32) -> Result<&File, OpenError> {
        let n = usize::try_from(i).ok().and_then(|it| it.checked_sub(1));
        let said = n.and_then(|it| self.manifest.files.get(it));
        said.ok_or(OpenError::Refused)
    }

    fn said(&self, i: u32) -> Result<Said, OpenError> {
        let said = self.file(i)?;
        let padded = self.keys.padding().padded_len(said.size);
        Ok(Said {
            keys: self.keys.again(),
            i,
            size: said.size,
            padded: padded.ok_or(OpenError::Refused)?,
            sealed_size: said.sealed_size,
            digest: said.digest,
        })
    }

    fn pass<R: Read>(
        &self,
        i: u32,
        source: &mut R,
        mut take: impl FnMut(&mut R, &[u8]) -> std::io::Result<()>,
    ) -> Result<u64, OpenError> {
        let mut opening = self.opening(i)?;
        let mut left = opening.sealed_size();
        let whole = usize::try_from(left).unwrap_or(usize::MAX);
        let mut buffer = vec![0; whole.min(CHUNKS * SEALED_CHUNK_BYTES)];
        let mut plain = Zeroizing::new(Vec::with_capacity(buffer.len()));
        // The header first: what follows it is cut where chunks are.
        let mut len = HEADER_BYTES;
        while left > 0 {
            let piece = buffer.get_mut(..len).ok_or(OpenError::Refused)?;
            source.read_exact(piece).map_err(refuse_short)?;
            left = left.saturating_sub(len as u64);
            plain.clear();
            let opened = opening.update(piece, &mut plain);
            take(source, &plain)?;
            opened?;
            len = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
        }
        if source.take(1).read_to_end(&mut Vec::new())? > 0 {
            return Err(OpenError::Refused);
        }
        opening.finish()
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
