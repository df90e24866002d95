//! The bytes of a file, under a grant: a plain GET of a signed address, without an API key.

use std::ops::Range;

use agentdrop_domain::downloads::Download;
use agentdrop_domain::transfers::Transfer;
use agentdrop_protocol::{DownloadId, ErrorCode, FileId, Timestamp};
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::{Stream, stream};

use super::error::{ApiError, Result};
use super::extract::{Path, Query};
use super::openapi::Errors;
use super::range::{Wanted, wanted};
use super::transfers::details;
use crate::app::App;
use crate::stored::StoredFile;

/// The bytes of a file, or a range of them.
///
/// Fetching again, and resuming, costs no further download. Content is served so that no browser
/// shows it as a page of this server.
#[utoipa::path(
    get, path = "/v1/downloads/{download_id}/files/{file_id}", tag = "transfers",
    operation_id = "files_show", security(()),
    params(
        ("download_id" = DownloadId, Path, description = "The grant's id"),
        ("file_id" = FileId, Path, description = "The file's id"),
        ("expires" = i64, Query, minimum = 0, description = "Until when the address works, in milliseconds since 1970"),
        ("signature" = String, Query, pattern = "^[A-Za-z0-9_-]{43}$", description = "What makes the address work"),
        ("Range" = Option<String>, Header, pattern = "^bytes=", description = "A range of bytes, RFC 9110 §14"),
    ),
    responses(
        (status = 200, description = "All of the file", content_type = "application/octet-stream"),
        (status = 206, description = "A range of it", content_type = "application/octet-stream"),
        Errors
    )
)]
pub(crate) async fn show(
    State(app): State<App>,
    Path((download, file)): Path<(DownloadId, FileId)>,
    Query(mut query): Query,
    method: Method,
    headers: HeaderMap,
) -> Result<Response> {
    let (until, signature) = (query.text("expires"), query.text("signature"));
    query.check().map_err(|_| ApiError::NotFound)?;
    // In the one spelling it was signed in: no other address is this one.
    let until = until.and_then(|it| it.parse().ok().filter(|n: &i64| n.to_string() == it));
    let until = Timestamp::from_millis(until.ok_or(ApiError::NotFound)?);
    let signature = signature.ok_or(ApiError::NotFound)?;
    if !app.is_file_url(download, file, until, &signature) {
        return Err(ApiError::NotFound);
    }
    let now = app.clock.now();
    if now >= until {
        return Err(ApiError::refused(
            ErrorCode::Gone,
            "this address worked for a while, and no more",
        ));
    }
    let mut reader = app.store.read().await?;
    let download = reader.download(download).await?.ok_or(ApiError::NotFound)?;
    let transfer = reader
        .transfer_of(download.account, download.transfer)
        .await?;
    drop(reader);
    let transfer = transfer.ok_or(ApiError::NotFound)?;
    transfer.require_bytes(now)?;
    answer(&app, transfer, download, file, &method, &headers).await
}

