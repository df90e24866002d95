//! Passwords, hashed slowly so that whoever reads the database still has to guess.
//!
//! Argon2id with 19 MiB, two passes and one lane: the least that OWASP's cheat sheet on storing
//! passwords asks for. Each hash costs that much memory, so only a few are made at a time and only
//! some more wait: whoever sends many passwords at once is turned away, and fills nothing.

use std::sync::Arc;

use agentdrop_domain::accounts::PasswordHash;
use agentdrop_protocol::{ErrorCode, Password};
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;

use crate::api::error::{ApiError, Result};
use crate::clock::{NoChance, random};

/// Hashes made at a time.
const AT_A_TIME: usize = 4;
/// Hashes made, and waiting to be.
const AT_MOST: usize = 64;
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const SALT: usize = 16;
/// What a password is checked against where there is none: nothing hashes to it.
const NOBODYS: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGlzIGhlcmU$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Hashes passwords, and checks them.
#[derive(Debug)]
pub(crate) struct Passwords {
    running: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

/// More passwords came than are hashed in time.
#[derive(Debug, thiserror::Error)]
#[error("too many passwords are waiting to be hashed")]
struct TooMany;

/// A password could not be hashed.
#[derive(Debug, thiserror::Error)]
#[error("a password could not be hashed: {0}")]
struct NotHashed(argon2::password_hash::Error);

impl Passwords {
    pub(crate) fn new() -> Self {
        Self {
            running: Arc::new(Semaphore::new(AT_A_TIME)),
            waiting: Arc::new(Semaphore::new(AT_MOST)),
        }
    }

    /// The hash of a password, with a salt of its own.
    pub(crate) async fn hash(&self, password: Password) -> Result<PasswordHash> {
        let salt = random()?;
        self.work(move || hashed(&password, salt)).await?
    }

    /// Whether a password is the one that was hashed. Without a hash it is not, and finding that
    /// out takes as long.
    pub(crate) async fn matches(
        &self,
        password: Password,
        hash: Option<PasswordHash>,
    ) -> Result<bool> {
        self.work(move || {
            let known = hash.as_ref().map_or(NOBODYS, PasswordHash::expose_secret);
            let password = password.expose_secret().as_bytes();
            let matches = argon2().verify_password(password, known).is_ok();
            matches && hash.is_some()
        })
        .await
    }

    /// Runs what takes a moment and much memory where it holds nobody up.
    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let closed = "the semaphore is never closed";
        let waiting = Arc::clone(&self.waiting)
            .try_acquire_owned()
            .map_err(|_| ApiError::Broken(ErrorCode::Unavailable, TooMany.into()))?;
        let running = Arc::clone(&self.running);
        let running = running.acquire_owned().await.expect(closed);
        // They go along: whoever goes away meanwhile leaves the work going on.
        let both: [OwnedSemaphorePermit; 2] = [waiting, running];
        let done = spawn_blocking(move || {
            let done = work();
            drop(both);
            done
        });
        done.await.map_err(|error| ApiError::Internal(error.into()))
    }
}

/// The hash of a password, made here and now; for an operator's command, which has nothing else to
/// do.
pub(crate) fn hash_now(password: &Password) -> Result<PasswordHash, NoChance> {
    hashed(password, random()?).map_err(|_| NoChance)
}

fn hashed(password: &Password, salt: [u8; SALT]) -> Result<PasswordHash> {
    let hash = argon2().hash_password_with_salt(password.expose_secret().as_bytes(), &salt);
    let hash = hash.map_err(|error| ApiError::Internal(NotHashed(error).into()))?;
    let Ok(hash) = hash.to_string().parse();
    Ok(hash)
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).expect("they are in range");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_matches_its_hash_alone() {
        let passwords = Passwords::new();
        let password = || "correct horse battery staple".parse::<Password>().unwrap();
        let hash = passwords.hash(password()).await.unwrap();
        assert!(
            hash.expose_secret()
                .starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{}",
            hash.expose_secret()
        );
        let again = passwords.hash(password()).await.unwrap();
        assert_ne!(hash, again, "each has a salt of its own");
        let matches = async |it: &str, hash: &PasswordHash| {
            let hash = Some(hash.clone());
            passwords.matches(it.parse().unwrap(), hash).await.unwrap()
        };
        assert!(matches("correct horse battery staple", &hash).await);
        assert!(matches("correct horse battery staple", &again).await);
        assert!(!matches("correct horse battery stapl", &hash).await);
        let Ok(broken) = "not a hash".parse();
        assert!(!matches("correct horse battery staple", &broken).await);
        assert!(!passwords.matches(password(), None).await.unwrap());
    }

    /// It must be read as a hash, or checking against it would take no time at all.
    #[test]
    fn what_is_checked_where_there_is_no_password_is_a_hash_like_any() {
        let known = argon2::password_hash::phc::PasswordHash::new(NOBODYS).unwrap();
        let params = Params::try_from(&known).unwrap();
        let of_all = (params.m_cost(), params.t_cost(), params.p_cost());
        assert_eq!(of_all, (MEMORY_KIB, PASSES, 1));
        assert!(known.salt.is_some() && known.hash.is_some());
        let refused = argon2().verify_password(b"correct horse", NOBODYS);
        assert_eq!(refused, Err(argon2::password_hash::Error::PasswordInvalid));
    }

    #[tokio::test]
    async fn who_comes_when_too_many_wait_is_turned_away() {
        let passwords = Passwords::new();
        let all = u32::try_from(AT_MOST).unwrap();
        let taken = Arc::clone(&passwords.waiting).try_acquire_many_owned(all);
        let taken = taken.unwrap();
        let password = || "correct horse".parse::<Password>().unwrap();
        let refused = passwords.matches(password(), None).await;
        assert!(matches!(
            refused,
            Err(ApiError::Broken(ErrorCode::Unavailable, _))
        ));
        drop(taken);
        assert!(!passwords.matches(password(), None).await.unwrap());
    }
}
