//! Audit logs at rest. Nothing here changes an entry, or deletes one.

use agentdrop_domain::audit::{Action, ActorKind, Entry, Head, NewEntry, Subject, Who};
use agentdrop_protocol::{AccountId, Timestamp};

use crate::columns::count;
use crate::db::{Row, holding, params};
use crate::{Error, Reader, Result, Tx};

macro_rules! columns {
    () => {
        "account_id, seq, at, action, actor_kind, actor_id, actor_agent_id, address, request_id,
         subject, previous, hash"
    };
}
pub(crate) use columns;

macro_rules! head {
    () => {
        "SELECT seq, hash FROM audit_heads WHERE account_id = $1"
    };
}

/// Which entries a list has; nothing said is nothing left out.
#[derive(Clone, Copy, Debug, Default)]
pub struct AuditFilter {
    /// Only those of this action.
    pub action: Option<Action>,
    /// Only those of this time or later.
    pub since: Option<Timestamp>,
}

/// An entry as it lies there, which may not be what any server wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord {
    /// The number it stands under, if it is one.
    pub seq: Option<u64>,
    /// The entry; nothing, if it cannot be read, or is not spelled as a server spells it.
    pub entry: Option<Entry>,
}

impl Reader {
    /// Where the log of `owner` stands.
    pub async fn audit_head_of(&mut self, owner: AccountId) -> Result<Option<Head>> {
        self.fetch_optional(head!(), params![&owner.to_string()], head)
            .await
    }

    /// Up to `limit` entries of `owner` with numbers from `least` on and below `before`, newest
    /// first.
    pub async fn audit_entries_of(
        &mut self,
        owner: AccountId,
        filter: &AuditFilter,
        least: u64,
        before: u64,
        limit: u32,
    ) -> Result<Vec<Entry>> {
        self.fetch_all(
            concat!(
                "SELECT ",
                columns!(),
                " FROM audit_entries
                 WHERE account_id = $1 AND seq >= $2 AND seq < $3
                   AND (action = $4 OR $4 IS NULL) AND (at >= $5 OR $5 IS NULL)
                 ORDER BY seq DESC LIMIT $6"
            ),
            params![
                &owner.to_string(),
                count(least),
                count(before),
                filter.action.map(Action::as_str),
                filter.since.map(Timestamp::as_millis),
                limit,
            ],
            entry,
        )
        .await
    }

    /// Up to `limit` records of `owner` behind the number `after`, oldest first; of nothing, from
    /// the lowest number on, though no server writes one below 1.
    pub async fn audit_records_of(
        &mut self,
        owner: AccountId,
        after: Option<u64>,
        limit: u32,
    ) -> Result<Vec<AuditRecord>> {
        self.fetch_all(
            concat!(
                "SELECT ",
                columns!(),
                " FROM audit_entries WHERE account_id = $1 AND (seq > $2 OR $2 IS NULL)
                 ORDER BY seq LIMIT $3"
            ),
            params![&owner.to_string(), after.map(count), limit],
            |row| Ok(record(row)),
        )
        .await
    }

    /// Up to `limit` accounts behind `after` by their ids, whoever they are.
    ///
    /// For the operator alone, who verifies all logs.
    pub async fn account_ids(
        &mut self,
        after: Option<AccountId>,
        limit: u32,
    ) -> Result<Vec<AccountId>> {
        self.fetch_all(
            "SELECT id FROM accounts WHERE (id > $1 OR $1 IS NULL) ORDER BY id LIMIT $2",
            params![after.map(|it| it.to_string()).as_ref(), limit],
            |row| row.parse("id"),
        )
        .await
    }
}

