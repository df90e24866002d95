//! The form that creates a transfer: files are streamed to the disk as they come.
//!
//! A form has its parts in any order, so a file may come before the field that says whether its
//! sender encrypted it. Until that is known, the server encrypts.

use std::error::Error as StdError;
use std::str::FromStr as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use agentdrop_domain::people::PersonError;
use agentdrop_domain::transfers::AtRest;
use agentdrop_protocol::limits::{MAX_FIELD_BYTES, MAX_FILES};
use agentdrop_protocol::text::ContentType;
use agentdrop_protocol::wire::transfers::TransferMode;
use agentdrop_protocol::{ErrorCode, FileName, TransferId};
use aws_lc_rs::digest::{Context, Digest, SHA256};
use axum::BoxError;
use axum::body::Body;
use axum::extract::multipart::{Field, Multipart, MultipartError};
use axum::extract::{FromRequest as _, Request};
use axum::http::header;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use tokio::task::yield_now;

use super::allowance::Allowance;
use super::error::{ApiError, Result};
use super::extract::{body_error, media_type};
use super::fields::Fields;
use super::once::Begun;
use crate::app::App;
use crate::at_rest::{FileDetails, FileSealer, TransferKey};
use crate::blob::Body as FileBody;

/// Fields that are not files; more than any client has, few enough to hold.
const MAX_FIELDS: usize = 64;

/// A form that came in whole.
#[derive(Debug)]
pub(super) struct Form {
    pub(super) fields: Fields,
    pub(super) files: Vec<FormFile>,
}

/// A file of a form, on the disk or small.
#[derive(Debug)]
pub(super) struct FormFile {
    pub(super) details: FileDetails,
    pub(super) size: u64,
    pub(super) at_rest: AtRest,
    /// Of its bytes as they came, if it was asked for.
    digest: Option<Digest>,
    pub(super) body: FileBody,
}

/// Whether files are digested as they come, which takes its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Digests {
    Unwanted,
    Wanted,
}

impl Form {
    /// Tells `request` what the form says, for a boundary, the order of fields and the sizes of
    /// pieces differ from one try to the next.
    pub(super) fn tell(&self, request: &mut Begun) {
        for (name, value) in self.fields.sorted() {
            request.add(name.as_bytes());
            request.add(value.as_bytes());
        }
        for file in &self.files {
            request.add(b"files");
            request.add(file.details.name.as_str().as_bytes());
            request.add(file.details.content_type.as_str().as_bytes());
            request.add(&file.size.to_be_bytes());
            request.add(file.digest.as_ref().map_or(&[], Digest::as_ref));
        }
    }
}

/// Bytes that may come before the form goes on by a field or a piece of a file: the most that comes
/// at once, and what stands between two parts.
///
/// What reads forms gathers the heads of parts, and whatever stands before the first part, without
/// a limit of its own.
const MAX_BETWEEN: usize = 512 * 1024;

/// What a form has beside the bytes of files: its fields, and the heads of its parts. No client
/// comes near it.
const MAX_OVERHEAD: u64 =
    (MAX_FIELDS * MAX_FIELD_BYTES + (MAX_FIELDS + MAX_FILES) * 16 * 1024) as u64;

/// What the account that sends a form may.
pub(super) struct May {
    pub(super) allowance: Allowance,
    /// Whether it may send to people.
    pub(super) to_people: bool,
}

