//! What is decided about an agent of which something was refused.

use agentdrop_client::Client;
use agentdrop_client::error::PeerError;
use agentdrop_client::trust::Refused;
use agentdrop_protocol::AgentRef;
use serde_json::json;

use super::list::{as_json, how, why};
use super::named::{expect, known_agents};
use crate::exit::{Exit, Failure, Result};
use crate::human;
use crate::printer::Printer;

/// Know an agent by the key that was refused, from here on
#[derive(clap::Args)]
#[command(
    after_help = "It shows the key that is known, the one that was refused, why and when, and asks. Ask the owner of \
    the agent first, in another way than through this server."
)]
pub(super) struct Accept {
    /// The agent: its name, or its id
    #[arg(value_name = "AGENT")]
    named: AgentRef,
    /// Accept this key alone and do not ask, as scripts have to: `adk1...`
    #[arg(long, value_name = "KEY")]
    fingerprint: Option<String>,
}

/// Go on knowing an agent by the key that it was known by, and forget what was refused
#[derive(clap::Args)]
#[command(
    after_help = "If the server gives the other key again, it is refused again, and the agent blocked."
)]
pub(super) struct Keep {
    /// The agent: its name, or its id
    #[arg(value_name = "AGENT")]
    named: AgentRef,
}

/// Forget an agent: whatever key the server gives for it next is believed
#[derive(clap::Args)]
pub(super) struct Reset {
    /// The agent: its name, or its id
    #[arg(value_name = "AGENT")]
    named: AgentRef,
    /// Forget it without being asked, as scripts have to
    #[arg(long, short)]
    yes: bool,
}

pub(super) async fn accept(args: &Accept, client: &Client, printer: &Printer) -> Result<Exit> {
    let known = known_agents(client)?;
    let (agent, it) = expect(&known, &args.named)?;
    let nothing = || agentdrop_client::Error::Peer(PeerError::NothingToDecide(agent));
    let refused: Refused = it.refused.ok_or_else(nothing)?;
    let offered = refused.offer.shown_key(agent);
    let now = human::now();
    printer.heading(&format!("{} ({agent})", it.label()));
    printer.fields(&[
        ("known by", &it.shown_key(agent)),
        (
            "",
            &format!("{}, {}", how(&it), human::moment(it.since, now)),
        ),
        ("refused", &offered),
        (
            "",
            &format!("{}, {}", why(refused.why), human::moment(refused.at, now)),
        ),
    ]);
    match &args.fingerprint {
        Some(said) if *said == offered => {}
        Some(_) => {
            let message = format!("what was refused is {offered}, and not what was to be accepted");
            let hint = "ask the owner of the agent which key is right";
            return Err(Failure::refused("FINGERPRINT_DIFFERS", message, hint));
        }
        None => {
            let question = "Did its owner say that this is its key?";
            let unasked = "ask its owner, then name the key with `--fingerprint`";
            ask(
                printer,
                question,
                unasked,
                "it stays blocked; `agentdrop trust keep` goes on with the known key",
            )
            .await?;
        }
    }
    let accepted = known.accept(agent, &refused.offer, now)?;
    printer.json(&as_json(client, agent, &accepted)?);
    printer.bare(&offered);
    printer.done(&format!("{} is known by {offered}", it.label()));
    if accepted.native.is_some() {
        printer.note(&format!(
            "Compare it once: `agentdrop trust compare {agent}`."
        ));
    }
    Ok(Exit::Done)
}

pub(super) fn keep(args: &Keep, client: &Client, printer: &Printer) -> Result<Exit> {
    let known = known_agents(client)?;
    let (agent, _) = expect(&known, &args.named)?;
    let kept = known.keep(agent)?;
    let key = kept.shown_key(agent);
    printer.json(&as_json(client, agent, &kept)?);
    printer.bare(&key);
    printer.done(&format!("{} is still known by {key}", kept.label()));
    Ok(Exit::Done)
}

pub(super) async fn reset(args: &Reset, client: &Client, printer: &Printer) -> Result<Exit> {
    let known = known_agents(client)?;
    let (agent, it) = expect(&known, &args.named)?;
    if !args.yes {
        let question = format!(
            "Forget {} ({agent}), and believe whatever key comes next?",
            it.label()
        );
        ask(
            printer,
            &question,
            "forget it with `--yes`",
            "nothing was changed",
        )
        .await?;
    }
    known.reset(agent)?;
    printer.json(&json!({ "agent_uuid": agent, "forgotten": true }));
    printer.bare(&agent.to_string());
    printer.done(&format!("forgot {}", it.label()));
    Ok(Exit::Done)
}

async fn ask(printer: &Printer, question: &str, unasked: &str, refused: &str) -> Result<()> {
    if !printer.asks() {
        let message = "nobody can be asked";
        return Err(Failure::refused("NOT_CONFIRMED", message, unasked));
    }
    if printer.agreed(question).await? {
        return Ok(());
    }
    Err(Failure::refused(
        "NOT_CONFIRMED",
        "it was not confirmed",
        refused,
    ))
}
