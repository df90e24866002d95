//! A waiting transfer, encrypted anew for its recipient.

use agentdrop_domain::transfers::{AtRest, File, Sealing, Transfer};
use agentdrop_protocol::{AccountId, EncryptionPublicKey, FileId, FileName, LinkToken};
use bytes::Bytes;

use crate::api::error::{ApiError, Result};
use crate::api::mailed_links::new_token;
use crate::app::App;
use crate::at_rest::{Details, FileDetails, ForPerson};
use crate::blob::{BlobKey, Body, Staged};
use crate::clock::random;
use crate::mail::Stamp;
use crate::stored::StoredFile;

/// A transfer as it is to be, encrypted for its recipient.
pub(super) struct Sealed {
    pub(super) files: Vec<File>,
    /// The bytes of those that are kept beside the row, by their names.
    pub(super) small: Vec<(u32, Vec<u8>)>,
    pub(super) sealing: Sealing,
    pub(super) wrapped_key: Vec<u8>,
    pub(super) details: Vec<u8>,
    pub(super) said: Details,
    pub(super) stamp: Stamp,
    /// For the link in the mail.
    pub(super) token: LinkToken,
}

/// Encrypts the files of a transfer for `key`, under new names.
pub(super) async fn seal(
    app: &App,
    transfer: &Transfer,
    number: u32,
    person: AccountId,
    key: EncryptionPublicKey,
) -> Result<(Sealed, Vec<(BlobKey, Staged)>)> {
    let (id, now) = (transfer.id, app.clock.now());
    let old_key = app.server_key.transfer_key(id, &transfer.wrapped_key)?;
    let said = Details::open(&old_key, &transfer.details)?;
    let mut made = ForPerson::new(id, &key)?;
    let first = first_name(transfer, number);
    let place = |n: usize| first.saturating_add(u32::try_from(n).unwrap_or(u32::MAX));
    let (mut files, mut bodies) = (Vec::new(), Vec::new());
    for (n, (file, said)) in transfer.files.iter().zip(&said.files).enumerate() {
        let to = place(n + 1);
        let (size, body) = seal_file(app, transfer, (n, to), said, &mut made).await?;
        files.push(sealed_file(file.id, size, to, &body));
        bodies.push((to, body));
    }
    let sealing = made.sealing(key);
    let envelope = made.envelope(transfer, person, &key, said.message.clone(), now, random()?)?;
    let mut staging = app.blobs.stage(BlobKey::file(id, place(0)))?;
    let size = envelope.len() as u64;
    staging.write(Bytes::from(envelope)).await?;
    let body = staging.finish_body().await?;
    let first = FileId::new(now, random()?);
    files.insert(0, sealed_file(first, size, place(0), &body));
    bodies.push((place(0), body));
    let (mut small, mut staged) = (Vec::new(), Vec::new());
    for (name, body) in bodies {
        match body {
            Body::Small(bytes) => small.push((name, bytes)),
            Body::Blob(blob) => staged.push((BlobKey::file(id, name), blob)),
        }
    }
    let mut shown = said.clone();
    shown.files.insert(0, envelope_details());
    let (new_key, wrapped_key) = app.server_key.new_transfer_key(id)?;
    let sealed = Sealed {
        files,
        small,
        sealing,
        wrapped_key,
        details: shown.seal(&new_key)?,
        said,
        stamp: Stamp::new(now)?,
        token: new_token()?,
    };
    Ok((sealed, staged))
}

/// A file that was encrypted for its recipient.
const fn sealed_file(id: FileId, size: u64, name: u32, body: &Body) -> File {
    File {
        id,
        size,
        at_rest: AtRest::Sender,
        nonce: None,
        blob: Some(name),
        in_database: matches!(body, Body::Small(_)),
        upload: None,
        direct: None,
    }
}

/// The first of the names that one try has for the files and the envelope: behind those that there
/// are, and those of the tries before, so that two servers never write under one name.
fn first_name(transfer: &Transfer, number: u32) -> u32 {
    let names = (0..)
        .zip(&transfer.files)
        .map(|(place, it)| it.blob_at(place));
    let taken = names.max().map_or(0, |it| it + 1);
    let each = u32::try_from(transfer.files.len() + 1).unwrap_or(u32::MAX);
    taken.saturating_add(each.saturating_mul(number.saturating_sub(1)))
}

/// Encrypts one file anew, piece by piece; answers how many bytes came of it.
async fn seal_file(
    app: &App,
    transfer: &Transfer,
    (position, to): (usize, u32),
    said: &FileDetails,
    made: &mut ForPerson,
) -> Result<(u64, Body)> {
    let file = transfer.files.get(position).ok_or(ApiError::NotFound)?;
    let mut stored = StoredFile::open(app, transfer, position, &(0..file.size)).await?;
    let mut staging = app.blobs.stage(BlobKey::file(transfer.id, to))?;
    let place = u32::try_from(position).unwrap_or(u32::MAX);
    let (mut sealer, begin) = made.begin_file(place + 1)?;
    staging.write(Bytes::from(begin)).await?;
    let mut read = 0;
    while read < file.size {
        let plain = stored.read(read..file.size).await?;
        read += plain.len() as u64;
        staging.write(Bytes::from(sealer.update(&plain)?)).await?;
    }
    let (end, sealed_size) = made.end_file(sealer, file.size, said)?;
    staging.write(Bytes::from(end)).await?;
    Ok((sealed_size, staging.finish_body().await?))
}

fn envelope_details() -> FileDetails {
    FileDetails {
        name: "envelope".parse::<FileName>().expect("it is a name"),
        content_type: agentdrop_protocol::text::ContentType::octet_stream(),
    }
}
