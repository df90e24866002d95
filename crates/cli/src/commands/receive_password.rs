//! `agentdrop receive-password`: what a person opens with what they are sent.

use agentdrop_client::Error;
use agentdrop_client::error::PersonError;
use agentdrop_protocol::wire::receive_passwords::ReceivePassword;
use clap::Subcommand;
use serde_json::json;

use crate::exit::{Exit, Failure, Result};
use crate::global::Global;
use crate::human;
use crate::printer::Printer;
use crate::profile::Profile;
use crate::secret_input::Source;

/// Set and manage the password that opens what people send you
#[derive(clap::Args)]
#[command(
    after_help = "A key is drawn on this machine; the server keeps it encrypted with the password, which it never \
    learns. Nobody can bring a forgotten one back, and what was sent to you stays closed without it. All of this is \
    a person's matter: `agentdrop login` first."
)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Set one; what waits for you is encrypted for you then
    Set(Source),
    /// Set another one for the same key: what was sent before still opens
    ///
    /// On standard input the old password comes first, and the new one on a line below it.
    Change(Source),
    /// Remove it; what was encrypted for it opens never again
    Remove {
        /// Remove it without being asked, as scripts have to
        #[arg(long, short)]
        yes: bool,
    },
    /// Show whether there is one, and the key that files are encrypted for
    Show,
}

/// Does what was asked for.
pub(crate) async fn run(args: Args, global: &Global, printer: &Printer) -> Result<Exit> {
    match args.command {
        Command::Set(source) => set(source, global, printer).await,
        Command::Change(source) => change(source, global, printer).await,
        Command::Remove { yes } => remove(yes, global, printer).await,
        Command::Show => show(global, printer).await,
    }
}

async fn set(source: Source, global: &Global, printer: &Printer) -> Result<Exit> {
    let client = Profile::load(global)?.person()?;
    if client.receive_password().await?.is_some() {
        // Before a password is asked for.
        return Err(Error::from(PersonError::ReceivePasswordExists).into());
    }
    let password = source.new_password("New receive password").await?;
    let set = client.set_receive_password(password).await?;
    print(&set, printer);
    // Nothing counts as theirs before.
    let account = client.account().await;
    if account.is_ok_and(|it| !it.email_verified) {
        printer.done("set a receive password");
        printer.note(
            "The address is not verified, so what was sent to it still waits: `agentdrop account verify` first.",
        );
    } else {
        printer.done("set a receive password; what waits for you is being encrypted for you");
    }
    warn(printer);
    Ok(Exit::Done)
}

async fn change(source: Source, global: &Global, printer: &Printer) -> Result<Exit> {
    let client = Profile::load(global)?.person()?;
    let old = source.password("Receive password").await?;
    let new = source.new_password("New receive password").await?;
    let set = client.change_receive_password(old, new).await?;
    print(&set, printer);
    printer.done("set another receive password for the same key");
    warn(printer);
    Ok(Exit::Done)
}

async fn remove(yes: bool, global: &Global, printer: &Printer) -> Result<Exit> {
    let client = Profile::load(global)?.person()?;
    if !yes {
        let refused = |message| {
            let hint = "nothing was changed; scripts agree with `--yes`";
            Failure::refused("NOT_CONFIRMED", message, hint)
        };
        if !printer.asks() {
            return Err(refused("nobody can be asked whether to remove it"));
        }
        let question = "What was encrypted for it opens never again. Remove it?";
        if !printer.agreed(question).await? {
            return Err(refused("it was not removed"));
        }
    }
    if client.receive_password().await?.is_none() {
        return Err(Error::from(PersonError::NoReceivePassword).into());
    }
    let done = client.remove_receive_password().await?;
    printer.json(&done);
    printer.bare(&done.message);
    printer.done("removed the receive password");
    Ok(Exit::Done)
}

async fn show(global: &Global, printer: &Printer) -> Result<Exit> {
    let client = Profile::load(global)?.owner()?;
    if let Some(set) = client.receive_password().await? {
        print(&set, printer);
        printer.heading("A receive password is set");
        printer.fields(&[
            ("public key", &set.public_key.to_string()),
            ("set", &human::moment(set.set_at, human::now())),
        ]);
    } else {
        printer.json(&json!({ "public_key": null, "set_at": null }));
        printer.line("no receive password is set; `agentdrop receive-password set` sets one");
    }
    Ok(Exit::Done)
}

/// For programs; the wrapped key is nobody's matter.
fn print(set: &ReceivePassword, printer: &Printer) {
    printer.json(&json!({ "public_key": set.public_key, "set_at": set.set_at }));
    printer.bare(&set.public_key.to_string());
}

fn warn(printer: &Printer) {
    printer.note(
        "Keep it where you keep what matters: nobody can bring it back, and without it what you are sent stays \
         closed.",
    );
}
