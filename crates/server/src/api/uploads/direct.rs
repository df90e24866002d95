//! Files that their sender sealed, sent to the bucket itself: their bytes never touch us.
//!
//! What is not sealed comes through us even so, for we encrypt it before anybody stores it. Of a file
//! that comes in parts the bucket knows which have come; we ask it, and write down nothing.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use agentdrop_domain::transfers::{AtRest, Direct, File, Transfer};
use agentdrop_domain::uploads::{Came, StoredPart};
use agentdrop_protocol::limits::MAX_PART_BYTES;
use agentdrop_protocol::wire::uploads::PartUrl;
use agentdrop_protocol::{ErrorCode, FileId, TransferId};
use axum::http::{HeaderMap, header};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::api::error::{ApiError, Result};
use crate::app::App;
use crate::blob::{BlobKey, Bucket, Listed};

/// Requests at a time to the bucket for one request to us.
const AT_A_TIME: usize = 8;

/// Whether the caller is the published client, which sends a whole file with `Content-Length` and
/// `Transfer-Encoding: chunked` at once, and its bytes as they are. We take that; an S3 server does
/// not. Parts it sends as anybody does.
pub(super) fn says_two_lengths(headers: &HeaderMap) -> bool {
    let name = headers.get(header::USER_AGENT);
    let name = name.and_then(|it| it.to_str().ok()).unwrap_or_default();
    name.starts_with("agentdrop-python/")
}

/// What was begun in the bucket for a transfer: nothing, where there is none or nothing is sealed.
#[derive(Debug, Default)]
pub(super) struct Begun {
    /// Where the parts of each file are sent to; a file that comes whole is its own first part.
    urls: HashMap<FileId, Vec<String>>,
    uploads: Vec<(BlobKey, String)>,
}

impl Begun {
    /// Begins to take in what of the files is sealed.
    pub(super) async fn begin(
        app: &App,
        transfer: TransferId,
        files: &mut [File],
        lifetime: Duration,
    ) -> Result<Arc<Self>> {
        let mut begun = Self::default();
        let bucket = app.blobs.bucket().filter(|it| it.has_direct_uploads());
        let Some(bucket) = bucket else {
            return Ok(Arc::new(begun));
        };
        for (file, place) in files.iter_mut().zip(0..) {
            // Of nothing some clients do not say the length, which is signed, and there is no part.
            if file.at_rest != AtRest::Sender || file.size == 0 {
                continue;
            }
            let key = BlobKey::file(transfer, file.blob_at(place));
            let started = begin(bucket, key, file).await;
            let upload = match started {
                Ok(upload) => upload,
                Err(error) => {
                    begun.give_up(app).await;
                    return Err(error);
                }
            };
            begun.uploads.extend(upload.clone().map(|it| (key, it)));
            let urls = urls(bucket, key, file, upload.as_deref(), lifetime);
            begun.urls.insert(file.id, urls);
            file.direct = Some(Direct { upload, etag: None });
        }
        Ok(Arc::new(begun))
    }

    /// Where a part of a file is sent to, if that is not to us.
    pub(super) fn url(&self, file: FileId, part: u32) -> Option<String> {
        let at = usize::try_from(part).ok()?.checked_sub(1)?;
        self.urls.get(&file)?.get(at).cloned()
    }

    /// Where all parts of a file are sent to, if that is not to us.
    pub(super) fn part_urls(&self, file: FileId) -> Option<Vec<PartUrl>> {
        self.urls.get(&file).map(|urls| numbered(urls.clone()))
    }

    /// Gives up what was begun.
    pub(super) async fn give_up(&self, app: &App) {
        for (key, upload) in &self.uploads {
            if let Some(bucket) = app.blobs.bucket()
                && let Err(error) = bucket.abort_upload(*key, upload).await
            {
                tracing::warn!(%error, %key, "an upload that nobody waits for was not given up");
            }
        }
    }
}

/// Begins the upload of a file in the bucket; answers what it is called, if it comes in parts.
async fn begin(bucket: &Bucket, key: BlobKey, file: &File) -> Result<Option<String>> {
    let in_parts = file.upload.is_some_and(|it| it.id.is_some());
    if in_parts {
        return Ok(Some(bucket.begin_upload(key).await?));
    }
    if file.size > MAX_PART_BYTES {
        let message = format!("what is larger than {MAX_PART_BYTES} bytes has to come in parts");
        return Err(ApiError::refused(ErrorCode::FileTooLarge, message));
    }
    Ok(None)
}

