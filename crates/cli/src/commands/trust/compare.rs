//! What two people compare, and that they did.

use agentdrop_client::error::ConfigError;
use agentdrop_client::trust::KnownAgents;
use agentdrop_client::{Client, Comparison, Error};
use agentdrop_protocol::{AgentId, AgentRef};
use serde_json::json;

use super::list::as_json;
use super::named::{expect, find, known_agents};
use crate::exit::{Exit, Failure, Result};
use crate::printer::Printer;

/// Show what to compare with the owner of an agent, and remember that it was the same
#[derive(clap::Args)]
#[command(
    after_help = "Compare the digits, or the words, in another way than through this server: read them to each other \
    on the telephone, or hold one screen to the other. They are the same on both sides, or somebody is in between."
)]
pub(super) struct Args {
    /// The agent: its name, or its id
    #[arg(value_name = "AGENT")]
    named: AgentRef,
    /// Whose agent it is, if several go by its name: the account's e-mail address, id or name
    #[arg(long)]
    account: Option<String>,
    /// They were compared, and are the same: do not ask
    #[arg(long, short)]
    yes: bool,
}

pub(super) async fn run(args: &Args, client: &Client, printer: &Printer) -> Result<Exit> {
    let known = known_agents(client)?;
    let (agent, label) = which(args, client, &known).await?;
    if client.is_me(agent) {
        let message = "that is this agent itself";
        let hint = "`agentdrop whoami` shows its fingerprint";
        return Err(Failure::refused("OWN_AGENT", message, hint));
    }
    // What is compared is what the server gives now, or the blockade of that.
    if client.look_at(agent, &label).await?.is_none() {
        known.expect_not_native(agent)?;
        let message = format!("{label} has no signed keys that could be compared");
        let hint = "its owner makes them with `agentdrop keys publish`";
        return Err(Failure::refused("NO_KEYS_TO_COMPARE", message, hint));
    }
    let (_, met) = expect(&known, &AgentRef::Id(agent))?;
    let theirs = met.native.map(|it| it.fingerprint(agent));
    let pair = theirs
        .map(|it| client.comparison(it))
        .transpose()?
        .flatten();
    let pair = pair.ok_or_else(|| Error::from(ConfigError::NoKeys))?;
    show(&pair, &label, printer);
    if !args.yes {
        ask(printer).await?;
    }
    let compared = known.compared(agent, &pair.theirs)?;
    let mut said = as_json(client, agent, &compared)?;
    said["words"] = json!(pair.words);
    printer.json(&said);
    printer.bare(&pair.digits);
    printer.done(&format!("{label} is known by this key, which was compared"));
    Ok(Exit::Done)
}

/// The agent that is meant; where none is known by that name, the one that the server knows.
async fn which(args: &Args, client: &Client, known: &KnownAgents) -> Result<(AgentId, String)> {
    let is_said = args.account.is_some();
    if !is_said && let Some((id, known)) = find(known, &args.named)? {
        return Ok((id, known.label()));
    }
    let resolved = client.resolve(&args.named, args.account.as_deref()).await?;
    Ok((resolved.id, resolved.agent_id.to_string()))
}

/// What is to be the same on both sides.
fn show(pair: &Comparison, label: &str, printer: &Printer) {
    printer.heading(&format!("This agent and {label}"));
    let (digits, words) = (rows(&pair.digits, 4), rows(&pair.words, 6));
    printer.fields(&[
        ("this agent", &pair.mine.to_string()),
        (label, &pair.theirs.to_string()),
        ("digits", &digits),
        ("or words", &words),
    ]);
}

/// So many words a line.
pub(super) fn rows(text: &str, words: usize) -> String {
    let all: Vec<&str> = text.split(' ').collect();
    let rows = all.chunks(words).map(|it| it.join(" "));
    rows.collect::<Vec<_>>().join("\n")
}

async fn ask(printer: &Printer) -> Result<()> {
    if !printer.asks() {
        return Err(Failure::refused(
            "NOT_CONFIRMED",
            "nobody can be asked whether it is the same on both sides",
            "compare it with the owner of that agent, then say so with `--yes`",
        ));
    }
    if printer.agreed("Is it the same on both sides?").await? {
        return Ok(());
    }
    Err(Failure::refused(
        "NOT_CONFIRMED",
        "it was not said to be the same on both sides",
        "if it differs, do not send or receive: somebody may be in between",
    ))
}
