//! Why no verdict could be reached.

use std::io;

/// Why a scan could not be done; a finding is none of these.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScanError {
    /// The input could not be read.
    #[error("what is to be scanned cannot be read")]
    Read(#[source] io::Error),
    /// The rules are not rules.
    #[error("the rules in {file} cannot be used: {why}")]
    Rules {
        /// Which file of rules.
        file: String,
        /// What is wrong with it.
        why: String,
    },
}
