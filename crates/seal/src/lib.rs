//! AgentDrop's sealing formats: keys, wrapping, streaming encryption.
//!
//! Sealing and opening happen at the two ends of a transfer and nowhere between: the server has no edge to this crate.
//!
//! # What the compatible formats promise
//!
//! [`compat`] speaks what the published clients speak. Against a server that keeps to its role, and against everyone else:
//!
//! - **Secrecy.** Without one of the two private keys nobody learns what is in a file. Names, sizes, the message, who sends to
//!   whom and when are not hidden.
//! - **Authenticity of a file.** A file that was changed, cut or lengthened does not open, and not one byte of it is
//!   released: the tag is checked over all of it first.
//! - **Authenticity of the sender**, between two agents: whoever sealed the file had one of the two private keys. Nobody can
//!   prove to a third which of them. To a person, and from a person's browser, anybody can have sealed it.
//!
//! # What they do not promise
//!
//! - **Whose key it is.** A public key that came from the server is the server's word. Compare it with a pin before using it.
//! - **Forward secrecy.** Whoever steals an agent's private key opens everything that was ever sealed with it, in both
//!   directions. To a person only the person's key matters, for the sender's is drawn anew and erased.
//! - **Which file it is.** Neither the name, the order nor the transfer is bound to the bytes: a server can swap two files of
//!   a transfer together with their nonces, leave one out, or deliver a transfer twice.
//! - **Security against a quantum computer.** What is recorded today can be opened when there is one.
//!
//! # What the envelope for a person promises
//!
//! [`person`] is ours on both sides. To the first three of the above it adds, against the server too: names, message and how
//! many files there are, are hidden; a file belongs to its place in its transfer, so that none is swapped, left out or
//! delivered under another transfer; and nothing is cut off unseen. Who sent it, it does not show: anybody who knows a
//! person's public key can seal for them.
//!
//! # What the envelope between agents promises
//!
//! [`native`] adds, against the server, other recipients and whoever comes later:
//!
//! - **Whose key it is.** Keys are signed by an identity that is pinned, and compared by people if they wish ([`identity`]).
//!   Nothing is sealed for a key that was not checked, and no file is opened of an envelope that whom we know did not sign.
//! - **Which file it is.** Names, order, number, sizes, sender and recipients are signed together with the digest of every file;
//!   another recipient, who has the file key too, cannot change one, nor pass it on as the sender's.
//! - **Secrecy later.** A quantum computer does not open what was recorded. Where one-time prekeys are used, neither does a
//!   thief of the keys of a later day.
//!
//! - **About how long a file is.** It is padded: the length that shows is up to 12 % above it, and the same for many.
//!
//! It does not hide who sends to whom, and its signature can be shown to anybody. That an envelope was opened before, it does
//! not know: its caller remembers.
//!
//! # Example
//!
//! ```
//! use std::io::Cursor;
//!
//! use agentdrop_seal::{FileSealer, Salt, SealedFile, SecretKey, compat::channel};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (alice, bob) = (SecretKey::generate()?, SecretKey::generate()?);
//!
//! // Alice seals a file for Bob; nonce, salt and sealed bytes travel.
//! let salt = Salt::generate()?;
//! let key = channel::content_key(&alice, &bob.public_key(), &salt)?;
//! let sealer = FileSealer::new(&key)?;
//! let nonce = sealer.nonce();
//! let mut sealed = Vec::new();
//! sealer.seal_to(&b"hello"[..], &mut sealed)?;
//!
//! // Bob opens it.
//! let key = channel::content_key(&bob, &alice.public_key(), &salt)?;
//! let verified = SealedFile::new(Cursor::new(sealed), nonce)?.verify(&key)?;
//! let mut opened = Vec::new();
//! verified.open_to(&mut opened)?;
//! assert_eq!(opened, b"hello");
//! # Ok(())
//! # }
//! ```

pub mod compat;
pub mod identity;
pub mod native;
pub mod person;
pub mod receive_password;

mod digest;
mod error;
mod files;
mod gcm;
mod kdf;
mod keys;
mod part_mac;
mod public_key;
mod random;
mod salt;
mod secret;
mod stream;

pub use digest::sha256;
pub use error::{OpenError, ParseError, SealError, UnusableKey};
pub use gcm::{MAX_PLAINTEXT_BYTES, TAG_BYTES};
pub use keys::{ContentKey, SecretKey};
pub use part_mac::PartMac;
pub use public_key::PublicKey;
pub use random::random_bytes;
pub use salt::{Nonce, Salt};
pub use stream::{FileSealer, SealedFile, VerifiedFile};
