//! What was sent, in `sent/`, a file a transfer: what receipts are checked against.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use agentdrop_protocol::wire::receive_passwords::Base64Bytes;
use agentdrop_protocol::{AgentId, Timestamp, TransferId};
use agentdrop_seal::identity::{IdentityPublicKey, Verdict};
use agentdrop_seal::native::Receipt;
use serde::{Deserialize, Serialize};

use crate::error::{Error, PeerError, Result};
use crate::private_file::delete_private;
use crate::state_file::{StateFile, sweep_leftovers};

const FOLDER: &str = "sent";
const LOCK: &str = "sent.lock";
const ENDING: &str = ".json";
/// 256 recipients take some 30 KB.
const MAX_BYTES: usize = 64 * 1024;
/// A receipt may come late: its recipient was away, or its clock is behind.
const LATE: Duration = Duration::from_hours(30 * 24);

/// What was sent.
#[derive(Debug)]
pub struct SentTransfers {
    folder: PathBuf,
}

/// A recipient, and the identity that it was known by when it was sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SentTo {
    /// The agent.
    pub agent: AgentId,
    /// Its identity.
    pub identity: IdentityPublicKey,
}

/// The file of a transfer. Another field is another version of the file.
#[derive(Debug, Serialize, Deserialize)]
struct Sent {
    manifest: Base64Bytes<64>,
    recipients: Vec<(AgentId, Base64Bytes<32>)>,
    expires: Timestamp,
}

impl SentTransfers {
    /// What the identity in `folder` sent.
    pub fn open(folder: &Path) -> Self {
        Self {
            folder: folder.join(FOLDER),
        }
    }

    /// Remembers what is being sent: on disk when it returns, and to be called before the server has
    /// the envelope. What was remembered of the transfer before is replaced, for it did not go out.
    pub fn remember(
        &self,
        transfer: TransferId,
        manifest_hash: [u8; 64],
        recipients: &[SentTo],
        expires: Timestamp,
    ) -> Result<()> {
        let recipients = recipients
            .iter()
            .map(|it| (it.agent, Base64Bytes(*it.identity.as_bytes())));
        self.file(transfer).hold()?.write(&Sent {
            manifest: Base64Bytes(manifest_hash),
            recipients: recipients.collect(),
            expires,
        })
    }

    /// What became of a transfer, as `recipient` signed it; nothing, if the transfer is not
    /// remembered, so that the receipt says nothing either way.
    ///
    /// `identities` are those that the recipient is and was known by, oldest first, where it has rotated
    /// its own: it signs with the one that it had when it received. One that it gave up before it was
    /// sent to says nothing; whoever has stolen that one may sign with it.
    pub fn check(
        &self,
        transfer: TransferId,
        recipient: AgentId,
        identities: &[IdentityPublicKey],
        receipt: &[u8],
    ) -> Result<Option<Verdict>> {
        let file = self.file(transfer);
        let Some(sent) = file.read()? else {
            return Ok(None);
        };
        let not_genuine = || PeerError::ReceiptNotGenuine(transfer);
        let sent_to = sent.recipients.iter().find(|it| it.0 == recipient);
        let (_, identity) = sent_to.ok_or_else(not_genuine)?;
        let identity = IdentityPublicKey::from_bytes(&identity.0)
            .map_err(|_| file.spoiled("a key in it is none"))?;
        let receipt = Receipt::read(receipt).map_err(|_| not_genuine())?;
        let since = match identities.iter().position(|it| *it == identity) {
            Some(sent_to) => identities.get(sent_to..),
            // So long ago that it is not remembered, or a person decided about it since.
            None => identities.last().map(std::slice::from_ref),
        };
        let since = since.unwrap_or_default();
        let checked = [&identity].into_iter().chain(since).find_map(|it| {
            let checked = receipt.check(it, transfer.as_bytes(), &sent.manifest.0);
            checked.ok()
        });
        Ok(Some(checked.ok_or_else(not_genuine)?))
    }

    /// Forgets a transfer that did not go out, or of which all receipts are here.
    pub fn forget(&self, transfer: TransferId) -> Result<()> {
        let file = self.file(transfer);
        let _held = file.hold()?;
        delete_private(file.path())
    }

    /// Forgets what is over so long that no receipt comes any more.
    pub fn sweep(&self, now: Timestamp) -> Result<()> {
        sweep_leftovers(&self.folder, now);
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            entries => entries.map_err(Error::io("read", &self.folder))?,
        };
        for name in entries.filter_map(|it| it.ok()?.file_name().into_string().ok()) {
            let transfer = name.strip_suffix(ENDING).and_then(|it| it.parse().ok());
            let Some(file) = transfer.map(|it: TransferId| self.file(it)) else {
                continue;
            };
            let held = file.hold()?;
            if held.read()?.is_some_and(|it| it.expires.plus(LATE) <= now) {
                delete_private(file.path())?;
            }
        }
        Ok(())
    }

    fn file(&self, transfer: TransferId) -> StateFile<Sent> {
        StateFile::new(
            &self.folder,
            &format!("{transfer}{ENDING}"),
            LOCK,
            MAX_BYTES,
        )
    }
}
