//! Accounts, and what their owners do with them.

use std::io;

use agentdrop_protocol::text::Email;
use agentdrop_protocol::wire::Done;
use agentdrop_protocol::wire::accounts::{
    CreateAccount, CreatedAccount, DeleteAccount, OwnAccount, UpdateAccount,
};
use agentdrop_protocol::wire::audit::AuditLog;
use agentdrop_protocol::wire::email_verifications::ConfirmEmail;
use agentdrop_protocol::wire::password_resets::{ConfirmPasswordReset, CreatePasswordReset};
use agentdrop_protocol::wire::usage::Usage;
use agentdrop_protocol::{Cursor, LinkToken, Password};
use http::Method;

use crate::client::Client;
use crate::error::{Error, Result};
use crate::transport::{Repeat, chunk};

impl Client {
    /// Makes an account, where the server lets anyone do that, and answers its first key.
    pub async fn create_account(&self, account: CreateAccount) -> Result<CreatedAccount> {
        let transport = self.transport();
        let url = transport.server.endpoint(&["accounts"]);
        transport
            .send_json(Method::POST, url, &account, Repeat::Never)
            .await
    }

    /// Answers the account.
    pub async fn account(&self) -> Result<OwnAccount> {
        let transport = self.transport();
        transport.get(transport.server.endpoint(&["account"])).await
    }

    /// Changes the account.
    pub async fn update_account(&self, changes: UpdateAccount) -> Result<OwnAccount> {
        let transport = self.transport();
        let url = transport.server.endpoint(&["account"]);
        transport
            .send_json(Method::PATCH, url, &changes, Repeat::Never)
            .await
    }

    /// Deletes the account with everything of it, for ever.
    pub async fn delete_account(&self, password: Password) -> Result<Done> {
        let transport = self.transport();
        let url = transport.server.endpoint(&["account"]);
        let body = DeleteAccount { password };
        transport
            .send_json(Method::DELETE, url, &body, Repeat::Never)
            .await
    }

    /// Answers what the account uses of its plan.
    pub async fn usage(&self) -> Result<Usage> {
        let transport = self.transport();
        transport.get(transport.server.endpoint(&["usage"])).await
    }

    /// Answers a part of the account's audit log, newest first; behind `cursor`, if it is given.
    pub async fn audit_log(&self, limit: u32, cursor: Option<&Cursor>) -> Result<AuditLog> {
        let transport = self.transport();
        let mut url = transport.server.endpoint(&["audit"]);
        url.query_pairs_mut()
            .append_pair("limit", &limit.to_string());
        if let Some(cursor) = cursor {
            url.query_pairs_mut().append_pair("cursor", cursor.as_str());
        }
        transport.get(url).await
    }

    /// Hands everything that the server knows of the account to `sink`, as one JSON object of any
    /// size, piece by piece; answers how many bytes it has.
    pub async fn export_account(
        &self,
        mut sink: impl FnMut(&[u8]) -> io::Result<()> + Send,
    ) -> Result<u64> {
        let transport = self.transport();
        let url = transport.server.endpoint(&["account", "export"]);
        let mut response = transport.get_streamed(&url).await?;
        let mut written = 0;
        while let Some(piece) = chunk(&mut response).await? {
            sink(&piece).map_err(Error::io("write", "the export"))?;
            written += piece.len() as u64;
        }
        Ok(written)
    }

    /// Asks for another mail that shows the address to be the account's.
    pub async fn verify_email(&self) -> Result<Done> {
        let transport = self.transport();
        let url = transport.server.endpoint(&["email-verifications"]);
        transport.post_nothing(url).await
    }

    /// Shows that the address is the account's, with what was mailed to it.
    pub async fn confirm_email(&self, token: LinkToken) -> Result<Done> {
        let transport = self.transport();
        let parts = ["email-verifications", "confirm"];
        let url = transport.server.endpoint(&parts);
        let body = ConfirmEmail { token };
        transport
            .send_json(Method::POST, url, &body, Repeat::Never)
            .await
    }

    /// Asks for a mail to set a password with. The answer is the same whoever's address it is.
    pub async fn reset_password(&self, email: Email) -> Result<Done> {
        let transport = self.transport();
        let url = transport.server.endpoint(&["password-resets"]);
        let body = CreatePasswordReset { email };
        transport
            .send_json(Method::POST, url, &body, Repeat::Never)
            .await
    }

    /// Sets a password, with what was mailed. Every session ends.
    pub async fn confirm_password_reset(
        &self,
        token: LinkToken,
        password: Password,
    ) -> Result<Done> {
        let transport = self.transport();
        let parts = ["password-resets", "confirm"];
        let url = transport.server.endpoint(&parts);
        let body = ConfirmPasswordReset { token, password };
        transport
            .send_json(Method::POST, url, &body, Repeat::Never)
            .await
    }
}
