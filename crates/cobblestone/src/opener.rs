//! Opening a stream: from its beginning to its end, or any part of it.

use subtle::ConstantTimeEq as _;

use crate::schedule::{Key, Schedule};
use crate::{HEADER_BYTES, Refused, SALT_BYTES, SEALED_CHUNK_BYTES};

/// Opens one stream.
#[derive(Debug)]
pub struct Opener {
    schedule: Schedule,
    next: u64,
    ended: bool,
}

impl Opener {
    /// Begins to open the stream that begins with `header`, if it was made with this key, and is
    /// `context`.
    pub fn new(key: &Key, context: &[u8], header: &[u8; HEADER_BYTES]) -> Result<Self, Refused> {
        let (salt, commitment) = header.split_at(SALT_BYTES);
        let salt = salt.try_into().map_err(|_| Refused)?;
        let schedule = Schedule::new(key, &salt, context);
        if !bool::from(schedule.commitment.ct_eq(commitment)) {
            return Err(Refused);
        }
        Ok(Self {
            schedule,
            next: 0,
            ended: false,
        })
    }

    /// Goes on with a stream whose chunks before number `n` were opened elsewhere: chunk `n` is the
    /// next one.
    ///
    /// That those before it were opened, and which, the caller has to know.
    pub fn resumed(
        key: &Key,
        context: &[u8],
        header: &[u8; HEADER_BYTES],
        n: u64,
    ) -> Result<Self, Refused> {
        let mut opener = Self::new(key, context, header)?;
        opener.next = n;
        Ok(opener)
    }

    /// Opens the next chunk, and appends its plaintext to `out`, which stays as it was where the
    /// chunk is refused.
    ///
    /// All are [`SEALED_CHUNK_BYTES`] long but the last, which is shorter; after it nothing may
    /// come, and [`Opener::finish`] says whether it came.
    pub fn open_next(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), Refused> {
        if self.ended || chunk.len() > SEALED_CHUNK_BYTES {
            return Err(Refused);
        }
        self.schedule.open_to(self.next, chunk, out)?;
        self.next += 1;
        self.ended = chunk.len() < SEALED_CHUNK_BYTES;
        Ok(())
    }

    /// Opens chunk `n`, wherever reading stands, where it lies, and answers its plaintext.
    ///
    /// It begins at [`HEADER_BYTES`] `+ n *` [`SEALED_CHUNK_BYTES`] of the stream. Whether the
    /// stream is complete this cannot say: of a part of it, that it is genuine.
    pub fn open_at<'c>(&self, n: u64, chunk: &'c mut [u8]) -> Result<&'c mut [u8], Refused> {
        if chunk.len() > SEALED_CHUNK_BYTES {
            return Err(Refused);
        }
        self.schedule.open(n, chunk)
    }

    /// Whether the stream came to its end; one that was cut off did not.
    pub fn finish(self) -> Result<(), Refused> {
        if self.ended { Ok(()) } else { Err(Refused) }
    }
}
