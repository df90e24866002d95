//! Accounts.

use agentdrop_protocol::text::{Email, Name};
use agentdrop_protocol::wire::accounts::{CreateAccount, CreatedAccount};
use http::Method;

use crate::client::Client;
use crate::error::Result;
use crate::transport::Repeat;

impl Client {
    /// Makes an account, where the server lets anyone do that, and answers its first key.
    pub async fn create_account(&self, name: Name, email: Email) -> Result<CreatedAccount> {
        let transport = self.transport();
        let url = transport.server.endpoint(&["accounts"]);
        let body = CreateAccount {
            name,
            email,
            password: None,
        };
        transport
            .send_json(Method::POST, url, &body, Repeat::Never)
            .await
    }
}
