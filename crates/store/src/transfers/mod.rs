//! Transfers at rest.

mod activation;
mod inbox;
mod live;
mod small;
mod stored;

use agentdrop_domain::transfers::{File, Recipient, Sealing, Sender, Transfer};
use agentdrop_protocol::text::{Email, Label};
use agentdrop_protocol::wire::transfers::{TransferMode, TransferStatus};
use agentdrop_protocol::{AccountId, AgentId, Timestamp, TransferId};

use crate::columns::count;
use crate::db::{Row, dialect, holding, params};
use crate::{Error, Reader, Result, Tx};

macro_rules! columns {
    () => {
        "id, mode, sender_account_id, sender_agent_id, sender_label, sender_key_id,
         recipient_account_id, recipient_agent_id, recipient_label, sealing, wrapped_key, details,
         (SELECT accounts.id FROM accounts
          WHERE accounts.email_folded = transfers.recipient_email_folded
            AND accounts.email_verified_at IS NOT NULL) AS person_account_id,
         files, auto_delete, max_downloads, downloads, status, bytes_until, created_at,
         announced, expires_at, deleted_at"
    };
}
pub(crate) use columns;

/// That a transfer is for `$1`: for its agent, or for the address that it has.
///
/// The address is looked up each time, so that what waits for it is there from the moment on that
/// it counts as known whose it is, and for nobody else before.
macro_rules! is_for {
    () => {
        "(recipient_account_id = $1
          OR recipient_email_folded = (SELECT accounts.email_folded FROM accounts
                                       WHERE accounts.id = $1
                                         AND accounts.email_verified_at IS NOT NULL))"
    };
}
pub(crate) use is_for;

/// That `$1` receives a transfer: it is for them, and its files are all there.
macro_rules! is_received {
    () => {
        concat!("(NOT announced AND ", crate::transfers::is_for!(), ")")
    };
}
pub(crate) use is_received;

/// That `$1` sent a transfer, or receives it.
macro_rules! is_of {
    () => {
        concat!(
            "(sender_account_id = $1 OR ",
            crate::transfers::is_received!(),
            ")"
        )
    };
}
pub(crate) use is_of;

/// Which transfers a list has; nothing said is nothing left out.
#[derive(Clone, Debug)]
pub struct TransferFilter {
    /// Only those of this agent: sent by it, or received by it, as the list goes.
    pub agent: Option<AgentId>,
    /// Only those that stand here at `now`.
    pub status: Option<TransferStatus>,
    /// Only those of this mode.
    pub mode: Option<TransferMode>,
    /// Only those of a sender who calls itself so.
    pub sender: Option<Label>,
    /// Only those to a recipient that was called so.
    pub recipient: Option<Label>,
    /// Only those created at this time or later.
    pub since: Option<Timestamp>,
    /// The time at which it is asked.
    pub now: Timestamp,
}

/// Which part of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// At most so many.
    pub limit: u32,
    /// After passing over so many.
    pub offset: u32,
    /// Only those behind this one, as the list goes; it stays where it is while others come.
    pub behind: Option<TransferId>,
}

/// Writes a list of transfers twice, to have it and to count it; `$whose` is that it is its owner's
/// and `$agent` the column of its agent. A transfer past its time has expired, whether swept or not.
macro_rules! list {
    ($what:expr, $whose:expr, $agent:literal, $then:literal) => {
        concat!(
            "SELECT ",
            $what,
            " FROM transfers WHERE ",
            $whose,
            " AND (",
            $agent,
            " = $2 OR $2 IS NULL)
              AND ((CASE WHEN status IN ('pending', 'active', 'pending_recipient')
                              AND expires_at <= $3
                         THEN 'expired' ELSE status END) = $4 OR $4 IS NULL)
              AND (mode = $5 OR $5 IS NULL)
              AND (sender_label = $6 OR $6 IS NULL)
              AND (recipient_label = $7 OR $7 IS NULL)
              AND (created_at >= $8 OR $8 IS NULL) ",
            $then
        )
    };
}

/// One page of such a list, newest first.
macro_rules! page {
    ($whose:expr, $agent:literal) => {
        list!(
            columns!(),
            $whose,
            $agent,
            "AND (id < $9 OR $9 IS NULL) ORDER BY id DESC LIMIT $10 OFFSET $11"
        )
    };
}

/// Runs one of the statements of [`list!`] or [`page!`].
macro_rules! run_list {
    ($on:expr, $method:ident, $sql:expr, $owner:expr, $filter:expr, $read:expr $(, $page:expr)?) => {
        $on.$method(
            $sql,
            params![
                &$owner.to_string(),
                $filter.agent.map(|it| it.to_string()).as_ref(),
                $filter.now.as_millis(),
                $filter.status.map(TransferStatus::as_str),
                $filter.mode.map(TransferMode::as_str),
                $filter.sender.as_ref().map(Label::as_str),
                $filter.recipient.as_ref().map(Label::as_str),
                $filter.since.map(Timestamp::as_millis),
                $(
                    $page.behind.map(|it| it.to_string()).as_ref(),
                    $page.limit,
                    $page.offset
                )?
            ],
            $read,
        )
    };
}

