//! What a handler takes from a request: parsed, or the request is refused.

use agentdrop_protocol::ErrorCode;
use agentdrop_protocol::limits::MAX_JSON_BYTES;
use axum::body::to_bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use serde::de::DeserializeOwned;

use super::error::{ApiError, Result};
use super::fields::Fields;
use crate::serve::body_timed_out;

/// The parts of the path. What cannot be read names nothing, so it is not found.
#[derive(Debug)]
pub(crate) struct Path<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let path = axum::extract::Path::<T>::from_request_parts(parts, state).await;
        path.map(|it| Self(it.0)).map_err(|_| ApiError::NotFound)
    }
}

/// The query.
#[derive(Debug)]
pub(crate) struct Query(pub(crate) Fields);

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        Ok(Self(Fields::of_query(
            parts.uri.query().unwrap_or_default(),
        )))
    }
}

/// A body of JSON.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self> {
        require_json(request.headers())?;
        parse(&read(request.into_body()).await?).map(Self)
    }
}

/// A body of JSON, or none at all.
#[derive(Debug)]
pub(crate) struct OptionalBody<T>(pub(crate) T);

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequest<S> for OptionalBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self> {
        let headers = request.headers().clone();
        let bytes = read(request.into_body()).await?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        require_json(&headers)?;
        parse(&bytes).map(Self)
    }
}

/// No body that is looked at.
#[derive(Debug)]
pub(crate) struct Nothing;

impl<S: Send + Sync> FromRequest<S> for Nothing {
    type Rejection = ApiError;

    async fn from_request(_: Request, _: &S) -> Result<Self> {
        Ok(Self)
    }
}

/// The media type of a body, in lower case and without parameters.
pub(crate) fn media_type(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    Some(text.split(';').next()?.trim().to_ascii_lowercase())
}

fn require_json(headers: &HeaderMap) -> Result<()> {
    let is_json = |it: &str| it == "application/json" || it.ends_with("+json");
    if media_type(headers).as_deref().is_some_and(is_json) {
        return Ok(());
    }
    let message = "the body must be JSON, sent as content-type: application/json";
    Err(ApiError::refused(ErrorCode::UnsupportedMediaType, message))
}

/// A body of JSON, still in bytes.
pub(crate) async fn read(body: axum::body::Body) -> Result<axum::body::Bytes> {
    to_bytes(body, MAX_JSON_BYTES)
        .await
        .map_err(|error| body_error(&error))
}

/// What is wrong with a body that could not be read to its end.
pub(crate) fn body_error(error: &(dyn std::error::Error + 'static)) -> ApiError {
    let mut cause = Some(error);
    while let Some(it) = cause {
        if it.is::<http_body_util::LengthLimitError>() {
            return ApiError::refused(
                ErrorCode::BodyTooLarge,
                format!("the body must be at most {MAX_JSON_BYTES} bytes"),
            );
        }
        if body_timed_out(it) {
            return ApiError::refused(ErrorCode::RequestTimeout, "the body came too slowly");
        }
        cause = it.source();
    }
    ApiError::invalid("body", "ends before it is complete")
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    // A struct is also read from an array of its fields, which no document tells of.
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(ApiError::invalid("body", "must be a JSON object"));
    }
    // Of a field that nobody reads, the parser passes over what is no text.
    if std::str::from_utf8(bytes).is_err() {
        return Err(ApiError::invalid("body", "must be UTF-8"));
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let message = error.into_inner().to_string();
        wrong_field(&path, without_place(&message))
    })?;
    json.end()
        .map_err(|_| ApiError::invalid("body", "has more than one JSON value"))?;
    Ok(value)
}

/// What is wrong with one field; of one that is missing or there twice, the path is what it would
/// be in.
fn wrong_field(path: &str, message: &str) -> ApiError {
    for (says, meaning) in [
        ("missing field `", "is required"),
        ("duplicate field `", "must be given once"),
    ] {
        let name = message.strip_prefix(says);
        if let Some(name) = name.and_then(|it| it.strip_suffix('`')) {
            let field = if path == "." {
                name.to_owned()
            } else {
                format!("{path}.{name}")
            };
            return ApiError::invalid(field, meaning);
        }
    }
    // `?` is where the text ended.
    let field = if matches!(path, "." | "?") {
        "body"
    } else {
        path
    };
    ApiError::invalid(shortened(field), shortened(message))
}

/// What a caller sent is repeated to them only so far.
fn shortened(text: &str) -> String {
    const MAX_CHARS: usize = 200;
    if text.chars().count() <= MAX_CHARS {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(MAX_CHARS).collect();
    short.push('…');
    short
}

/// The message less its ` at line 1 column 2`, which says nothing to whoever built the body with a
/// library.
fn without_place(message: &str) -> &str {
    message
        .rfind(" at line ")
        .and_then(|it| message.get(..it))
        .unwrap_or(message)
}
