//! What two people compare before their agents are paired.

use agentdrop_client::{Client, Comparison};
use agentdrop_protocol::AgentId;
use agentdrop_protocol::wire::pairings::PairedAgent;

use super::compare::rows;
use crate::exit::Result;
use crate::global::Global;
use crate::printer::Printer;
use crate::profile::Profile;

/// A client that is the own agent of a pairing, if its identity is here.
pub(crate) fn own_agent(global: &Global, mine: AgentId) -> Option<Client> {
    let client = Profile::load(global).ok()?.agent().ok();
    client.filter(|it| it.is_me(mine))
}

/// What the two agents are known by, as the server says of theirs, and as is known here of the own.
pub(crate) struct Fingerprints {
    theirs: Option<String>,
    mine: Option<String>,
    pair: Option<Comparison>,
    /// Whether the server shows another key of the own agent than it has.
    mine_differs: bool,
}

impl Fingerprints {
    pub(crate) fn of(
        own: Option<&Client>,
        mine: &PairedAgent,
        theirs: &PairedAgent,
    ) -> Result<Self> {
        let pair = match (own, &theirs.key_fingerprint) {
            (Some(own), Some(theirs)) => own.comparison_with(theirs)?,
            _ => None,
        };
        let here = own.map(Client::own_keys).transpose()?.flatten();
        let here = here.map(|it| it.fingerprint.to_string());
        Ok(Self {
            theirs: theirs.key_fingerprint.clone(),
            mine_differs: here.is_some() && here != mine.key_fingerprint,
            mine: here.or_else(|| mine.key_fingerprint.clone()),
            pair,
        })
    }

    /// What there is of them, to be shown.
    pub(crate) fn fields(&self) -> Vec<(&'static str, String)> {
        let digits = self.pair.as_ref().map(|it| rows(&it.digits, 4));
        let fields = [
            ("their fingerprint", self.theirs.clone()),
            ("your fingerprint", self.mine.clone()),
            ("digits", digits),
        ];
        let there = fields.into_iter();
        there
            .filter_map(|(name, it)| it.map(|it| (name, it)))
            .collect()
    }

    /// Sixty digits for both, where the own agent is here.
    pub(crate) fn digits(&self) -> Option<&str> {
        self.pair.as_ref().map(|it| &*it.digits)
    }

    /// What the server said of the other agent.
    pub(crate) fn theirs(&self) -> Option<&str> {
        self.theirs.as_deref()
    }

    /// What should be seen to.
    pub(crate) fn warn(&self, printer: &Printer) {
        if self.mine_differs {
            let message = "the server shows another key for your agent than it has here";
            let hint =
                "what the other side sees is not yours: `agentdrop doctor` looks at the keys here";
            printer.warning(message, hint);
        }
    }
}
