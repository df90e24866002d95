//! `agentdrop pair`: proposes that two agents exchange files.

use agentdrop_protocol::wire::pairings::Permission;
use agentdrop_protocol::{AgentRef, ConnectionId};

use super::pairings::way;
use super::trust::pairing::{Fingerprints, own_agent};
use crate::exit::{Exit, Result};
use crate::global::Global;
use crate::printer::Printer;
use crate::profile::Profile;

/// Propose to pair an own agent with one of a connected account
#[derive(clap::Args)]
#[command(
    after_help = "The other account has to confirm it before files can be sent. It takes a key of the account, \
    or that of the own agent."
)]
pub(crate) struct Args {
    /// The connection, as `agentdrop connections` lists it
    connection: ConnectionId,
    /// The own agent: its name, or its id
    #[arg(value_name = "MY_AGENT")]
    mine: AgentRef,
    /// The other account's, as `agentdrop connections agents` lists it: its name, or its id
    #[arg(value_name = "THEIR_AGENT")]
    theirs: AgentRef,
    #[command(flatten)]
    ways: Ways,
}

/// Which way files may go.
#[derive(clap::Args)]
#[group(multiple = false)]
pub(crate) struct Ways {
    /// Files go both ways
    #[arg(long)]
    both: bool,
    /// Files go from the own agent to the other only
    #[arg(long)]
    send_only: bool,
    /// Files go from the other agent to the own only
    #[arg(long)]
    receive_only: bool,
}

impl Ways {
    /// Whether anything was said.
    pub(crate) const fn is_said(&self) -> bool {
        self.both || self.send_only || self.receive_only
    }

    /// Which way that is; both, if nothing was said.
    pub(crate) const fn permission(&self) -> Permission {
        match (self.send_only, self.receive_only) {
            (true, _) => Permission::SendOnly,
            (false, true) => Permission::ReceiveOnly,
            (false, false) => Permission::Both,
        }
    }
}

/// Proposes a pairing.
pub(crate) async fn run(args: &Args, global: &Global, printer: &Printer) -> Result<Exit> {
    let client = Profile::load(global)?.caller()?.client;
    let permission = args.ways.permission();
    let proposed = client
        .create_pairing(args.connection, &args.mine, &args.theirs, permission)
        .await?;
    let (id, mine, theirs) = (
        proposed.id.to_string(),
        &proposed.my_agent.agent_id,
        &proposed.their_agent.agent_id,
    );
    printer.json(&proposed);
    printer.bare(&id);
    printer.done(&format!("proposed to pair {mine} with their {theirs}"));
    let own = own_agent(global, proposed.my_agent.id);
    let keys = Fingerprints::of(own.as_ref(), &proposed.my_agent, &proposed.their_agent)?;
    let (files, keys_shown) = (way(proposed.permission, mine, theirs), keys.fields());
    let mut fields = vec![("pairing", &*id), ("files", &files)];
    fields.extend(keys_shown.iter().map(|(name, it)| (*name, &**it)));
    printer.fields(&fields);
    keys.warn(printer);
    printer.note(&format!("They agree to it with `agentdrop confirm {id}`."));
    Ok(Exit::Done)
}
