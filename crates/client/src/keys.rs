//! API keys, of the account and of its agents.

use agentdrop_protocol::text::Name;
use agentdrop_protocol::wire::keys::{CreateAgentKey, CreateKey, CreatedKey, Keys, RevokedKey};
use agentdrop_protocol::{AgentRef, KeyId};
use http::Method;

use crate::client::Client;
use crate::error::Result;
use crate::transport::Repeat;

impl Client {
    /// Makes a key of the account.
    pub async fn create_key(&self, name: Name) -> Result<CreatedKey> {
        let transport = self.transport();
        let url = transport.server.endpoint(&["api-keys"]);
        transport
            .send_json(Method::POST, url, &CreateKey { name }, Repeat::Never)
            .await
    }

    /// Answers the keys of the account.
    pub async fn keys(&self) -> Result<Keys> {
        let transport = self.transport();
        transport
            .get(transport.server.endpoint(&["api-keys"]))
            .await
    }

    /// Makes a key of the account work no more.
    pub async fn revoke_key(&self, key: KeyId) -> Result<RevokedKey> {
        let transport = self.transport();
        let url = transport.server.endpoint(&["api-keys", &key.to_string()]);
        transport.delete(url).await
    }

    /// Makes a key with which one agent acts, and nothing else can be done.
    pub async fn create_agent_key(
        &self,
        agent: &AgentRef,
        name: Option<Name>,
    ) -> Result<CreatedKey> {
        let transport = self.transport();
        let url = transport
            .server
            .endpoint(&["agents", &agent.to_string(), "keys"]);
        transport
            .send_json(Method::POST, url, &CreateAgentKey { name }, Repeat::Never)
            .await
    }

    /// Answers the keys of one agent.
    pub async fn agent_keys(&self, agent: &AgentRef) -> Result<Keys> {
        let transport = self.transport();
        let url = transport
            .server
            .endpoint(&["agents", &agent.to_string(), "keys"]);
        transport.get(url).await
    }

    /// Makes a key of one agent work no more.
    pub async fn revoke_agent_key(&self, agent: &AgentRef, key: KeyId) -> Result<RevokedKey> {
        let transport = self.transport();
        let parts = ["agents", &agent.to_string(), "keys", &key.to_string()];
        transport.delete(transport.server.endpoint(&parts)).await
    }
}
