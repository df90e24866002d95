//! Follows audit logs from their beginning to their head.

use agentdrop_domain::audit::{Fault, Head};
use agentdrop_protocol::AccountId;
use agentdrop_store::{AuditRecord, Reader, Result, Store};

/// Records, or accounts, that are in memory at a time.
const BATCH: u32 = 500;
/// Broken logs that are named; whoever did that to more did it to all.
const MAX_BROKEN: usize = 1_000;

/// What came of following logs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// How many logs were followed.
    pub logs: u64,
    /// How many records of them are what they were and where they were.
    pub records: u64,
    /// The first bad record of each broken log; of a thousand logs at most.
    pub broken: Vec<Broken>,
}

/// The first bad record of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Whose log it is.
    pub account: AccountId,
    /// The number of the record, or that it should have.
    pub seq: u64,
    /// What is wrong with it.
    pub fault: Fault,
}

/// Follows the logs of all accounts.
pub(crate) async fn all(store: &Store) -> Result<Verified> {
    let (mut verified, mut last) = (Verified::default(), None);
    loop {
        let accounts = store.read().await?.account_ids(last, BATCH).await?;
        for account in &accounts {
            one(store, *account, &mut verified).await?;
        }
        last = accounts.last().copied();
        if accounts.len() < BATCH as usize {
            return Ok(verified);
        }
    }
}

/// Follows the log of one account.
pub(crate) async fn one(store: &Store, account: AccountId, verified: &mut Verified) -> Result<()> {
    let mut reader = store.read().await?;
    let mut at = Head::default();
    let followed = follow(&mut reader, account, &mut at).await?;
    // One that was deleted meanwhile took its log along.
    if followed.is_err() && reader.account(account).await?.is_none() {
        return Ok(());
    }
    verified.logs += 1;
    verified.records += at.seq;
    if let Err((seq, fault)) = followed
        && verified.broken.len() < MAX_BROKEN
    {
        verified.broken.push(Broken {
            account,
            seq,
            fault,
        });
    }
    Ok(())
}

/// Moves `at` along a log, as far as it is whole: answers the number of the first bad record and
/// what is wrong with it.
///
/// Others may add to the log meanwhile, each entry together with the new head. So a head that was
/// read after a record cannot stand before it, nor one that was read before a record that is
/// missing stand behind it.
async fn follow(
    reader: &mut Reader,
    account: AccountId,
    at: &mut Head,
) -> Result<Result<(), (u64, Fault)>> {
    let mut begun = false;
    loop {
        let Some(head) = reader.audit_head_of(account).await? else {
            return Ok(Err((at.seq + 1, Fault::NoHead)));
        };
        loop {
            // The first look is for numbers that no server gives, too.
            let after = begun.then_some(at.seq);
            let records = reader.audit_records_of(account, after, BATCH).await?;
            begun = true;
            if let Some(broken) = records.iter().find_map(|it| step(it, at).err()) {
                return Ok(Err(broken));
            }
            if records.len() < BATCH as usize {
                break;
            }
        }
        if at.seq < head.seq {
            return Ok(Err((at.seq + 1, Fault::Missing)));
        }
        if at.seq == head.seq {
            let fits = at.hash == head.hash;
            return Ok(if fits {
                Ok(())
            } else {
                Err((at.seq, Fault::Head))
            });
        }
        let newer = reader.audit_head_of(account).await?;
        if newer.is_none_or(|it| it.seq < at.seq) {
            return Ok(Err((newer.unwrap_or(head).seq + 1, Fault::Beyond)));
        }
    }
}

/// Moves `at` behind a record, if that is the next one.
fn step(record: &AuditRecord, at: &mut Head) -> Result<(), (u64, Fault)> {
    let next = at.seq + 1;
    let moved = match (&record.entry, record.seq) {
        (Some(entry), _) => at.follow(entry),
        (None, Some(seq)) if seq > next => Err(Fault::Missing),
        (None, _) => Err(Fault::Changed),
    };
    *at = moved.map_err(|fault| (next, fault))?;
    Ok(())
}
