//! Transfers and the states they pass through.

mod files;
mod parties;

pub use files::{AtRest, Direct, File, Sealing};
pub use parties::{Recipient, Sender};

use agentdrop_protocol::limits::DELIVERY_GRACE;
use agentdrop_protocol::wire::transfers::{DeliveryStatus, TransferMode, TransferStatus};
use agentdrop_protocol::{AccountId, FileId, Timestamp, TransferId};

use crate::Actor;
use crate::downloads::grant_until;

/// Files on their way from an agent to another, or to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// The transfer.
    pub id: TransferId,
    /// Between whom it goes.
    pub mode: TransferMode,
    /// Who sent it.
    pub sender: Sender,
    /// Who receives it.
    pub recipient: Recipient,
    /// How its sender encrypted it, if it did.
    pub sealing: Option<Sealing>,
    /// The key that the server encrypts with what its sender did not, wrapped with the server key.
    pub wrapped_key: Vec<u8>,
    /// Message, metadata and file names, encrypted with that key.
    pub details: Vec<u8>,
    /// Its files, in the order they were sent in.
    pub files: Vec<File>,
    /// Whether its files go once they were delivered.
    pub auto_delete: bool,
    /// How often it may be downloaded.
    pub max_downloads: u32,
    /// How often it was.
    pub downloads: u32,
    /// Where it stands; [`Transfer::status_at`] also looks at the clock.
    pub status: TransferStatus,
    /// From when on its bytes are no longer needed; absent once they are gone.
    pub bytes_until: Option<Timestamp>,
    /// When it was created.
    pub created_at: Timestamp,
    /// Whether its files were only announced so far: then it is its sender's alone.
    pub announced: bool,
    /// Until when it can be downloaded.
    pub expires_at: Timestamp,
    /// When it was deleted.
    pub deleted_at: Option<Timestamp>,
}

/// Why a transfer cannot do what was asked of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransferError {
    /// It was deleted.
    #[error("the transfer was deleted")]
    Deleted,
    /// It was downloaded as often as allowed.
    #[error("the transfer was downloaded as often as its sender allowed")]
    Exhausted,
    /// Its time ran out.
    #[error("the transfer has expired")]
    Expired,
    /// It cannot be downloaded yet.
    #[error("the transfer cannot be downloaded yet")]
    NotReady,
}

impl Transfer {
    /// Where it stands now; past its time it has expired, whether swept or not.
    pub fn status_at(&self, now: Timestamp) -> TransferStatus {
        match self.status {
            TransferStatus::Pending | TransferStatus::Active | TransferStatus::PendingRecipient
                if now >= self.expires_at =>
            {
                TransferStatus::Expired
            }
            status => status,
        }
    }

    /// How many bytes its files are together.
    pub fn total_size(&self) -> u64 {
        self.files.iter().map(|it| it.size).sum()
    }

    /// The file `id`, and its place among the files.
    pub fn file(&self, id: FileId) -> Option<(usize, &File)> {
        self.files.iter().enumerate().find(|(_, it)| it.id == id)
    }

    /// Whether the caller may know of it, given that its account sent or receives it.
    pub fn is_visible_to(&self, actor: &Actor) -> bool {
        self.is_sent_by(actor) || self.is_received_by(actor)
    }

    /// Whether the caller sent it.
    pub fn is_sent_by(&self, actor: &Actor) -> bool {
        self.sender.account == actor.account && actor.acts_as(self.sender.agent)
    }

    /// Whether the caller receives it.
    pub fn is_received_by(&self, actor: &Actor) -> bool {
        // No agent is a person: without one named, only the account itself acts.
        !self.announced
            && self.recipient.account() == Some(actor.account)
            && actor.acts_as(self.recipient.agent())
    }

    /// The account that was told of it as its recipient. A person is, once it is encrypted for them:
    /// as long as it waits, nothing tells its sender whether the person has an account.
    pub fn told(&self) -> Option<AccountId> {
        match &self.recipient {
            // It is its sender's alone.
            _ if self.announced => None,
            Recipient::Agent { account, .. } => Some(*account),
            Recipient::Person { account, .. } => account.filter(|_| self.sealing.is_some()),
        }
    }