async fn answer(
    app: &App,
    transfer: Transfer,
    download: Download,
    id: FileId,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Response> {
    let (position, file) = transfer.file(id).ok_or(ApiError::NotFound)?;
    let (size, etag) = (file.size, format!("\"{id}\""));
    let (part, is_whole) = match wanted(headers, size, &etag) {
        Wanted::Whole => (0..size, true),
        Wanted::Part(part) => (part, false),
        Wanted::Nothing => {
            let message = format!("the file has {size} bytes");
            let refused = ApiError::refused(ErrorCode::RangeNotSatisfiable, message);
            let mut response = refused.into_response();
            response
                .headers_mut()
                .insert(header::CONTENT_RANGE, ascii(&format!("bytes */{size}")));
            return Ok(response);
        }
    };
    let name = details(app, &transfer)?
        .files
        .into_iter()
        .nth(position)
        .map(|it| it.name);
    let stored = open(app, &transfer, &download, position, &part).await?;
    let length = part.end - part.start;
    let content_range = format!("bytes {}-{}/{size}", part.start, part.end.saturating_sub(1));
    let mut reading = Reading {
        app: app.clone(),
        stored,
        size,
        rest: part,
        delivery: Some((transfer, download, id)),
    };
    if size == 0 && method == Method::GET {
        // Of a body without bytes nobody asks for the end.
        reading.note_end();
    }
    let mut response = Body::from_stream(reading.into_stream()).into_response();
    if !is_whole {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        response
            .headers_mut()
            .insert(header::CONTENT_RANGE, ascii(&content_range));
    }
    let name = name.as_ref().map_or("file", |it| it.as_str());
    for (header, value) in [
        (header::ACCEPT_RANGES, ascii("bytes")),
        (header::CONTENT_DISPOSITION, ascii(&disposition(name))),
        (header::CONTENT_LENGTH, HeaderValue::from(length)),
        (
            header::CONTENT_SECURITY_POLICY,
            ascii("sandbox; default-src 'none'"),
        ),
        // Not the type its sender put: no stranger's page or picture is rendered from here.
        (header::CONTENT_TYPE, ascii("application/octet-stream")),
        (header::ETAG, ascii(&etag)),
    ] {
        response.headers_mut().insert(header, value);
    }
    Ok(response)
}

/// Opens the bytes of a file, which may have gone since the transfer was read.
async fn open(
    app: &App,
    transfer: &Transfer,
    download: &Download,
    position: usize,
    part: &Range<u64>,
) -> Result<StoredFile> {
    let missing = match StoredFile::open(app, transfer, position, part).await {
        Err(error @ ApiError::Internal(_)) => error,
        opened => return opened,
    };
    let mut reader = app.store.read().await?;
    let transfer = reader.transfer_of(download.account, transfer.id).await?;
    let transfer = transfer.ok_or(ApiError::NotFound)?;
    transfer.require_bytes(app.clock.now())?;
    Err(missing)
}

/// A file that is being sent.
struct Reading {
    app: App,
    stored: StoredFile,
    /// Bytes of the whole file.
    size: u64,
    /// What is still to be sent.
    rest: Range<u64>,
    /// What to write down once the end was sent.
    delivery: Option<(Transfer, Download, FileId)>,
}

impl Reading {
    fn into_stream(self) -> impl Stream<Item = Result<Vec<u8>, std::io::Error>> {
        stream::try_unfold(self, async |mut reading| {
            if reading.rest.is_empty() {
                reading.note_end();
                return Ok(None);
            }
            let bytes = reading.stored.read(reading.rest.clone()).await;
            let bytes = bytes.inspect_err(|error| {
                tracing::error!(%error, "a file could not be sent to its end");
            })?;
            reading.rest.start += bytes.len() as u64;
            if reading.rest.is_empty() {
                // The client may close as soon as it has the length it expects, and then nobody
                // asks for what comes after.
                reading.note_end();
            }
            Ok(Some((bytes, reading)))
        })
    }

    /// Writes down that the file was sent to its end, which ends a transfer that is deleted after
    /// its delivery.
    fn note_end(&mut self) {
        let Some((transfer, download, file)) = self.delivery.take() else {
            return;
        };
        // The sender's own looking at it is no delivery.
        let to_recipient = transfer.recipient.took(&download);
        if self.rest.end < self.size || !transfer.auto_delete || !to_recipient {
            return;
        }
        let (app, now) = (self.app.clone(), self.app.clock.now());
        tokio::spawn(async move {
            let note = async move |tx: &mut agentdrop_store::Tx| -> agentdrop_store::Result<()> {
                let held = tx.hold_transfer_of(download.account, transfer.id).await?;
                let streamed = tx.insert_streamed_file(download.id, file).await?;
                if let Some(held) = held.filter(|it| it.files.len() == streamed) {
                    tx.update_transfer(&held.note_streamed(now)).await?;
                }
                Ok(())
            };
            if let Err(error) = app.store.write(note).await {
                tracing::warn!(%error, "that a file was sent was not written down");
            }
        });
    }
}

/// `attachment` with the name in both forms of RFC 6266 §4.
fn disposition(name: &str) -> String {
    let plain = |it: char| it.is_ascii_graphic() && !matches!(it, '"' | '\\' | '%') || it == ' ';
    let fallback: String = name
        .chars()
        .map(|it| if plain(it) { it } else { '_' })
        .collect();
    // attr-char of RFC 8187 §3.2.1.
    let attr = |it: u8| it.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&it);
    let encoded: String = name
        .bytes()
        .map(|it| {
            if attr(it) {
                char::from(it).to_string()
            } else {
                format!("%{it:02X}")
            }
        })
        .collect();
    format!("attachment; filename=\"{fallback}\"; filename*=UTF-8''{encoded}")
}

fn ascii(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::disposition;

    #[test]
    fn no_name_breaks_out_of_its_header() {
        assert_eq!(
            disposition("a\"; x=\u{e9}%\\.txt"),
            "attachment; filename=\"a_; x=___.txt\"; filename*=UTF-8''a%22%3B%20x%3D%C3%A9%25%5C.txt"
        );
    }
}
