//! How the server answers.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest as _, Multipart, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::StreamExt as _;
use serde_json::Value;

use super::world::{Seen, Served, Uploaded, World};

pub(super) async fn serve(State(world): State<Arc<Mutex<World>>>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let call = format!("{} {path}", request.method());
    let is_upload = call == "POST /v1/transfers";
    let is_registration = call == "POST /v1/agents/register";
    let holds;
    {
        let mut world = world.lock().unwrap();
        world.seen.push(Seen {
            method: request.method().clone(),
            path: path.clone(),
            headers: request.headers().clone(),
        });
        if let Some(served) = world.files.get_mut(&path) {
            return serve_file(served, request.headers());
        }
        holds = is_upload && world.holds_uploads || world.holds.as_ref() == Some(&call);
        if let Some((status, body)) = world.refuses_uploads.clone().filter(|_| is_upload) {
            let mut rest = request.into_body().into_data_stream();
            tokio::spawn(async move { while let Some(Ok(_)) = rest.next().await {} });
            return (status, body.to_string()).into_response();
        }
    }
    if holds {
        std::future::pending::<()>().await;
    }
    if is_registration && world.lock().unwrap().echoes_key {
        let body = axum::body::to_bytes(request.into_body(), 10_000)
            .await
            .unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap();
        world
            .lock()
            .unwrap()
            .change(&call, |it| it["public_key"] = body["public_key"].clone());
    } else if is_upload {
        match read_form(request).await {
            Some(form) => world.lock().unwrap().uploads.push(form),
            None => return StatusCode::BAD_REQUEST.into_response(),
        }
    }
    let mut world = world.lock().unwrap();
    let Some(answers) = world.answers.get_mut(&call) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let answer = if answers.len() > 1 {
        answers.remove(0)
    } else {
        answers.first().unwrap().clone()
    };
    answer.into_response()
}

fn serve_file(served: &mut Served, headers: &HeaderMap) -> Response {
    if served.cuts.is_empty()
        && let Some(status) = served.refuses.take()
    {
        return status.into_response();
    }
    let text = |name| headers.get(name).and_then(|it| it.to_str().ok());
    let begin = text(header::RANGE).map(|it| {
        it.trim_start_matches("bytes=")
            .trim_end_matches('-')
            .parse::<usize>()
            .unwrap()
    });
    let begin = begin.filter(|_| served.etag.is_some() && text(header::IF_RANGE) == served.etag);
    let total = served.bytes.len();
    let rest = Bytes::copy_from_slice(&served.bytes[begin.unwrap_or(0)..]);
    let mut answer = Response::builder();
    if !served.lingers {
        answer = answer.header(header::CONTENT_LENGTH, rest.len());
    }
    if let Some(etag) = served.etag {
        answer = answer.header(header::ETAG, etag);
    }
    if let Some(begin) = begin {
        let range = format!("bytes {begin}-{}/{total}", total - 1);
        answer = answer.status(206).header(header::CONTENT_RANGE, range);
    }
    let body = if served.stalls || served.lingers {
        let comes = if served.lingers {
            rest.len()
        } else {
            rest.len() / 2
        };
        let first = futures_util::stream::iter([Ok::<_, std::io::Error>(rest.slice(..comes))]);
        let never = futures_util::stream::pending();
        Body::from_stream(futures_util::StreamExt::chain(first, never))
    } else if served.cuts.is_empty() {
        Body::from(rest)
    } else {
        let cut = served.cuts.remove(0).min(rest.len());
        // The pause lets what was sent arrive before the end does.
        let pieces = futures_util::stream::unfold(Some(rest.slice(..cut)), |rest| async move {
            if let Some(rest) = rest {
                return Some((Ok(rest), None));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
            Some((Err(std::io::Error::other("cut")), None))
        });
        Body::from_stream(pieces)
    };
    answer.body(body).unwrap()
}

async fn read_form(request: Request) -> Option<Uploaded> {
    let announced: u64 = request
        .headers()
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()?;
    assert!(announced > 0, "the length is known before the body");
    let mut form = Multipart::from_request(request, &()).await.ok()?;
    let mut uploaded = Uploaded::default();
    while let Some(field) = form.next_field().await.ok()? {
        let name = field.name()?.to_owned();
        let file_name = field.file_name().map(str::to_owned);
        let content = field.bytes().await.ok()?.to_vec();
        if let Some(file_name) = file_name {
            uploaded.files.push((file_name, content));
        } else {
            assert!(uploaded.files.is_empty(), "fields go before files");
            uploaded
                .fields
                .insert(name, String::from_utf8(content).ok()?);
        }
    }
    Some(uploaded)
}
