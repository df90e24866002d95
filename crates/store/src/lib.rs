//! Everything an AgentDrop server remembers, in SQLite or in PostgreSQL.
//!
//! [`Store::read`] gives a [`Reader`], [`Store::write`] runs a unit of work on a [`Tx`], which
//! can do all a reader can and more. Each noun adds its queries to both in a file of its own.

mod accounts;
mod agents;
mod answers;
mod attempts;
mod audit;
mod blocks;
mod bundles;
mod channels;
mod columns;
mod connections;
mod copy;
mod db;
mod downloads;
mod error;
mod events;
mod export;
mod instance;
mod keys;
mod mailed_links;
mod mails;
mod pairings;
mod people;
mod prekeys;
mod receive_passwords;
mod sessions;
mod transfer_links;
mod transfers;
mod uploads;
mod usage;

pub use agents::ReachableAgent;
pub use answers::{Answer, Repeatable};
pub use attempts::Allowance;
pub use audit::{AuditFilter, AuditRecord};
pub use blocks::ListedBlock;
pub use connections::{ConnectionCounts, ListedConnection};
pub use db::{Reader, Store, Tx};
pub use error::{Cause, Constraint, Error, Result};
pub use mails::QueuedMail;
pub use transfers::{Page, TransferFilter};
