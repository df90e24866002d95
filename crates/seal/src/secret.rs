//! Thirty-two bytes that leave memory with their owner; what every secret key is made of.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{ParseError, SealError, random};

/// 32 secret bytes.
///
/// They live on the heap because moving a value leaves a copy of its bytes behind, and only the last copy would be erased.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct Secret(Box<[u8; 32]>);

impl Secret {
    /// Takes the bytes over and erases the caller's copy, also when there are not 32 of them.
    pub(crate) fn take(what: &'static str, bytes: &mut [u8]) -> Result<Self, ParseError> {
        let taken = if bytes.len() == 32 {
            Self::fill(|out| {
                out.copy_from_slice(bytes);
                Ok(())
            })
        } else {
            Err(ParseError::Length {
                what,
                expected: 32,
                actual: bytes.len(),
            })
        };
        bytes.zeroize();
        taken
    }

    /// Draws the bytes by chance.
    pub(crate) fn random() -> Result<Self, SealError> {
        Self::fill(random::fill)
    }

    /// Lets `write` write the bytes to the place where they will stay.
    pub(crate) fn fill<E>(write: impl FnOnce(&mut [u8]) -> Result<(), E>) -> Result<Self, E> {
        let mut secret = Self(Box::new([0; 32]));
        write(secret.0.as_mut_slice())?;
        Ok(secret)
    }

    pub(crate) fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}
