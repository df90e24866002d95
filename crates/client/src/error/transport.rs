//! Why the server could not be talked to.

use std::fmt;

/// Why the server could not be talked to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransportError {
    /// What happened.
    pub problem: TransportProblem,
    /// The server, without path and query.
    pub server: String,
    /// The first cause, as far as it is known.
    pub detail: String,
}

/// How talking to a server fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransportProblem {
    /// The connection ended before the answer did.
    BrokenOff,
    /// Nothing came for too long.
    TimedOut,
    /// No connection came about.
    Unreachable,
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            problem,
            server,
            detail,
        } = self;
        match problem {
            TransportProblem::BrokenOff => write!(f, "the connection to {server} broke off")?,
            TransportProblem::TimedOut => write!(f, "{server} does not answer in time")?,
            TransportProblem::Unreachable => write!(f, "cannot connect to {server}")?,
        }
        if detail.is_empty() {
            return Ok(());
        }
        write!(f, ": {detail}")
    }
}

impl std::error::Error for TransportError {}

impl TransportProblem {
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::BrokenOff => "CONNECTION_BROKEN",
            Self::TimedOut => "TIMED_OUT",
            Self::Unreachable => "UNREACHABLE",
        }
    }

    pub(super) const fn hint(self) -> &'static str {
        match self {
            Self::BrokenOff | Self::TimedOut => {
                "try again; if it stays so, look at the server's log"
            }
            Self::Unreachable => "check the address, and that the server runs",
        }
    }
}
