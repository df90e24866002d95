//! What an identity key signs: every label in one place, so that no signature is taken for one of
//! another kind.

use aws_lc_rs::digest::{SHA512, SHA512_OUTPUT_LEN, digest};

use crate::Verdict;

/// What is signed with an identity key.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Statement<'a> {
    /// The CBOR of a [bundle](crate::identity::Bundle).
    Bundle(&'a [u8]),
    /// What an envelope holds, and the header that it is sealed behind.
    Manifest {
        /// All bytes before the length of the sealed manifest.
        header: &'a [u8],
        /// The CBOR.
        cbor: &'a [u8],
    },
    /// The CBOR of a [one-time prekey](crate::identity::Prekey).
    Prekey(&'a [u8]),
    /// What became of an envelope.
    Receipt {
        /// The transfer.
        transfer: &'a [u8; 16],
        /// SHA-512 of the manifest's CBOR.
        manifest: &'a [u8; 64],
        /// What its recipient did with it.
        verdict: Verdict,
    },
    /// The CBOR of a [rotation](crate::identity::Rotation).
    Rotation(&'a [u8]),
}

impl Statement<'_> {
    /// The bytes that are signed; no two statements have the same.
    ///
    /// ```text
    /// "agentdrop/v2 bundle\0" ‖ SHA-512(cbor)
    /// "agentdrop/v2 manifest\0" ‖ SHA-512(header) ‖ SHA-512(cbor)
    /// "agentdrop/v2 prekey\0" ‖ SHA-512(cbor)
    /// "agentdrop/v2 receipt\0" ‖ transfer id ‖ SHA-512(manifest's cbor) ‖ verdict
    /// "agentdrop/v2 rotation\0" ‖ SHA-512(cbor)
    /// ```
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Bundle(cbor) => [b"agentdrop/v2 bundle\0", &sha512(cbor)[..]].concat(),
            Self::Manifest { header, cbor } => {
                let label = b"agentdrop/v2 manifest\0";
                [&label[..], &sha512(header), &sha512(cbor)].concat()
            }
            Self::Prekey(cbor) => [b"agentdrop/v2 prekey\0", &sha512(cbor)[..]].concat(),
            Self::Receipt {
                transfer,
                manifest,
                verdict,
            } => {
                let label = b"agentdrop/v2 receipt\0";
                [
                    &label[..],
                    &transfer[..],
                    &manifest[..],
                    &[verdict.to_byte()],
                ]
                .concat()
            }
            Self::Rotation(cbor) => [b"agentdrop/v2 rotation\0", &sha512(cbor)[..]].concat(),
        }
    }
}

/// SHA-512 (FIPS 180-4 §6.4).
pub(crate) fn sha512(bytes: &[u8]) -> [u8; SHA512_OUTPUT_LEN] {
    let mut out = [0; SHA512_OUTPUT_LEN];
    out.copy_from_slice(digest(&SHA512, bytes).as_ref());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_label_begins_with_another() {
        let statements = [
            Statement::Bundle(b""),
            Statement::Manifest {
                header: b"",
                cbor: b"",
            },
            Statement::Prekey(b""),
            Statement::Receipt {
                transfer: &[0; 16],
                manifest: &[0; 64],
                verdict: Verdict::Placed,
            },
            Statement::Rotation(b""),
        ];
        let labels = statements.map(|it| {
            let bytes = it.to_bytes();
            let end = bytes.iter().position(|it| *it == 0).unwrap();
            bytes[..=end].to_vec()
        });
        for (n, label) in labels.iter().enumerate() {
            let others = labels.iter().enumerate().filter(|(m, _)| *m != n);
            assert!(others.clone().all(|(_, it)| !it.starts_with(label)));
        }
    }
}
