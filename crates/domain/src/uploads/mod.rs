//! Files that come by signed addresses: which bytes are to come, and when all of them are there.
//!
//! Such a transfer takes its room before any byte of it comes. It is its sender's alone until it is
//! confirmed, and goes if that does not happen in time.

use std::ops::RangeInclusive;

use agentdrop_protocol::limits::UPLOAD_LIFETIME;
use agentdrop_protocol::wire::transfers::TransferStatus;
use agentdrop_protocol::{FileId, PartTag, Timestamp, UploadId};
use serde::{Deserialize, Serialize};

use crate::transfers::{Direct, File, Transfer, TransferError};

/// How the bytes of a file come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    /// What it is called, if the file comes in parts; else it comes whole, as its only part.
    pub id: Option<UploadId>,
    /// Bytes in each part but the last.
    pub part_bytes: u64,
    /// Whether its sender said that all parts are there.
    pub is_complete: bool,
}

/// A part that has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Which one, from 1.
    pub number: u32,
    /// What the try that brought it is told apart by.
    pub tag: PartTag,
    /// How many bytes it has.
    pub bytes: u64,
}

/// A part that has come, as whoever stores it knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPart {
    /// Which one, from 1.
    pub number: u32,
    /// What its sender was answered with, with quotes or without.
    pub etag: String,
    /// How many bytes it has.
    pub bytes: u64,
}

impl From<Part> for StoredPart {
    fn from(part: Part) -> Self {
        Self {
            number: part.number,
            etag: part.tag.to_string(),
            bytes: part.bytes,
        }
    }
}

/// A file that an object store has, and the `ETag` of its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Came {
    /// The file.
    pub file: FileId,
    /// How many bytes it has.
    pub bytes: u64,
    /// What the object store names them by.
    pub etag: Option<String>,
}

/// A part, as the sender names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NamedPart<'a> {
    /// Which one, from 1.
    pub number: u32,
    /// What it was answered with.
    pub etag: &'a str,
}

/// Why what was asked of an upload cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UploadError {
    /// The parts were put together.
    #[error("the parts of this file were put together already")]
    AlreadyCompleted,
    /// The transfer was confirmed.
    #[error("the transfer was confirmed already")]
    AlreadyConfirmed,
    /// A part is named twice.
    #[error("part {0} is named twice")]
    DuplicatePart(u32),
    /// Files have not come; their places.
    #[error("files of the transfer have not come yet")]
    FilesMissing(Vec<usize>),
    /// A part is none, has not come, or came again.
    #[error("part {0} has not come, or not with this ETag")]
    InvalidPart(u32),
    /// The parts are not in their order.
    #[error("the parts are to be named in ascending order")]
    InvalidPartOrder,
    /// The file has no such part, or the transfer no such file.
    #[error("there is no such file or part in the transfer")]
    NoSuchPart,
    /// A part of the file is not named.
    #[error("part {0} is not named, and without it the file would not be whole")]
    PartsMissing(u32),
    /// There are other bytes than were announced.
    #[error("there are {came} bytes, and {announced} were announced")]
    SizeMismatch {
        /// How many were to come.
        announced: u64,
        /// How many did.
        came: u64,
    },
    /// The transfer stands where nothing of it can come.
    #[error(transparent)]
    Transfer(#[from] TransferError),
}

impl Upload {
    /// Of a file of `bytes` that comes whole.
    pub const fn whole(bytes: u64) -> Self {
        Self {
            id: None,
            part_bytes: bytes,
            is_complete: false,
        }
    }

    /// Of a file that comes in parts.
    pub const fn in_parts(id: UploadId, part_bytes: u64) -> Self {
        Self {
            id: Some(id),
            part_bytes,
            is_complete: false,
        }
    }

    /// How many parts a file of `bytes` has. An empty one that comes whole has an empty one.
    pub fn part_count(&self, bytes: u64) -> u64 {
        match (self.id, self.part_bytes) {
            (None, _) => 1,
            (Some(_), 0) => 0,
            (Some(_), each) => bytes.div_ceil(each),
        }
    }

