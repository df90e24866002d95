//! Files of any size through one buffer of fixed size.
//!
//! Sealing is one pass. Opening is two, because the tag that vouches for a file stands at its end: the first checks it and
//! releases nothing, the second decrypts.

use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};

use zeroize::{Zeroize, Zeroizing};

use crate::{
    ContentKey, Nonce, OpenError, SealError,
    gcm::{GcmError, MAX_PLAINTEXT_BYTES, Opener, Sealer, TAG_BYTES},
};

/// Small enough to stay in a core's second cache, large enough that calls cost nothing.
const BUFFER_BYTES: usize = 128 * 1024;

/// Seals one file: `AES-256-GCM(key, nonce, plaintext) = ciphertext ‖ tag`, empty additional data (NIST SP 800-38D §7.1).
///
/// Either give it a whole file with [`seal_to`](Self::seal_to), or pump: [`update`](Self::update) each piece in place, and
/// send the tag that [`finish`](Self::finish) answers after the last. Where the pieces are cut makes no difference.
#[derive(Debug)]
pub struct FileSealer {
    gcm: Sealer,
    nonce: Nonce,
}

impl FileSealer {
    /// Begins a file, with a nonce drawn for it.
    pub fn new(key: &ContentKey) -> Result<Self, SealError> {
        Self::again(key, Nonce::generate()?)
    }

    /// Begins a file anew whose nonce has already been sent, to resume an upload.
    ///
    /// It **must** be the same file, unchanged. Two texts under one key and nonce give away their difference, and the means
    /// to forge tags under this key.
    pub fn again(key: &ContentKey, nonce: Nonce) -> Result<Self, SealError> {
        let gcm = Sealer::new(key.secret(), &nonce)?;
        Ok(Self { gcm, nonce })
    }

    /// Answers the nonce, which whoever opens the file needs.
    pub const fn nonce(&self) -> Nonce {
        self.nonce
    }

    /// Turns the next piece of plaintext into ciphertext, in place.
    pub fn update(&mut self, piece: &mut [u8]) -> Result<(), SealError> {
        Ok(self.gcm.update(piece)?)
    }

    /// Ends the file and answers its tag. Without it the file cannot be opened.
    pub fn finish(self) -> Result<[u8; TAG_BYTES], SealError> {
        Ok(self.gcm.finish()?)
    }

    /// Seals everything that `plaintext` yields, flushes `sink`, and answers how many bytes it wrote.
    pub fn seal_to(
        mut self,
        mut plaintext: impl Read,
        mut sink: impl Write,
    ) -> Result<u64, SealError> {
        // What is left in it when it is dropped is ciphertext: a piece is sealed where it was read.
        let mut buffer = vec![0; BUFFER_BYTES];
        let mut sealed_bytes = 0;
        loop {
            let piece = match plaintext.read(&mut buffer) {
                Ok(0) => break,
                Ok(len) => buffer.get_mut(..len).ok_or(SealError::Library)?,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            };
            if let Err(error) = self.update(piece) {
                piece.zeroize();
                return Err(error);
            }
            sink.write_all(piece)?;
            sealed_bytes += piece.len() as u64;
        }
        sink.write_all(&self.finish()?)?;
        sink.flush()?;
        Ok(sealed_bytes + TAG_BYTES as u64)
    }
}

/// A sealed file about which nothing is known yet: `ciphertext ‖ tag`.
#[derive(Debug)]
pub struct SealedFile<R> {
    source: R,
    nonce: Nonce,
    begin: u64,
    plaintext_bytes: u64,
}

impl<R: Read + Seek> SealedFile<R> {
    /// Finds the file that begins where `source` stands and ends where `source` ends.
    pub fn new(mut source: R, nonce: Nonce) -> Result<Self, OpenError> {
        let begin = source.stream_position()?;
        let end = source.seek(SeekFrom::End(0))?;
        let plaintext_bytes = end
            .checked_sub(begin)
            .and_then(|sealed_bytes| sealed_bytes.checked_sub(TAG_BYTES as u64))
            .filter(|bytes| *bytes <= MAX_PLAINTEXT_BYTES)
            .ok_or(OpenError::Refused)?;
        Ok(Self {
            source,
            nonce,
            begin,
            plaintext_bytes,
        })
    }

