//! `agentdrop admin`: what an operator does, also beside a running server.

use agentdrop_protocol::text::{Email, Name};
use agentdrop_protocol::wire::accounts::CreateAccount;
use agentdrop_server::admin;
use clap::Subcommand;
use serde_json::json;

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
        #[command(flatten)]
        storage: Storage,
    },
    /// List accounts, oldest first
    List {
        #[command(flatten)]
        storage: Storage,
    },
}

/// Manages a server.
pub(crate) async fn run(args: Args, printer: &Printer) -> Result<Exit> {
    let Noun::Account(command) = args.noun;
    match command {
        Account::Create {
            name,
            email,
            storage,
        } => {
            create(
                CreateAccount {
                    name,
                    email,
                    password: None,
                },
                storage,
                printer,
            )
            .await
        }
        Account::List { storage } => list(storage, printer).await,
    }
}

async fn create(asked: CreateAccount, storage: Storage, printer: &Printer) -> Result<Exit> {
    let config = storage.into_config();
    // The store would refuse a second one too, without saying why in words.
    let accounts = Box::pin(admin::accounts(&config)).await?;
    let folded = asked.email.folded();
    if accounts.iter().any(|it| it.email.folded() == folded) {
        let message = format!("there is an account of {} already", asked.email);
        let hint = "`agentdrop admin account list` lists them";
        return Err(Failure::refused("ACCOUNT_EXISTS", message, hint));
    }
    let created = Box::pin(admin::create_account(&config, asked)).await?;
    printer.json(&created);
    printer.bare(&created.api_key);
    printer.done(&format!("made the account {}", created.name));
    printer.fields(&[
        ("id", &created.id.to_string()),
        ("email", created.email.as_str()),
        ("key", &created.api_key),
    ]);
    printer.note("The key is shown this once. With it, `agentdrop register` makes agents.");
    Ok(Exit::Done)
}

async fn list(storage: Storage, printer: &Printer) -> Result<Exit> {
    let config = storage.into_config();
    // Looking must not make a server's folder where there is none.
    if config.database_url.is_none() && !config.data_dir.join("agentdrop.db").exists() {
        let message = format!("there is no server's data in {}", config.data_dir.display());
        let hint = "name the data directory of the server with `--data-dir`";
        return Err(Failure::refused("NO_DATA", message, hint));
    }
    let accounts = Box::pin(admin::accounts(&config)).await?;
    printer.json(&json!({ "accounts": accounts }));
    let now = human::now();
    let mut rows = Vec::new();
    for it in &accounts {
        printer.bare(&it.id.to_string());
        rows.push([
            it.id.to_string(),
            human::moment(it.created_at, now),
            it.email.to_string(),
            it.name.to_string(),
        ]);
    }
    if rows.is_empty() {
        printer.line("there are no accounts");
    } else {
        printer.table(["ID", "MADE", "EMAIL", "NAME"], &rows);
    }
    Ok(Exit::Done)
}
