//! Whether the server works.

use serde::{Deserialize, Serialize};

/// The answer of `/healthz`: the process runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Health {
    /// `ok`.
    pub status: String,
    /// The server's version.
    pub version: String,
}

/// The answer of `/readyz`: which part is up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Readiness {
    /// `ok`, or `unavailable` if any part is.
    pub status: PartState,
    /// The database.
    pub database: PartState,
    /// Where the files are.
    pub blobs: PartState,
}

super::define_choice! {
    /// Whether a part of the server works.
    PartState {
        /// It answers.
        Ok = "ok",
        /// It does not.
        Unavailable = "unavailable",
    }
}