    /// How many bytes part `number` of a file of `bytes` has, if there is one.
    pub fn part_len(&self, bytes: u64, number: u32) -> Option<u64> {
        let before = u64::from(number).checked_sub(1)?;
        if before >= self.part_count(bytes) {
            return None;
        }
        Some((bytes - before * self.part_bytes).min(self.part_bytes))
    }

    /// The parts of a file that have the bytes from `start` until before `end`, of which there is
    /// one at least.
    pub fn parts_with(&self, start: u64, end: u64) -> RangeInclusive<u32> {
        let number = |at: u64| {
            let before = at.checked_div(self.part_bytes).unwrap_or(0);
            u32::try_from(before + 1).unwrap_or(u32::MAX)
        };
        number(start)..=number(end.saturating_sub(1).max(start))
    }
}

/// Until when what was announced may come.
pub fn upload_until(now: Timestamp, expires_at: Timestamp) -> Timestamp {
    now.plus(UPLOAD_LIFETIME).min(expires_at)
}

impl Transfer {
    /// Whether its files may still come, but for the clock.
    pub fn is_coming(&self) -> bool {
        self.announced && self.status == TransferStatus::Pending
    }

    /// Refuses, unless its files may come now.
    pub fn require_announced(&self, now: Timestamp) -> Result<(), UploadError> {
        match self.status_at(now) {
            TransferStatus::Deleted => Err(TransferError::Deleted.into()),
            TransferStatus::Expired => Err(TransferError::Expired.into()),
            _ if !self.announced => Err(UploadError::AlreadyConfirmed),
            // Due for the sweep.
            _ if self.bytes_until.is_none_or(|it| it <= now) => Err(TransferError::Expired.into()),
            _ => Ok(()),
        }
    }

    /// How many bytes part `number` of a file is to have, and the file, if it may come now.
    pub fn expected_part(
        &self,
        file: FileId,
        number: u32,
        now: Timestamp,
    ) -> Result<(u64, &File), UploadError> {
        let (_, file) = self.file(file).ok_or(UploadError::NoSuchPart)?;
        let upload = file.upload.ok_or(UploadError::NoSuchPart)?;
        let bytes = upload.part_len(file.size, number);
        let bytes = bytes.ok_or(UploadError::NoSuchPart)?;
        // Its parts are sent to an object store.
        if file.direct.is_some() {
            return Err(UploadError::NoSuchPart);
        }
        self.require_announced(now)?;
        if upload.id.is_some() && upload.is_complete {
            return Err(UploadError::AlreadyCompleted);
        }
        Ok((bytes, file))
    }

