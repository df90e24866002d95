//! The session of a person who signed in, kept on this machine.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::{env, fs};

use agentdrop_protocol::Timestamp;
use agentdrop_protocol::api_key::{ApiKey, KeyKind};
use agentdrop_protocol::text::Email;
use agentdrop_protocol::wire::sessions::CreatedSession;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize as _, Zeroizing};

use crate::error::{ConfigError, Error, Result};
use crate::identity::{FOLDER, named_folder};
use crate::private_file::{read_private, write_private};

/// The file of a session, in its folder.
pub(crate) const FILE: &str = "session.json";

/// Whether this is the file of a session, with its token.
pub(crate) fn is_session(name: &OsStr, content: &[u8]) -> bool {
    name == FILE && serde_json::from_slice::<Written>(content).is_ok()
}

/// A session that was kept. It belongs to a person, not to an agent, so it lies at their home.
#[derive(Debug)]
pub struct SavedSession {
    server: String,
    email: Email,
    token: ApiKey,
    expires_at: Timestamp,
    path: PathBuf,
}

/// The file as it is written.
#[derive(Serialize, Deserialize)]
struct Written {
    server: String,
    email: Email,
    session_token: String,
    expires_at: Timestamp,
}

impl SavedSession {
    /// Keeps a session, for its owner only; the one that was kept before is forgotten.
    ///
    /// It goes to `folder` if it is given, else to the one that the environment names, else to
    /// `.agentdrop` at home.
    pub fn save(server: String, session: &CreatedSession, folder: Option<&Path>) -> Result<Self> {
        let path = path(folder)?;
        let written = Written {
            server,
            email: session.account.email.clone(),
            session_token: session.session_token.clone(),
            expires_at: session.expires_at,
        };
        let json = serde_json::to_vec_pretty(&written).unwrap_or_default();
        let json = Zeroizing::new(json);
        write_private(&path, &json)?;
        written.parsed(path)
    }

    /// Answers the session that was kept, if there is one.
    ///
    /// Others must not be able to read the file, or it is refused.
    pub fn load(folder: Option<&Path>) -> Result<Option<Self>> {
        let path = path(folder)?;
        let content = match read_private(&path) {
            Err(Error::Io { source, .. }) if source.kind() == ErrorKind::NotFound => {
                return Ok(None);
            }
            content => content?,
        };
        let written: Written = serde_json::from_slice(&content).map_err(|error| {
            let problem = error.to_string();
            ConfigError::IdentityFile {
                path: path.clone(),
                problem,
            }
        })?;
        written.parsed(path).map(Some)
    }

    /// The folder of a person: `folder` if it is given, else the one that the environment names, else
    /// `.agentdrop` at home.
    pub fn folder(folder: Option<&Path>) -> Result<PathBuf> {
        let at_home = || env::home_dir().map(|it| it.join(FOLDER));
        let folder = named_folder(folder).or_else(at_home);
        Ok(folder.ok_or(ConfigError::NoHome)?)
    }

    /// Forgets the session on this machine. That does not end it at the server.
    pub fn forget(self) -> Result<()> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(Error::io("delete", &self.path)(error))
            }
            _ => Ok(()),
        }
    }

    /// The server that the session is at. Its token goes to no other.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Who signed in.
    pub const fn email(&self) -> &Email {
        &self.email
    }

    /// Until when it lasts.
    pub const fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// Where it is kept.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What requests come with.
    pub fn into_token(self) -> ApiKey {
        self.token
    }
}

impl Written {
    fn parsed(mut self, path: PathBuf) -> Result<SavedSession> {
        let token = self.session_token.parse::<ApiKey>();
        self.session_token.zeroize();
        let token = token.ok().filter(|it| it.kind() == KeyKind::Session);
        let Some(token) = token else {
            let problem = "it has no session token".to_owned();
            return Err(ConfigError::IdentityFile { path, problem }.into());
        };
        Ok(SavedSession {
            server: self.server,
            email: self.email,
            token,
            expires_at: self.expires_at,
            path,
        })
    }
}

fn path(folder: Option<&Path>) -> Result<PathBuf> {
    Ok(SavedSession::folder(folder)?.join(FILE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_kept_for_its_owner_and_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let at = Some(folder.path());
        assert!(SavedSession::load(at).unwrap().is_none());
        let chance = std::array::from_fn(|n| u8::try_from(n).unwrap());
        let token = ApiKey::new(KeyKind::Session, &chance).unwrap();
        let session: CreatedSession = serde_json::from_value(serde_json::json!({
            "id": "ses_019a9f3e5c1a7b2d8e4fa1b2c3d4e5f6",
            "session_token": token.expose_secret(),
            "expires_at": "2026-12-22T10:00:00.000Z",
            "account": {
                "id": "019a9f3e-5c1a-7b2d-8e4f-a1b2c3d4e5f6", "name": "Ann",
                "email": "ann@example.org", "email_verified": true, "has_password": true,
                "require_encryption": false, "plan": "enterprise",
                "created_at": "2026-11-22T10:00:00.000Z",
            },
        }))
        .unwrap();
        SavedSession::save("https://drop.example.org".into(), &session, at).unwrap();
        let loaded = SavedSession::load(at).unwrap().unwrap();
        assert_eq!(loaded.server(), "https://drop.example.org");
        assert_eq!(loaded.email().as_str(), "ann@example.org");
        assert!(!format!("{loaded:?}").contains(token.expose_secret()));
        loaded.forget().unwrap();
        assert!(SavedSession::load(at).unwrap().is_none());
    }

    #[test]
    fn a_file_that_is_no_session_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for bad in [
            "",
            "{}",
            r#"{"server":"x","email":"a@b.c","session_token":"agd_live_x","expires_at":"2026-12-22T10:00:00.000Z"}"#,
        ] {
            write_private(&folder.path().join(FILE), bad.as_bytes()).unwrap();
            assert!(SavedSession::load(Some(folder.path())).is_err(), "{bad}");
        }
    }
}
