//! Grants to download a transfer.

use agentdrop_protocol::TransferId;
use agentdrop_protocol::wire::downloads::Download;

use crate::client::Client;
use crate::error::Result;

impl Client {
    /// Takes one of the downloads that a transfer allows, and answers where its files are.
    ///
    /// Nothing in the answer is checked. [`receive`](Self::receive) asks for a grant itself, and checks it.
    pub async fn download(&self, id: TransferId) -> Result<Download> {
        let transport = self.transport();
        let url = transport
            .server
            .endpoint(&["transfers", &id.to_string(), "download"]);
        transport.get_once(url).await
    }
}
