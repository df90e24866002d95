//! What an operator does beside a running server, on the same data directory.

use agentdrop_domain::audit::Who;
use agentdrop_protocol::AccountId;
use agentdrop_protocol::text::Email;
use agentdrop_protocol::wire::accounts::{Account, CreateAccount, CreatedAccount};
use agentdrop_store::{Store, Tx};

use crate::api::accounts::NewAccount;
use crate::audit::Origin;
use crate::audit::verify::{self, Verified};
use crate::clock::Clock;
use crate::config::{Config, EmailVerification};
use crate::{Error, data_dir};

/// Makes an account, with its first key.
pub async fn create_account(
    config: &Config,
    asked: CreateAccount,
) -> Result<CreatedAccount, Error> {
    // The operator answers for the address.
    let now = Clock::system().now();
    let new = NewAccount::new(asked, EmailVerification::Off, now)?;
    let insert =
        async move |tx: &mut Tx| new.insert(tx, Origin::operator(now), Who::Operator).await;
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

/// Follows the audit logs of all accounts, or of the one with this id or e-mail address: whether
/// anything in them was changed, left out or put in. Nothing, if there is no such account.
pub async fn verify_audit(config: &Config, only: Option<&str>) -> Result<Option<Verified>, Error> {
    let store = open(config).await?;
    let Some(only) = only else {
        return Ok(Some(verify::all(&store).await?));
    };
    let mut reader = store.read().await?;
    let account = match (only.parse::<AccountId>(), only.parse::<Email>()) {
        (Ok(id), _) => reader.account(id).await?,
        (_, Ok(email)) => reader.account_by_email(&email).await?,
        _ => None,
    };
    drop(reader);
    let Some(account) = account else {
        return Ok(None);
    };
    let mut verified = Verified::default();
    verify::one(&store, account.id, &mut verified).await?;
    Ok(Some(verified))
}

async fn open(config: &Config) -> Result<Store, Error> {
    let path = &config.data_dir;
    data_dir::make(path).map_err(|it| Error::DataDir(path.clone(), it))?;
    Ok(Store::open(&config.database_url()).await?)
}