impl Tx {
    /// Adds entries to the logs of their accounts.
    ///
    /// The last thing that a unit of work does: whoever else has something to add to one of these
    /// logs waits from here on until it ends. The logs are held in one order for all.
    pub async fn append_audit(&mut self, events: impl IntoIterator<Item = NewEntry>) -> Result<()> {
        let mut events: Vec<_> = events.into_iter().collect();
        events.sort_by_key(|it| it.account);
        if !events.is_empty() {
            self.tell();
        }
        for event in events {
            let head = self.hold_audit_head_of(event.account).await?;
            let entry = head.append(event);
            self.insert_audit_entry(&entry).await?;
            self.execute(
                "UPDATE audit_heads SET seq = $1, hash = $2 WHERE account_id = $3",
                params![
                    count(entry.seq),
                    &entry.hash,
                    &entry.event.account.to_string()
                ],
            )
            .await?;
        }
        Ok(())
    }

    /// Where the log of an account stands, held until this unit of work ends.
    ///
    /// It is there as long as its account is. To begin a log anew where it is not would hide that
    /// somebody took it away.
    async fn hold_audit_head_of(&mut self, owner: AccountId) -> Result<Head> {
        let sql = holding!(self, head!());
        self.fetch_optional(sql, params![&owner.to_string()], head)
            .await?
            .ok_or_else(|| Error::Corrupt {
                column: "audit_heads.seq",
                id: owner.to_string(),
            })
    }

    async fn insert_audit_entry(&mut self, entry: &Entry) -> Result<()> {
        let it = &entry.event;
        let subject = json(&it.subject)?;
        self.execute(
            "INSERT INTO audit_entries (account_id, seq, at, action, actor_kind, actor_id,
                 actor_agent_id, address, request_id, subject, previous, hash)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
            params![
                &it.account.to_string(),
                count(entry.seq),
                it.at.as_millis(),
                it.action.as_str(),
                it.who.kind().as_str(),
                it.who.id().as_ref(),
                it.who.agent().map(|it| it.to_string()).as_ref(),
                it.address.map(|it| it.to_string()).as_ref(),
                it.request_id.as_ref(),
                &subject,
                &entry.previous,
                &entry.hash,
            ],
        )
        .await?;
        Ok(())
    }
}

fn json(subject: &Subject) -> Result<String> {
    serde_json::to_string(subject).map_err(Error::engine)
}

fn head(row: &Row<'_>) -> Result<Head> {
    Ok(Head {
        seq: row.number("seq")?,
        hash: row.bytes::<[u8; 32], 32>("hash")?,
    })
}

/// What lies there, for whoever wants to know whether it is what was written.
fn record(row: &Row<'_>) -> AuditRecord {
    AuditRecord {
        seq: row.number("seq").ok(),
        entry: entry(row).ok().filter(|it| is_spelled_so(it, row)),
    }
}

/// Whether a row is to the letter what is written of the entry that is read from it: two
/// spellings of one address, say, have one hash.
fn is_spelled_so(entry: &Entry, row: &Row<'_>) -> bool {
    let address = entry.event.address.map(|it| it.to_string());
    row.get("address").is_ok_and(|it| address == it)
        && row.get::<String>("subject").ok() == json(&entry.event.subject).ok()
}

pub(crate) fn entry(row: &Row<'_>) -> Result<Entry> {
    let (seq, kind): (u64, ActorKind) = (row.number("seq")?, row.parse("actor_kind")?);
    let id: Option<String> = row.get("actor_id")?;
    let agent = row.parse_optional("actor_agent_id")?;
    let who = Who::from_parts(kind, id.as_deref(), agent).ok_or_else(|| Error::Corrupt {
        column: "actor_id",
        id: seq.to_string(),
    })?;
    Ok(Entry {
        seq,
        event: NewEntry {
            account: row.parse("account_id")?,
            at: row.time("at")?,
            action: row.parse("action")?,
            who,
            address: row.parse_optional("address")?,
            request_id: row.get("request_id")?,
            subject: row.json("subject")?,
        },
        previous: row.bytes::<[u8; 32], 32>("previous")?,
        hash: row.bytes::<[u8; 32], 32>("hash")?,
    })
}
