//! What was sent to an agent.

use agentdrop_protocol::AgentRef;
use agentdrop_protocol::wire::inbox::Inbox;

use crate::client::Client;
use crate::error::Result;
use crate::transfers::Page;

impl Client {
    /// Answers what was sent to this agent, or to all agents of the account; newest first.
    pub async fn inbox(&self, page: Page) -> Result<Inbox> {
        let transport = self.transport();
        let mut url = transport.server.endpoint(&["transfers", "inbox"]);
        page.write_to(&mut url);
        transport.get(url).await
    }

    /// Answers what was sent to one agent; newest first.
    pub async fn agent_inbox(&self, agent: &AgentRef, page: Page) -> Result<Inbox> {
        let transport = self.transport();
        let mut url = transport
            .server
            .endpoint(&["agents", &agent.to_string(), "inbox"]);
        page.write_to(&mut url);
        transport.get(url).await
    }
}
