//! What an operator does beside a running server, on the same data directory.

mod backup;
mod carry;
mod check;
mod inventory;
mod manifest;
mod migrate;
mod place;
mod restore;
mod scratch;

pub use backup::backup;
pub use carry::Carried;
pub use check::{BlobFault, Checked, Finding, Orphans, check};
pub use manifest::Manifest;
pub use migrate::{Migrated, migrate_store};
pub use restore::{Restored, restore};

use agentdrop_domain::audit::{Action, Subject, Who};
use agentdrop_protocol::AccountId;
use agentdrop_protocol::text::Email;
use agentdrop_protocol::wire::accounts::{Account, CreateAccount, CreatedAccount};
use agentdrop_protocol::wire::plans::Plan;
use agentdrop_store::{Store, Tx};

use crate::api::accounts::NewAccount;
use crate::audit::Origin;
use crate::audit::verify::{self, Verified};
use crate::auth::hash_now;
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
    let password = asked.password.as_ref().map(hash_now).transpose()?;
    let mut new = NewAccount::new(asked, EmailVerification::Off, plan, now)?;
    new.password = password;
    let insert =
        async move |tx: &mut Tx| new.insert(tx, Origin::operator(now), Who::Operator).await;
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
    let now = Clock::system().now();
    let set = async move |tx: &mut Tx| -> agentdrop_store::Result<_> {
        let changed = tx.set_account_plan(&email, plan).await?;
        if let Some(account) = &changed {
            let witness = Origin::operator(now).witness(account.id, Who::Operator);
            let what = Subject::of(&account.id);
            tx.append_audit(witness.saw(Action::AccountPlanChanged, what))
                .await?;
        }
        Ok(changed)
    };
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
