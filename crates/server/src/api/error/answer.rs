//! An error as the answer to a request, and why for the log.

use std::error::Error as StdError;

use agentdrop_protocol::error_body::ErrorObject;
use agentdrop_protocol::{ErrorBody, ErrorCode};
use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::ApiError;

/// Why the server failed, for its log.
#[derive(Clone, Debug)]
pub(crate) struct Failure(pub(crate) String);

impl Failure {
    /// Why a request failed that is answered already.
    pub(crate) fn of(error: ApiError) -> Self {
        let (said, failure) = error.parts();
        failure.unwrap_or(Self(said.message))
    }

    pub(super) fn new(error: &(dyn StdError + 'static)) -> Self {
        let mut chain = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            chain.push_str(": ");
            chain.push_str(&error.to_string());
            cause = error.source();
        }
        Self(chain)
    }
}

impl IntoResponse for ApiError {
    /// The request id is filled in by [`finish`], which knows it.
    fn into_response(self) -> Response {
        let (error, failure) = self.parts();
        let mut response = status(error.code).into_response();
        if let Some(failure) = failure {
            response.extensions_mut().insert(failure);
        }
        response.extensions_mut().insert(error);
        response
    }
}

/// Gives an error answer its body, with the id of the request.
pub(crate) fn finish(mut response: Response, request_id: &str) -> Response {
    let Some(mut error) = response.extensions_mut().remove::<ErrorObject>() else {
        return response;
    };
    request_id.clone_into(&mut error.request_id);
    let (code, retry_after) = (error.code, error.retry_after);
    let (parts, _) = response.into_parts();
    let mut finished = (status(code), Json(ErrorBody { error })).into_response();
    // What the router added, an `Allow` for one, stays; the empty body's length does not.
    for (name, value) in &parts.headers {
        if name != header::CONTENT_LENGTH && name != header::CONTENT_TYPE {
            finished.headers_mut().insert(name, value.clone());
        }
    }
    if let Some(seconds) = retry_after {
        finished
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if code.status() == 401 {
        finished
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    *finished.extensions_mut() = parts.extensions;
    finished
}

fn status(code: ErrorCode) -> StatusCode {
    StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;

    use agentdrop_store::Error as StoreError;

    use super::*;

    #[test]
    fn whoever_had_to_give_way_is_told_to_try_again() {
        for error in [StoreError::GaveWay, StoreError::Unreachable] {
            let error = ApiError::from(error(Arc::new(io::Error::other("deadlock"))));
            let answer = finish(error.into_response(), "some-id");
            assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
            assert_eq!(answer.headers()[header::RETRY_AFTER], "5");
        }
    }
}
