//! The AgentDrop client library: transport, sealing, receiving safely.
//!
//! Files are sealed here and opened here; the server in between is not believed. [`Client::send`]
//! never sends plaintext, and [`Client::receive`] places all files of a transfer or none.
//!
//! ```no_run
//! use std::path::Path;
//!
//! use agentdrop_client::{Client, Identity, Incoming, Outgoing, Page};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let identity = Identity::load(Path::new(".agentdrop"))?;
//! let client = Client::builder("https://drop.example.org").identity(identity).build()?;
//! let sent = client.send(Outgoing::to("analysis-agent".parse()?).file("report.pdf")).await?;
//! println!("sent as {}", sent.transfer.id);
//! for transfer in client.inbox(Page::default()).await?.transfers {
//!     client.receive(transfer.id, Incoming::into_folder("inbox").listed(transfer)).await?;
//! }
//! # Ok(())
//! # }
//! ```

mod accounts;
mod agents;
mod blocking;
mod blocks;
mod bundles;
mod channels;
mod client;
mod clock;
mod comparing;
mod connections;
mod downloads;
pub mod error;
pub mod identity;
mod inbox;
pub mod keyring;
mod keys;
mod links;
mod moving;
mod multipart;
mod own_keys;
mod pairings;
mod peers;
mod private_file;
mod progress;
mod receipts;
mod receive;
mod receive_passwords;
mod saved_session;
mod sealed_as;
mod send;
mod server_url;
mod sessions;
pub mod shield;
mod state_file;
mod transfers;
mod transport;
pub mod trust;

pub use agents::{FirstKeys, NewAgent, Registered};
pub use client::{Client, ClientBuilder};
pub use comparing::{Comparison, OwnKeys};
pub use error::{Error, Result};
pub use identity::Identity;
pub use keyring::Keyring;
pub use moving::MovingKey;
pub use own_keys::PublishedKeys;
pub use peers::KnownBy;
pub use private_file::write_private;
pub use progress::{Phase, Progress, Report};
pub use receipts::ReceiptCheck;
pub use receive::{Incoming, Note, Received, ReceivedFile, Security, folder_name, half_received};
pub use receive_passwords::ReceiveKey;
pub use saved_session::SavedSession;
pub use sealed_as::SealedAs;
pub use send::{Anew, DEFAULT_PARALLEL, MAX_PARALLEL, Notice, Outgoing, Sent, Unenrolled};
pub use shield::Shield;
pub use transfers::Page;
