//! What was opened is judged, and what the agent should not read is kept from it.

use agentdrop_protocol::{LinkToken, TransferId};

use super::super::settling::{Settling, Untold};
use super::super::state::Placing;
use super::super::{blocking, is_untold};
use super::finish::{received, settled};
use super::{Opened, Outcome, Reception};
use crate::client::Client;
use crate::clock::now;
use crate::error::{Error, Result, ShieldError};
use crate::shield::{Item, Quarantine, Scan, Taken};
use crate::trust::MetHow;

impl Reception<'_> {
    /// What the scanner says of what was opened.
    pub(super) async fn inspect(&self, opened: &[Opened], outcome: &Outcome) -> Result<Scan> {
        let folder = self.journal.on_disk(|it| Ok(it.path())).await?;
        let mut items = Vec::new();
        if let Some(message) = &outcome.message {
            items.push(Item::Message(message.as_str().to_owned()));
        }
        let files = opened.iter();
        items.extend(files.map(|it| Item::file(&folder.join(&it.source), it.name.as_str())));
        let is_first = |it: &crate::peers::KnownBy| it.met == MetHow::FirstUse;
        let shield = self.shield.clone();
        let shield = shield.first_contact(outcome.peer.as_ref().is_some_and(is_first));
        let scan = shield.scan(vec![folder], items).await?;
        if let Some((_, why)) = scan.failed.first() {
            return Err(ShieldError::Worker(why.clone()).into());
        }
        Ok(scan)
    }

    /// Puts what was opened into quarantine, and tells the server that it arrived. What is answered is
    /// why it was not placed.
    pub(super) async fn keep_from_agent(
        self,
        opened: Vec<Opened>,
        outcome: Outcome,
        scan: Scan,
    ) -> Result<Error> {
        let id = self.listed.id;
        let Some(quarantine) = self.quarantine.clone() else {
            let worst = scan.scanned.iter().max_by_key(|it| it.report.threat_level);
            let why = worst.and_then(|it| it.report.warnings.first().cloned());
            return Err(ShieldError::NoQuarantine(id, why.unwrap_or_default()).into());
        };
        let untold = Untold {
            download: self.grant.download_id,
            settling: outcome.settling.map(Settling::into_quarantined),
        };
        let untold = serde_json::to_vec(&untold).expect("it has text keys and no failing field");
        let placing = Placing {
            security: outcome.security,
            message: outcome.message,
            sender_key: outcome.sender_key,
            settling: None,
            files: Vec::new(),
        };
        let received = received(placing, Vec::new(), self.listed, &self.grant);
        let mode = self.shield.policy().mode;
        let folder = self.journal.on_disk(|it| Ok(it.path())).await?;
        let files = opened.into_iter().map(|it| Taken {
            from: folder.join(&it.source),
            is_folder: it.is_folder || self.is_said_folder(&it.name),
            name: it.name,
            bytes: it.bytes,
        });
        let files = files.collect();
        let into = quarantine.clone();
        let take = move || into.take(&received, mode, now(), files, scan.scanned, &untold);
        let held = blocking(take).await?;
        // It is here, for whoever decides: that the sender does not know it is no reason to fetch it
        // again.
        tell_of_quarantined(self.client, self.link, &quarantine, id).await?;
        Ok(ShieldError::Blocked(Box::new(held)).into())
    }
}

/// Does what is left to do for a transfer that is in quarantine, or was. Where the server cannot be told
/// now, the next process does.
pub(in crate::receive) async fn tell_of_quarantined(
    client: &Client,
    link: Option<&LinkToken>,
    quarantine: &Quarantine,
    id: TransferId,
) -> Result<()> {
    let Some(untold) = quarantine.untold(id)? else {
        return Ok(());
    };
    let spoiled = |_| ShieldError::Spoiled(id, "what is left to do for it cannot be read");
    let untold: Untold = serde_json::from_slice(&untold).map_err(spoiled)?;
    let settled = settled(client, link, id, untold.download, untold.settling).await?;
    if settled
        .unacknowledged
        .as_ref()
        .is_none_or(|it| !is_untold(it))
    {
        quarantine.told(id)?;
    }
    Ok(())
}
