//! What is written down of a transfer on its way in, for the process that goes on with it.
//!
//! It holds a grant, and a grant says whose key the files open with. So it is sealed with a key of the
//! recipient's own: a state that somebody put there does not open, whoever owns the file by now.

use std::io::Cursor;

use agentdrop_protocol::text::Message;
use agentdrop_protocol::wire::downloads::Download;
use agentdrop_protocol::{EncryptionPublicKey, FileName, TransferId};
use agentdrop_seal::{ContentKey, FileSealer, Nonce, SealError, SealedFile};
use serde::{Deserialize, Serialize};

use super::Security;
use super::leftovers::Unusable;
use super::settling::Settling;

const VERSION: u32 = 1;

/// Where receiving a transfer stands.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct State {
    version: u32,
    server: String,
    /// The grant under which files are fetched.
    pub(super) grant: Download,
    /// One a file of the grant.
    pub(super) parts: Vec<Part>,
    /// What the files were, once they are being placed.
    pub(super) placing: Option<Placing>,
}

/// What is known of the bytes of a file that are here: sealed ones, or, where it is opened as it comes,
/// opened ones.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Part {
    /// What names the sealed file that they are of.
    pub(super) etag: Option<String>,
    /// What that begins with, in base64, where it is opened as it comes.
    #[serde(default)]
    pub(super) header: Option<String>,
    /// It is being opened where it lies: it is neither the sealed file nor the opened one.
    pub(super) is_overwritten: bool,
}

/// What was received, and where it is going.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Placing {
    pub(super) security: Security,
    pub(super) message: Option<Message>,
    pub(super) sender_key: Option<EncryptionPublicKey>,
    /// What is to be done when all of it is placed.
    #[serde(default)]
    pub(super) settling: Option<Settling>,
    pub(super) files: Vec<Marked>,
}

/// A file that is placed, with what it is known by there.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Marked {
    /// Which file of the grant it is.
    pub(super) n: usize,
    /// What its sender called it.
    pub(super) name: FileName,
    /// How many bytes it has.
    pub(super) bytes: u64,
    /// Whether it is the folder that its sender packed.
    pub(super) is_folder: bool,
    /// Its inode, and when it was written.
    pub(super) mark: (u64, i64, i64),
}

impl State {
    pub(super) fn new(server: String, grant: Download) -> Self {
        let parts = vec![Part::default(); grant.files.len()];
        Self {
            version: VERSION,
            server,
            grant,
            parts,
            placing: None,
        }
    }

    /// `nonce ‖ AES-256-GCM(key, nonce, JSON) ‖ tag`.
    pub(super) fn seal(&self, key: &ContentKey) -> Result<Vec<u8>, SealError> {
        let json = serde_json::to_vec(self).expect("a state has text keys and no failing field");
        let sealer = FileSealer::new(key)?;
        let mut sealed = sealer.nonce().as_bytes().to_vec();
        sealer.seal_to(&*json, &mut sealed)?;
        Ok(sealed)
    }

    /// Opens what was sealed for receiving this transfer from this server, or says why it is not that.
    pub(super) fn open(
        sealed: &[u8],
        key: &ContentKey,
        server: &str,
        id: TransferId,
    ) -> Result<Self, Unusable> {
        let not_ours = Unusable::Foreign("its state was not written with this key");
        let spoiled = |reason| Err(Unusable::Spoiled(reason));
        let (nonce, sealed) = sealed.split_at_checked(Nonce::BYTES).ok_or(not_ours)?;
        let nonce = Nonce::try_from(nonce).map_err(|_| not_ours)?;
        let file = SealedFile::new(Cursor::new(sealed), nonce).map_err(|_| not_ours)?;
        let mut json = Vec::new();
        let opened = file.verify(key).and_then(|it| it.open_to(&mut json));
        opened.map_err(|_| not_ours)?;
        let another_version = Unusable::Spoiled("its state is of another version");
        let state: Self = serde_json::from_slice(&json).map_err(|_| another_version)?;
        if state.version != VERSION || state.parts.len() != state.grant.files.len() {
            return Err(another_version);
        }
        if state.server != server {
            return spoiled("it is of another server");
        }
        if state.grant.id != id {
            return spoiled("it is of another transfer");
        }
        Ok(state)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: &str = "2026-09-21T16:53:20.000Z";
    const ID: &str = "019a9f3e-5c1a-7b2d-8e4f-a1b2c3d4e5f6";

    #[test]
    fn what_comes_and_from_where_is_not_in_what_is_printed_for_debugging() {
        let file = json!({
            "file_id": ID, "name": "secret-plan.pdf", "file_name": "secret-plan.pdf", "size": 4,
            "download_url": "https://files/1?sig=s3cr3t", "content_type": "text/plain",
        });
        let grant = json!({
            "id": "tr_019a9f3e5c1a7b2d8e4fa1b2c3d4e5f6", "sender": "alice", "files": [file],
            "download_id": "dl_019a9f3e5c1a7b2d8e4fa1b2c3d4e5f6", "download_expires_at": NOW,
            "downloads": 1, "downloads_remaining": 9, "expires_at": NOW, "auto_delete": true,
            "message": "the code is 4711", "is_encrypted": true,
        });
        let grant: Download = serde_json::from_value(grant).unwrap();
        let marked = Marked {
            n: 0,
            name: "secret-plan.pdf".parse().unwrap(),
            bytes: 4,
            is_folder: false,
            mark: (1, 2, 3),
        };
        let mut state = State::new("https://a".to_owned(), grant);
        state.placing = Some(Placing {
            security: Security::Compatible,
            message: Some("the code is 4711".parse().unwrap()),
            sender_key: None,
            settling: None,
            files: vec![marked],
        });
        for printed in [format!("{state:?}"), format!("{state:#?}")] {
            assert!(printed.contains("019a9f3e"), "{printed}");
            for secret in ["4711", "secret-plan", "s3cr3t"] {
                assert!(!printed.contains(secret), "{printed}");
            }
        }
    }
}
