//! The end of a reception: what was opened is placed, and the server is told.

use std::path::PathBuf;

use agentdrop_protocol::LinkToken;
use agentdrop_protocol::wire::downloads::Download;
use agentdrop_protocol::wire::transfers::{Acknowledge, DeliveryStatus, Transfer};

use super::super::journal::Journal;
use super::super::packed::is_folder;
use super::super::place::Ready;
use super::super::state::Placing;
use super::super::{Note, Received, ReceivedFile};
use super::{Opened, Outcome, Reception};
use crate::client::Client;
use crate::error::Result;

impl Reception<'_> {
    /// Places what was opened, and tells the server.
    pub(in crate::receive) async fn finish(
        self,
        opened: Vec<Opened>,
        outcome: Outcome,
    ) -> Result<Received> {
        let mut notes = self.journal.notes();
        let mut ready = Vec::new();
        for it in opened {
            ready.push(self.unpacked(it, &mut notes).await?);
        }
        let placing = Placing {
            security: outcome.security,
            message: outcome.message,
            sender_key: outcome.sender_key,
            files: Vec::new(),
        };
        let resumed_bytes = self.left_bytes.iter().sum();
        let (placing, paths) = match self.sink {
            None => self.journal.place(ready, placing).await?,
            Some(sink) => self.journal.write_to(sink, ready, placing).await?,
        };
        let received = received(placing, paths, self.listed, &self.grant);
        let received = Received {
            resumed_bytes,
            notes,
            ..received
        };
        Ok(tell(self.client, self.link, &self.grant, received).await)
    }

    /// Unpacks what was opened, if it is a folder. What cannot be unpacked is placed as it came.
    async fn unpacked(&self, opened: Opened, notes: &mut Vec<Note>) -> Result<Ready> {
        let Opened {
            n,
            source,
            name,
            bytes,
        } = opened;
        let mut ready = Ready {
            n,
            source,
            name,
            bytes,
            is_folder: false,
        };
        if self.unpacks && is_folder(self.listed, &ready.name) {
            let source = ready.source.clone();
            let unpacked = self.journal.on_disk(move |it| Ok(it.unpack(n, &source)));
            match unpacked.await? {
                Ok(tree) => (ready.source, ready.is_folder) = (tree, true),
                Err(reason) => {
                    let name = ready.name.clone();
                    notes.push(Note::NotUnpacked { name, reason });
                }
            }
        }
        Ok(ready)
    }
}

/// Ends what an earlier process placed to the last file, and did not come to tell the server.
pub(in crate::receive) async fn placed_earlier(
    client: &Client,
    link: Option<&LinkToken>,
    listed: &Transfer,
    journal: &Journal,
) -> Result<Option<Received>> {
    let (Some(grant), Some((placing, placed))) = (journal.grant(), journal.placed().await?) else {
        return Ok(None);
    };
    if placed.len() < placing.files.len() {
        return Ok(None);
    }
    let paths = placed.into_iter().map(|it| it.path).collect();
    let received = received(placing, paths, listed, &grant);
    Ok(Some(tell(client, link, &grant, received).await))
}

fn received(
    placing: Placing,
    paths: Vec<PathBuf>,
    listed: &Transfer,
    grant: &Download,
) -> Received {
    let files = paths.into_iter().zip(placing.files);
    let files = files.map(|(path, it)| ReceivedFile {
        path,
        name: it.name,
        bytes: it.bytes,
        is_folder: it.is_folder,
    });
    Received {
        id: listed.id,
        mode: listed.mode,
        sender: grant.sender.clone(),
        message: placing.message,
        security: placing.security,
        sender_key: placing.sender_key,
        files: files.collect(),
        resumed_bytes: 0,
        notes: Vec::new(),
        unacknowledged: None,
    }
}

/// Tells the server that the files are here.
async fn tell(
    client: &Client,
    link: Option<&LinkToken>,
    grant: &Download,
    received: Received,
) -> Received {
    let (download_id, status) = (grant.download_id, DeliveryStatus::Received);
    let told = if let Some(token) = link {
        let body = Acknowledge {
            download_id,
            status,
            reason: None,
            receipt: None,
        };
        client.acknowledge_link(token, &body).await
    } else {
        client
            .acknowledge(received.id, download_id, status, None)
            .await
    };
    Received {
        unacknowledged: told.err(),
        ..received
    }
}
