//! What was opened is judged, and what the agent should not read is kept from it.

use super::super::blocking;
use super::super::settling::Settling;
use super::super::state::Placing;
use super::finish::{received, settle};
use super::{Opened, Outcome, Reception};
use crate::clock::now;
use crate::error::{Error, Result, ShieldError};
use crate::shield::{Item, Scan, Taken};
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
        let settling = outcome.settling.map(Settling::into_quarantined);
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
        let (held, received) = blocking(move || {
            let held = quarantine.take(&received, mode, now(), files, scan.scanned)?;
            Ok((held, received))
        })
        .await?;
        // It is here, for whoever decides: that the sender does not know it is no reason to fetch it
        // again.
        settle(self.client, self.link, &self.grant, received, settling).await?;
        Ok(ShieldError::Blocked(Box::new(held)).into())
    }
}
