//! `agentdrop account`: what the owner of an account does with it.

mod data;
mod password;
mod sessions;
mod settings;
mod usage;

use std::str::FromStr;

use agentdrop_protocol::text::Email;
use agentdrop_protocol::{LinkToken, SessionId};
use clap::Subcommand;

#[cfg(feature = "serve")]
pub(super) use self::settings::show_created;
use crate::exit::{Exit, Result};
use crate::global::Global;
use crate::link::{Link, NoLink};
use crate::printer::Printer;
use crate::secret_input::Source;

/// Show and manage the account
#[derive(clap::Args)]
#[command(
    after_help = "Without a command, the account is shown. Its password, its sessions, its data and its end are \
    a person's matter: `agentdrop login` first."
)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Show the account
    Show,
    /// Show what the account uses of its plan
    Usage,
    /// Make an account, where the server lets anyone; its first key is shown this once
    Create(settings::Create),
    /// Change the name or a setting
    Set(settings::Set),
    /// Set another password; every other session ends
    Password(Source),
    /// Have a link mailed to set a password with, or use what was mailed
    ResetPassword {
        /// The address of the account
        #[arg(required_unless_present = "token")]
        email: Option<Email>,
        /// What was mailed
        #[arg(long, value_name = "TOKEN", conflicts_with = "email", value_parser = token)]
        token: Option<LinkTokenArg>,
        #[command(flatten)]
        source: Source,
    },
    /// Show that the address is yours with what was mailed to it, or have it mailed again
    Verify {
        /// What was mailed: a token, or the link that came with files
        #[arg(value_name = "TOKEN|LINK")]
        mailed: Option<Mailed>,
    },
    /// List where you are signed in, or end one of the sessions
    Sessions {
        /// End this one
        #[arg(long, value_name = "SESSION")]
        end: Option<SessionId>,
    },
    /// Write all that the server knows of the account to a file, as JSON; files are not in it
    Export(data::Export),
    /// Delete the account, with its agents, its keys and all it sent or was sent, for ever
    Delete(data::Delete),
}

/// What stands in a mailed link, as text: the type that is secret is not cloned.
type LinkTokenArg = String;

/// What shows that somebody reads the mail of an address.
#[derive(Clone, Debug)]
enum Mailed {
    Link(Link),
    Token(LinkTokenArg),
}

impl FromStr for Mailed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.contains('/') {
            let link = text.parse().map_err(|error: NoLink| error.to_string());
            return link.map(Self::Link);
        }
        token(text).map(Self::Token)
    }
}

fn token(text: &str) -> Result<LinkTokenArg, String> {
    let parsed = text.trim().parse::<LinkToken>();
    parsed
        .map(|_| text.trim().to_owned())
        .map_err(|error| error.to_string())
}

/// Does what was asked for.
pub(crate) async fn run(args: Args, global: &Global, printer: &Printer) -> Result<Exit> {
    match args.command {
        None | Some(Command::Show) => settings::show(global, printer).await,
        Some(Command::Usage) => usage::show(global, printer).await,
        Some(Command::Create(args)) => settings::create(args, global, printer).await,
        Some(Command::Set(args)) => settings::set(args, global, printer).await,
        Some(Command::Password(source)) => password::change(source, global, printer).await,
        Some(Command::ResetPassword {
            email,
            token,
            source,
        }) => match (email, token) {
            (Some(email), _) => password::ask_reset(email, global, printer).await,
            (None, token) => {
                let token = parsed(token.as_deref().unwrap_or_default());
                password::reset(token, source, global, printer).await
            }
        },
        Some(Command::Verify {
            mailed: Some(Mailed::Link(link)),
        }) => password::verify_link(&link, global, printer).await,
        Some(Command::Verify { mailed }) => {
            let token = mailed.and_then(|it| match it {
                Mailed::Token(token) => Some(parsed(&token)),
                Mailed::Link(_) => None,
            });
            password::verify(token, global, printer).await
        }
        Some(Command::Sessions { end: None }) => sessions::list(global, printer).await,
        Some(Command::Sessions { end: Some(id) }) => sessions::end(id, global, printer).await,
        Some(Command::Export(args)) => data::export(args, global, printer).await,
        Some(Command::Delete(args)) => data::delete(args, global, printer).await,
    }
}

fn parsed(token: &str) -> LinkToken {
    token.parse().expect("it was parsed when it was typed")
}
