//! What an operator does beside a running server, on the same data directory.

use agentdrop_protocol::wire::accounts::{Account, CreateAccount, CreatedAccount};
use agentdrop_store::{Store, Tx};

use crate::api::accounts::NewAccount;
use crate::auth::hash_now;
use crate::clock::Clock;
use crate::config::{Config, EmailVerification};
use crate::{Error, data_dir};

/// Makes an account, with its first key.
pub async fn create_account(
    config: &Config,
    asked: CreateAccount,
) -> Result<CreatedAccount, Error> {
    // The operator answers for the address.
    let password = asked.password.as_ref().map(hash_now).transpose()?;
    let mut new = NewAccount::new(asked, EmailVerification::Off, Clock::system().now())?;
    new.password = password;
    let insert = async move |tx: &mut Tx| new.insert(tx).await;
    Ok(open(config).await?.write(insert).await?)
}

/// Every account, oldest first.
pub async fn accounts(config: &Config) -> Result<Vec<Account>, Error> {
    let accounts = open(config).await?.read().await?.accounts().await?;
    let shown = accounts.into_iter().map(|it| Account {
        id: it.id,
        name: it.name,
        email: it.email,
        created_at: it.created_at,
    });
    Ok(shown.collect())
}

async fn open(config: &Config) -> Result<Store, Error> {
    let path = &config.data_dir;
    data_dir::make(path).map_err(|it| Error::DataDir(path.clone(), it))?;
    Ok(Store::open(&config.database_url()).await?)
}
