//! Sessions of people.

use agentdrop_protocol::text::Email;
use agentdrop_protocol::wire::sessions::{CreateSession, CreatedSession, EndedSession, Sessions};
use agentdrop_protocol::{Password, SessionId};
use http::Method;

use crate::client::Client;
use crate::error::Result;
use crate::transport::Repeat;

impl Client {
    /// Signs in as the owner of an account.
    pub async fn sign_in(&self, email: Email, password: Password) -> Result<CreatedSession> {
        let transport = self.transport();
        let url = transport.server.endpoint(&["sessions"]);
        let body = CreateSession { email, password };
        transport
            .send_json(Method::POST, url, &body, Repeat::Never)
            .await
    }

    /// Ends the session that this client calls with.
    pub async fn sign_out(&self) -> Result<EndedSession> {
        let transport = self.transport();
        let url = transport.server.endpoint(&["sessions", "current"]);
        transport.delete(url).await
    }

    /// Answers the sessions of the account.
    pub async fn sessions(&self) -> Result<Sessions> {
        let transport = self.transport();
        transport
            .get(transport.server.endpoint(&["sessions"]))
            .await
    }

    /// Ends a session of the account.
    pub async fn end_session(&self, id: SessionId) -> Result<EndedSession> {
        let transport = self.transport();
        let url = transport.server.endpoint(&["sessions", &id.to_string()]);
        transport.delete(url).await
    }
}
