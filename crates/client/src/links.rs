//! Mailed links by which people open what they were sent.

use agentdrop_protocol::LinkToken;
use agentdrop_protocol::wire::Done;
use agentdrop_protocol::wire::downloads::Download;
use agentdrop_protocol::wire::links::Link;
use agentdrop_protocol::wire::transfers::{Acknowledge, Delivery};
use http::Method;
use reqwest::Url;

use crate::client::Client;
use crate::error::Result;
use crate::transport::Repeat;

impl Client {
    /// Answers where a link leads to, and what is to be done next. It takes no download.
    pub async fn link(&self, token: &LinkToken) -> Result<Link> {
        self.transport().get(self.link_url(token, &[])).await
    }

    /// Shows, in a session, that whoever reads the mail is whom it was for.
    pub async fn verify_link(&self, token: &LinkToken) -> Result<Done> {
        let url = self.link_url(token, &["verify"]);
        self.transport().post_nothing(url).await
    }

    /// Takes one of the downloads that the link's transfer allows. Nothing in the answer is checked.
    pub(crate) async fn download_link(&self, token: &LinkToken) -> Result<Download> {
        let url = self.link_url(token, &["downloads"]);
        self.transport().post_nothing(url).await
    }

    pub(crate) async fn acknowledge_link(
        &self,
        token: &LinkToken,
        body: &Acknowledge,
    ) -> Result<Delivery> {
        let url = self.link_url(token, &["ack"]);
        let transport = self.transport();
        transport
            .send_json(Method::POST, url, body, Repeat::Safe)
            .await
    }

    fn link_url(&self, token: &LinkToken, more: &[&str]) -> Url {
        let parts = [&["d", token.as_key().expose_secret()], more].concat();
        self.transport().server.endpoint(&parts)
    }
}
