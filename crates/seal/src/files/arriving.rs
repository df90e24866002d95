//! Opening a file as it comes, and going on with one that came in part.

use std::fmt;
use std::io::{Read, repeat};

use agentdrop_cobblestone::{CHUNK_BYTES, HEADER_BYTES, Opener, SEALED_CHUNK_BYTES};
use aws_lc_rs::digest::{Context, SHA256};
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize as _, Zeroizing};

use super::opening::{Said, refuse_short};
use crate::OpenError;

/// Opens one file as it comes, chunk by chunk; memory is that of one chunk, however the pieces are cut.
///
/// Every byte that it releases was sealed with the key of its envelope, for the place where it stands. Whether it is all of
/// them, and whether they are what the envelope tells of, [`finish`](Self::finish) says: before that, the bytes belong into a
/// place where nobody looks, and on **any** error nothing of them is to be used.
pub struct FileOpening {
    said: Said,
    header: Header,
    digest: Context,
    /// Bytes of the stream that were taken in.
    taken: u64,
    /// Bytes that were opened, in which padding is too.
    opened: u64,
    /// What is not a whole chunk yet.
    pending: Vec<u8>,
    refused: bool,
}

/// What a stream begins with.
enum Header {
    Coming([u8; HEADER_BYTES]),
    Read([u8; HEADER_BYTES], Opener),
}

impl FileOpening {
    pub(super) fn new(said: Said) -> Self {
        Self {
            said,
            header: Header::Coming([0; HEADER_BYTES]),
            digest: Context::new(&SHA256),
            taken: 0,
            opened: 0,
            pending: Vec::new(),
            refused: false,
        }
    }

    /// Goes on behind `chunks` chunks, of which `kept` holds the plaintext.
    pub(super) fn resumed(
        said: Said,
        header: &[u8; HEADER_BYTES],
        chunks: u64,
        kept: impl Read,
    ) -> Result<Self, OpenError> {
        // The last chunk, which is shorter, comes anew: a stream ends with it.
        if chunks > said.padded / CHUNK_BYTES as u64 {
            return Err(OpenError::Refused);
        }
        let opener = said.keys.opener(said.i, header, chunks)?;
        let mut digest = Context::new(&SHA256);
        digest.update(header);
        let opened = chunks * CHUNK_BYTES as u64;
        let plain = kept.take(said.size.min(opened));
        let mut plain = plain.chain(repeat(0).take(opened.saturating_sub(said.size)));
        let mut sealer = said.keys.resealer(said.i, header);
        let mut chunk = Zeroizing::new(vec![0; CHUNK_BYTES]);
        let mut sealed = Vec::with_capacity(SEALED_CHUNK_BYTES);
        for _ in 0..chunks {
            plain.read_exact(&mut chunk).map_err(refuse_short)?;
            sealed.clear();
            let again = sealer.update(&chunk, &mut sealed);
            again.map_err(|_| OpenError::Refused)?;
            digest.update(&sealed);
        }
        Ok(Self {
            header: Header::Read(*header, opener),
            digest,
            taken: HEADER_BYTES as u64 + chunks * SEALED_CHUNK_BYTES as u64,
            opened,
            ..Self::new(said)
        })
    }

    /// Whether `kept` is all of the file, and nothing more: sealed again, with its padding and its last chunk, it has to be
    /// what the envelope tells of. Answers how many bytes it has.
    pub(super) fn check_whole(
        said: &Said,
        header: &[u8; HEADER_BYTES],
        mut kept: impl Read,
    ) -> Result<u64, OpenError> {
        // What the stream begins with says of itself which key it is for.
        said.keys.opener(said.i, header, 0)?;
        let mut digest = Context::new(&SHA256);
        digest.update(header);
        let padding = said.padded.saturating_sub(said.size);
        let mut plain = (&mut kept).take(said.size).chain(repeat(0).take(padding));
        let mut sealer = said.keys.resealer(said.i, header);
        let mut chunk = Zeroizing::new(vec![0; CHUNK_BYTES]);
        let mut sealed = Vec::with_capacity(SEALED_CHUNK_BYTES);
        let (mut left, mut length) = (said.padded, HEADER_BYTES as u64);
        while left > 0 {
            let len = usize::try_from(left).map_or(CHUNK_BYTES, |it| it.min(CHUNK_BYTES));
            let piece = chunk.get_mut(..len).ok_or(OpenError::Refused)?;
            plain.read_exact(piece).map_err(refuse_short)?;
            left = left.saturating_sub(len as u64);
            let again = sealer.update(piece, &mut sealed);
            again.map_err(|_| OpenError::Refused)?;
            digest.update(&sealed);
            length += sealed.len() as u64;
            sealed.clear();
        }
        let last = sealer.finish(&mut sealed);
        last.map_err(|_| OpenError::Refused)?;
        digest.update(&sealed);
        length += sealed.len() as u64;
        let is_longer = kept.take(1).read_to_end(&mut Vec::new())? > 0;
        let genuine = digest.finish().as_ref().ct_eq(&said.sha256);
        if is_longer || length != said.sealed_size || !bool::from(genuine) {
            return Err(OpenError::Refused);
        }
        Ok(said.size)
    }

