//! Who sends a transfer, and who receives it.

use agentdrop_protocol::text::{Email, Label};
use agentdrop_protocol::{AccountId, AgentId};

use crate::Credential;
use crate::downloads::Download;

/// Who sent a transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// The account.
    pub account: AccountId,
    /// The agent, if an agent did.
    pub agent: Option<AgentId>,
    /// What it calls itself.
    pub label: Label,
    /// What it was sent with.
    pub credential: Credential,
}

/// Who receives a transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recipient {
    /// An agent.
    Agent {
        /// Its account.
        account: AccountId,
        /// The agent.
        agent: AgentId,
        /// What it was called at that time.
        label: String,
    },
    /// Whoever an address belongs to.
    Person {
        /// The address, as the sender spelled it.
        email: Email,
        /// The account whose address it is known to be. Nobody's, as long as it is only said to be
        /// theirs: else whoever signs up with another's address would see what is sent there.
        account: Option<AccountId>,
    },
}

impl Recipient {
    /// The account that receives it, if there is one yet.
    pub const fn account(&self) -> Option<AccountId> {
        match self {
            Self::Agent { account, .. } => Some(*account),
            Self::Person { account, .. } => *account,
        }
    }

    /// The agent that receives it, if an agent does.
    pub const fn agent(&self) -> Option<AgentId> {
        match self {
            Self::Agent { agent, .. } => Some(*agent),
            Self::Person { .. } => None,
        }
    }

    /// Whether a download is its own, and not the sender's.
    ///
    /// An agent's may be taken by its account, and a person's by whichever of their agents acts.
    pub fn took(&self, download: &Download) -> bool {
        let by_agent = match self {
            Self::Agent { agent, .. } => download.agent.is_none_or(|it| it == *agent),
            Self::Person { .. } => true,
        };
        self.account() == Some(download.account) && by_agent
    }

    /// What it is called: an agent's name, or an address.
    pub fn label(&self) -> &str {
        match self {
            Self::Agent { label, .. } => label,
            Self::Person { email, .. } => email.as_str(),
        }
    }
}
