//! Accounts that the account wants nothing to do with.

use agentdrop_protocol::wire::blocks::{BlockedAccount, Blocks, UnblockedAccount};
use agentdrop_protocol::{BlockId, ConnectionId};

use crate::client::Client;
use crate::error::Result;

impl Client {
    /// Blocks the account on the other side of a connection or an invitation, which ends with that.
    pub async fn block(&self, connection: ConnectionId) -> Result<BlockedAccount> {
        let transport = self.transport();
        let parts = ["connections", &connection.to_string(), "block"];
        transport
            .post_nothing(transport.server.endpoint(&parts))
            .await
    }

    /// Answers the accounts that are blocked.
    pub async fn blocks(&self) -> Result<Blocks> {
        let transport = self.transport();
        transport.get(transport.server.endpoint(&["blocked"])).await
    }

    /// Takes a block back; what ended with it stays over.
    pub async fn unblock(&self, id: BlockId) -> Result<UnblockedAccount> {
        let transport = self.transport();
        transport
            .delete(transport.server.endpoint(&["blocked", &id.to_string()]))
            .await
    }
}