use run_list;

impl Reader {
    /// The transfer `id`, if `owner` sent it or receives it.
    pub async fn transfer_of(
        &mut self,
        owner: AccountId,
        id: TransferId,
    ) -> Result<Option<Transfer>> {
        self.fetch_optional(
            concat!(
                "SELECT ",
                columns!(),
                " FROM transfers WHERE ",
                is_of!(),
                " AND id = $2"
            ),
            params![&owner.to_string(), &id.to_string()],
            transfer,
        )
        .await
    }

    /// A page of what `owner` sent, newest first.
    pub async fn sent_transfers_of(
        &mut self,
        owner: AccountId,
        filter: &TransferFilter,
        page: Page,
    ) -> Result<Vec<Transfer>> {
        let sql = page!("sender_account_id = $1", "sender_agent_id");
        run_list!(self, fetch_all, sql, owner, filter, transfer, page).await
    }

    /// How many transfers `owner` sent.
    pub async fn sent_transfer_count_of(
        &mut self,
        owner: AccountId,
        filter: &TransferFilter,
    ) -> Result<u64> {
        let sql = list!(
            "COUNT(*) AS n",
            "sender_account_id = $1",
            "sender_agent_id",
            ""
        );
        run_list!(self, fetch_one, sql, owner, filter, |row| row.number("n")).await
    }

    /// A page of what `owner` was sent, newest first.
    pub async fn received_transfers_of(
        &mut self,
        owner: AccountId,
        filter: &TransferFilter,
        page: Page,
    ) -> Result<Vec<Transfer>> {
        if inbox::is_inbox(filter) {
            return self.waiting_transfers_of(owner, filter, page).await;
        }
        let sql = page!(is_received!(), "recipient_agent_id");
        run_list!(self, fetch_all, sql, owner, filter, transfer, page).await
    }

    /// How many transfers `owner` was sent.
    pub async fn received_transfer_count_of(
        &mut self,
        owner: AccountId,
        filter: &TransferFilter,
    ) -> Result<u64> {
        if inbox::is_inbox(filter) {
            return self.waiting_transfer_count_of(owner, filter).await;
        }
        let sql = list!("COUNT(*) AS n", is_received!(), "recipient_agent_id", "");
        run_list!(self, fetch_one, sql, owner, filter, |row| row.number("n")).await
    }

    /// Whether there is a transfer `id`, whoever's it is.
    ///
    /// For what gives ids away alone, which asks for nobody.
    pub async fn is_transfer(&mut self, id: TransferId) -> Result<bool> {
        let found = self
            .fetch_optional(
                "SELECT id FROM transfers WHERE id = $1",
                params![&id.to_string()],
                |row| row.get::<String>("id"),
            )
            .await?;
        Ok(found.is_some())
    }

    /// Whether a blob of the transfer `id` has bytes that are still needed.
    ///
    /// For the sweep alone, which asks for nobody.
    pub async fn needs_blob(&mut self, id: TransferId, blob: u32) -> Result<bool> {
        let found = self
            .fetch_optional(
                "SELECT files FROM transfers WHERE id = $1 AND bytes_until IS NOT NULL",
                params![&id.to_string()],
                |row| row.json::<Vec<File>>("files"),
            )
            .await?;
        Ok(found.is_some_and(|it| File::blobs(&it).any(|it| it == blob)))
    }
}

impl Tx {
    /// The transfer `id`, if `owner` sent it or receives it, held until this unit of work ends.
    pub async fn hold_transfer_of(
        &mut self,
        owner: AccountId,
        id: TransferId,
    ) -> Result<Option<Transfer>> {
        let sql = holding!(
            self,
            concat!(
                "SELECT ",
                columns!(),
                " FROM transfers WHERE ",
                is_of!(),
                " AND id = $2"
            )
        );
        self.fetch_optional(sql, params![&owner.to_string(), &id.to_string()], transfer)
            .await
    }

