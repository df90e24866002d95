//! Addresses in a bucket that work for a while, without credentials, for one thing alone.

use std::fmt;
use std::io;
use std::time::Duration;

use object_store::multipart::{MultipartStore as _, PartId};
use object_store::{Error, ObjectStoreExt as _};
use rusty_s3::actions::{PutObject, UploadPart};
use rusty_s3::{Credentials, S3Action as _, UrlStyle};

use super::super::key::BlobKey;
use super::{Bucket, broken};
use crate::config::S3;

/// Signs addresses.
pub(super) struct Presigner {
    bucket: rusty_s3::Bucket,
    credentials: Credentials,
}

impl Presigner {
    pub(super) fn new(config: &S3) -> io::Result<Self> {
        let endpoint = config.endpoint.parse().map_err(io::Error::other)?;
        let (name, region) = (config.bucket.clone(), config.region.clone());
        let bucket = rusty_s3::Bucket::new(endpoint, UrlStyle::Path, name, region);
        let bucket = bucket.map_err(io::Error::other)?;
        let secret = config.secret_key.expose_secret();
        let credentials = Credentials::new(config.access_key.clone(), secret.to_owned());
        Ok(Self {
            bucket,
            credentials,
        })
    }

    /// To read what is at `path` with this query, which is in its order.
    pub(super) fn get(&self, path: &str, query: &[(&str, &str)], lifetime: Duration) -> String {
        let credentials = Some(&self.credentials);
        let mut action = rusty_s3::actions::GetObject::new(&self.bucket, credentials, path);
        for (name, value) in query {
            action
                .query_mut()
                .insert((*name).to_owned(), (*value).to_owned());
        }
        action.sign(whole_seconds(lifetime)).into()
    }
}

impl Bucket {
    /// The address to which exactly so many bytes can be sent as a whole file.
    pub(crate) fn put_url(&self, key: BlobKey, bytes: u64, lifetime: Duration) -> String {
        let path = self.path(key);
        let signer = &self.0.presigner;
        let credentials = Some(&signer.credentials);
        let mut action = PutObject::new(&signer.bucket, credentials, path.as_ref());
        // Signed, so that the bucket takes no more and no less.
        action
            .headers_mut()
            .insert("content-length", bytes.to_string());
        action.sign(whole_seconds(lifetime)).into()
    }

    /// The same for a part.
    pub(crate) fn part_url(
        &self,
        key: BlobKey,
        (upload, number): (&str, u32),
        bytes: u64,
        lifetime: Duration,
    ) -> String {
        let path = self.path(key);
        let signer = &self.0.presigner;
        let number = u16::try_from(number).unwrap_or(u16::MAX);
        let credentials = Some(&signer.credentials);
        let mut action =
            UploadPart::new(&signer.bucket, credentials, path.as_ref(), number, upload);
        action
            .headers_mut()
            .insert("content-length", bytes.to_string());
        action.sign(whole_seconds(lifetime)).into()
    }

    /// The address to read a blob from; it is answered as nothing that a browser shows, and without
    /// the file's name, which is no concern of the bucket's.
    pub(crate) fn get_url(&self, key: BlobKey, lifetime: Duration) -> String {
        let query = [
            ("response-content-disposition", "attachment"),
            ("response-content-type", "application/octet-stream"),
        ];
        self.0
            .presigner
            .get(self.path(key).as_ref(), &query, lifetime)
    }

    /// Begins an upload in parts, whose parts are sent to [`Bucket::part_url`].
    pub(crate) async fn begin_upload(&self, key: BlobKey) -> io::Result<String> {
        let begun = self.0.store.create_multipart(&self.path(key)).await;
        begun.map_err(broken)
    }

    /// Puts the parts of these `ETag`s together. Where there is no such upload, that was done before,
    /// or it was given up.
    pub(crate) async fn complete_upload(
        &self,
        key: BlobKey,
        upload: &String,
        etags: Vec<String>,
    ) -> io::Result<()> {
        let parts = etags.into_iter().map(|content_id| PartId { content_id });
        let path = self.path(key);
        let done = self
            .0
            .store
            .complete_multipart(&path, upload, parts.collect());
        match done.await {
            Ok(_) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(broken(error)),
        }
    }

    /// How many bytes a blob has, and its `ETag`, if it is there.
    pub(crate) async fn came(&self, key: BlobKey) -> io::Result<Option<(u64, Option<String>)>> {
        match self.0.store.head(&self.path(key)).await {
            Ok(meta) => Ok(Some((meta.size, meta.e_tag))),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(broken(error)),
        }
    }
}

impl fmt::Debug for Presigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Presigner")
    }
}

/// S3 knows whole seconds, and at least one.
fn whole_seconds(lifetime: Duration) -> Duration {
    Duration::from_secs(lifetime.as_secs().clamp(1, 604_800))
}
