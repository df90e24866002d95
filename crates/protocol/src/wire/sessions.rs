//! Sessions of people who signed in.

use serde::{Deserialize, Serialize};

use super::accounts::OwnAccount;
use crate::text::Email;
use crate::{Password, SessionId, Timestamp};

/// Signs in.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreateSession {
    /// The address of the account.
    pub email: Email,
    /// Its password.
    #[serde(serialize_with = "Password::serialize")]
    pub password: Password,
}

/// A new session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreatedSession {
    /// The session.
    pub id: SessionId,
    /// What requests come with, `ags_…`. It is shown this once.
    pub session_token: String,
    /// The account it is a session of.
    pub account: OwnAccount,
    /// Until when it lasts.
    pub expires_at: Timestamp,
}

/// The sessions of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Sessions {
    /// Those that last, newest first.
    pub sessions: Vec<Session>,
}

/// A session, without what makes it work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Session {
    /// The session.
    pub id: SessionId,
    /// Whether it is the one that asks.
    pub current: bool,
    /// The network address that its owner signed in from.
    pub address: String,
    /// When they did.
    pub created_at: Timestamp,
    /// When it was used last, to the minute.
    pub last_used_at: Timestamp,
    /// Until when it lasts.
    pub expires_at: Timestamp,
}

/// A session that is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EndedSession {
    /// The session.
    pub id: SessionId,
    /// That it is over.
    pub ended: bool,
}
