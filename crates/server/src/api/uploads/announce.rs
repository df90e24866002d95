//! Announcing a transfer whose files come by signed addresses.

use std::collections::BTreeMap;
use std::sync::Arc;

use agentdrop_domain::audit::{Action, Subject};
use agentdrop_domain::plans::Sent;
use agentdrop_domain::transfers::{AtRest, File, Transfer};
use agentdrop_domain::uploads::{Upload, upload_until};
use agentdrop_protocol::limits::{DEFAULT_PART_BYTES, MAX_PART_BYTES, MAX_PARTS, MIN_PART_BYTES};
use agentdrop_protocol::text::ContentType;
use agentdrop_protocol::wire::transfers::TransferStatus;
use agentdrop_protocol::wire::uploads::{
    AnnounceTransfer, AnnouncedFile, AnnouncedParts, AnnouncedTransfer, FileInParts, PartUrl,
    UploadUrl,
};
use agentdrop_protocol::{ErrorCode, FileId, Timestamp, TransferId, UploadId};
use agentdrop_store::Tx;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde::Serialize;
use tracing::Instrument as _;

use super::direct::{self, Begun};
use crate::api::allowance::Allowance;
use crate::api::error::{ApiError, Result};
use crate::api::extract::Body;
use crate::api::fields::Fields;
use crate::api::once::{Answered, By, Once, Repeating};
use crate::api::openapi::Errors;
use crate::api::send::asked::{Asked, To};
use crate::api::send::{native, person};
use crate::app::App;
use crate::at_rest::{Details, FileDetails};
use crate::auth::{Caller, count_transfer};
use crate::clock::random;

/// Announces a transfer, and answers where each of its files is sent to.
///
/// It takes its room at once, and is nobody's but its sender's until it is confirmed. What is not
/// confirmed within a day is thrown away.
#[utoipa::path(
    post, path = "/v1/transfers/presigned", tag = "transfers", operation_id = "uploads_create",
    params(Once), request_body = AnnounceTransfer,
    responses((status = 201, body = AnnouncedTransfer), Errors)
)]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Repeating(Body(body), once): Repeating<Body<AnnounceTransfer>>,
) -> Result<Answered> {
    let through = if direct::says_two_lengths(&headers) {
        Through::Us
    } else {
        Through::Bucket
    };
    announce(app, caller, body, once, (Comes::Whole, through), whole).await
}

/// The same for files that come in parts, each of which can be sent again alone.
#[utoipa::path(
    post, path = "/v1/transfers/presigned/multipart", tag = "transfers",
    operation_id = "uploads_create_in_parts",
    params(Once), request_body = AnnounceTransfer,
    responses((status = 201, body = AnnouncedParts), Errors)
)]
pub(crate) async fn create_in_parts(
    State(app): State<App>,
    caller: Caller,
    Repeating(Body(body), once): Repeating<Body<AnnounceTransfer>>,
) -> Result<Answered> {
    let how = (Comes::InParts, Through::Bucket);
    announce(app, caller, body, once, how, parts).await
}

/// How files come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Comes {
    InParts,
    Whole,
}

/// What sealed files come through, where there is a bucket.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Through {
    Bucket,
    Us,
}

