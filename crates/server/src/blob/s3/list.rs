//! What is still coming to a bucket: uploads in parts, and their parts.

use std::io;
use std::time::Duration;

use agentdrop_protocol::Timestamp;
use object_store::client::{HttpRequest, HttpRequestBody};
use object_store::path::Path;
use serde::Deserialize;

use super::super::key::BlobKey;
use super::Bucket;

/// How long a request that we sign for ourselves may be under way.
const SOON: Duration = Duration::from_mins(1);

/// A part that is in the bucket.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Listed {
    /// Which one, from 1.
    #[serde(rename = "PartNumber")]
    pub(crate) number: u32,
    /// What the bucket answered with, in quotes.
    #[serde(rename = "ETag")]
    pub(crate) etag: String,
    /// How many bytes it has.
    #[serde(rename = "Size")]
    pub(crate) bytes: u64,
}

/// An upload in parts that is not put together yet.
#[derive(Debug)]
pub(super) struct Coming {
    pub(super) path: Path,
    pub(super) upload: String,
    pub(super) since: Timestamp,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Uploads {
    #[serde(default)]
    upload: Vec<Upload>,
    #[serde(default)]
    is_truncated: bool,
    #[serde(default)]
    next_key_marker: String,
    #[serde(default)]
    next_upload_id_marker: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Upload {
    key: String,
    #[serde(rename = "UploadId")]
    id: String,
    initiated: Timestamp,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Parts {
    #[serde(default)]
    part: Vec<Listed>,
    #[serde(default)]
    is_truncated: bool,
    #[serde(default)]
    next_part_number_marker: u32,
}

impl Bucket {
    /// Uploads in parts of blobs that were begun before `since`, and what the bucket calls them.
    pub(crate) async fn uploads_before(
        &self,
        since: Timestamp,
    ) -> io::Result<Vec<(BlobKey, String)>> {
        let all = self.uploads(&self.0.prefix).await?;
        let old = all.into_iter().filter(|it| it.since < since);
        let keyed = old.filter_map(|it| Some((self.key(&it.path)?, it.upload)));
        Ok(keyed.collect())
    }

    /// Gives up an upload in parts.
    pub(crate) async fn abort_upload(&self, key: BlobKey, upload: &str) -> io::Result<()> {
        self.abort(&self.path(key), &upload.to_owned()).await
    }

    /// Uploads in parts of what is under `folder`.
    pub(super) async fn uploads(&self, folder: &Path) -> io::Result<Vec<Coming>> {
        let mut prefix = folder.to_string();
        if !prefix.is_empty() {
            prefix.push('/');
        }
        let (mut found, mut key_marker, mut id_marker) = (Vec::new(), String::new(), String::new());
        loop {
            let query = [
                ("key-marker", &*key_marker),
                ("prefix", &*prefix),
                ("upload-id-marker", &*id_marker),
                ("uploads", ""),
            ];
            let query = query
                .into_iter()
                .filter(|it| it.0 == "uploads" || !it.1.is_empty());
            let query: Vec<_> = query.collect();
            let url = self.0.presigner.get("", &query, SOON);
            let page: Uploads = self.get_xml(url).await?.ok_or(io::ErrorKind::NotFound)?;
            for it in page.upload {
                let path = Path::parse(&it.key).map_err(io::Error::other)?;
                // Some servers do not mind the prefix.
                if path.prefix_matches(folder) {
                    found.push(Coming {
                        path,
                        upload: it.id,
                        since: it.initiated,
                    });
                }
            }
            let next = (page.next_key_marker, page.next_upload_id_marker);
            // Of a server that says again what it said, nothing more is to be had.
            if !page.is_truncated || next == (key_marker, id_marker) {
                return Ok(found);
            }
            (key_marker, id_marker) = next;
        }
    }

    /// The parts of an upload that have come, in their order; nothing, if there is no such upload
    /// any more.
    pub(crate) async fn parts(
        &self,
        key: BlobKey,
        upload: &str,
    ) -> io::Result<Option<Vec<Listed>>> {
        let path = self.path(key);
        let (mut found, mut after) = (Vec::new(), 0);
        loop {
            let marker = u32::to_string(&after);
            let query = [("part-number-marker", &*marker), ("uploadId", upload)];
            let query = if after == 0 { &query[1..] } else { &query[..] };
            let url = self.0.presigner.get(path.as_ref(), query, SOON);
            let Some(page) = self.get_xml::<Parts>(url).await? else {
                return Ok(None);
            };
            found.extend(page.part);
            if !page.is_truncated || page.next_part_number_marker <= after {
                found.sort_by_key(|it: &Listed| it.number);
                return Ok(Some(found));
            }
            after = page.next_part_number_marker;
        }
    }

    /// What the bucket says there; nothing, if there is nothing.
    async fn get_xml<T: for<'de> Deserialize<'de>>(&self, url: String) -> io::Result<Option<T>> {
        // Signed addresses are secrets: no error here has one in it.
        let away = || io::Error::from(io::ErrorKind::HostUnreachable);
        let mut request = HttpRequest::new(HttpRequestBody::empty());
        *request.uri_mut() = url.parse().map_err(io::Error::other)?;
        let response = self.0.http.execute(request).await.map_err(|_| away())?;
        let status = response.status();
        if status == http::StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let body = response.into_body().bytes().await.map_err(|_| away())?;
        if !status.is_success() {
            let message = format!("the bucket answered {status} to a listing");
            return Err(io::Error::new(io::ErrorKind::HostUnreachable, message));
        }
        let read = quick_xml::de::from_reader(&body[..]);
        read.map(Some)
            .map_err(|error| io::Error::new(io::ErrorKind::HostUnreachable, error))
    }
}