    /// Takes one of its downloads.
    pub fn claim_download(self, now: Timestamp) -> Result<Self, TransferError> {
        match self.status_at(now) {
            TransferStatus::Active if self.downloads < self.max_downloads => {}
            TransferStatus::Active | TransferStatus::Downloaded => {
                return Err(TransferError::Exhausted);
            }
            TransferStatus::Pending | TransferStatus::PendingRecipient => {
                return Err(TransferError::NotReady);
            }
            TransferStatus::Expired => return Err(TransferError::Expired),
            TransferStatus::Deleted => return Err(TransferError::Deleted),
        }
        let downloads = self.downloads + 1;
        if downloads < self.max_downloads {
            return Ok(Self { downloads, ..self });
        }
        // Whoever holds a grant may still fetch and resume; then the bytes go.
        let until = grant_until(now, self.expires_at);
        let bytes_until = self.bytes_until.map(|it| it.min(until));
        Ok(Self {
            downloads,
            status: TransferStatus::Downloaded,
            bytes_until,
            ..self
        })
    }

    /// Whether its bytes may be sent to the holder of a grant.
    pub fn require_bytes(&self, now: Timestamp) -> Result<(), TransferError> {
        match self.status_at(now) {
            TransferStatus::Active => Ok(()),
            // The last grant outlives the last download, and no grant outlives the transfer.
            TransferStatus::Downloaded if now < self.expires_at => match self.bytes_until {
                Some(_) => Ok(()),
                // Delivered, and swept before the last grant ran out.
                None => Err(TransferError::Deleted),
            },
            TransferStatus::Downloaded | TransferStatus::Expired => Err(TransferError::Expired),
            TransferStatus::Deleted => Err(TransferError::Deleted),
            TransferStatus::Pending | TransferStatus::PendingRecipient => {
                Err(TransferError::NotReady)
            }
        }
    }

    /// The blobs that have its bytes, less those of parts, and less what is in the database.
    pub fn blobs(&self) -> Vec<u32> {
        File::blobs(&self.files).collect()
    }

    /// What it is once its files were encrypted for its recipient.
    pub fn activate(
        self,
        sealing: Sealing,
        files: Vec<File>,
        now: Timestamp,
    ) -> Result<Self, TransferError> {
        match self.status_at(now) {
            TransferStatus::PendingRecipient => Ok(Self {
                status: TransferStatus::Active,
                sealing: Some(sealing),
                files,
                ..self
            }),
            TransferStatus::Expired => Err(TransferError::Expired),
            TransferStatus::Deleted => Err(TransferError::Deleted),
            TransferStatus::Pending | TransferStatus::Active | TransferStatus::Downloaded => {
                Err(TransferError::NotReady)
            }
        }
    }

    /// Notes that every file was sent to its end under one grant of the recipient.
    ///
    /// A client that sends no acknowledgement keeps some time to notice a broken connection.
    pub fn note_streamed(self, now: Timestamp) -> Self {
        if !self.auto_delete {
            return self;
        }
        let until = now.plus(DELIVERY_GRACE);
        Self {
            bytes_until: self.bytes_until.map(|it| it.min(until)),
            ..self
        }
    }

    /// Notes how the recipient says that a download ended.
    pub fn acknowledge(self, status: DeliveryStatus, now: Timestamp) -> Self {
        match status {
            DeliveryStatus::Received if self.auto_delete => self.deleted(now),
            DeliveryStatus::Received | DeliveryStatus::Rejected => self,
        }
    }

    /// Takes it back, or throws it away.
    pub fn delete(self, now: Timestamp) -> Result<Self, TransferError> {
        if self.status == TransferStatus::Deleted {
            return Err(TransferError::Deleted);
        }
        Ok(self.deleted(now))
    }

    /// What it is once its bytes are gone, if their time is over.
    pub fn sweep(self, now: Timestamp) -> Option<Self> {
        self.bytes_until.filter(|it| *it <= now)?;
        let status = match self.status_at(now) {
            // The grace after a delivery ran out.
            TransferStatus::Active => TransferStatus::Deleted,
            // Nobody confirmed it in time.
            TransferStatus::Pending => TransferStatus::Expired,
            status => status,
        };
        let deleted_at = (status == TransferStatus::Deleted).then_some(now);
        Some(Self {
            status,
            bytes_until: None,
            deleted_at: self.deleted_at.or(deleted_at),
            ..self
        })
    }

    fn deleted(self, now: Timestamp) -> Self {
        Self {
            status: TransferStatus::Deleted,
            bytes_until: self.bytes_until.map(|it| it.min(now)),
            deleted_at: self.deleted_at.or(Some(now)),
            ..self
        }
    }
}

#[cfg(test)]
mod tests;
