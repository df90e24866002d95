//! AES-256-GCM a piece at a time (NIST SP 800-38D), over the EVP interface of AWS-LC.
//!
//! The compatible formats seal a whole file as one message, and every safe interface wants such a message in memory at once.
//! This is the only file of the project with unsafe code. It knows nothing of files, formats or who the keys belong to.
#![expect(
    unsafe_code,
    reason = "only AWS-LC's C interface seals a message piece by piece"
)]

use std::{
    ffi::c_int,
    fmt,
    ptr::{self, NonNull},
};

use aws_lc_sys as evp;

use crate::{Nonce, secret::Secret};

/// The bytes of a tag.
pub const TAG_BYTES: usize = 16;

/// The most that one key and nonce may seal: 2³⁶ − 32 bytes (NIST SP 800-38D §5.2.1.1).
///
/// Beyond it the 32-bit block counter comes round to the block that masks the tag, and keystream repeats.
pub const MAX_PLAINTEXT_BYTES: u64 = (1 << 36) - 32;

/// The most that is given to one call: EVP counts in `int`, and 1 GiB is far below where that overflows.
const MAX_CALL_BYTES: usize = if cfg!(test) { 1 << 10 } else { 1 << 30 };

/// Why a piece was not taken, or a message not finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GcmError {
    /// The library refused. Of a message that is opened: its tag is wrong.
    Refused,
    /// The message would grow longer than [`MAX_PLAINTEXT_BYTES`].
    TooLong,
}

/// Seals one message.
#[derive(Debug)]
pub(crate) struct Sealer(Context);

impl Sealer {
    pub(crate) fn new(key: &Secret, nonce: &Nonce) -> Result<Self, GcmError> {
        Context::new(key, nonce, Direction::Seal).map(Self)
    }

    /// Turns the next piece of plaintext into ciphertext, in place.
    pub(crate) fn update(&mut self, piece: &mut [u8]) -> Result<(), GcmError> {
        self.0.update(piece)
    }

    /// Ends the message and answers its tag.
    pub(crate) fn finish(mut self) -> Result<[u8; TAG_BYTES], GcmError> {
        self.0.finish()?;
        self.0.tag()
    }
}

/// Opens one message. What it answers is **not** authentic until `finish` has said so.
#[derive(Debug)]
pub(crate) struct Opener(Context);

impl Opener {
    pub(crate) fn new(key: &Secret, nonce: &Nonce) -> Result<Self, GcmError> {
        Context::new(key, nonce, Direction::Open).map(Self)
    }

    /// Turns the next piece of ciphertext into plaintext, in place.
    pub(crate) fn update(&mut self, piece: &mut [u8]) -> Result<(), GcmError> {
        self.0.update(piece)
    }

    /// Ends the message: compares its tag with `tag`, in constant time.
    pub(crate) fn finish(mut self, tag: &[u8; TAG_BYTES]) -> Result<(), GcmError> {
        self.0.expect_tag(*tag)?;
        self.0.finish()
    }
}

#[derive(Clone, Copy, Debug)]
enum Direction {
    Open = 0,
    Seal = 1,
}

/// An `EVP_CIPHER_CTX` that is initialised for AES-256-GCM and owned by nobody else.
struct Context {
    evp: NonNull<evp::EVP_CIPHER_CTX>,
    taken_bytes: u64,
}

// SAFETY: the context is memory that only this value points to, and AWS-LC binds none of it to a thread.
unsafe impl Send for Context {}

impl Context {
    fn new(key: &Secret, nonce: &Nonce, direction: Direction) -> Result<Self, GcmError> {
        // SAFETY: it takes nothing, and answers null or a fresh context that the caller owns.
        let evp = unsafe { evp::EVP_CIPHER_CTX_new() };
        // From here on Drop frees it, whichever way this function is left.
        let context = Self {
            evp: NonNull::new(evp).ok_or(GcmError::Refused)?,
            taken_bytes: 0,
        };
        // SAFETY: the context is live; the cipher is static; no engine is named. Of the key the call reads the 32 bytes and
        // of the nonce the 12 bytes that are AES-256-GCM's lengths and the lengths of these arrays; it keeps copies only.
        let done = unsafe {
            evp::EVP_CipherInit_ex(
                context.evp.as_ptr(),
                evp::EVP_aes_256_gcm(),
                ptr::null_mut(),
                key.expose().as_ptr(),
                nonce.as_bytes().as_ptr(),
                direction as c_int,
            )
        };
        succeeded(done)?;
        Ok(context)
    }