fn urls(
    bucket: &Bucket,
    key: BlobKey,
    file: &File,
    upload: Option<&str>,
    lifetime: Duration,
) -> Vec<String> {
    let Some(coming) = file.upload else {
        return vec![];
    };
    let lengths = (1..).map_while(|number| Some((number, coming.part_len(file.size, number)?)));
    let urls = lengths.map(|(number, bytes)| match upload {
        None => bucket.put_url(key, bytes, lifetime),
        Some(upload) => bucket.part_url(key, (upload, number), bytes, lifetime),
    });
    urls.collect()
}

fn numbered(urls: Vec<String>) -> Vec<PartUrl> {
    let numbered = (1..).zip(urls);
    numbered
        .map(|(part_number, upload_url)| PartUrl {
            part_number,
            upload_url,
        })
        .collect()
}

/// Where the parts of a file are sent to from now on, if that is not to us.
pub(super) fn part_urls(
    app: &App,
    transfer: &Transfer,
    id: FileId,
    lifetime: Duration,
) -> Option<Vec<PartUrl>> {
    let (_, file) = transfer.file(id)?;
    let (bucket, key, direct) = find(app, transfer, id)?;
    let upload = direct.upload.as_deref();
    Some(numbered(urls(bucket, key, file, upload, lifetime)))
}

/// The files of a transfer that came whole to the bucket.
pub(super) async fn came(app: &App, transfer: &Transfer) -> Result<Vec<Came>> {
    let Some(bucket) = app.blobs.bucket() else {
        return Ok(vec![]);
    };
    let whole =
        transfer.files.iter().zip(0..).filter(|(file, _)| {
            file.direct.is_some() && file.upload.is_some_and(|it| it.id.is_none())
        });
    let keys: Vec<_> = whole
        .map(|(file, place)| (file.id, BlobKey::file(transfer.id, file.blob_at(place))))
        .collect();
    let asked = stream::iter(keys).map(async |(file, key)| came_to(bucket, file, key).await);
    let came: Vec<_> = asked.buffer_unordered(AT_A_TIME).try_collect().await?;
    Ok(came.into_iter().flatten().collect())
}

async fn came_to(bucket: &Bucket, file: FileId, key: BlobKey) -> Result<Option<Came>> {
    let found = bucket.came(key).await?;
    Ok(found.map(|(bytes, etag)| Came { file, bytes, etag }))
}

/// Where the parts of a file are.
pub(super) enum Parts {
    /// With us.
    Here,
    /// In the bucket: these have come, in their order.
    InBucket(Vec<StoredPart>),
    /// In the bucket, and put together.
    Together,
}

/// The parts of a file that have come.
pub(super) async fn parts(app: &App, transfer: &Transfer, id: FileId) -> Result<Parts> {
    let Some((bucket, key, direct)) = find(app, transfer, id) else {
        return Ok(Parts::Here);
    };
    let listed = match &direct.upload {
        Some(upload) => bucket.parts(key, upload).await?,
        None => None,
    };
    Ok(match listed {
        Some(listed) => Parts::InBucket(listed.into_iter().map(stored).collect()),
        None => Parts::Together,
    })
}

/// Puts the parts of these `ETag`s together; answers what the file is then.
pub(super) async fn put_together(
    app: &App,
    transfer: &Transfer,
    id: FileId,
    etags: Vec<String>,
) -> Result<Option<Came>> {
    let Some((bucket, key, direct)) = find(app, transfer, id) else {
        return Ok(None);
    };
    if let Some(upload) = &direct.upload {
        bucket.complete_upload(key, upload, etags).await?;
    }
    came_to(bucket, id, key).await
}

/// What the bucket has of a file whose parts were put together.
pub(super) async fn put_together_before(
    app: &App,
    transfer: &Transfer,
    id: FileId,
) -> Result<Option<Came>> {
    match find(app, transfer, id) {
        Some((bucket, key, ..)) => came_to(bucket, id, key).await,
        None => Ok(None),
    }
}

/// A file that is sent to the bucket, and where it is there.
fn find<'a>(
    app: &'a App,
    transfer: &'a Transfer,
    id: FileId,
) -> Option<(&'a Bucket, BlobKey, &'a Direct)> {
    let (place, file) = transfer.file(id)?;
    let place = u32::try_from(place).ok()?;
    let key = BlobKey::file(transfer.id, file.blob_at(place));
    Some((app.blobs.bucket()?, key, file.direct.as_ref()?))
}

fn stored(listed: Listed) -> StoredPart {
    StoredPart {
        number: listed.number,
        etag: listed.etag,
        bytes: listed.bytes,
    }
}