    /// What it is once the sender said which parts make up a file; `stored` are all that came, in
    /// their order.
    pub fn complete_file(
        mut self,
        id: FileId,
        named: &[NamedPart<'_>],
        stored: &[StoredPart],
        now: Timestamp,
    ) -> Result<Self, UploadError> {
        self.require_announced(now)?;
        let file = self.files.iter_mut().find(|it| it.id == id);
        let file = file.ok_or(UploadError::NoSuchPart)?;
        let upload = file.upload.as_mut().ok_or(UploadError::NoSuchPart)?;
        require_parts(upload, file.size, named, stored)?;
        upload.is_complete = true;
        Ok(self)
    }

    /// What it is once an object store has put the parts of a file together.
    pub fn complete_direct(mut self, came: &Came, now: Timestamp) -> Result<Self, UploadError> {
        self.require_announced(now)?;
        let file = self.files.iter_mut().find(|it| it.id == came.file);
        let file = file.ok_or(UploadError::NoSuchPart)?;
        file.require_size(came.bytes)?;
        let upload = file.upload.as_mut().ok_or(UploadError::NoSuchPart)?;
        upload.is_complete = true;
        file.direct = Some(Direct {
            upload: None,
            etag: came.etag.clone(),
        });
        Ok(self)
    }

    /// Whether parts of one of its files may come under this name to an object store.
    pub fn awaits(&self, upload: &str) -> bool {
        let named = |it: &File| it.direct.as_ref()?.upload.clone();
        self.files.iter().filter_map(named).any(|it| it == upload)
    }

    /// The same, once it is known which bytes of files that came whole an object store has.
    pub fn confirm_direct(mut self, came: &[Came]) -> Result<Self, UploadError> {
        for it in came {
            let file = self.files.iter_mut().find(|file| file.id == it.file);
            let file = file.ok_or(UploadError::NoSuchPart)?;
            file.require_size(it.bytes)?;
            file.direct = Some(Direct {
                upload: None,
                etag: it.etag.clone(),
            });
        }
        Ok(self)
    }

    /// Where it stands once all is confirmed; `whole` are the files that came whole.
    pub fn confirm(
        self,
        whole: &[FileId],
        status: TransferStatus,
        now: Timestamp,
    ) -> Result<Self, UploadError> {
        self.require_announced(now)?;
        let came = |it: &File| match it.upload {
            Some(Upload {
                id: Some(_),
                is_complete,
                ..
            }) => is_complete,
            Some(Upload { id: None, .. }) => whole.contains(&it.id),
            None => true,
        };
        let files = self.files.iter().enumerate();
        let missing: Vec<_> = files.filter(|it| !came(it.1)).map(|it| it.0).collect();
        if !missing.is_empty() {
            return Err(UploadError::FilesMissing(missing));
        }
        Ok(Self {
            status,
            announced: false,
            bytes_until: Some(self.expires_at),
            ..self
        })
    }
}

impl File {
    /// Refuses another number of bytes than were announced.
    fn require_size(&self, came: u64) -> Result<(), UploadError> {
        let announced = self.size;
        if came == announced {
            return Ok(());
        }
        Err(UploadError::SizeMismatch { announced, came })
    }
}

/// Whether two `ETag`s are the same, with their quotes or without.
fn is_same(one: &str, other: &str) -> bool {
    fn plain(etag: &str) -> &str {
        let quoted = etag.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
        quoted.unwrap_or(etag)
    }
    plain(one) == plain(other)
}

/// Refuses parts that do not make up the file.
fn require_parts(
    upload: &Upload,
    bytes: u64,
    named: &[NamedPart<'_>],
    stored: &[StoredPart],
) -> Result<(), UploadError> {
    let mut last = None;
    for it in named {
        if last == Some(it.number) {
            return Err(UploadError::DuplicatePart(it.number));
        }
        if last > Some(it.number) {
            let again = named.iter().filter(|other| other.number == it.number);
            return Err(if again.count() > 1 {
                UploadError::DuplicatePart(it.number)
            } else {
                UploadError::InvalidPartOrder
            });
        }
        last = Some(it.number);
    }
    let mut came = 0_u64;
    for it in named {
        let expected = upload.part_len(bytes, it.number);
        let part = stored.binary_search_by_key(&it.number, |it| it.number);
        let part = part.ok().and_then(|at| stored.get(at));
        let part = part.filter(|part| is_same(&part.etag, it.etag));
        let (Some(expected), Some(part)) = (expected, part) else {
            return Err(UploadError::InvalidPart(it.number));
        };
        if part.bytes != expected {
            let (announced, came) = (expected, part.bytes);
            return Err(UploadError::SizeMismatch { announced, came });
        }
        came += part.bytes;
    }
    let count = u32::try_from(upload.part_count(bytes)).unwrap_or(u32::MAX);
    let missing = (1..=count).find(|it| named.binary_search_by_key(it, |it| it.number).is_err());
    if let Some(missing) = missing {
        return Err(UploadError::PartsMissing(missing));
    }
    if came != bytes {
        let announced = bytes;
        return Err(UploadError::SizeMismatch { announced, came });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
