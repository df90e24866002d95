//! The bytes of a file, or of a part of one: a plain PUT to a signed address, without an API key.
//!
//! Answered as S3 would: without a body, and with an `ETag`.

use agentdrop_domain::transfers::{AtRest, Transfer};
use agentdrop_domain::uploads::{Part, UploadError};
use agentdrop_protocol::{ErrorCode, FileId, PartTag, Timestamp, TransferId};
use agentdrop_store::Tx;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Extensions, HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::StreamExt as _;
use http_body::Body as _;
use tracing::Instrument as _;
use utoipa::ToSchema;

use crate::api::error::{ApiError, Result};
use crate::api::extract::{Path, Query, body_error};
use crate::api::openapi::Errors;
use crate::app::App;
use crate::at_rest::FileSealer;
use crate::auth::Visitor;
use crate::blob::{BlobKey, Staged};
use crate::clock::random;
use crate::rates::Meter;

/// The bytes of a file, or of a part of one.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "it describes a body that is read as it comes")]
pub(crate) struct Bytewise(Vec<u8>);

/// Takes in a file that was announced, or a part of one.
///
/// There have to be as many bytes as were announced, and `Content-Length` has to say so. Sent again
/// before the transfer is confirmed, or the parts are put together, the last whole try counts.
#[utoipa::path(
    put, path = "/v1/uploads/{transfer_id}/{file_id}", tag = "transfers",
    operation_id = "uploads_put", security(()),
    params(
        ("transfer_id" = TransferId, Path, description = "The transfer's id"),
        ("file_id" = FileId, Path, description = "The file's id"),
        ("part" = u32, Query, minimum = 1, maximum = 10_000, description = "Which part; 1 for a file that comes whole"),
        ("expires" = i64, Query, minimum = 0, description = "Until when the address works, in milliseconds since 1970"),
        ("signature" = String, Query, pattern = "^[A-Za-z0-9_-]{43}$", description = "What makes the address work"),
    ),
    request_body(content = Bytewise, content_type = "application/octet-stream"),
    responses(
        (status = 200, description = "It is stored; `ETag` names it", content_type = "application/octet-stream", headers(("ETag" = String, description = "Names this try, in quotes"))),
        Errors
    )
)]
pub(crate) async fn put(
    State(app): State<App>,
    Path((id, file)): Path<(TransferId, FileId)>,
    Query(mut query): Query,
    visitor: Visitor,
    extensions: Extensions,
    headers: HeaderMap,
    body: Body,
) -> Result<Response> {
    let (part, until) = (query.text("part"), query.text("expires"));
    let signature = query.text("signature");
    let named = query.check().ok().and_then(|()| {
        let part: u32 = exactly(&part?)?;
        let until = Timestamp::from_millis(exactly(&until?)?);
        app.is_upload_url(id, file, part, until, &signature?)
            .then_some((part, until))
    });
    let Some((number, until)) = named else {
        visitor.charge(&app)?;
        return Err(ApiError::NotFound);
    };
    let now = app.clock.now();
    if now >= until {
        // As S3 says it.
        let message = "this address has expired; announce the transfer anew";
        return Err(ApiError::refused(ErrorCode::Forbidden, message));
    }
    let mut reader = app.store.read().await?;
    let transfer = reader.announced_transfer(id).await?;
    let came = reader.parts(id, file, number, number).await?;
    drop(reader);
    let transfer = transfer.ok_or(ApiError::NotFound)?;
    let (expected, _) = transfer.expected_part(file, number, now)?;
    if !came.is_empty() {
        // Once was paid for by announcing it.
        let meter = Meter::of(&extensions);
        let credential = transfer.sender.credential;
        app.requests.charge_credential(credential, &meter)?;
    }
    require_length(&headers, &body, expected)?;
    let tag = PartTag::new(random()?);
    let staged = take_in(&app, &transfer, file, tag, expected, body).await?;
    let part = Part {
        number,
        tag,
        bytes: expected,
    };
    // In a task of its own, which comes to its end even if the caller goes away: left off between
    // its steps it would leave bytes that nobody knows of.
    let keeping = async move { keep(&app, id, file, part, staged).await };
    let kept = tokio::spawn(keeping.in_current_span()).await;
    kept.map_err(|error| ApiError::Internal(error.into()))??;
    let etag = HeaderValue::from_str(&format!("\"{tag}\""));
    let etag = etag.map_err(|error| ApiError::Internal(error.into()))?;
    Ok((StatusCode::OK, [(header::ETAG, etag)]).into_response())
}

