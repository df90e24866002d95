//! `agentdrop admin`: what an operator does, also beside a running server.

mod backup;
mod broken;
mod check;
mod installation;
mod migrate;
mod restore;

use agentdrop_protocol::text::{Email, Name};
use agentdrop_protocol::wire::accounts::CreateAccount;
use agentdrop_protocol::wire::plans::Plan;
use agentdrop_server::admin;
use clap::Subcommand;
use serde_json::json;

use self::installation::existing;
use super::account::show_created;
use super::serve::Storage;
use crate::exit::{Exit, Failure, Result};
use crate::human;
use crate::printer::Printer;

/// Manage a server, also while it runs
#[derive(clap::Args)]
#[command(
    after_help = "It works on the server's storage, so it needs no key, but the rights to read and write \
    there."
)]
pub(crate) struct Args {
    #[command(subcommand)]
    noun: Noun,
}

#[derive(Subcommand)]
enum Noun {
    /// Manage accounts
    #[command(subcommand)]
    Account(Account),
    /// Look after the audit logs
    #[command(subcommand)]
    Audit(Audit),
    /// Copy everything into a folder, also while the server runs
    Backup(backup::Args),
    /// Check that every file that should be there is, as it was stored
    Check(check::Args),
    /// Copy the SQLite database of a server that is stopped into an empty PostgreSQL
    MigrateStore(migrate::Args),
    /// Bring a backup back, into a new data directory
    Restore(restore::Args),
}

#[derive(Subcommand)]
enum Account {
    /// Make an account, with its first key, which is shown this once
    Create {
        /// What the account is called
        #[arg(long)]
        name: Name,
        /// Whom it belongs to
        #[arg(long)]
        email: Email,
        /// How much it may use: free, builder, team, scale or enterprise
        #[arg(
            long,
            value_name = "PLAN",
            env = "AGENTDROP_DEFAULT_PLAN",
            default_value = "enterprise"
        )]
        plan: Plan,
        #[command(flatten)]
        storage: Storage,
    },
    /// Give an account another plan, from now on; what it has stays, whatever the plan
    SetPlan {
        /// Whom the account belongs to
        email: Email,
        /// How much it may use: free, builder, team, scale or enterprise
        plan: Plan,
        #[command(flatten)]
        storage: Storage,
    },
    /// List accounts, oldest first
    List {
        #[command(flatten)]
        storage: Storage,
    },
}

#[derive(Subcommand)]
enum Audit {
    /// Check that nothing in the audit logs was changed, left out or put in
    #[command(
        after_help = "Names the first bad record of each log. The exit status is 1 if there is one, and 2 if the \
        logs cannot be read. Who can write to the database can also write a whole log anew: what shows \
        that is a hash that was kept elsewhere."
    )]
    Verify {
        /// Only the log of this account, by its e-mail address or id
        #[arg(long, value_name = "EMAIL|ID")]
        account: Option<String>,
        #[command(flatten)]
        storage: Storage,
    },
}

/// Manages a server.
pub(crate) async fn run(args: Args, printer: &Printer) -> Result<Exit> {
    let command = match args.noun {
        Noun::Account(command) => command,
        Noun::Audit(Audit::Verify { account, storage }) => {
            return verify(account.as_deref(), storage, printer).await;
        }
        Noun::Backup(args) => return Box::pin(backup::run(args, printer)).await,
        Noun::Check(args) => return Box::pin(check::run(args, printer)).await,
        Noun::MigrateStore(args) => return Box::pin(migrate::run(args, printer)).await,
        Noun::Restore(args) => return Box::pin(restore::run(args, printer)).await,
    };
    match command {
        Account::Create {
            name,
            email,
            plan,
            storage,
        } => {
            let asked = CreateAccount {
                name,
                email,
                password: None,
                invitation: None,
            };
            create(asked, plan, storage, printer).await
        }
        Account::SetPlan {
            email,
            plan,
            storage,
        } => set_plan(email, plan, storage, printer).await,
        Account::List { storage } => list(storage, printer).await,
    }
}

async fn create(
    asked: CreateAccount,
    plan: Plan,
    storage: Storage,
    printer: &Printer,
) -> Result<Exit> {
    let mut config = storage.into_config();
    config.default_plan = plan;
    let is_new = config.database_url.is_none() && !config.data_dir.join("agentdrop.db").exists();
    // The store would refuse a second one too, without saying why in words.
    let accounts = Box::pin(admin::accounts(&config)).await?;
    let folded = asked.email.folded();
    if accounts.iter().any(|it| it.email.folded() == folded) {
        let message = format!("there is an account of {} already", asked.email);
        let hint = "`agentdrop admin account list` lists them";
        return Err(Failure::refused("ACCOUNT_EXISTS", message, hint));
    }
    let created = Box::pin(admin::create_account(&config, asked)).await?;
    show_created(&created, printer);
    if is_new {
        let folder = config.data_dir.display();
        let message = format!("there was no server's data in {folder}, so it was made");
        let hint = "if a server runs elsewhere, name its data directory with `--data-dir`";
        printer.warning(&message, hint);
    }
    Ok(Exit::Done)
}

async fn set_plan(email: Email, plan: Plan, storage: Storage, printer: &Printer) -> Result<Exit> {
    let config = existing(storage)?;
    let changed = Box::pin(admin::set_plan(&config, email.clone(), plan)).await?;
    let Some(changed) = changed else {
        let message = format!("there is no account of {email}");
        let hint = "`agentdrop admin account list` lists them";
        return Err(Failure::refused("NOT_FOUND", message, hint));
    };
    printer.json(&changed);
    printer.bare(&changed.id.to_string());
    let done = format!("{} is on the plan {} now", changed.email, changed.plan);
    printer.done(&done);
    Ok(Exit::Done)
}

async fn list(storage: Storage, printer: &Printer) -> Result<Exit> {
    let config = existing(storage)?;
    let accounts = Box::pin(admin::accounts(&config)).await?;
    printer.json(&json!({ "accounts": accounts }));
    let now = human::now();
    let mut rows = Vec::new();
    for it in &accounts {
        printer.bare(&it.id.to_string());
        rows.push([
            it.id.to_string(),
            human::moment(it.created_at, now),
            it.plan.to_string(),
            it.email.to_string(),
            it.name.to_string(),
        ]);
    }
    if rows.is_empty() {
        printer.line("there are no accounts");
    } else {
        printer.table(["ID", "MADE", "PLAN", "EMAIL", "NAME"], &rows);
    }
    Ok(Exit::Done)
}

async fn verify(account: Option<&str>, storage: Storage, printer: &Printer) -> Result<Exit> {
    // A bad record alone is 1: whoever watches must not take a wrong folder for one.
    let broken = |failure: Failure| Failure {
        exit: Exit::Broken,
        ..failure
    };
    let config = existing(storage).map_err(broken)?;
    let verified = Box::pin(admin::verify_audit(&config, account)).await?;
    let Some(verified) = verified else {
        let hint = "`agentdrop admin account list` lists them";
        let message = "there is no such account";
        return Err(Failure::broken("NOT_FOUND", message, hint));
    };
    let is_whole = verified.broken.is_empty();
    printer.json(&json!({
        "ok": is_whole,
        "logs": verified.logs,
        "records": verified.records,
        "broken": broken::as_json(&verified),
    }));
    broken::print_count(&verified, printer);
    broken::print(&verified, printer);
    Ok(if is_whole { Exit::Done } else { Exit::Refused })
}
