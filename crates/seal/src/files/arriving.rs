//! Opening a file as it comes, and going on with one that came in part.

use std::fmt;
use std::io::{ErrorKind, Read};

use agentdrop_cobblestone::{CHUNK_BYTES, HEADER_BYTES, Opener, SEALED_CHUNK_BYTES};
use agentdrop_envelope::FileHasher;
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize as _, Zeroizing};

use super::opening::{CHUNKS, Said};
use crate::OpenError;

/// Opens one file as it comes, chunk by chunk; memory is that of one chunk, however the pieces are cut.
///
/// Every byte that it releases was sealed with the key of its envelope, for the place where it stands. Whether it is all of
/// them, and whether they are what the envelope tells of, [`finish`](Self::finish) says: before that, the bytes belong into a
/// place where nobody looks, and on **any** error nothing of them is to be used.
pub struct FileOpening {
    said: Said,
    header: Header,
    hasher: FileHasher,
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
            hasher: said.keys.hasher(said.i),
            said,
            header: Header::Coming([0; HEADER_BYTES]),
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
        let opened = chunks * CHUNK_BYTES as u64;
        let mut hasher = said.keys.hasher(said.i);
        let kept_bytes = said.size.min(opened);
        if hash(&mut hasher, kept.take(kept_bytes))? != kept_bytes {
            return Err(OpenError::Refused);
        }
        Ok(Self {
            header: Header::Read(*header, opener),
            hasher,
            taken: HEADER_BYTES as u64 + chunks * SEALED_CHUNK_BYTES as u64,
            opened,
            ..Self::new(said)
        })
    }

    /// Whether `kept` is all of the file, and nothing more. Answers how many bytes it has.
    pub(super) fn check_whole(said: &Said, kept: impl Read) -> Result<u64, OpenError> {
        let mut hasher = said.keys.hasher(said.i);
        // One byte more than it may have shows that it has more.
        let size = hash(&mut hasher, kept.take(said.size.saturating_add(1)))?;
        let genuine = hasher.finish().ct_eq(&said.digest);
        if size != said.size || !bool::from(genuine) {
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
        let genuine = self.hasher.finish().ct_eq(&self.said.digest);
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
        let begin = out.len();
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
        self.hasher.update(out.get(begin..).unwrap_or_default());
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
        let begin = out.len();
        opener.open_next(chunk, out)?;
        let plain = out.get_mut(begin..).unwrap_or_default();
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

/// Takes all of `kept` in, and answers how many bytes it had.
fn hash(hasher: &mut FileHasher, mut kept: impl Read) -> Result<u64, OpenError> {
    let mut piece = Zeroizing::new(vec![0; CHUNKS * CHUNK_BYTES]);
    let mut size = 0;
    loop {
        let read = match kept.read(&mut piece) {
            Ok(0) => return Ok(size),
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(OpenError::Io(error)),
        };
        hasher.update(piece.get(..read).unwrap_or_default());
        size += read as u64;
    }
}
