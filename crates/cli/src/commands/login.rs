//! `agentdrop login` and `agentdrop logout`: the session of a person.

use agentdrop_client::{Client, Error, SavedSession};
use agentdrop_protocol::ErrorCode;
use agentdrop_protocol::text::Email;
use serde_json::json;

use crate::exit::{Exit, Failure, Result};
use crate::global::Global;
use crate::human;
use crate::printer::Printer;
use crate::profile::Profile;
use crate::secret_input::Source;

/// Sign in as the owner of an account, to do what a key cannot
#[derive(clap::Args)]
#[command(
    after_help = "The session is kept in .agentdrop at home, for you only, and lasts 30 days. Where no key is set, \
    other commands use it too. Agents need keys, not sessions."
)]
pub(crate) struct Args {
    /// The address of the account
    email: Email,
    #[command(flatten)]
    source: Source,
}

/// Signs in.
pub(crate) async fn run(args: Args, global: &Global, printer: &Printer) -> Result<Exit> {
    let server = Profile::load(global)?.server()?.to_owned();
    let client = Client::builder(server).build()?;
    let password = args.source.password("Password").await?;
    let session = client.sign_in(args.email, password).await;
    let session = session.map_err(|error| match error {
        Error::Api(it) if it.code == ErrorCode::Unauthorized => Failure::refused(
            "UNAUTHORIZED",
            it.to_string(),
            "check both; `agentdrop account reset-password` mails a link to set a new one",
        ),
        other => other.into(),
    })?;
    let folder = global.config_dir.as_deref();
    let saved = match SavedSession::save(client.server(), &session, folder) {
        Ok(saved) => saved,
        Err(error) => {
            // Nobody could use it.
            let token = session.session_token.parse();
            if let Ok(token) = token {
                let client = Client::builder(client.server()).api_key(token).build()?;
                drop(client.sign_out().await);
            }
            return Err(error.into());
        }
    };
    let (account, until) = (&session.account, session.expires_at);
    let path = saved.path().display().to_string();
    printer.json(&json!({
        "server": client.server(),
        "session": session.id,
        "account": account,
        "expires_at": until,
        "path": path,
    }));
    printer.bare(&session.id.to_string());
    printer.done(&format!("signed in as {}", account.name));
    printer.fields(&[
        ("email", account.email.as_str()),
        ("server", &client.server()),
        ("until", &human::moment(until, human::now())),
        ("kept in", &path),
    ]);
    Ok(Exit::Done)
}

/// Ends the session, at the server and here.
pub(crate) async fn end(global: &Global, printer: &Printer) -> Result<Exit> {
    let folder = global.config_dir.as_deref();
    let saved = SavedSession::load(folder)?.ok_or_else(not_signed_in)?;
    let (server, email) = (saved.server().to_owned(), saved.email().clone());
    let client = Profile::without_identity(global)?.person()?;
    let ended = match client.sign_out().await {
        Ok(_) => true,
        // It is over already.
        Err(Error::Api(error)) if error.code == ErrorCode::Unauthorized => false,
        Err(error) => return Err(error.into()),
    };
    saved.forget()?;
    printer.json(&json!({ "server": server, "email": email, "ended": ended }));
    printer.bare(email.as_str());
    printer.done(&format!("signed out of {server}"));
    Ok(Exit::Done)
}

/// What only a person may do, and nobody has signed in.
pub(crate) fn not_signed_in() -> Failure {
    Failure::refused(
        "NOT_SIGNED_IN",
        "nobody is signed in here",
        "a person has to do this: `agentdrop login EMAIL` first",
    )
}
