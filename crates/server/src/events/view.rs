//! What of a log its account, or one agent of it, is told.

use agentdrop_domain::Actor;
use agentdrop_domain::audit::{Action, Entry, Thing};
use agentdrop_domain::events::told_as;
use agentdrop_domain::transfers::Transfer;
use agentdrop_protocol::wire::events::{Event, EventData, EventKind};
use agentdrop_protocol::{AgentId, PairingId, Timestamp, TransferId};
use agentdrop_store::Reader;

use crate::api::error::Result;
use crate::api::transfers::shown;
use crate::app::App;

/// Whose events are told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View {
    /// Who asks.
    pub(crate) actor: Actor,
    /// Only those of this agent.
    pub(crate) agent: Option<AgentId>,
}

impl View {
    /// What is told of an entry, if something is.
    pub(crate) async fn of(
        &self,
        app: &App,
        reader: &mut Reader,
        entry: Entry,
        now: Timestamp,
    ) -> Result<Option<Event>> {
        let Some(kind) = told_as(entry.event.action) else {
            return Ok(None);
        };
        let data = if let Some(id) = named::<TransferId>(&entry) {
            self.transfer(app, reader, &entry, id, now).await?
        } else if self.concerns(reader, &entry).await? {
            Some(EventData::Things(entry.event.subject.things().clone()))
        } else {
            None
        };
        Ok(data.map(|data| Event {
            id: entry.seq,
            kind,
            created_at: entry.event.at,
            data,
        }))
    }

    async fn transfer(
        &self,
        app: &App,
        reader: &mut Reader,
        entry: &Entry,
        id: TransferId,
        now: Timestamp,
    ) -> Result<Option<EventData>> {
        let account = self.actor.account;
        let Some(transfer) = reader.transfer_of(account, id).await? else {
            // Gone with the agent, or the account, at its other end.
            let is_all = self.agent.is_none() && entry.event.action != Action::TransferCreated;
            let things = entry.event.subject.things().clone();
            return Ok(is_all.then_some(EventData::Things(things)));
        };
        let is_told = match told_as(entry.event.action) {
            Some(EventKind::TransferCreated) => {
                transfer.told() == Some(account) && self.is(transfer.recipient.agent())
            }
            _ => self.is_part_of(&transfer),
        };
        if !is_told {
            return Ok(None);
        }
        Ok(Some(EventData::Transfer(Box::new(shown(
            app, transfer, now,
        )?))))
    }

    /// Whether something that is no transfer is told.
    async fn concerns(&self, reader: &mut Reader, entry: &Entry) -> Result<bool> {
        let Some(agent) = self.agent else {
            return Ok(true);
        };
        if let Some(id) = named::<PairingId>(entry) {
            let pairing = reader.pairing_of(self.actor.account, id).await?;
            return Ok(pairing.is_some_and(|it| it.a.agent == agent || it.b.agent == agent));
        }
        Ok(named::<AgentId>(entry) == Some(agent))
    }

    fn is_part_of(&self, transfer: &Transfer) -> bool {
        self.is(transfer.recipient.agent()) || self.is(transfer.sender.agent)
    }

    fn is(&self, agent: Option<AgentId>) -> bool {
        self.agent.is_none() || self.agent == agent
    }
}

/// What of this kind an entry names.
fn named<T: Thing + std::str::FromStr>(entry: &Entry) -> Option<T> {
    let named = entry.event.subject.things().get(T::FIELD)?;
    named.parse().ok()
}
