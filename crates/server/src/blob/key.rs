//! What blobs are called.

use std::fmt;
use std::str::FromStr;

use agentdrop_protocol::{PartTag, TransferId};

/// Names bytes of a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BlobKey {
    pub(crate) transfer: TransferId,
    pub(crate) name: BlobName,
}

/// Names bytes among those of a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BlobName {
    /// One try to upload a part.
    Part(PartTag),
    /// A whole file, by its place among the files.
    Position(u32),
}

impl BlobKey {
    /// Of a whole file.
    pub(crate) const fn file(transfer: TransferId, position: u32) -> Self {
        let name = BlobName::Position(position);
        Self { transfer, name }
    }

    /// Of one try to upload a part.
    pub(crate) const fn part(transfer: TransferId, tag: PartTag) -> Self {
        let name = BlobName::Part(tag);
        Self { transfer, name }
    }
}

impl fmt::Display for BlobKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name {
            // All of a transfer are in one folder, which goes as a whole.
            BlobName::Part(tag) => write!(f, "{}{PARTS}/{tag}", self.transfer),
            BlobName::Position(position) => write!(f, "{}.{position}", self.transfer),
        }
    }
}

impl FromStr for BlobKey {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (transfer, rest) = text.split_once('.').ok_or(())?;
        let transfer = transfer.parse().map_err(|_| ())?;
        match rest.split_once('/') {
            Some(("parts", tag)) => Ok(Self::part(transfer, tag.parse().map_err(|_| ())?)),
            Some(_) => Err(()),
            None => Ok(Self::file(transfer, rest.parse().map_err(|_| ())?)),
        }
    }
}

/// What stands behind a transfer's id in the name of the folder of its parts.
pub(super) const PARTS: &str = ".parts";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_it_is_written_and_nothing_else_is_one() {
        let transfer = TransferId::from_bytes([1; 16]);
        let part = BlobKey::part(transfer, PartTag::new([2; 16]));
        for key in [BlobKey::file(transfer, 7), part] {
            assert_eq!(key.to_string().parse(), Ok(key));
        }
        for none in [
            "",
            "staging",
            &format!("{transfer}.parts"),
            &format!("{transfer}.parts/x"),
        ] {
            assert_eq!(none.parse::<BlobKey>(), Err(()), "{none}");
        }
    }
}
