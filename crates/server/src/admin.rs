//! What an operator does beside a running server, on the same data directory.

use agentdrop_protocol::text::Email;
use agentdrop_protocol::wire::accounts::{Account, CreateAccount, CreatedAccount};
use agentdrop_protocol::wire::plans::Plan;
use agentdrop_store::{Store, Tx};

use crate::api::accounts::NewAccount;
use crate::clock::Clock;
use crate::config::{Config, EmailVerification};
use crate::{Error, data_dir};

/// Makes an account with its first key, on the plan that `config` has for it.
pub async fn create_account(
    config: &Config,
    asked: CreateAccount,
) -> Result<CreatedAccount, Error> {
    // The operator answers for the address.
    let (plan, now) = (config.default_plan, Clock::system().now());
    let new = NewAccount::new(asked, EmailVerification::Off, plan, now)?;
    let insert = async move |tx: &mut Tx| new.insert(tx).await;
    Ok(open(config).await?.write(insert).await?)
}

/// Every account, oldest first.
pub async fn accounts(config: &Config) -> Result<Vec<Account>, Error> {
    let accounts = open(config).await?.read().await?.accounts().await?;
    Ok(accounts.into_iter().map(shown).collect())
}

/// Gives the account with this address another plan, from now on; answers it, if there is one.
///
/// A smaller one takes nothing away: only more than it allows is refused.
pub async fn set_plan(config: &Config, email: Email, plan: Plan) -> Result<Option<Account>, Error> {
    let set = async move |tx: &mut Tx| tx.set_account_plan(&email, plan).await;
    Ok(open(config).await?.write(set).await?.map(shown))
}

fn shown(it: agentdrop_domain::accounts::Account) -> Account {
    Account {
        id: it.id,
        name: it.name,
        email: it.email,
        plan: it.plan,
        created_at: it.created_at,
    }
}

async fn open(config: &Config) -> Result<Store, Error> {
    let path = &config.data_dir;
    data_dir::make(path).map_err(|it| Error::DataDir(path.clone(), it))?;
    Ok(Store::open(&config.database_url()).await?)
}