async fn announce<T: Serialize + Send + 'static>(
    app: App,
    caller: Caller,
    body: AnnounceTransfer,
    once: Once,
    (comes, through): (Comes, Through),
    answer: fn(&App, &Transfer, &Details, Timestamp, &Begun) -> T,
) -> Result<Answered> {
    let now = app.clock.now();
    let asked = Asked::read(fields(&body, comes), body.files.len(), now)?;
    let id = match asked.id {
        Some(chosen) => chosen,
        None => TransferId::new(now, random()?),
    };
    asked.require_sender(&caller.actor)?;
    let sent = match asked.sealing {
        Some(_) => Sent::Sealed,
        None => Sent::Plain,
    };
    let mut files = files(&app, &body.files, &asked, comes, now)?;
    let said = body.files.into_iter().map(|it| FileDetails {
        name: it.name,
        content_type: it.content_type.unwrap_or_else(ContentType::octet_stream),
    });
    let details = Details {
        message: asked.message.clone(),
        metadata: asked.metadata.clone(),
        files: said.collect(),
    };
    native::require_files(&asked, &details, &files)?;
    let (key, wrapped_key) = app.server_key.new_transfer_key(id)?;
    let sealed = details.seal(&key)?;
    let until = upload_until(now, now.plus(asked.lifetime.as_duration()));
    let begun = match through {
        Through::Bucket => Begun::begin(&app, id, &mut files, until.since(now)).await?,
        Through::Us => Arc::default(),
    };
    let (of, by) = (app.clone(), By::from(&caller));
    let shared = Arc::clone(&begun);
    let record = async move |tx: &mut Tx| -> Result<(StatusCode, T)> {
        let owner = caller.actor.account;
        let person = match &asked.recipient {
            To::Agent(_) => None,
            To::Person(email) => Some(person::hold(tx, &of, owner, email).await?),
        };
        let allowance = Allowance::hold(tx, owner, now).await?;
        allowance.require_all(&files, sent, asked.lifetime)?;
        let resolved = asked.resolve(tx, &caller, person).await?;
        if let Some((standing, _)) = person {
            // Counted once it is confirmed, for only then somebody is written to.
            person::require_few(tx, owner, standing, now).await?;
        }
        let expires_at = now.plus(asked.lifetime.as_duration());
        let transfer = Transfer {
            id,
            mode: asked.mode,
            sender: resolved.sender,
            recipient: resolved.recipient,
            sealing: resolved.sealing,
            wrapped_key,
            details: sealed,
            files,
            auto_delete: asked.auto_delete,
            max_downloads: asked.max_downloads,
            downloads: 0,
            status: TransferStatus::Pending,
            bytes_until: Some(until),
            created_at: now,
            announced: true,
            expires_at,
            deleted_at: None,
        };
        tx.insert_transfer(&transfer).await?;
        count_transfer(tx, &caller.actor, now).await?;
        allowance.count(tx).await?;
        let witness = caller.witness.at(now);
        let announced = witness.saw(Action::TransferAnnounced, Subject::of(&id));
        tx.append_audit(announced).await?;
        let answer = answer(&of, &transfer, &details, until, &shared);
        Ok((StatusCode::CREATED, answer))
    };
    // In a task of its own, which comes to its end even if the caller goes away: what was begun in a
    // bucket is either written down or given up.
    let announcing = async move {
        let answered = once.write(&app, by, record).await;
        let in_doubt = matches!(&answered, Err(ApiError::Broken(ErrorCode::Unavailable, _)));
        if !in_doubt && !answered.as_ref().is_ok_and(|it| !it.replayed) {
            begun.give_up(&app).await;
        }
        answered
    };
    let answered = tokio::spawn(announcing.in_current_span()).await;
    answered.map_err(|error| ApiError::Internal(error.into()))?
}

/// What a form would say, so that both are read alike.
fn fields(body: &AnnounceTransfer, comes: Comes) -> Fields {
    let mut fields = Fields::default();
    let mut push = |name: &str, value: Option<String>| {
        // What is no text in a database is none here.
        if value.as_deref().is_some_and(|it| it.contains('\0')) {
            fields.refuse(name, "must not contain NUL characters");
        } else if let Some(value) = value {
            fields.push(name.to_owned(), value);
        }
    };
    push("sender", body.sender.as_ref().map(ToString::to_string));
    push("recipient", Some(body.recipient.to_string()));
    push(
        "recipient_account",
        body.recipient_account.as_ref().map(ToString::to_string),
    );
    push("mode", body.mode.map(|it| it.to_string()));
    push("message", body.message.as_ref().map(ToString::to_string));
    let metadata = body
        .metadata
        .as_ref()
        .and_then(|it| serde_json::to_string(it).ok());
    push("metadata", metadata);
    push("expires_in", body.expires_in.map(|it| it.to_string()));
    push("max_downloads", body.max_downloads.map(|it| it.to_string()));
    push("auto_delete", body.auto_delete.map(|it| it.to_string()));
    push("is_encrypted", body.is_encrypted.map(|it| it.to_string()));
    push("encryption_algorithm", body.encryption_algorithm.clone());
    push("encrypted_key", body.encrypted_key.clone());
    push("channel_id", body.channel_id.map(|it| it.to_string()));
    push("encryption_salt", body.encryption_salt.clone());
    push(
        "sender_public_key",
        body.sender_public_key.as_ref().map(ToString::to_string),
    );
    push("sender_signature", body.sender_signature.clone());
    push(
        "recipient_key_version",
        body.recipient_key_version.map(|it| it.to_string()),
    );
    push(
        "recipient_public_key",
        body.recipient_public_key.as_ref().map(ToString::to_string),
    );
    push("transfer_id", body.transfer_id.clone());
    push("encryption_ivs", nonces(body));
    for (n, file) in body
        .files
        .iter()
        .enumerate()
        .filter(|_| comes == Comes::InParts)
    {
        let part_size = file.part_size.unwrap_or(DEFAULT_PART_BYTES);
        if !(MIN_PART_BYTES..=MAX_PART_BYTES).contains(&part_size) {
            let message = format_args!("must be from {MIN_PART_BYTES} to {MAX_PART_BYTES}");
            fields.refuse(&format!("files[{n}].part_size"), message);
        }
    }
    fields
}

