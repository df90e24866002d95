//! Connections between accounts.

use agentdrop_protocol::ConnectionId;
use agentdrop_protocol::text::{Email, InviteMessage};
use agentdrop_protocol::wire::connections::{
    AcceptedConnection, ConnectionAgents, ConnectionFilter, Connections, CreateConnection,
    CreatedConnection, RejectedConnection, RevokedConnection,
};
use http::Method;

use crate::client::Client;
use crate::error::Result;
use crate::transport::Repeat;

impl Client {
    /// Invites an account to be connected; it is found, or waited for, by its e-mail address.
    pub async fn create_connection(
        &self,
        email: Email,
        message: Option<InviteMessage>,
    ) -> Result<CreatedConnection> {
        let transport = self.transport();
        let url = transport.server.endpoint(&["connections"]);
        let body = CreateConnection { email, message };
        transport
            .send_json(Method::POST, url, &body, Repeat::Never)
            .await
    }

    /// Answers the connections of the account, and the invitations that it sent and was sent.
    pub async fn connections(&self, filter: ConnectionFilter) -> Result<Connections> {
        let transport = self.transport();
        let mut url = transport.server.endpoint(&["connections"]);
        url.query_pairs_mut().append_pair("status", filter.as_str());
        transport.get(url).await
    }

    /// Takes an invitation up.
    pub async fn accept_connection(&self, id: ConnectionId) -> Result<AcceptedConnection> {
        let transport = self.transport();
        let parts = ["connections", &id.to_string(), "accept"];
        transport
            .post_nothing(transport.server.endpoint(&parts))
            .await
    }

    /// Turns an invitation down; whoever sent it is not told.
    pub async fn reject_connection(&self, id: ConnectionId) -> Result<RejectedConnection> {
        let transport = self.transport();
        let parts = ["connections", &id.to_string(), "reject"];
        transport
            .post_nothing(transport.server.endpoint(&parts))
            .await
    }

    /// Ends a connection with all its pairings, or takes an invitation back.
    pub async fn revoke_connection(&self, id: ConnectionId) -> Result<RevokedConnection> {
        let transport = self.transport();
        let url = transport.server.endpoint(&["connections", &id.to_string()]);
        transport.delete(url).await
    }

    /// Answers the agents of the other account that may be paired.
    pub async fn connection_agents(&self, id: ConnectionId) -> Result<ConnectionAgents> {
        let transport = self.transport();
        let parts = ["connections", &id.to_string(), "agents"];
        transport.get(transport.server.endpoint(&parts)).await
    }
}
