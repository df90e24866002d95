//! The one server key of all the servers on a database.

use std::path::Path;

use agentdrop_store::{Constraint, Store, Tx};

use super::ServerKey;
use crate::Error;

/// What tells the key from others, in the database that it is for.
const FACT: &str = "server_key";

/// Opens the key at `path`, making it if this is the first server on a database.
///
/// With another one, a server could not open what the others encrypted, nor they what it did. On
/// SQLite there are no others.
pub(crate) async fn shared_key(store: &Store, path: &Path) -> Result<ServerKey, Error> {
    let open = || ServerKey::open(path).map_err(|it| Error::ServerKey(path.to_owned(), it));
    if !store.is_shared() {
        return open();
    }
    let known = store.read().await?.instance_value(FACT).await?;
    if known.is_some() && !path.exists() {
        return Err(Error::NoKey(path.to_owned()));
    }
    let key = open()?;
    let known = match known {
        Some(known) => known,
        None => note(store, &key).await?,
    };
    if known == key.fingerprint() {
        Ok(key)
    } else {
        Err(Error::OtherKey(path.to_owned()))
    }
}

/// Writes down which key it is, unless another server just did; answers what stands there.
async fn note(store: &Store, key: &ServerKey) -> Result<Vec<u8>, Error> {
    let fingerprint = key.fingerprint();
    let mine = fingerprint.clone();
    let insert = async move |tx: &mut Tx| tx.insert_instance_value(FACT, &mine).await;
    match store.write(insert).await {
        Ok(()) => Ok(fingerprint),
        Err(agentdrop_store::Error::Conflict(Constraint::InstanceName)) => {
            let known = store.read().await?.instance_value(FACT).await?;
            Ok(known.unwrap_or_default())
        }
        Err(error) => Err(error.into()),
    }
}
