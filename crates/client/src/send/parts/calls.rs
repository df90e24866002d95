//! What is asked of the server about an upload in parts.

use std::collections::{HashMap, HashSet};

use agentdrop_protocol::wire::transfers::{Transfer, TransferStatus};
use agentdrop_protocol::wire::uploads::{
    AbortUpload, AnnouncedParts, CompletePart, CompleteUpload, ConfirmedTransfer, PartUrl, Parts,
    Upload as Uploaded,
};
use agentdrop_protocol::{ErrorCode, TransferId};
use bytes::Bytes;
use http::Method;
use reqwest::Url;

use super::super::kept::{Announced, AnnouncedFile};
use super::super::notice::Anew;
use super::{Stop, Upload, gone_if_missing};
use crate::client::Client;
use crate::error::{Error, Result};
use crate::transport::Repeat;

/// Which parts are there, and where the others go.
#[derive(Default)]
pub(super) struct Standing {
    /// By file and part.
    pub(super) there: HashSet<(usize, u32)>,
    pub(super) there_bytes: u64,
    pub(super) urls: HashMap<(usize, u32), String>,
}

impl Standing {
    fn add_urls(&mut self, file: usize, urls: Vec<PartUrl>) {
        let urls = urls.into_iter();
        let urls = urls.map(|it| ((file, it.part_number), it.upload_url));
        self.urls.extend(urls);
    }
}

impl Client {
    fn file_url(&self, announced: &Announced, file: &AnnouncedFile, verb: &str) -> Url {
        let (transfer, file) = (announced.transfer.to_string(), file.file.to_string());
        let parts = ["transfers", &transfer, "files", &file, verb];
        self.transport().server.endpoint(&parts)
    }

    /// Gives an announced transfer up; nothing, of what was confirmed.
    pub(super) async fn abort(&self, announced: &Announced) -> Result<()> {
        let Some(first) = announced.files.first() else {
            return Ok(());
        };
        let url = self.file_url(announced, first, "abort-multipart");
        let body = AbortUpload {
            upload_id: first.upload,
        };
        let transport = self.transport();
        let aborted = transport.send_json(Method::POST, url, &body, Repeat::Never);
        aborted.await.map(|_: Uploaded| ())
    }
}