    /// Takes the next bytes of the stream in, and appends what opened to `out`.
    ///
    /// After an error it takes nothing in any more.
    pub fn update(&mut self, sealed: &[u8], out: &mut Vec<u8>) -> Result<(), OpenError> {
        if self.refused {
            return Err(OpenError::Refused);
        }
        let taken = self.take(sealed, out);
        self.refused = taken.is_err();
        taken
    }

    /// Whether the whole file came, and is the one that the envelope tells of; answers how many bytes it has.
    pub fn finish(self) -> Result<u64, OpenError> {
        let Header::Read(_, opener) = self.header else {
            return Err(OpenError::Refused);
        };
        opener.finish()?;
        let whole = self.taken == self.said.sealed_size && self.opened == self.said.padded;
        let genuine = self.digest.finish().as_ref().ct_eq(&self.said.sha256);
        if self.refused || !whole || !bool::from(genuine) {
            return Err(OpenError::Refused);
        }
        Ok(self.said.size)
    }

    /// How many bytes of the stream were taken in: where the next one stands in it.
    pub const fn taken(&self) -> u64 {
        self.taken
    }

    /// How many bytes the stream has.
    pub const fn sealed_size(&self) -> u64 {
        self.said.sealed_size
    }

    /// How many whole chunks were opened: with as many it can go on elsewhere, by the [`header`](Self::header) and the first
    /// `chunks * 16384` bytes of the file, or all of it where that is less.
    pub const fn chunks(&self) -> u64 {
        self.opened / CHUNK_BYTES as u64
    }

    /// What the stream begins with, once that came.
    pub const fn header(&self) -> Option<&[u8; HEADER_BYTES]> {
        match &self.header {
            Header::Coming(_) => None,
            Header::Read(header, _) => Some(header),
        }
    }

    fn take(&mut self, sealed: &[u8], out: &mut Vec<u8>) -> Result<(), OpenError> {
        let left = self.said.sealed_size.saturating_sub(self.taken);
        let mine = usize::try_from(left).map_or(sealed.len(), |it| it.min(sealed.len()));
        let (mine, too_much) = sealed.split_at(mine);
        let mut rest = self.begin(mine)?;
        out.reserve(rest.len());
        while !rest.is_empty() {
            let len = self.chunk_len();
            let missing = len.saturating_sub(self.pending.len());
            let (now, later) = rest.split_at(missing.min(rest.len()));
            rest = later;
            self.taken += now.len() as u64;
            if now.len() == len {
                self.open(now, out)?;
                continue;
            }
            self.pending.extend_from_slice(now);
            if self.pending.len() == len {
                let mut chunk = std::mem::take(&mut self.pending);
                self.open(&chunk, out)?;
                chunk.clear();
                self.pending = chunk;
            }
        }
        if too_much.is_empty() {
            Ok(())
        } else {
            Err(OpenError::Refused)
        }
    }

    /// Takes in what belongs to the header, and answers what stands behind it.
    fn begin<'s>(&mut self, sealed: &'s [u8]) -> Result<&'s [u8], OpenError> {
        let Header::Coming(header) = &mut self.header else {
            return Ok(sealed);
        };
        let at = usize::try_from(self.taken).unwrap_or(HEADER_BYTES);
        let room = header.get_mut(at..).unwrap_or_default();
        let (now, later) = sealed.split_at(room.len().min(sealed.len()));
        for (to, from) in room.iter_mut().zip(now) {
            *to = *from;
        }
        self.taken += now.len() as u64;
        if self.taken == HEADER_BYTES as u64 {
            let header = *header;
            let opener = self.said.keys.opener(self.said.i, &header, 0)?;
            self.digest.update(&header);
            self.header = Header::Read(header, opener);
        }
        Ok(later)
    }

    /// How long the chunk is that comes next: all are of one length but the last.
    fn chunk_len(&self) -> usize {
        let begin = self.taken.saturating_sub(self.pending.len() as u64);
        let left = usize::try_from(self.said.sealed_size.saturating_sub(begin));
        left.map_or(SEALED_CHUNK_BYTES, |it| it.min(SEALED_CHUNK_BYTES))
    }

    /// Opens a whole chunk at the end of `out`; of one that is refused, nothing stays there.
    fn open(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), OpenError> {
        let Header::Read(_, opener) = &mut self.header else {
            return Err(OpenError::Refused);
        };
        self.digest.update(chunk);
        let begin = out.len();
        out.extend_from_slice(chunk);
        let place = out.get_mut(begin..).unwrap_or_default();
        let Ok(plain) = opener.open_next(place) else {
            out.truncate(begin);
            return Err(OpenError::Refused);
        };
        let left = self.said.size.saturating_sub(self.opened);
        let wanted = usize::try_from(left).map_or(plain.len(), |it| it.min(plain.len()));
        let padding = plain.get(wanted..).unwrap_or_default();
        if padding.iter().any(|it| *it != 0) {
            plain.zeroize();
            out.truncate(begin);
            return Err(OpenError::Refused);
        }
        self.opened += plain.len() as u64;
        out.truncate(begin + wanted);
        Ok(())
    }
}

impl fmt::Debug for FileOpening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileOpening")
            .field("taken", &self.taken)
            .field("chunks", &self.chunks())
            .finish_non_exhaustive()
    }
}
