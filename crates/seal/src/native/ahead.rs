//! How long an envelope will be, before its files were read.

use agentdrop_envelope::{File, manifest_object_len};
use agentdrop_protocol::text::ContentType;
use agentdrop_protocol::{AgentId, FileName};

use super::outgoing::check;
use super::{About, Outgoing, Recipient, Sealed, sealed_len};
use crate::SealError;

/// What is known of a file before it is sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsealed {
    /// What it is called.
    pub name: FileName,
    /// Its media type.
    pub content_type: ContentType,
    /// Bytes of its plaintext.
    pub size: u64,
}

impl Unsealed {
    /// What the envelope tells of it, now that it was sealed; its size is the one that was found then.
    pub fn sealed(self, it: Sealed) -> File {
        File {
            name: self.name,
            content_type: self.content_type,
            size: it.size,
            sealed_size: it.sealed_size,
            digest: it.digest,
        }
    }
}

impl Outgoing {
    /// How many bytes object 0 will have, as [`envelope`](Self::envelope) makes it of the same: so it can be announced first,
    /// and be made and sent last. It depends on nothing else; on digests, keys and the sender least of all.
    ///
    /// Where a file turns out longer or shorter than it is here, object 0 can be too.
    pub fn envelope_size(
        &self,
        about: &About,
        to: &[Recipient],
        files: &[Unsealed],
    ) -> Result<u64, SealError> {
        check(to, files.len())?;
        let as_sealed = |it: &Unsealed| {
            let sealed_size = sealed_len(it.size).ok_or(SealError::TooLong)?;
            Ok(it.clone().sealed(Sealed {
                size: it.size,
                sealed_size,
                digest: [0; 32],
            }))
        };
        let files: Result<Vec<_>, SealError> = files.iter().map(as_sealed).collect();
        let nobody = AgentId::from_bytes([0; 16]);
        let manifest = self.manifest(nobody, [0; 32], to, about.clone(), files?);
        let length = manifest.padded(&[0; 64]).len();
        manifest_object_len(to.len(), length).map_err(|_| SealError::TooMuch)
    }
}
