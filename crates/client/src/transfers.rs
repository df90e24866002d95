//! Transfers that were sent.

use agentdrop_protocol::text::Reason;
use agentdrop_protocol::wire::transfers::{
    Acknowledge, DeletedTransfer, Delivery, DeliveryStatus, Transfer, TransferStatus, Transfers,
};
use agentdrop_protocol::{Cursor, DownloadId, SignedStatement, TransferId};
use http::Method;
use reqwest::Url;

use crate::client::Client;
use crate::error::{Error, Result};
use crate::transport::Repeat;

/// Which part of a list is asked for; all of it is the server's choice of a page, from the newest on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Page {
    status: Option<TransferStatus>,
    limit: Option<u32>,
    offset: u32,
    cursor: Option<Cursor>,
}

impl Page {
    /// Only transfers that stand here.
    pub fn status(mut self, status: TransferStatus) -> Self {
        self.status = Some(status);
        self
    }

    /// At most so many.
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Passes over so many.
    pub fn offset(mut self, offset: u32) -> Self {
        self.offset = offset;
        self
    }

    /// Behind the page whose `next_cursor` this is, whatever came in meanwhile; in place of an
    /// offset.
    pub fn cursor(mut self, cursor: Cursor) -> Self {
        self.cursor = Some(cursor);
        self
    }

    pub(crate) fn write_to(self, url: &mut Url) {
        let mut query = url.query_pairs_mut();
        if let Some(status) = self.status {
            query.append_pair("status", status.as_str());
        }
        if let Some(limit) = self.limit {
            query.append_pair("limit", &limit.to_string());
        }
        match self.cursor {
            Some(cursor) => query.append_pair("cursor", cursor.as_str()),
            None => query.append_pair("offset", &self.offset.to_string()),
        };
    }
}

impl Client {
    /// Answers transfers that the account sent, newest first.
    pub async fn transfers(&self, page: Page) -> Result<Transfers> {
        let transport = self.transport();
        let mut url = transport.server.endpoint(&["transfers"]);
        page.write_to(&mut url);
        transport.get(url).await
    }

    /// Answers a transfer, sent or received.
    pub async fn transfer(&self, id: TransferId) -> Result<Transfer> {
        let transport = self.transport();
        let url = transport.server.endpoint(&["transfers", &id.to_string()]);
        let found: Transfer = transport.get(url).await?;
        // Whoever goes on with the id in the answer would receive what was not asked for.
        if found.id != id {
            return Err(Error::Answer("it is about another transfer".to_owned()));
        }
        Ok(found)
    }

    /// Deletes a transfer; its files are gone at once.
    pub async fn delete_transfer(&self, id: TransferId) -> Result<DeletedTransfer> {
        let transport = self.transport();
        transport
            .delete(transport.server.endpoint(&["transfers", &id.to_string()]))
            .await
    }

    /// Tells the sender how a delivery ended. What was told first stands, and is answered.
    pub async fn acknowledge(
        &self,
        id: TransferId,
        download_id: DownloadId,
        status: DeliveryStatus,
        reason: Option<Reason>,
    ) -> Result<Delivery> {
        let body = Acknowledge {
            download_id,
            status,
            reason,
            receipt: None,
        };
        self.acknowledge_as(id, &body).await
    }

    /// The same, with what the recipient signed.
    pub(crate) async fn acknowledge_with(
        &self,
        id: TransferId,
        download_id: DownloadId,
        status: DeliveryStatus,
        receipt: Option<SignedStatement>,
    ) -> Result<Delivery> {
        let body = Acknowledge {
            download_id,
            status,
            reason: None,
            receipt,
        };
        self.acknowledge_as(id, &body).await
    }

    async fn acknowledge_as(&self, id: TransferId, body: &Acknowledge) -> Result<Delivery> {
        let transport = self.transport();
        let parts = ["transfers", &id.to_string(), "ack"];
        let url = transport.server.endpoint(&parts);
        transport
            .send_json(Method::POST, url, body, Repeat::Safe)
            .await
    }
}