    /// Up to `limit` transfers whose bytes are no longer needed, held until this unit ends.
    ///
    /// SQLite has one writer and needs no lock; PostgreSQL steps over rows that another node holds.
    pub async fn hold_transfers_to_sweep(
        &mut self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Transfer>> {
        let sql = dialect!(
            self,
            sqlite: concat!(
                "SELECT ",
                columns!(),
                " FROM transfers WHERE bytes_until <= $1 ORDER BY bytes_until LIMIT $2"
            ),
            postgres: concat!(
                "SELECT ",
                columns!(),
                " FROM transfers WHERE bytes_until <= $1 ORDER BY bytes_until LIMIT $2
                 FOR UPDATE SKIP LOCKED"
            ),
        );
        self.fetch_all(sql, params![now.as_millis(), limit], transfer)
            .await
    }

    /// Writes a new transfer down.
    ///
    /// Its agents are to be kept first ([`Tx::keep_agent_of`]): should one have been deleted in
    /// the meantime, this fails.
    pub async fn insert_transfer(&mut self, transfer: &Transfer) -> Result<()> {
        let it = transfer;
        // Of a person's account nothing is written down: it is whoever has the address.
        let (account, address) = match &it.recipient {
            Recipient::Agent { account, .. } => (Some(account.to_string()), None),
            Recipient::Person { email, .. } => (None, Some(email.folded())),
        };
        self.execute(
            "INSERT INTO transfers (id, mode, sender_account_id, sender_agent_id, sender_label,
                 sender_key_id, recipient_account_id, recipient_agent_id, recipient_label,
                 recipient_email_folded, sealing, wrapped_key, details, files, total_size,
                 auto_delete, max_downloads, downloads, status, bytes_until, created_at,
                 announced, expires_at, deleted_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
                 $18, $19, $20, $21, $22, $23, $24)",
            params![
                &it.id.to_string(),
                it.mode.as_str(),
                &it.sender.account.to_string(),
                it.sender.agent.map(|it| it.to_string()).as_ref(),
                it.sender.label.as_str(),
                &it.sender.credential.to_string(),
                account.as_ref(),
                it.recipient.agent().map(|it| it.to_string()).as_ref(),
                it.recipient.label(),
                address.as_ref().map(Email::as_str),
                it.sealing.as_ref().map(to_json).transpose()?.as_ref(),
                &it.wrapped_key,
                &it.details,
                &to_json(&it.files)?,
                count(it.total_size()),
                it.auto_delete,
                it.max_downloads,
                it.downloads,
                it.status.as_str(),
                it.bytes_until.map(Timestamp::as_millis),
                it.created_at.as_millis(),
                it.announced,
                it.expires_at.as_millis(),
                it.deleted_at.map(Timestamp::as_millis),
            ],
        )
        .await?;
        Ok(())
    }

    /// Writes down that what a transfer holds is encrypted in another way, and where it stands now.
    /// Of the key before nothing is left.
    pub async fn update_transfer_contents(&mut self, transfer: &Transfer) -> Result<()> {
        let it = transfer;
        self.execute(
            "UPDATE transfers SET sealing = $1, wrapped_key = $2, details = $3, files = $4,
                                  total_size = $5
             WHERE id = $6",
            params![
                it.sealing.as_ref().map(to_json).transpose()?.as_ref(),
                &it.wrapped_key,
                &it.details,
                &to_json(&it.files)?,
                count(it.total_size()),
                &it.id.to_string(),
            ],
        )
        .await?;
        self.update_transfer(transfer).await
    }

    /// Writes down where a transfer stands now.
    pub async fn update_transfer(&mut self, transfer: &Transfer) -> Result<()> {
        self.execute(
            "UPDATE transfers SET downloads = $1, status = $2, bytes_until = $3,
                                  announced = $4, deleted_at = $5
             WHERE id = $6",
            params![
                transfer.downloads,
                transfer.status.as_str(),
                transfer.bytes_until.map(Timestamp::as_millis),
                transfer.announced,
                transfer.deleted_at.map(Timestamp::as_millis),
                &transfer.id.to_string(),
            ],
        )
        .await?;
        Ok(())
    }
}

fn to_json(it: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(it).map_err(|it| Error::column("json", it))
}

pub(crate) fn transfer(row: &Row<'_>) -> Result<Transfer> {
    let sealing: Option<String> = row.get("sealing")?;
    let sealing = sealing
        .map(|it| serde_json::from_str::<Sealing>(&it))
        .transpose();
    Ok(Transfer {
        id: row.parse("id")?,
        mode: row.parse("mode")?,
        sender: Sender {
            account: row.parse("sender_account_id")?,
            agent: row.parse_optional("sender_agent_id")?,
            label: row.parse("sender_label")?,
            credential: row.parse("sender_key_id")?,
        },
        recipient: recipient(row)?,
        sealing: sealing.map_err(|it| Error::column("sealing", it))?,
        wrapped_key: row.get("wrapped_key")?,
        details: row.get("details")?,
        files: row.json("files")?,
        auto_delete: row.get("auto_delete")?,
        max_downloads: row.number("max_downloads")?,
        downloads: row.number("downloads")?,
        status: row.parse("status")?,
        bytes_until: row.time_optional("bytes_until")?,
        created_at: row.time("created_at")?,
        announced: row.get("announced")?,
        expires_at: row.time("expires_at")?,
        deleted_at: row.time_optional("deleted_at")?,
    })
}

fn recipient(row: &Row<'_>) -> Result<Recipient> {
    Ok(match row.parse_optional("recipient_agent_id")? {
        Some(agent) => Recipient::Agent {
            account: row.parse("recipient_account_id")?,
            agent,
            label: row.get("recipient_label")?,
        },
        None => Recipient::Person {
            email: row.parse("recipient_label")?,
            account: row.parse_optional("person_account_id")?,
        },
    })
}