/// A number in the one spelling that it is signed in.
fn exactly<T: std::str::FromStr + ToString>(text: &str) -> Option<T> {
    text.parse().ok().filter(|it: &T| it.to_string() == text)
}

/// Refuses a body of another length before it comes.
fn require_length(headers: &HeaderMap, body: &Body, expected: u64) -> Result<()> {
    let length = headers.get(header::CONTENT_LENGTH);
    let length = length.and_then(|it| it.to_str().ok()?.parse::<u64>().ok());
    // Of a request that says nothing of a body it is known that there is none.
    let came = length.or_else(|| body.size_hint().exact()).ok_or_else(|| {
        let message = "the length has to be said as Content-Length, and the body sent as it is";
        ApiError::refused(ErrorCode::LengthRequired, message)
    })?;
    require_size(expected, came)
}

fn require_size(announced: u64, came: u64) -> Result<()> {
    if came != announced {
        return Err(UploadError::SizeMismatch { announced, came }.into());
    }
    Ok(())
}

/// Takes in what comes, and encrypts it if its sender did not; what came of less is deleted.
async fn take_in(
    app: &App,
    transfer: &Transfer,
    file: FileId,
    tag: PartTag,
    expected: u64,
    body: Body,
) -> Result<Staged> {
    let (_, file) = transfer.file(file).ok_or(ApiError::NotFound)?;
    let mut sealer = match file.at_rest {
        AtRest::Sender => None,
        AtRest::Server => {
            let wrapped = &transfer.wrapped_key;
            let key = app.server_key.transfer_key(transfer.id, wrapped)?;
            Some(FileSealer::of_part(&key, tag))
        }
    };
    let mut staging = app.blobs.stage(BlobKey::part(transfer.id, tag))?;
    let (mut pieces, mut came) = (body.into_data_stream(), 0);
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|error| body_error(&error))?;
        came += piece.len() as u64;
        if came > expected {
            require_size(expected, came)?;
        }
        match &mut sealer {
            None => staging.write(piece).await?,
            Some(sealer) => {
                let mut chunks: Vec<Bytes> = Vec::new();
                sealer.update(&piece, |it| chunks.push(it));
                for chunk in chunks {
                    staging.write(chunk).await?;
                }
            }
        }
    }
    require_size(expected, came)?;
    if let Some(sealer) = sealer {
        staging.write(sealer.finish()).await?;
    }
    Ok(staging.finish().await?)
}

/// Puts the bytes where they are read, and writes down that they count.
///
/// A crash between the two leaves a blob without a row, which the next start deletes.
async fn keep(app: &App, id: TransferId, file: FileId, part: Part, staged: Staged) -> Result<()> {
    let blob = BlobKey::part(id, part.tag);
    let now = app.clock.now();
    if let Err(error) = app.blobs.put(vec![(blob, staged)]).await {
        // Its folder may have gone with the transfer.
        let transfer = app.store.read().await?.announced_transfer(id).await?;
        let transfer = transfer.ok_or(ApiError::NotFound)?;
        transfer.expected_part(file, part.number, now)?;
        return Err(error.into());
    }
    let record = async move |tx: &mut Tx| -> Result<_> {
        let held = tx.hold_announced_transfer(id).await?;
        let held = held.ok_or(ApiError::NotFound)?;
        held.expected_part(file, part.number, now)?;
        Ok(tx.put_part(id, file, &part).await?)
    };
    let recorded = app.store.write(record).await;
    let unneeded = match &recorded {
        Ok(old) => old.map(|it| BlobKey::part(id, it)),
        // Where the database went away during the commit, it may be kept all the same; if it is
        // not, the next start finds bytes without a row.
        Err(ApiError::Broken(ErrorCode::Unavailable, _)) => None,
        Err(_) => Some(blob),
    };
    if let Some(unneeded) = unneeded
        && let Err(error) = app.blobs.remove(unneeded).await
    {
        tracing::warn!(%error, transfer = %id, "the bytes of a part are still there");
    }
    recorded.map(drop)
}
