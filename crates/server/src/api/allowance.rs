//! What an account may still do under its plan.

use agentdrop_domain::accounts::Account;
use agentdrop_domain::plans::{Limits, PlanError, Sent};
use agentdrop_domain::transfers::File;
use agentdrop_domain::usage::Cycle;
use agentdrop_protocol::limits::MAX_FILES;
use agentdrop_protocol::{AccountId, Lifetime, Timestamp};
use agentdrop_store::{Reader, Tx};

use super::error::{ApiError, Result};

/// Holds an account, and answers what its plan allows: what is counted of it from here on stays
/// so until this unit of work ends.
///
/// Before anything else is held, as every holding of accounts.
pub(super) async fn hold_limits(tx: &mut Tx, owner: AccountId) -> Result<Limits> {
    Ok(Limits::of(hold_account(tx, owner).await?.plan))
}

async fn hold_account(tx: &mut Tx, owner: AccountId) -> Result<Account> {
    let held = tx.hold_accounts(owner, owner).await?.pop();
    held.ok_or(ApiError::NotFound)
}

/// What an account may still send.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowance {
    limits: Limits,
    cycle: Cycle,
    owner: AccountId,
    /// Transfers of this month, if they are limited.
    transfers: u64,
    /// Bytes that are stored, if they are limited.
    stored: u64,
    now: Timestamp,
}

impl Allowance {
    /// As it stands; others may send meanwhile.
    pub(super) async fn of(reader: &mut Reader, owner: AccountId, now: Timestamp) -> Result<Self> {
        let account = reader.account(owner).await?.ok_or(ApiError::NotFound)?;
        Self::read(reader, &account, now).await
    }

    /// The same with nothing used up yet: of what was sent already, and is only told once more.
    pub(super) fn unused(self) -> Self {
        Self {
            transfers: 0,
            stored: 0,
            ..self
        }
    }

    /// As it stands, and nobody else sends for the account until this unit of work ends.
    pub(super) async fn hold(tx: &mut Tx, owner: AccountId, now: Timestamp) -> Result<Self> {
        let account = hold_account(tx, owner).await?;
        Self::read(tx, &account, now).await
    }

    async fn read(reader: &mut Reader, account: &Account, now: Timestamp) -> Result<Self> {
        let limits = Limits::of(account.plan);
        let cycle = Cycle::at(account.created_at, now);
        let transfers = match limits.transfers_per_month {
            Some(_) => reader.transfers_counted_of(account.id, cycle).await?,
            None => 0,
        };
        let stored = match limits.storage_bytes {
            Some(_) => reader.stored_bytes_of(account.id, now).await?,
            None => 0,
        };
        Ok(Self {
            limits,
            cycle,
            owner: account.id,
            transfers,
            stored,
            now,
        })
    }

    /// Refuses another transfer, if those of this month are used up.
    pub(super) fn require_transfer(&self) -> Result<(), PlanError> {
        let resets_in = self.cycle.ends_at.since(self.now);
        self.limits.require_transfer(self.transfers, resets_in)
    }

    /// Refuses files that are so many bytes together, whoever encrypted them, as far as that alone
    /// tells.
    pub(super) fn require_total(&self, bytes: u64) -> Result<(), PlanError> {
        self.limits.require_storage(self.stored, bytes)?;
        let largest = self.limits.max_sent_bytes(Sent::Sealed);
        if bytes > largest.saturating_mul(MAX_FILES as u64) {
            return Err(PlanError::File(self.limits.max_file_bytes));
        }
        Ok(())
    }

    /// Refuses a file that has so many bytes already, and those before it `before`.
    ///
    /// Whether its sender encrypted it may not be known yet: then it has room for a seal.
    pub(super) fn require_piece(&self, before: u64, size: u64) -> Result<(), PlanError> {
        self.limits.require_file(size, Sent::Sealed)?;
        self.limits
            .require_storage(self.stored, before.saturating_add(size))
    }

    /// Refuses a whole transfer, now that all of it is known.
    pub(super) fn require_all(
        &self,
        files: &[File],
        sent: Sent,
        lifetime: Lifetime,
    ) -> Result<(), PlanError> {
        self.require_transfer()?;
        self.limits.require_lifetime(lifetime)?;
        for file in files {
            self.limits.require_file(file.size, sent)?;
        }
        let total = files.iter().map(|it| it.size).sum();
        self.limits.require_storage(self.stored, total)
    }

    /// Writes down that one more was created this month.
    pub(super) async fn count(&self, tx: &mut Tx) -> Result<()> {
        Ok(tx.count_transfer_of(self.owner, self.cycle).await?)
    }
}

/// Gives back the place in the month of a transfer that was announced then and never came about.
pub(crate) async fn uncount(
    tx: &mut Tx,
    owner: AccountId,
    announced_at: Timestamp,
) -> agentdrop_store::Result<()> {
    let Some(account) = tx.account(owner).await? else {
        return Ok(());
    };
    let cycle = Cycle::at(account.created_at, announced_at);
    tx.uncount_transfer_of(owner, cycle).await
}
