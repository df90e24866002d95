//! The end of a reception: what was opened is placed, and the server is told.

use std::path::PathBuf;

use agentdrop_protocol::wire::downloads::Download;
use agentdrop_protocol::wire::transfers::{Acknowledge, DeliveryStatus, Transfer};
use agentdrop_protocol::{DownloadId, FileName, LinkToken, SignedStatement, TransferId};

use super::super::journal::Journal;
use super::super::native::is_native;
use super::super::packed::is_folder as is_said_folder;
use super::super::place::Ready;
use super::super::settling::Settling;
use super::super::state::Placing;
use super::super::{Note, Received, ReceivedFile};
use super::{Opened, Outcome, Reception};
use crate::client::Client;
use crate::error::{Error, Result};
use crate::shield::Scan;
use crate::trust::MetHow;

impl Reception<'_> {
    /// Places what was opened, and tells the server.
    pub(in crate::receive) async fn finish(
        self,
        opened: Vec<Opened>,
        outcome: Outcome,
    ) -> Result<Received> {
        let scan = self.inspect(&opened, &outcome).await?;
        if scan.is_blocked() {
            return Err(self.keep_from_agent(opened, outcome, scan).await?);
        }
        let mut notes = self.journal.notes();
        let mut ready = Vec::new();
        for it in opened {
            ready.push(self.unpacked(it, &mut notes).await?);
        }
        let placing = Placing {
            security: outcome.security,
            message: outcome.message,
            sender_key: outcome.sender_key,
            settling: outcome.settling,
            files: Vec::new(),
        };
        let resumed_bytes = self.left_bytes.iter().sum();
        let (placing, paths) = match self.sink {
            None => self.journal.place(ready, placing).await?,
            Some(sink) => self.journal.write_to(sink, ready, placing).await?,
        };
        let settling = placing.settling.clone();
        let received = received(placing, paths, self.listed, &self.grant);
        let received = Received {
            peer: outcome.peer,
            resumed_bytes,
            scan,
            notes,
            ..received
        };
        settle(self.client, self.link, &self.grant, received, settling).await
    }

    /// Unpacks what was opened, if it is a folder. What cannot be unpacked is placed as it came.
    async fn unpacked(&self, opened: Opened, notes: &mut Vec<Note>) -> Result<Ready> {
        let Opened {
            n,
            source,
            name,
            bytes,
            is_folder,
        } = opened;
        let mut ready = Ready {
            n,
            source,
            name,
            bytes,
            is_folder: false,
        };
        if self.unpacks && (is_folder || self.is_said_folder(&ready.name)) {
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

impl Reception<'_> {
    /// Whether the listing says that this is a folder, packed. Where an envelope says it, nobody else does.
    pub(super) fn is_said_folder(&self, name: &FileName) -> bool {
        !is_native(self.listed) && is_said_folder(self.listed, name)
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
    // What was placed to the last file may have been moved since: only the server is to be told.
    let settling = placing.settling.as_ref();
    let is_settled = settling.map(|it| it.is_remembered(client)).transpose()?;
    if placed.len() < placing.files.len() && is_settled != Some(true) {
        return Ok(None);
    }
    let paths = placed.into_iter().map(|it| it.path).collect();
    let settling = placing.settling.clone();
    let mut received = received(placing, paths, listed, &grant);
    if let Some(sender) = listed.sender_agent_id {
        received.peer = client.known_by(sender, MetHow::Known)?;
    }
    let settled = settle(client, link, &grant, received, settling).await;
    settled.map(Some)
}

/// Ends what was placed: nobody is told before it is remembered, and what opens it goes last.
async fn settle(
    client: &Client,
    link: Option<&LinkToken>,
    grant: &Download,
    mut received: Received,
    settling: Option<Settling>,
) -> Result<Received> {
    let settled = settled(client, link, received.id, grant.download_id, settling).await?;
    received.unacknowledged = settled.unacknowledged;
    // The files are here: that there are few prekeys left is worth a word, and no failure.
    received.notes.extend(settled.note);
    Ok(received)
}

/// What came of telling the server.
pub(super) struct Settled {
    /// Why it was not told, if it was not.
    pub(super) unacknowledged: Option<Error>,
    note: Option<Note>,
}

/// Remembers it, tells the server that it is here, and erases what opens it.
pub(super) async fn settled(
    client: &Client,
    link: Option<&LinkToken>,
    id: TransferId,
    download: DownloadId,
    settling: Option<Settling>,
) -> Result<Settled> {
    let Some(settling) = settling else {
        return Ok(Settled {
            unacknowledged: tell(client, link, id, download, None).await.err(),
            note: None,
        });
    };
    settling.remember(client).await?;
    let receipt = Some(settling.receipt().clone());
    let told = tell(client, link, id, download, receipt).await;
    let erased = settling.erase(client).await;
    Ok(Settled {
        unacknowledged: told.err(),
        note: erased.err().map(|it| Note::KeysNotTended(it.to_string())),
    })
}

pub(super) fn received(
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
        peer: None,
        files: files.collect(),
        resumed_bytes: 0,
        scan: Scan::default(),
        notes: Vec::new(),
        unacknowledged: None,
    }
}

/// Tells the server that the files are here.
async fn tell(
    client: &Client,
    link: Option<&LinkToken>,
    id: TransferId,
    download_id: DownloadId,
    receipt: Option<SignedStatement>,
) -> Result<()> {
    let status = DeliveryStatus::Received;
    let Some(token) = link else {
        let told = client.acknowledge_with(id, download_id, status, receipt);
        return told.await.map(drop);
    };
    let body = Acknowledge {
        download_id,
        status,
        reason: None,
        receipt,
    };
    client.acknowledge_link(token, &body).await.map(drop)
}