    /// Checks the tag over the whole ciphertext, and releases not a byte of it.
    pub fn verify(mut self, key: &ContentKey) -> Result<VerifiedFile<'_, R>, OpenError> {
        self.pass(key, |_, _| Ok(()))?;
        Ok(VerifiedFile { file: self, key })
    }

    /// `AES-256-GCM⁻¹(key, nonce, ciphertext ‖ tag)`, NIST SP 800-38D §7.2, a piece at a time to `take`.
    fn pass(
        &mut self,
        key: &ContentKey,
        mut take: impl FnMut(&mut R, &[u8]) -> std::io::Result<()>,
    ) -> Result<(), OpenError> {
        self.source.seek(SeekFrom::Start(self.begin))?;
        let mut gcm = Opener::new(key.secret(), &self.nonce)?;
        let whole = usize::try_from(self.plaintext_bytes).unwrap_or(usize::MAX);
        let mut buffer = Zeroizing::new(vec![0; whole.min(BUFFER_BYTES)]);
        let mut left = self.plaintext_bytes;
        while left > 0 {
            let len = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
            let piece = buffer.get_mut(..len).ok_or(OpenError::Refused)?;
            self.source.read_exact(piece)?;
            gcm.update(piece)?;
            take(&mut self.source, piece)?;
            left -= len as u64;
        }
        let mut tag = [0; TAG_BYTES];
        self.source.read_exact(&mut tag)?;
        Ok(gcm.finish(&tag)?)
    }
}

/// A sealed file whose tag was right.
#[derive(Debug)]
pub struct VerifiedFile<'k, R> {
    file: SealedFile<R>,
    key: &'k ContentKey,
}

impl<R: Read + Seek> VerifiedFile<'_, R> {
    /// Answers how many bytes [`open_to`](Self::open_to) will write.
    pub const fn plaintext_bytes(&self) -> u64 {
        self.file.plaintext_bytes
    }

    /// Decrypts into `sink`, flushes it, and answers how many bytes it wrote.
    ///
    /// The tag is checked once more. It can only be wrong if someone changed `source` after it was verified, and then `sink`
    /// has already got bytes that are not genuine: on **any** error, throw away what it holds.
    pub fn open_to(mut self, mut sink: impl Write) -> Result<u64, OpenError> {
        self.file.pass(self.key, |_, piece| sink.write_all(piece))?;
        sink.flush()?;
        Ok(self.file.plaintext_bytes)
    }
}

impl<R: Read + Write + Seek> VerifiedFile<'_, R> {
    /// Decrypts the file where it lies, and answers it with how many bytes of it are plaintext now.
    ///
    /// They begin where the sealed file began; behind them still stands the tag, for the caller to cut off. This takes half
    /// the room and half the writing of [`open_to`](Self::open_to). On **any** error the file is neither the one nor the
    /// other any more: throw it away.
    pub fn open_in_place(mut self) -> Result<(R, u64), OpenError> {
        let mut written = self.file.begin;
        self.file.pass(self.key, |source, piece| {
            source.seek(SeekFrom::Start(written))?;
            source.write_all(piece)?;
            written += piece.len() as u64;
            source.seek(SeekFrom::Start(written)).map(drop)
        })?;
        self.file.source.flush()?;
        Ok((self.file.source, self.file.plaintext_bytes))
    }
}

impl From<GcmError> for SealError {
    fn from(error: GcmError) -> Self {
        match error {
            GcmError::Refused => Self::Library,
            GcmError::TooLong => Self::TooLong,
        }
    }
}

impl From<GcmError> for OpenError {
    fn from(_: GcmError) -> Self {
        Self::Refused
    }
}
