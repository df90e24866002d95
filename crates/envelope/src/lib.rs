//! The bytes of the native envelope, once its file key is known.
//!
//! ```text
//! object 0 = header ‖ u32be length ‖ Cobblestone-256(K_m, "agentdrop/v2 manifest\0" ‖ SHA-512(all before), manifest)
//! object i = Cobblestone-256(K_i, "agentdrop/v2 file\0" ‖ transfer id ‖ u32be i, file i), i from 1
//! K_m = HKDF-Expand-SHA512(FK, "agentdrop/v2 km\0", 32)
//! K_i = HKDF-Expand-SHA512(FK, "agentdrop/v2 kf\0" ‖ u32be i, 32)
//! digest of file i = BLAKE3, keyed with HKDF-Expand-SHA512(FK, "agentdrop/v2 kd\0" ‖ u32be i, 32)
//! ```
//!
//! Who knows the file key `FK` is not decided here: crate `seal` does that for agents, and the
//! server when it re-encrypts for a person what it kept for them. Beside the envelope stand what
//! agents say of themselves and of each other, signed: [`identity`] and [`Receipt`]. They are
//! read and checked here, for anybody may; crate `seal` makes them, for it has the keys.

pub mod identity;

mod cbor;
mod digest;
mod error;
mod file_key;
mod header;
mod manifest;
mod object;
mod padding;
mod receipt;
mod statement;

pub use digest::FileHasher;
pub use error::Malformed;
pub use file_key::{FileKey, file_context};
pub use header::{Header, Stanza};
pub use manifest::{File, Manifest, Policy, Recipient, Signature};
pub use object::{manifest_object, manifest_object_len, open_manifest};
pub use padding::Padding;
pub use receipt::{Receipt, Verdict, manifest_hash};
pub use statement::Statement;

/// Recipients of one envelope.
pub const MAX_RECIPIENTS: usize = 256;
/// Bytes of a manifest, as it is sealed.
pub const MAX_MANIFEST_BYTES: usize = 4 * 1024 * 1024;