    fn update(&mut self, piece: &mut [u8]) -> Result<(), GcmError> {
        let taken_bytes = u64::try_from(piece.len())
            .ok()
            .and_then(|bytes| self.taken_bytes.checked_add(bytes))
            .filter(|bytes| *bytes <= MAX_PLAINTEXT_BYTES)
            .ok_or(GcmError::TooLong)?;
        // An empty slice has no chunks: its pointer, which may dangle, is never passed on.
        for part in piece.chunks_mut(MAX_CALL_BYTES) {
            let len = c_int::try_from(part.len()).map_err(|_| GcmError::TooLong)?;
            let mut written = 0;
            let bytes = part.as_mut_ptr();
            // SAFETY: the context is live and initialised; `bytes` is valid for reading and writing `len` bytes and borrowed
            // by no one else. The call may work in place where input and output are the same, and GCM writes as many bytes
            // as it reads: it has no padding.
            let done = unsafe {
                evp::EVP_CipherUpdate(self.evp.as_ptr(), bytes, &raw mut written, bytes, len)
            };
            succeeded(done)?;
            if written != len {
                return Err(GcmError::Refused);
            }
        }
        self.taken_bytes = taken_bytes;
        Ok(())
    }

    /// Ends the message: a sealed one then has its tag, of an opened one the tag is compared.
    fn finish(&mut self) -> Result<(), GcmError> {
        let mut nothing = [0; TAG_BYTES];
        let mut written = 0;
        // SAFETY: the context is live. GCM has no bytes left to write; `nothing` is a whole block, the most that any cipher
        // would write here.
        let done = unsafe {
            evp::EVP_CipherFinal_ex(self.evp.as_ptr(), nothing.as_mut_ptr(), &raw mut written)
        };
        succeeded(done)
    }

    fn tag(&mut self) -> Result<[u8; TAG_BYTES], GcmError> {
        let mut tag = [0; TAG_BYTES];
        self.control(evp::EVP_CTRL_AEAD_GET_TAG, &mut tag)?;
        Ok(tag)
    }

    fn expect_tag(&mut self, mut tag: [u8; TAG_BYTES]) -> Result<(), GcmError> {
        self.control(evp::EVP_CTRL_AEAD_SET_TAG, &mut tag)
    }

    fn control(&mut self, command: c_int, tag: &mut [u8; TAG_BYTES]) -> Result<(), GcmError> {
        let len = c_int::try_from(TAG_BYTES).map_err(|_| GcmError::Refused)?;
        // SAFETY: the context is live; both commands that are sent read or write exactly `len` bytes at the pointer, which
        // is valid for both, and keep no pointer.
        let done = unsafe {
            evp::EVP_CIPHER_CTX_ctrl(self.evp.as_ptr(), command, len, tag.as_mut_ptr().cast())
        };
        succeeded(done)
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: the context is live, and nothing uses it afterwards. AWS-LC overwrites what it frees, so the key schedule
        // does not stay behind.
        unsafe { evp::EVP_CIPHER_CTX_free(self.evp.as_ptr()) }
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("taken_bytes", &self.taken_bytes)
            .finish_non_exhaustive()
    }
}

/// EVP answers 1 when it has done what it was asked.
const fn succeeded(answer: c_int) -> Result<(), GcmError> {
    if answer == 1 {
        Ok(())
    } else {
        Err(GcmError::Refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer() -> Sealer {
        let key = Secret::take("a key", &mut [7; 32]).unwrap();
        Sealer::new(&key, &Nonce::from_bytes([3; 12])).unwrap()
    }

    #[test]
    fn the_longest_message_is_that_of_the_standard() {
        // NIST SP 800-38D §5.2.1.1: 2³⁹ − 256 bits.
        assert_eq!(MAX_PLAINTEXT_BYTES * 8, (1 << 39) - 256);
    }

    #[test]
    fn a_message_may_be_as_long_as_the_counter_allows_and_no_longer() {
        let mut sealer = sealer();
        sealer.0.taken_bytes = MAX_PLAINTEXT_BYTES - 1;
        sealer.update(&mut [0]).unwrap();
        assert_eq!(sealer.update(&mut [0]), Err(GcmError::TooLong));
        sealer.update(&mut []).unwrap();
    }

    #[test]
    fn a_piece_too_large_for_one_call_is_sealed_like_its_parts() {
        // The tag is computed from the ciphertext: where the tags agree, so do the bytes.
        let tag = |piece_bytes| {
            let mut sealer = sealer();
            let mut message = vec![0x5a; 3 * MAX_CALL_BYTES + 5];
            for piece in message.chunks_mut(piece_bytes) {
                sealer.update(piece).unwrap();
            }
            sealer.finish().unwrap()
        };
        assert_eq!(tag(usize::MAX), tag(100));
    }

    #[test]
    fn a_piece_that_is_refused_for_its_length_leaves_the_message_as_it_was() {
        let mut spoilt = sealer();
        spoilt.0.taken_bytes = MAX_PLAINTEXT_BYTES;
        let mut piece = *b"secret";
        assert_eq!(spoilt.update(&mut piece), Err(GcmError::TooLong));
        assert_eq!(&piece, b"secret");
        assert_eq!(spoilt.finish(), sealer().finish());
    }
}
