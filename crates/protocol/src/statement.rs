//! What agents signed, as the wire carries it.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::{ParseError, serde_as_text};

/// Bytes that an agent signed, with its signature: a bundle, a prekey, a rotation or a receipt.
///
/// Whether they mean anything, and whose they are, is not known here.
#[derive(Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, format = Byte, max_length = 2048))]
pub struct SignedStatement(Vec<u8>);

impl SignedStatement {
    /// The most bytes that one has.
    pub const MAX_BYTES: usize = 1536;

    /// The one with these bytes, of which there are at most [`MAX_BYTES`](Self::MAX_BYTES).
    pub fn new(bytes: Vec<u8>) -> Result<Self, ParseError> {
        if bytes.is_empty() || bytes.len() > Self::MAX_BYTES {
            return Err(ParseError::new("must be base64 of 1 to 1536 bytes"));
        }
        Ok(Self(bytes))
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for SignedStatement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(&self.0))
    }
}

impl fmt::Debug for SignedStatement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignedStatement({} bytes)", self.0.len())
    }
}

impl FromStr for SignedStatement {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let too_long = text.len() > Self::MAX_BYTES.div_ceil(3) * 4;
        let bytes = (!too_long).then(|| STANDARD.decode(text).ok()).flatten();
        Self::new(bytes.unwrap_or_default())
    }
}

serde_as_text!(SignedStatement);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_it_is_written_and_bounded() {
        for len in [1, 145, SignedStatement::MAX_BYTES] {
            let one = SignedStatement::new(vec![7; len]).unwrap();
            assert_eq!(one.to_string().parse(), Ok(one));
        }
        assert!(SignedStatement::new(vec![7; SignedStatement::MAX_BYTES + 1]).is_err());
        let long = STANDARD.encode([7; SignedStatement::MAX_BYTES + 1]);
        for wrong in ["", "AA", "A-_=", "AAAA AAAA", &long] {
            assert!(wrong.parse::<SignedStatement>().is_err(), "{wrong}");
        }
    }
}
