//! Fills a store with transfers, while no server runs: each is a copy of one that the server took,
//! with an id and a time of its own.
//!
//! The store's own code writes the rows, counts them and adds them to the audit logs, so that
//! `agentdrop admin check` finds nothing wrong. The bytes are those of the first: what its sender
//! sealed says nothing of the transfer that it belongs to.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use agentdrop_domain::accounts::Account;
use agentdrop_domain::audit::{Action, NewEntry, Subject, Who};
use agentdrop_domain::transfers::{Recipient, Transfer};
use agentdrop_domain::usage::Cycle;
use agentdrop_protocol::wire::transfers::TransferStatus;
use agentdrop_protocol::{AccountId, AgentId, FileId, Timestamp, TransferId};
use agentdrop_store::{Page, Store, TransferFilter, Tx};
use aws_lc_rs::rand;
use serde_json::{Value, json};

use crate::connection::wrong;
use crate::world::World;
use crate::wrapping::WrapKey;

/// Transfers that one unit of work writes.
const BATCH: u32 = 500;
/// How long ago the first was sent.
const AGE: Duration = Duration::from_hours(30 * 24);
/// How long they live.
const LIFETIME: Duration = Duration::from_hours(90 * 24);

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The data directory of a server that is stopped, with SQLite in it
    #[arg(long)]
    data_dir: PathBuf,
    /// What `world` printed; the first agent of each account has sent something, sealed
    #[arg(long)]
    world: PathBuf,
    /// How many transfers, over all accounts
    #[arg(long)]
    count: u32,
    /// They were received, and their bytes are gone
    #[arg(long)]
    done: bool,
}

/// What copies are made of.
#[derive(Clone)]
struct Template {
    account: Account,
    transfer: Transfer,
    key: [u8; 32],
    /// The bytes of its files, which are small enough to be beside its row.
    small: Vec<(u32, Vec<u8>)>,
    /// Those who receive one after the other.
    recipients: Vec<(AgentId, String)>,
}

pub(crate) async fn run(args: Args) -> io::Result<Value> {
    let wrap = WrapKey::read(&args.data_dir.join("server.key"))?;
    let url = format!("sqlite://{}", args.data_dir.join("agentdrop.db").display());
    let store = Store::open(&url).await.map_err(io::Error::other)?;
    let world = World::read(&args.world)?;
    let mut left = args.count;
    let accounts = world.accounts.iter().rev();
    for (account, accounts_left) in accounts.zip(1..).collect::<Vec<_>>().into_iter().rev() {
        let template = template(&store, &wrap, account).await?;
        let of_this = left.div_ceil(accounts_left);
        left -= of_this;
        let mut done = 0;
        while done < of_this {
            let batch = BATCH.min(of_this - done);
            let copies: Vec<_> = (done..done + batch)
                .map(|n| copy(&template, &wrap, (n, of_this), args.done))
                .collect::<io::Result<_>>()?;
            let small = if args.done {
                Vec::new()
            } else {
                template.small.clone()
            };
            write(&store, template.account.clone(), copies, small).await?;
            done += batch;
        }
    }
    Ok(json!({ "stored": args.count }))
}

/// Something that the first agent of an account sent.
async fn template(
    store: &Store,
    wrap: &WrapKey,
    of: &crate::world::Account,
) -> io::Result<Template> {
    let owner: AccountId = of.id.parse().map_err(io::Error::other)?;
    let mut reader = store.read().await.map_err(io::Error::other)?;
    let filter = TransferFilter {
        agent: None,
        status: Some(TransferStatus::Active),
        mode: None,
        sender: None,
        recipient: None,
        since: None,
        now: Timestamp::from_millis(0),
    };
    let page = Page {
        limit: 1,
        offset: 0,
        behind: None,
    };
    let sent = reader.sent_transfers_of(owner, &filter, page).await;
    let transfer = sent.map_err(io::Error::other)?.pop();
    let transfer = transfer.ok_or_else(|| wrong("an account of the world has sent nothing"))?;
    let account = reader.account(owner).await.map_err(io::Error::other)?;
    let mut small = Vec::new();
    for (place, file) in (0..).zip(&transfer.files) {
        let number = file.blob_at(place);
        let body = reader.small_body(transfer.id, number).await;
        let body = body.map_err(io::Error::other)?;
        small.push((
            number,
            body.ok_or_else(|| wrong("what was sent is too large"))?,
        ));
    }
    let recipients = of.agents.iter().skip(1);
    let recipients = recipients.map(|it| Ok((it.id.parse()?, it.slug.clone())));
    let recipients: Result<_, agentdrop_protocol::ParseError> = recipients.collect();
    Ok(Template {
        account: account.ok_or_else(|| wrong("an account of the world is gone"))?,
        key: wrap.open(transfer.id, &transfer.wrapped_key)?,
        transfer,
        small,
        recipients: recipients.map_err(io::Error::other)?,
    })
}

/// The `n`th of so many copies, the first of which is the oldest.
fn copy(of: &Template, wrap: &WrapKey, (n, all): (u32, u32), done: bool) -> io::Result<Transfer> {
    let newest = of.transfer.created_at;
    let created_at = newest.minus(AGE * (all - n) / all);
    let id = TransferId::new(created_at, chance()?);
    let mut files = of.transfer.files.clone();
    for file in &mut files {
        file.id = FileId::new(created_at, chance()?);
    }
    let place = n as usize % of.recipients.len();
    let (agent, label) = of.recipients[place].clone();
    let expires_at = created_at.plus(LIFETIME);
    Ok(Transfer {
        id,
        recipient: Recipient::Agent {
            account: of.account.id,
            agent,
            label,
        },
        wrapped_key: wrap.seal(id, &of.key, chance()?)?,
        files,
        downloads: u32::from(done),
        status: if done {
            TransferStatus::Downloaded
        } else {
            TransferStatus::Active
        },
        bytes_until: (!done).then_some(expires_at),
        created_at,
        expires_at,
        ..of.transfer.clone()
    })
}

/// Writes down what the server does of each that it takes.
async fn write(
    store: &Store,
    account: Account,
    copies: Vec<Transfer>,
    small: Vec<(u32, Vec<u8>)>,
) -> io::Result<()> {
    let unit = async move |tx: &mut Tx| -> agentdrop_store::Result<()> {
        let mut entries = Vec::new();
        for it in &copies {
            tx.insert_transfer(it).await?;
            tx.insert_small_bodies(it.id, &small).await?;
            let cycle = Cycle::at(account.created_at, account.created_at);
            tx.count_transfer_of(account.id, cycle).await?;
            entries.push(NewEntry {
                account: account.id,
                at: it.created_at,
                action: Action::TransferCreated,
                who: Who::Operator,
                address: None,
                request_id: None,
                subject: Subject::of(&it.id),
            });
        }
        tx.append_audit(entries).await
    };
    store.write(unit).await.map_err(io::Error::other)
}

fn chance<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(bytes)
}