impl Upload<'_> {
    /// Announces it. Whether that is for the first time the server knows by its name.
    pub(super) async fn announce(&self) -> Result<(Announced, Standing), Stop> {
        let head = &self.kept.head;
        let transport = self.client.transport();
        let url = transport
            .server
            .endpoint(&["transfers", "presigned", "multipart"]);
        let body = serde_json::to_vec(&head.request).expect("it was JSON");
        let answer = transport.post_once(url, Some(body.into()), &head.idempotency_key);
        let answer: AnnouncedParts = match answer.await {
            Ok(answer) => answer,
            Err(error) => {
                // Of what is refused there is nothing to go on with.
                if matches!(&error, Error::Api(it) if error.is_refusal() && it.code != ErrorCode::IdempotencyInProgress)
                {
                    self.kept.forget()?;
                }
                return Err(Stop::Failed(error));
            }
        };
        self.check_announced(&answer)?;
        let files = answer.files.iter().map(|it| AnnouncedFile {
            file: it.file_id,
            upload: it.upload_id,
        });
        let announced = Announced {
            transfer: answer.id,
            files: files.collect(),
        };
        self.kept.write_announced(announced.clone())?;
        let mut standing = Standing::default();
        for (n, file) in answer.files.into_iter().enumerate() {
            standing.add_urls(n, file.part_urls);
        }
        Ok((announced, standing))
    }

    /// Refuses an answer that is to something else.
    fn check_announced(&self, answer: &AnnouncedParts) -> Result<()> {
        let wrong = |what: &str| Err(Error::Answer(format!("{what} as it was announced")));
        let head = &self.kept.head;
        if answer.files.len() != self.plan.objects.len() {
            return wrong("it has not as many files");
        }
        let chosen = head.request.get("transfer_id").and_then(|it| it.as_str());
        let chosen = chosen.map(|it| format!("tr_{it}").parse::<TransferId>());
        if chosen.is_some_and(|it| it.ok() != Some(answer.id)) {
            return wrong("the transfer has not the id");
        }
        for (file, object) in answer.files.iter().zip(&self.plan.objects) {
            let parts = object.sealed_bytes.div_ceil(head.part_bytes);
            if file.part_size != head.part_bytes || file.part_urls.len() as u64 != parts {
                return wrong("a file has not the parts");
            }
        }
        Ok(())
    }

    /// Asks which parts are there.
    pub(super) async fn standing(&self, announced: &Announced) -> Result<Standing, Stop> {
        let mut standing = Standing::default();
        let head = &self.kept.head;
        if announced.files.len() != self.plan.objects.len() {
            let wrong = Error::Answer("it has not as many files as were announced".to_owned());
            return Err(Stop::Over(Anew::Gone, wrong));
        }
        for (n, (file, object)) in announced.files.iter().zip(&self.plan.objects).enumerate() {
            let mut url = self.client.file_url(announced, file, "parts");
            url.query_pairs_mut()
                .append_pair("upload_id", &file.upload.to_string())
                .append_pair("urls", "true");
            let listed = self.client.transport().get(url).await;
            let listed: Parts = listed.map_err(gone_if_missing)?;
            if listed.size != object.sealed_bytes || listed.part_size != head.part_bytes {
                let wrong = Error::Answer("a file is another than was announced".to_owned());
                return Err(Stop::Over(Anew::Gone, wrong));
            }
            for part in &listed.parts {
                let bytes = part_len(object.sealed_bytes, head.part_bytes, part.part_number);
                let tag = self.kept.tag(n, part.part_number);
                let is_ours = tag.is_some_and(|it| unquoted(&it) == unquoted(&part.etag));
                if is_ours && bytes == Some(part.size) {
                    standing.there.insert((n, part.part_number));
                    standing.there_bytes += part.size;
                }
            }
            standing.add_urls(n, listed.part_urls.unwrap_or_default());
        }
        Ok(standing)
    }

    /// Where a part goes.
    pub(super) fn part_url(&self, standing: &Standing, at: (usize, u32)) -> Result<Url, Stop> {
        let Some(url) = standing.urls.get(&at) else {
            let missing = Error::Answer("it says no address of a part".to_owned());
            return Err(Stop::Over(Anew::Gone, missing));
        };
        Ok(self.client.transport().server.file(url)?)
    }

    pub(super) async fn complete(
        &self,
        announced: &Announced,
        n: usize,
        file: &AnnouncedFile,
    ) -> Result<(), Stop> {
        let object = self.plan.objects.get(n);
        let bytes = object.map_or(0, |it| it.sealed_bytes);
        let count = bytes.div_ceil(self.kept.head.part_bytes);
        let mut parts = Vec::new();
        for part_number in 1..=u32::try_from(count).unwrap_or(u32::MAX) {
            let missing = || Error::Answer("a part was not acknowledged".to_owned());
            let tag = self.kept.tag(n, part_number).ok_or_else(missing)?;
            let etag = tag.parse().map_err(|_| missing())?;
            parts.push(CompletePart { part_number, etag });
        }
        let body = CompleteUpload {
            upload_id: file.upload,
            parts,
        };
        let url = self.client.file_url(announced, file, "complete-multipart");
        let transport = self.client.transport();
        let completed = transport.send_json(Method::POST, url, &body, Repeat::Safe);
        match completed.await {
            Ok(Uploaded { .. }) => Ok(()),
            Err(Error::Api(it))
                if matches!(
                    it.code,
                    ErrorCode::AlreadyCompleted | ErrorCode::AlreadyConfirmed
                ) =>
            {
                Ok(())
            }
            // It has other parts than it acknowledged.
            Err(Error::Api(it)) if it.is_of_api() && it.status == 400 => {
                Err(Stop::Over(Anew::Gone, Error::Api(it)))
            }
            Err(error) => Err(gone_if_missing(error)),
        }
    }

    /// Confirms it, and answers what it is.
    pub(super) async fn confirm(&self, announced: &Announced) -> Result<Transfer, Stop> {
        let transport = self.client.transport();
        let parts = ["transfers", &announced.transfer.to_string(), "confirm"];
        let url = transport.server.endpoint(&parts);
        let name = format!("{}-confirm", self.kept.head.idempotency_key);
        let confirmed = transport.post_once(url, None::<Bytes>, &name).await;
        match confirmed {
            Ok(ConfirmedTransfer { .. }) => {}
            Err(Error::Api(it)) if it.code == ErrorCode::AlreadyConfirmed => {}
            Err(error) => {
                if matches!(&error, Error::Api(it) if it.code == ErrorCode::KeyChanged) {
                    // Nobody has the key any more that it was sealed for.
                    self.client.abort(announced).await.ok();
                    self.kept.forget()?;
                }
                return Err(gone_if_missing(error));
            }
        }
        let transfer = self.client.transfer(announced.transfer).await?;
        if transfer.status == TransferStatus::Pending {
            let wrong = "it says that the transfer was confirmed, and that it was not";
            return Err(Error::Answer(wrong.to_owned()).into());
        }
        Ok(transfer)
    }
}

/// How many bytes a part has.
pub(super) fn part_len(bytes: u64, part_bytes: u64, number: u32) -> Option<u64> {
    let before = u64::from(number).checked_sub(1)?.checked_mul(part_bytes)?;
    let left = bytes.checked_sub(before).filter(|it| *it > 0)?;
    Some(left.min(part_bytes))
}

fn unquoted(etag: &str) -> &str {
    let inner = etag.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
    inner.unwrap_or(etag)
}
