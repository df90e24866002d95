//! Pairings: which agents of connected accounts exchange files, and which way.

use agentdrop_protocol::wire::pairings::{
    ConfirmPairing, ConfirmedPairing, CreatePairing, CreatedPairing, Pairings, Permission,
    RevokedPairing, UpdatePairing, UpdatedPairing,
};
use agentdrop_protocol::{AgentRef, ConnectionId, PairingId};
use http::Method;

use crate::client::Client;
use crate::error::Result;
use crate::transport::Repeat;

impl Client {
    /// Proposes to pair an own agent with one of the connected account, which has to confirm it.
    pub async fn create_pairing(
        &self,
        connection: ConnectionId,
        mine: &AgentRef,
        theirs: &AgentRef,
        permission: Permission,
    ) -> Result<CreatedPairing> {
        let transport = self.transport();
        let parts = ["connections", &connection.to_string(), "pairings"];
        let url = transport.server.endpoint(&parts);
        let body = CreatePairing {
            my_agent_id: mine.clone(),
            their_agent_id: theirs.clone(),
            permission: Some(permission),
        };
        transport
            .send_json(Method::POST, url, &body, Repeat::Never)
            .await
    }

    /// Answers the pairings under a connection, wherever they stand, newest first.
    pub async fn pairings(&self, connection: ConnectionId) -> Result<Pairings> {
        let transport = self.transport();
        let parts = ["connections", &connection.to_string(), "pairings"];
        transport.get(transport.server.endpoint(&parts)).await
    }

    /// Agrees to a pairing, if it is what is expected: from now on its agents exchange files.
    pub async fn confirm_pairing(
        &self,
        id: PairingId,
        expected: ConfirmPairing,
    ) -> Result<ConfirmedPairing> {
        let transport = self.transport();
        let parts = ["pairings", &id.to_string(), "confirm"];
        let url = transport.server.endpoint(&parts);
        transport
            .send_json(Method::POST, url, &expected, Repeat::Never)
            .await
    }

    /// Ends a pairing; what its agents sent each other and is not fetched yet goes with it.
    ///
    /// It takes the session of a person.
    pub async fn revoke_pairing(&self, id: PairingId) -> Result<RevokedPairing> {
        let transport = self.transport();
        let url = transport.server.endpoint(&["pairings", &id.to_string()]);
        transport.delete(url).await
    }

    /// Changes which way files may go; until the other side has confirmed that, they go neither way.
    pub async fn update_pairing(
        &self,
        id: PairingId,
        permission: Permission,
    ) -> Result<UpdatedPairing> {
        let transport = self.transport();
        let url = transport.server.endpoint(&["pairings", &id.to_string()]);
        let body = UpdatePairing { permission };
        transport
            .send_json(Method::PATCH, url, &body, Repeat::Safe)
            .await
    }
}
