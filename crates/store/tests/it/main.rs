//! One suite, every engine.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod accounts;
mod agents;
mod answers;
mod attempts;
mod audit;
mod blocks;
mod bundles;
mod channels;
mod connections;
mod copies;
mod downloads;
mod export;
mod instance;
mod keys;
mod mailed_links;
mod mails;
mod opening;
mod outages;
mod pairings;
mod people;
mod receive_passwords;
mod schema;
mod sessions;
mod things;
mod transfer_links;
mod transfers;
mod units_of_work;
mod upgrades;
mod uploads;
mod usage;

use agentdrop_store::{Result, Store};

/// Writes facts down, in a unit of work.
async fn note<const N: usize>(store: &Store, names: [&'static str; N]) -> Result<()> {
    store
        .write(async move |tx| {
            for name in names {
                tx.insert_instance_value(name, name.as_bytes()).await?;
            }
            Ok(())
        })
        .await
}

async fn is_there(store: &Store, name: &str) -> bool {
    let mut reader = store.read().await.unwrap();
    reader.instance_value(name).await.unwrap().is_some()
}
