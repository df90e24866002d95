//! The keys by which others verify this agent: published, and exchanged for others.

use agentdrop_client::PublishedKeys;
use serde_json::json;

use crate::exit::{Exit, Failure, Result};
use crate::global::Global;
use crate::human;
use crate::printer::Printer;
use crate::profile::Profile;

/// Make the keys by which others verify this agent, and bring them to the server
#[derive(clap::Args)]
#[command(
    after_help = "It makes what is missing, and gives the server more one-time prekeys if it has few; again, it changes \
    nothing. From then on other agents of this program seal for these keys, which published clients cannot open."
)]
pub(super) struct Publish {
    /// After `KEYRING_BEHIND`: go on with the keys that are here. What was sealed for later ones, which only
    /// another copy of this identity has, cannot be opened here
    #[arg(long)]
    adopt: bool,
}

/// Give this agent another identity key, which the present one signs
#[derive(clap::Args)]
pub(super) struct Rotate {
    /// Do it without being asked, as scripts have to
    #[arg(long, short)]
    yes: bool,
}

pub(super) async fn publish(args: &Publish, global: &Global, printer: &Printer) -> Result<Exit> {
    let client = Profile::load(global)?.agent()?;
    let published = if args.adopt {
        client.adopt_keys().await?
    } else {
        client.publish_keys().await?
    };
    say(&published, "published the keys of this agent", printer);
    Ok(Exit::Done)
}

pub(super) async fn rotate(args: &Rotate, global: &Global, printer: &Printer) -> Result<Exit> {
    let client = Profile::load(global)?.agent()?;
    if !args.yes {
        let question = "Give this agent another identity key, for good?";
        if !printer.asks() || !printer.agreed(question).await? {
            let message = "the identity key was not changed";
            let hint = "answer the question with yes, or give `--yes`";
            return Err(Failure::refused("NOT_CONFIRMED", message, hint));
        }
    }
    let published = client.rotate_identity().await?;
    say(&published, "this agent has another identity key", printer);
    printer.note(
        "Agents that know this one need not be told: the old key signed the new one, and they are shown that it \
         changed. Tell those who wrote the fingerprint down, or compared it and mean to again.",
    );
    Ok(Exit::Done)
}

fn say(published: &PublishedKeys, what: &str, printer: &Printer) {
    let fingerprint = published.fingerprint.to_string();
    printer.json(&json!({
        "key_fingerprint": fingerprint,
        "version": published.version,
        "prekeys_left": published.prekeys,
    }));
    printer.bare(&fingerprint);
    printer.done(what);
    let prekeys = usize::try_from(published.prekeys).unwrap_or(usize::MAX);
    printer.fields(&[
        ("fingerprint", &fingerprint),
        ("version", &published.version.to_string()),
        ("prekeys", &human::count(prekeys, "one-time key")),
    ]);
}
