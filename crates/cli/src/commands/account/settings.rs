//! The account itself, and its settings.

use agentdrop_client::Client;
use agentdrop_protocol::text::{Email, Name};
use agentdrop_protocol::wire::accounts::{
    CreateAccount, CreatedAccount, OwnAccount, UpdateAccount,
};

use crate::exit::{Exit, Failure, Result};
use crate::global::Global;
use crate::human;
use crate::link::Link;
use crate::printer::Printer;
use crate::profile::Profile;
use crate::secret_input::Source;

#[derive(clap::Args)]
pub(super) struct Create {
    /// What the account is called
    #[arg(long)]
    name: Name,
    /// Whom it belongs to
    #[arg(long, required_unless_present = "invitation")]
    email: Option<Email>,
    /// The link that was mailed with files: the address is known to be yours then
    #[arg(long, value_name = "LINK")]
    invitation: Option<Link>,
    /// Make it without a password: nobody signs in until one is set by mail
    #[arg(long, conflicts_with = "password_stdin")]
    no_password: bool,
    #[command(flatten)]
    source: Source,
}

#[derive(clap::Args)]
#[group(required = true, multiple = true)]
pub(super) struct Set {
    /// What the account is called from now on
    #[arg(long)]
    name: Option<Name>,
    /// Whether the server refuses files from and to its agents that their sender did not encrypt
    #[arg(long, value_name = "true|false")]
    require_encryption: Option<bool>,
}

pub(super) async fn show(global: &Global, printer: &Printer) -> Result<Exit> {
    let client = Profile::load(global)?.owner()?;
    let account = client.account().await?;
    print(&account, printer);
    Ok(Exit::Done)
}

pub(super) async fn create(args: Create, global: &Global, printer: &Printer) -> Result<Exit> {
    let (server, invited) = match &args.invitation {
        // A link works at its own server alone.
        Some(link) => (link.server().to_owned(), Some(invited(link).await?)),
        None => (Profile::load(global)?.server()?.to_owned(), None),
    };
    let email = match (args.email, invited) {
        (Some(email), Some(invited)) if email.folded() != invited.folded() => {
            return Err(Failure::refused(
                "ANOTHER_ADDRESS",
                format!("the link was mailed to {invited}, not to {email}"),
                "leave `--email` out; the account is made with the address of the link",
            ));
        }
        (Some(email), _) | (None, Some(email)) => email,
        (None, None) => unreachable!("one of the two was asked for"),
    };
    let client = Client::builder(server).build()?;
    let password = if args.no_password {
        None
    } else {
        Some(args.source.new_password("New password").await?)
    };
    let asked = CreateAccount {
        name: args.name,
        email,
        password,
        invitation: args.invitation.as_ref().map(Link::token),
    };
    let created = client.create_account(asked).await?;
    show_created(&created, printer);
    if args.invitation.is_some() {
        printer.note("The address is verified. `agentdrop login`, and `agentdrop receive-password set`, open what waits.");
        return Ok(Exit::Done);
    }
    printer.note(
        "If a link was mailed to the address, follow it: until then, nobody's invitation is shown to you.",
    );
    Ok(Exit::Done)
}

/// Shows an account that was made, and its key, for the only time.
pub(in crate::commands) fn show_created(created: &CreatedAccount, printer: &Printer) {
    printer.json(created);
    printer.bare(&created.api_key);
    printer.done(&format!("made the account {}", created.name));
    printer.fields(&[
        ("id", &created.id.to_string()),
        ("email", created.email.as_str()),
        ("key", &created.api_key),
    ]);
    printer.note("The key is shown this once. With it, `agentdrop register` makes agents.");
}

/// Whom a link was mailed to.
async fn invited(link: &Link) -> Result<Email> {
    let client = Client::builder(link.server()).build()?;
    let found = client.link(&link.token()).await?;
    let email = found.transfer.transfer.recipient.parse();
    email.map_err(|_| {
        let message = "the link leads to files for no address";
        Failure::refused("BAD_ANSWER", message, "check that it is whole")
    })
}

pub(super) async fn set(args: Set, global: &Global, printer: &Printer) -> Result<Exit> {
    let client = Profile::load(global)?.owner()?;
    if args.name.is_none() && args.require_encryption.is_none() {
        let hint = "`agentdrop account set --help` lists what can be changed";
        return Err(Failure::refused("USAGE", "nothing was to be changed", hint));
    }
    let changes = UpdateAccount {
        name: args.name,
        require_encryption: args.require_encryption,
        ..UpdateAccount::default()
    };
    let account = client.update_account(changes).await?;
    print(&account, printer);
    Ok(Exit::Done)
}

fn print(account: &OwnAccount, printer: &Printer) {
    printer.json(account);
    printer.bare(account.email.as_str());
    printer.heading(account.name.as_str());
    let yes = |it| if it { "yes" } else { "no" };
    let verified = if account.email_verified {
        "verified"
    } else {
        "not verified; `agentdrop account verify` has a link mailed"
    };
    let encryption = if account.require_encryption {
        "required"
    } else {
        "not required: what others send without it, the server can read"
    };
    printer.fields(&[
        ("id", &account.id.to_string()),
        ("email", account.email.as_str()),
        ("", verified),
        ("password", yes(account.has_password)),
        ("encryption", encryption),
        ("plan", account.plan.as_str()),
        ("made", &human::moment(account.created_at, human::now())),
    ]);
}
