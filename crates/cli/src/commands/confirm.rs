//! `agentdrop confirm`: agrees to a pairing, once it was seen what it is.

use agentdrop_client::Client;
use agentdrop_protocol::wire::connections::{Connection, ConnectionFilter};
use agentdrop_protocol::wire::pairings::{ConfirmPairing, PairedAgent, Pairing};
use agentdrop_protocol::{EncryptionPublicKey, PairingId};
use serde_json::json;

use super::pairings::way;
use crate::exit::{Exit, Failure, Result};
use crate::global::Global;
use crate::printer::Printer;
use crate::profile::Profile;

/// Agree to a pairing that another account proposed, after showing what it is
#[derive(clap::Args)]
#[command(
    after_help = "It takes a key of the account. It shows whose agents they are, their keys, and which way files \
    may go, and asks. The owner of an agent sees its key with `agentdrop whoami`."
)]
pub(crate) struct Args {
    /// The pairing, as `agentdrop pairings` lists it
    #[arg(value_name = "PAIRING")]
    id: PairingId,
    /// Agree without being asked, as scripts have to
    #[arg(long, short)]
    yes: bool,
}

/// What is agreed to.
struct Terms {
    connection: Connection,
    pairing: Pairing,
}

/// Shows a pairing, asks, and agrees to it.
pub(crate) async fn run(args: &Args, global: &Global, printer: &Printer) -> Result<Exit> {
    let client = Profile::load(global)?.owner()?;
    let terms = Terms::find(&client, args.id).await?;
    terms.show(printer);
    if !args.yes {
        ask(printer).await?;
    }
    let ((mine, _), (theirs, their_key)) = terms.sides();
    // The other side can change what it proposed until it is agreed to, also while it is looked at.
    let seen = ConfirmPairing {
        permission: Some(terms.pairing.permission),
        their_public_key: their_key,
        their_key_fingerprint: None,
    };
    let confirmed = client.confirm_pairing(args.id, seen).await?;

    printer.json(&json!({
        "id": confirmed.id,
        "status": confirmed.status,
        "confirmed_at": confirmed.confirmed_at,
        "my_agent": mine,
        "their_agent": theirs,
        "other_account": terms.connection.other_account,
        "permission": terms.pairing.permission,
    }));
    printer.bare(&confirmed.id.to_string());
    printer.done(&format!("confirmed {}", confirmed.id));
    Ok(Exit::Done)
}

async fn ask(printer: &Printer) -> Result<()> {
    if !printer.asks() {
        return Err(Failure::refused(
            "NOT_CONFIRMED",
            "nobody can be asked whether to confirm it",
            "look at it with `agentdrop pairings`, then agree with `--yes`",
        ));
    }
    if printer.agreed("Confirm it?").await? {
        return Ok(());
    }
    Err(Failure::refused(
        "NOT_CONFIRMED",
        "it was not confirmed",
        "nothing was changed; to have none of it, `agentdrop connections revoke` ends the connection",
    ))
}

impl Terms {
    async fn find(client: &Client, id: PairingId) -> Result<Self> {
        for connection in client.connections(ConnectionFilter::Active).await?.active {
            let found = client.pairings(connection.id).await?.pairings;
            if let Some(pairing) = found.into_iter().find(|it| it.id == id) {
                return Ok(Self {
                    connection,
                    pairing,
                });
            }
        }
        Err(Failure::refused(
            "NOT_FOUND",
            format!("there is no pairing {id} under a connection that is active"),
            "`agentdrop connections` lists connections, and `agentdrop pairings` what is under one",
        ))
    }

    /// The own agent and the other's, with their keys.
    fn sides(&self) -> (Side<'_>, Side<'_>) {
        let it = &self.pairing;
        let a = (&it.agent_a, it.agent_a_public_key);
        let b = (&it.agent_b, it.agent_b_public_key);
        if it.agent_a.account_id == self.connection.other_account.id {
            (b, a)
        } else {
            (a, b)
        }
    }

    fn show(&self, printer: &Printer) {
        let ((mine, my_key), (theirs, their_key)) = self.sides();
        let (pairing, other) = (&self.pairing, &self.connection.other_account);
        printer.heading(&format!("{} ({})", pairing.id, pairing.status));
        let key = |it: Option<EncryptionPublicKey>| {
            it.map_or_else(|| "none".to_owned(), |it| it.to_string())
        };
        printer.fields(&[
            ("account", other.name.as_str()),
            ("email", other.email.as_str()),
            ("their agent", theirs.agent_id.as_str()),
            ("their key", &key(their_key)),
            ("your agent", mine.agent_id.as_str()),
            ("your key", &key(my_key)),
            (
                "files",
                &way(pairing.permission, &mine.agent_id, &theirs.agent_id),
            ),
        ]);
    }
}

/// An agent, and its key.
type Side<'a> = (&'a PairedAgent, Option<EncryptionPublicKey>);
