//! What stands before the sealed manifest, for everyone to read.
//!
//! ```text
//! off len
//!   0   4  "ADX2"
//!   4   1  version = 2
//!   5   1  suite = 1
//!   6   2  flags, u16be; bit 0: every stanza used a one-time prekey
//!   8  16  transfer id
//!  24   2  stanzas, u16be, at most 256
//!  26 n*1200 stanza: 16 recipient id ‖ 16 key id ‖ 1120 encapsulation ‖ 48 wrapped file key
//! ```

use crate::{MAX_RECIPIENTS, Malformed};

const MAGIC: &[u8; 4] = b"ADX2";
const VERSION: u8 = 2;
const SUITE: u8 = 1;
const PREKEYS: u16 = 1;
const ENCAPSULATION: usize = 1120;
const WRAPPED: usize = 48;

/// What stands before the sealed manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The transfer.
    pub transfer: [u8; 16],
    /// Whether every stanza used a one-time prekey.
    pub prekeys: bool,
    /// The file key, wrapped for each recipient; none where it is agreed on by other means.
    pub stanzas: Vec<Stanza>,
}

/// The file key, wrapped for one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stanza {
    /// The recipient's id.
    pub recipient: [u8; 16],
    /// Which of its keys this is for: the first half of SHA-256 of the public key.
    pub key: [u8; 16],
    /// What the recipient decapsulates.
    pub encapsulation: Box<[u8; ENCAPSULATION]>,
    /// The file key, sealed.
    pub wrapped: [u8; WRAPPED],
}

impl Header {
    /// Bytes before the first stanza.
    pub const FIXED_BYTES: usize = 26;

    /// The bytes before the first of `stanzas`, which are wrapped into each of them.
    pub fn begin(
        transfer: [u8; 16],
        prekeys: bool,
        stanzas: usize,
    ) -> Result<[u8; Self::FIXED_BYTES], Malformed> {
        let count = u16::try_from(stanzas).ok();
        let count = count.filter(|_| stanzas <= MAX_RECIPIENTS);
        let count = count.ok_or(Malformed)?.to_be_bytes();
        let flags = if prekeys { PREKEYS } else { 0 }.to_be_bytes();
        let parts: [&[u8]; 5] = [MAGIC, &[VERSION, SUITE], &flags, &transfer, &count];
        let mut bytes = [0; Self::FIXED_BYTES];
        for (place, byte) in bytes.iter_mut().zip(parts.iter().copied().flatten()) {
            *place = *byte;
        }
        Ok(bytes)
    }

    /// The bytes of this header.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Malformed> {
        let begin = Self::begin(self.transfer, self.prekeys, self.stanzas.len())?;
        let mut bytes = Vec::with_capacity(begin.len() + self.stanzas.len() * Stanza::BYTES);
        bytes.extend_from_slice(&begin);
        for it in &self.stanzas {
            bytes.extend_from_slice(&it.recipient);
            bytes.extend_from_slice(&it.key);
            bytes.extend_from_slice(&*it.encapsulation);
            bytes.extend_from_slice(&it.wrapped);
        }
        Ok(bytes)
    }

    /// Reads the header that `bytes` begin with, and answers what follows it too.
    pub fn read(bytes: &[u8]) -> Result<(Self, &[u8]), Malformed> {
        let mut rest = Rest(bytes);
        if rest.array::<4>()? != *MAGIC || rest.array()? != [VERSION, SUITE] {
            return Err(Malformed);
        }
        let flags = u16::from_be_bytes(rest.array()?);
        if flags & !PREKEYS != 0 {
            return Err(Malformed);
        }
        let transfer = rest.array()?;
        let count = usize::from(u16::from_be_bytes(rest.array()?));
        // Before any room is made for them.
        if count > MAX_RECIPIENTS || rest.0.len() < count * Stanza::BYTES {
            return Err(Malformed);
        }
        let stanzas = (0..count)
            .map(|_| Stanza::read(&mut rest))
            .collect::<Result<_, _>>()?;
        let header = Self {
            transfer,
            prekeys: flags & PREKEYS != 0,
            stanzas,
        };
        Ok((header, rest.0))
    }
}

impl Stanza {
    /// How many bytes a stanza has.
    pub const BYTES: usize = 16 + 16 + ENCAPSULATION + WRAPPED;

    fn read(rest: &mut Rest<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            recipient: rest.array()?,
            key: rest.array()?,
            encapsulation: Box::new(rest.array()?),
            wrapped: rest.array()?,
        })
    }
}

/// What has not been read yet.
pub(crate) struct Rest<'b>(pub(crate) &'b [u8]);

impl Rest<'_> {
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (array, rest) = self.0.split_first_chunk().ok_or(Malformed)?;
        self.0 = rest;
        Ok(*array)
    }
}
