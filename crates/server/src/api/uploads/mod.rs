//! Files that come by signed addresses: announced, sent whole or in parts, confirmed.
//!
//! What is announced takes its room at once and is its sender's alone. Each part lies in a blob of
//! its own, and which try to upload it counts is a row; so putting the parts together moves no byte.

pub(crate) mod announce;
pub(crate) mod confirm;
mod direct;
pub(crate) mod parts;
pub(crate) mod put;

use agentdrop_domain::Actor;
use agentdrop_domain::transfers::{File, Transfer};
use agentdrop_domain::uploads::Upload;
use agentdrop_protocol::{FileId, UploadId};

use super::error::{ApiError, Result};

/// The transfer, if the caller sent it.
fn sent_by(transfer: Option<Transfer>, actor: &Actor) -> Result<Transfer> {
    let transfer = transfer.filter(|it| it.is_sent_by(actor));
    transfer.ok_or(ApiError::NotFound)
}

/// A file that comes in parts, and how.
fn in_parts(transfer: &Transfer, id: FileId) -> Result<(&File, Upload, UploadId)> {
    let (_, file) = transfer.file(id).ok_or(ApiError::NotFound)?;
    let upload = file.upload.ok_or(ApiError::NotFound)?;
    Ok((file, upload, upload.id.ok_or(ApiError::NotFound)?))
}
