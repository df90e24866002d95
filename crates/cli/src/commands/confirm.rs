//! `agentdrop confirm`: agrees to a pairing, once it was seen what it is.

use agentdrop_client::Client;
use agentdrop_protocol::wire::connections::{Connection, ConnectionFilter};
use agentdrop_protocol::wire::pairings::{ConfirmPairing, PairedAgent, Pairing};
use agentdrop_protocol::{EncryptionPublicKey, PairingId};
use serde_json::json;

use super::pairings::way;
use super::trust::pairing::{Fingerprints, own_agent};
use crate::exit::{Exit, Failure, Result, chain};
use crate::global::Global;
use crate::printer::Printer;
use crate::profile::Profile;

/// Agree to a pairing that another account proposed, after showing what it is
#[derive(clap::Args)]
#[command(
    after_help = "It takes a key of the account. It shows whose agents they are, their keys, and which way files \
    may go, and asks. The owner of an agent sees its key with `agentdrop whoami`. Where the identity of your agent is \
    here, there are digits too, which are the same on both sides, and the other agent is known by that key from then on."
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
    let ((mine, _), (theirs, _)) = terms.sides();
    let own = own_agent(global, mine.id);
    let keys = Fingerprints::of(own.as_ref(), mine, theirs)?;
    terms.show(&keys, printer);
    keys.warn(printer);
    if !args.yes {
        ask(printer).await?;
    }
    let (_, (_, their_key)) = terms.sides();
    // The other side can change what it proposed until it is agreed to, also while it is looked at.
    let seen = ConfirmPairing {
        permission: Some(terms.pairing.permission),
        their_public_key: their_key,
        their_key_fingerprint: keys.theirs().map(str::to_owned),
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
        "digits": keys.digits(),
    }));
    printer.bare(&confirmed.id.to_string());
    printer.done(&format!("confirmed {}", confirmed.id));
    // With `--yes` nobody looked at it.
    if let (Some(own), Some(shown), false) = (&own, keys.theirs(), args.yes) {
        remember(own, theirs, shown, printer).await;
    }
    Ok(Exit::Done)
}

/// That the other agent is known by the key that was shown. The pairing is confirmed, whatever comes of it.
async fn remember(own: &Client, theirs: &PairedAgent, shown: &str, printer: &Printer) {
    let label = theirs.agent_id.as_str();
    let problem = match own.paired_by(theirs.id, label, shown).await {
        Ok(true) => return,
        Ok(false) => "the server gives another key now than it showed".to_owned(),
        Err(error) => chain(&error),
    };
    let message = format!("it is not remembered that {label} was shown by this key: {problem}");
    let hint = format!("compare it: `agentdrop trust compare {}`", theirs.id);
    printer.warning(&message, &hint);
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

    fn show(&self, keys: &Fingerprints, printer: &Printer) {
        let ((mine, my_key), (theirs, their_key)) = self.sides();
        let (pairing, other) = (&self.pairing, &self.connection.other_account);
        printer.heading(&format!("{} ({})", pairing.id, pairing.status));
        let key = |it: Option<EncryptionPublicKey>| {
            it.map_or_else(|| "none".to_owned(), |it| it.to_string())
        };
        let (their_key, my_key) = (key(their_key), key(my_key));
        let files = way(pairing.permission, &mine.agent_id, &theirs.agent_id);
        let keys = keys.fields();
        let mut fields = vec![
            ("account", other.name.as_str()),
            ("email", other.email.as_str()),
            ("their agent", theirs.agent_id.as_str()),
            ("their key", &their_key),
            ("your agent", mine.agent_id.as_str()),
            ("your key", &my_key),
            ("files", &files),
        ];
        fields.extend(keys.iter().map(|(name, it)| (*name, &**it)));
        printer.fields(&fields);
    }
}

/// An agent, and its key.
type Side<'a> = (&'a PairedAgent, Option<EncryptionPublicKey>);
