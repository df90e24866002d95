//! Answers that are kept for a repeated request, which may hold what is shown once.

use std::fmt;

use agentdrop_protocol::IdempotencyKey;
use zeroize::Zeroizing;

use super::gcm::{NONCE, open, seal_with};
use super::server_key::ServerKey;
use super::{AtRestError, derive, label};
use crate::clock::{NoChance, random};

/// What one kept answer is encrypted with:
/// `HKDF-SHA256(answers key, label ‖ the caller's idempotency key)`.
///
/// The server does not keep the caller's part: with its database and its key nobody opens what a
/// caller named by chance.
pub(crate) struct AnswerKey {
    key: Zeroizing<[u8; 32]>,
    /// Drawn ahead, for nothing is drawn in a unit of work. It seals at most one answer.
    nonce: [u8; NONCE],
}

impl AnswerKey {
    /// The key of what a caller calls `name`.
    pub(crate) fn new(server: &ServerKey, name: &IdempotencyKey) -> Result<Self, NoChance> {
        Ok(Self {
            key: derive(
                server.answers(),
                label::ANSWER,
                name.expose_secret().as_bytes(),
            ),
            nonce: random()?,
        })
    }

    /// `nonce(12) ‖ AES-256-GCM(key, nonce, answer, aad = digest of the request) ‖ tag(16)`.
    pub(crate) fn seal(self, request: &[u8; 32], answer: &[u8]) -> Result<Vec<u8>, AtRestError> {
        seal_with(self.nonce, &self.key, request, answer)
    }

    /// Decrypts what [`AnswerKey::seal`] made.
    pub(crate) fn open(&self, request: &[u8; 32], sealed: &[u8]) -> Result<Vec<u8>, AtRestError> {
        open(&self.key, request, sealed)
    }
}

impl fmt::Debug for AnswerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AnswerKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_opens_with_the_servers_key_and_the_callers_alone() {
        let (server, other) = (ServerKey::new(&[1; 32]), ServerKey::new(&[2; 32]));
        let (name, another) = ("a".parse().unwrap(), "b".parse().unwrap());
        let key = |server, name| AnswerKey::new(server, name).unwrap();
        let request = [7; 32];
        let sealed = key(&server, &name).seal(&request, b"once").unwrap();
        let opened = key(&server, &name).open(&request, &sealed);
        assert_eq!(opened.unwrap(), b"once");
        assert!(key(&other, &name).open(&request, &sealed).is_err());
        assert!(key(&server, &another).open(&request, &sealed).is_err());
        assert!(key(&server, &name).open(&[8; 32], &sealed).is_err());
        for at in 0..sealed.len() {
            let mut bad = sealed.clone();
            bad[at] ^= 1;
            assert!(key(&server, &name).open(&request, &bad).is_err());
            assert!(key(&server, &name).open(&request, &sealed[..at]).is_err());
        }
        let again = key(&server, &name).seal(&request, b"once").unwrap();
        assert_ne!(again, sealed, "no nonce is used twice");
    }
}