/// The nonces as a form has them; nothing, if there are none.
fn nonces(body: &AnnounceTransfer) -> Option<String> {
    let all = body.encryption_ivs.as_ref();
    let each = || body.files.iter().map(|it| it.encryption_iv.as_ref());
    let nonces: Vec<_> = match all {
        Some(all) => all.iter().map(Option::as_ref).collect(),
        None if each().all(|it| it.is_none()) => return None,
        None => each().collect(),
    };
    serde_json::to_string(&nonces).ok()
}

/// The files that are to come.
fn files(
    app: &App,
    announced: &[AnnouncedFile],
    asked: &Asked,
    comes: Comes,
    now: Timestamp,
) -> Result<Vec<File>> {
    let at_rest = match asked.sealing {
        Some(_) => AtRest::Sender,
        None => AtRest::Server,
    };
    let (mut files, mut parts) = (Vec::with_capacity(announced.len()), 0_u64);
    for (n, it) in announced.iter().enumerate() {
        if it.size > app.limits.max_file_bytes {
            let most = app.limits.max_file_bytes;
            let message = format!("files[{n}] is larger than {most} bytes");
            return Err(ApiError::refused(ErrorCode::FileTooLarge, message));
        }
        let upload = match comes {
            Comes::Whole => Upload::whole(it.size),
            Comes::InParts => {
                let id = UploadId::new(now, random()?);
                Upload::in_parts(id, it.part_size.unwrap_or(DEFAULT_PART_BYTES))
            }
        };
        parts += upload.part_count(it.size);
        files.push(File {
            id: FileId::new(now, random()?),
            size: it.size,
            at_rest,
            nonce: asked.nonces.get(n).cloned().flatten(),
            blob: None,
            in_database: false,
            upload: Some(upload),
            direct: None,
        });
    }
    if parts > u64::from(MAX_PARTS) {
        let message = format!("are more than {MAX_PARTS} parts together; take larger ones");
        return Err(ApiError::invalid("files", message));
    }
    Ok(files)
}

fn whole(
    app: &App,
    it: &Transfer,
    said: &Details,
    until: Timestamp,
    begun: &Begun,
) -> AnnouncedTransfer {
    let files = it.files.iter().zip(&said.files);
    let urls = files.map(|(file, said)| UploadUrl {
        file_id: file.id,
        file_name: said.name.clone(),
        upload_url: match begun.url(file.id, 1) {
            Some(direct) => direct,
            None => app.upload_url(it.id, file.id, 1, until),
        },
        method: "PUT".to_owned(),
        headers: BTreeMap::from([("Content-Type".to_owned(), content_type(file, said))]),
    });
    AnnouncedTransfer {
        id: it.id,
        status: it.status,
        upload_urls: urls.collect(),
        confirm_url: confirm_url(app, it),
        upload_expires_at: until,
        expires_at: it.expires_at,
    }
}

/// What its sender said, but to us alone.
fn content_type(file: &File, said: &FileDetails) -> String {
    match file.direct {
        Some(_) => ContentType::octet_stream().to_string(),
        None => said.content_type.to_string(),
    }
}

fn parts(
    app: &App,
    it: &Transfer,
    said: &Details,
    until: Timestamp,
    begun: &Begun,
) -> AnnouncedParts {
    let files = it.files.iter().zip(&said.files).filter_map(|(file, said)| {
        let upload = file.upload?;
        Some(FileInParts {
            file_id: file.id,
            file_name: said.name.clone(),
            upload_id: upload.id?,
            part_size: upload.part_bytes,
            part_urls: match begun.part_urls(file.id) {
                Some(direct) => direct,
                None => part_urls(app, it.id, file, until),
            },
        })
    });
    AnnouncedParts {
        id: it.id,
        status: it.status,
        files: files.collect(),
        confirm_url: confirm_url(app, it),
        upload_expires_at: until,
        expires_at: it.expires_at,
    }
}

/// Where the parts of a file are sent to, if it comes in parts.
pub(super) fn part_urls(app: &App, id: TransferId, file: &File, until: Timestamp) -> Vec<PartUrl> {
    let count = file.upload.map_or(0, |it| it.part_count(file.size));
    let parts = 1..=u32::try_from(count).unwrap_or(u32::MAX);
    let urls = parts.map(|part_number| PartUrl {
        part_number,
        upload_url: app.upload_url(id, file.id, part_number, until),
    });
    urls.collect()
}

fn confirm_url(app: &App, transfer: &Transfer) -> String {
    app.url(&format!("/v1/transfers/{}/confirm", transfer.id))
}
