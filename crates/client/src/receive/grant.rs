//! Grants: taken from the server, and held to what it announced.

use std::collections::HashSet;

use agentdrop_protocol::LinkToken;
use agentdrop_protocol::limits::MAX_SEALED_BYTES;
use agentdrop_protocol::wire::downloads::{Download, DownloadFile};
use agentdrop_protocol::wire::transfers::Transfer;

use crate::client::Client;
use crate::error::{Error, Result, TrustError};

/// Takes one of the downloads, of the files that were announced.
pub(super) async fn granted(
    client: &Client,
    link: Option<&LinkToken>,
    listed: &Transfer,
    max_files: usize,
) -> Result<Download> {
    let grant = match link {
        Some(token) => client.download_link(token).await?,
        None => client.download(listed.id).await?,
    };
    check(&grant, listed, max_files)?;
    Ok(grant)
}

/// Refuses a grant that is not of what was announced.
pub(super) fn check(
    grant: &Download,
    listed: &Transfer,
    max_files: usize,
) -> Result<(), TrustError> {
    let claims_seal = grant.encryption_algorithm.is_some() || grant.encrypted_key.is_some();
    if !grant.is_encrypted && (listed.is_encrypted || claims_seal) {
        return Err(TrustError::Downgrade(listed.id));
    }
    let ids: HashSet<_> = grant.files.iter().map(|it| it.file_id).collect();
    let as_announced = |file: &DownloadFile| {
        let announced = listed.files.iter().find(|it| it.file_id == file.file_id);
        announced.is_some_and(|it| it.size == file.size && it.name == file.name)
            && file.file_name == file.name
            && file.size <= MAX_SEALED_BYTES
    };
    let same_files = grant.files.len() == listed.files.len()
        && ids.len() == grant.files.len()
        && (1..=max_files).contains(&grant.files.len())
        && grant.files.iter().all(as_announced);
    if grant.id != listed.id || !same_files {
        return Err(TrustError::Changed(listed.id));
    }
    Ok(())
}

/// Whether the address of a file is none any more, here or where it leads to.
pub(super) fn is_no_more(error: &Error) -> bool {
    matches!(error, Error::Api(it) if matches!(it.status, 401 | 403 | 404 | 410))
}

/// Whether two grants of the same files say the same of how they open.
pub(super) fn is_sealed_alike(one: &Download, other: &Download) -> bool {
    let files = |it: &Download| -> Vec<_> {
        let files = it.files.iter();
        files
            .map(|it| (it.file_id, it.encryption_iv.clone()))
            .collect()
    };
    one.is_encrypted == other.is_encrypted
        && one.encryption_algorithm == other.encryption_algorithm
        && one.encrypted_key == other.encrypted_key
        && one.channel_id == other.channel_id
        && one.encryption_salt == other.encryption_salt
        && one.sender_public_key == other.sender_public_key
        && one.recipient_public_key == other.recipient_public_key
        && files(one) == files(other)
}
