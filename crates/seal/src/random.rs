//! Chance, from the operating system's generator and from nowhere else.

use aws_lc_rs::rand;

use crate::SealError;

/// Answers `N` bytes of chance that no one can foresee.
///
/// They come from the library's generator (NIST SP 800-90A CTR-DRBG), which the operating system seeds. There is no way to
/// give it a seed: a test that wants fixed bytes passes them where they are used.
pub fn random_bytes<const N: usize>() -> Result<[u8; N], SealError> {
    let mut bytes = [0; N];
    fill(&mut bytes)?;
    Ok(bytes)
}

/// Fills `bytes` in place, so that a secret need not be copied to where it will live.
pub(crate) fn fill(bytes: &mut [u8]) -> Result<(), SealError> {
    rand::fill(bytes).map_err(|_| SealError::Library)
}