/// Reads the form; if it is refused or cut short, what came of it is deleted.
///
/// It is cut off where its account may send no more: what a head says of its length is used where
/// that alone is too much, and believed nowhere.
///
/// `id` is that of the transfer, unless the form chooses another.
pub(super) async fn read(
    app: &App,
    (mut id, key): (TransferId, &TransferKey),
    may: &May,
    request: Request,
    digests: Digests,
) -> Result<Form> {
    let allowance = &may.allowance;
    if media_type(request.headers()).as_deref() != Some("multipart/form-data") {
        let message = "the body must be a form, sent as content-type: multipart/form-data";
        return Err(ApiError::refused(ErrorCode::UnsupportedMediaType, message));
    }
    let length = request.headers().get(header::CONTENT_LENGTH);
    let length = length.and_then(|it| it.to_str().ok()?.parse::<u64>().ok());
    if let Some(length) = length {
        allowance.require_total(length.saturating_sub(MAX_OVERHEAD))?;
    }
    let between = Between::default();
    let request = request.map(|body| between.limit(body));
    let mut multipart = Multipart::from_request(request, app)
        .await
        .map_err(|_| ApiError::invalid("content-type", "has no boundary"))?;
    let mut form = Form {
        fields: Fields::default(),
        files: Vec::new(),
    };
    let (mut field_count, mut sealed) = (0, false);
    let mut room = Room {
        most: app.limits.max_file_bytes,
        allowance,
        before: 0,
    };
    while let Some(field) = multipart.next_field().await.map_err(|it| malformed(&it))? {
        between.went_on();
        let name = field.name().unwrap_or_default().to_owned();
        match (&*name, field.file_name()) {
            ("files" | "files[]" | "file", Some(_)) => {
                // An envelope may go before them.
                if form.files.len() > MAX_FILES {
                    return Err(ApiError::invalid(
                        "files",
                        format!("must be at most {MAX_FILES}"),
                    ));
                }
                let at_rest = if sealed {
                    AtRest::Sender
                } else {
                    AtRest::Server
                };
                let new = New {
                    position: form.files.len(),
                    at_rest,
                    digests,
                    transfer: id,
                };
                let file = read_file(app, key, field, new, &between, &room).await?;
                room.before += file.size;
                form.files.push(file);
            }
            ("files" | "files[]" | "file", None) => {
                return Err(ApiError::invalid("files", "must have a file name"));
            }
            (_, Some(_)) => {
                return Err(ApiError::invalid(
                    name,
                    "is not a field for files; use `files`",
                ));
            }
            (_, None) => {
                field_count += 1;
                if field_count > MAX_FIELDS {
                    return Err(ApiError::invalid("body", "has too many fields"));
                }
                let text = read_text(&name, field, &between).await?;
                sealed |= name == "is_encrypted" && text.eq_ignore_ascii_case("true");
                let is_to_person = name == "mode" && text.parse() == Ok(TransferMode::AgentToHuman);
                if is_to_person && !may.to_people {
                    // Most clients say it before their files, which need not come then.
                    return Err(PersonError::SenderNotVerified.into());
                }
                if name == "transfer_id"
                    && let Ok(chosen) = format!("tr_{text}").parse()
                {
                    if app.blobs.bucket().is_some() && !form.files.is_empty() {
                        // An object has its name from the beginning.
                        let message = "has to come before the files";
                        return Err(ApiError::invalid(name, message));
                    }
                    id = chosen;
                }
                form.fields.push(name, text);
            }
        }
    }
    Ok(form)
}

/// How much may still come.
struct Room<'a> {
    /// Bytes of one file that the server takes.
    most: u64,
    /// What the plan of the account allows.
    allowance: &'a Allowance,
    /// Bytes of the files that came before.
    before: u64,
}

impl Room<'_> {
    /// Refuses a file that has so many bytes already.
    fn require(&self, place: &str, size: u64) -> Result<()> {
        if size > self.most {
            let message = format!("{place} is larger than {} bytes", self.most);
            return Err(ApiError::refused(ErrorCode::FileTooLarge, message));
        }
        Ok(self.allowance.require_piece(self.before, size)?)
    }
}

/// What is known of a file before it comes.
struct New {
    position: usize,
    at_rest: AtRest,
    digests: Digests,
    transfer: TransferId,
}

