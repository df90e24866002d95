//! Channels between two agents.

use agentdrop_protocol::wire::Done;
use agentdrop_protocol::wire::channels::{Channel, Channels, CreateChannel, CreatedChannel};
use agentdrop_protocol::{AgentRef, ChannelId};
use http::Method;

use crate::client::Client;
use crate::error::Result;
use crate::transport::Repeat;

impl Client {
    /// Asks for a channel between an own agent and another; one that exists is answered.
    pub async fn create_channel(
        &self,
        mine: &AgentRef,
        other: &AgentRef,
    ) -> Result<CreatedChannel> {
        let transport = self.transport();
        let url = transport.server.endpoint(&["channels"]);
        let body = CreateChannel {
            agent_id: mine.clone(),
            target_agent_id: other.clone(),
        };
        transport
            .send_json(Method::POST, url, &body, Repeat::Safe)
            .await
    }

    /// Answers the channels of the agent, or of all agents of the account.
    pub async fn channels(&self) -> Result<Channels> {
        let transport = self.transport();
        transport
            .get(transport.server.endpoint(&["channels"]))
            .await
    }

    /// Answers a channel.
    pub async fn channel(&self, id: ChannelId) -> Result<Channel> {
        let transport = self.transport();
        transport
            .get(transport.server.endpoint(&["channels", &id.to_string()]))
            .await
    }

    /// Ends a channel. What was sent over it can still be opened.
    pub async fn revoke_channel(&self, id: ChannelId) -> Result<Done> {
        let transport = self.transport();
        transport
            .delete(transport.server.endpoint(&["channels", &id.to_string()]))
            .await
    }
}
