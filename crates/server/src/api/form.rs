//! The form that creates a transfer: files are streamed to the disk as they come.
//!
//! A form has its parts in any order, so a file may come before the field that says whether its
//! sender encrypted it. Until that is known, the server encrypts.

use std::str::FromStr as _;

use agentdrop_domain::transfers::AtRest;
use agentdrop_protocol::limits::{MAX_FIELD_BYTES, MAX_FILES};
use agentdrop_protocol::text::ContentType;
use agentdrop_protocol::{ErrorCode, FileName};
use axum::extract::multipart::{Field, Multipart, MultipartError};
use axum::extract::{FromRequest as _, Request};
use bytes::Bytes;

use super::error::{ApiError, Result};
use super::extract::{body_error, media_type};
use super::fields::Fields;
use crate::app::App;
use crate::at_rest::{FileDetails, FileSealer, TransferKey};
use crate::blob::Staged;

/// Fields that are not files; more than any client has, few enough to hold.
const MAX_FIELDS: usize = 64;

/// A form that came in whole.
#[derive(Debug)]
pub(super) struct Form {
    pub(super) fields: Fields,
    pub(super) files: Vec<FormFile>,
}

/// A file of a form, on the disk.
#[derive(Debug)]
pub(super) struct FormFile {
    pub(super) details: FileDetails,
    pub(super) size: u64,
    pub(super) at_rest: AtRest,
    pub(super) staged: Staged,
}

/// Reads the form; if it is refused or cut short, what came of it is deleted.
pub(super) async fn read(app: &App, key: &TransferKey, request: Request) -> Result<Form> {
    if media_type(request.headers()).as_deref() != Some("multipart/form-data") {
        let message = "the body must be a form, sent as content-type: multipart/form-data";
        return Err(ApiError::refused(ErrorCode::UnsupportedMediaType, message));
    }
    let mut multipart = Multipart::from_request(request, app)
        .await
        .map_err(|_| ApiError::invalid("content-type", "has no boundary"))?;
    let mut form = Form {
        fields: Fields::default(),
        files: Vec::new(),
    };
    let (mut field_count, mut sealed) = (0, false);
    while let Some(field) = multipart.next_field().await.map_err(|it| malformed(&it))? {
        let name = field.name().unwrap_or_default().to_owned();
        match (&*name, field.file_name()) {
            ("files" | "files[]" | "file", Some(_)) => {
                if form.files.len() == MAX_FILES {
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
                let file = read_file(app, key, field, form.files.len(), at_rest).await?;
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
                let text = read_text(&name, field).await?;
                sealed |= name == "is_encrypted" && text.eq_ignore_ascii_case("true");
                form.fields.push(name, text);
            }
        }
    }
    Ok(form)
}

async fn read_file(
    app: &App,
    key: &TransferKey,
    mut field: Field<'_>,
    position: usize,
    at_rest: AtRest,
) -> Result<FormFile> {
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
    let mut staging = app.blobs.stage().await?;
    let (mut size, limit) = (0, app.limits.max_file_bytes);
    while let Some(bytes) = field.chunk().await.map_err(|it| malformed(&it))? {
        size += bytes.len() as u64;
        if size > limit {
            let message = format!("{place} is larger than {limit} bytes");
            return Err(ApiError::refused(ErrorCode::FileTooLarge, message));
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
    let staged = staging.finish().await?;
    Ok(FormFile {
        details: FileDetails { name, content_type },
        size,
        at_rest,
        staged,
    })
}

async fn read_text(name: &str, mut field: Field<'_>) -> Result<String> {
    let mut text = Vec::new();
    while let Some(bytes) = field.chunk().await.map_err(|it| malformed(&it))? {
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

/// What is wrong with a form that could not be read to its end.
fn malformed(error: &MultipartError) -> ApiError {
    match body_error(error) {
        ApiError::Invalid(_) => {
            ApiError::invalid("body", "is not a whole multipart/form-data body")
        }
        timed_out => timed_out,
    }
}