async fn read_file(
    app: &App,
    key: &TransferKey,
    mut field: Field<'_>,
    new: New,
    between: &Between,
    room: &Room<'_>,
) -> Result<FormFile> {
    let New {
        position,
        at_rest,
        digests,
        transfer,
    } = new;
    let place = format!("files[{position}]");
    let name = FileName::from_str(field.file_name().unwrap_or_default());
    let name = name.map_err(|it| ApiError::invalid(format!("{place}.name"), it.to_string()))?;
    let content_type = field
        .content_type()
        .and_then(|it| it.split(';').next()?.trim().parse().ok());
    let content_type = content_type.unwrap_or_else(ContentType::octet_stream);
    let mut sealer = match at_rest {
        AtRest::Sender => None,
        AtRest::Server => Some(FileSealer::new(
            key,
            u32::try_from(position).unwrap_or(u32::MAX),
        )),
    };
    let mut digest = (digests == Digests::Wanted).then(|| Context::new(&SHA256));
    let mut staging = app.blobs.stage_file(transfer)?;
    let mut size = 0;
    while let Some(bytes) = field.chunk().await.map_err(|it| malformed(&it))? {
        between.went_on();
        size += bytes.len() as u64;
        room.require(&place, size)?;
        if let Some(digest) = &mut digest {
            digest.update(&bytes);
        }
        match &mut sealer {
            None => staging.write(bytes).await?,
            Some(sealer) => {
                let mut chunks: Vec<Bytes> = Vec::new();
                sealer.update(&bytes, |it| chunks.push(it));
                for chunk in chunks {
                    staging.write(chunk).await?;
                }
            }
        }
    }
    if let Some(sealer) = sealer {
        staging.write(sealer.finish()).await?;
    }
    let body = staging.finish_body().await?;
    Ok(FormFile {
        details: FileDetails { name, content_type },
        size,
        at_rest,
        digest: digest.map(Context::finish),
        body,
    })
}

async fn read_text(name: &str, mut field: Field<'_>, between: &Between) -> Result<String> {
    let mut text = Vec::new();
    while let Some(bytes) = field.chunk().await.map_err(|it| malformed(&it))? {
        between.went_on();
        if text.len() + bytes.len() > MAX_FIELD_BYTES {
            let message = format!("{name} is larger than {MAX_FIELD_BYTES} bytes");
            return Err(ApiError::refused(ErrorCode::BodyTooLarge, message));
        }
        text.extend_from_slice(&bytes);
    }
    let text = String::from_utf8(text).map_err(|_| ApiError::invalid(name, "is not UTF-8"))?;
    if text.contains('\0') {
        return Err(ApiError::invalid(name, "must not contain NUL characters"));
    }
    Ok(text)
}

/// Counts what comes between one sign of progress and the next.
#[derive(Clone, Debug, Default)]
struct Between(Arc<AtomicUsize>);

/// More came than stands between two parts.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("too much came between two parts of a form")]
struct TooMuchBetween;

impl Between {
    fn went_on(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    /// The same body, which fails where it does not go on.
    ///
    /// After each piece it pauses: what reads forms takes all that is there before it looks at any
    /// of it, and takes a form for cut off if its first piece and its end come in one go.
    fn limit(&self, body: Body) -> Body {
        let (between, pieces) = (self.clone(), body.into_data_stream());
        let pieces = stream::unfold((pieces, false), move |(mut pieces, pause)| {
            let between = between.clone();
            async move {
                if pause {
                    yield_now().await;
                }
                let piece = pieces.next().await?;
                Some((between.checked(piece), (pieces, true)))
            }
        });
        Body::from_stream(pieces)
    }

    fn checked(&self, piece: Result<Bytes, axum::Error>) -> Result<Bytes, BoxError> {
        let piece = piece.map_err(axum::Error::into_inner)?;
        let came = self.0.fetch_add(piece.len(), Ordering::Relaxed) + piece.len();
        if came > MAX_BETWEEN {
            return Err(TooMuchBetween.into());
        }
        Ok(piece)
    }
}

/// What is wrong with a form that could not be read to its end.
fn malformed(error: &MultipartError) -> ApiError {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(it) = cause {
        if it.is::<TooMuchBetween>() {
            let message = "the head of a part, or what stands before the first one, is too large";
            return ApiError::refused(ErrorCode::BodyTooLarge, message);
        }
        cause = it.source();
    }
    match body_error(error) {
        ApiError::Invalid(_) => {
            ApiError::invalid("body", "is not a whole multipart/form-data body")
        }
        timed_out => timed_out,
    }
}
