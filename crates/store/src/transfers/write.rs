//! Transfers, written down.

use agentdrop_domain::transfers::{Recipient, Transfer};
use agentdrop_protocol::Timestamp;
use agentdrop_protocol::text::Email;

use crate::columns::count;
use crate::db::params;
use crate::{Error, Result, Tx};

impl Tx {
    /// Writes a new transfer down.
    ///
    /// Its agents are to be kept first ([`Tx::keep_agent_of`]): should one have been deleted in
    /// the meantime, this fails.
    pub async fn insert_transfer(&mut self, transfer: &Transfer) -> Result<()> {
        let it = transfer;
        // Of a person's account nothing is written down: it is whoever has the address.
        let (account, address) = match &it.recipient {
            Recipient::Agent { account, .. } => (Some(account.to_string()), None),
            Recipient::Person { email, .. } => (None, Some(email.folded())),
        };
        self.execute(
            "INSERT INTO transfers (id, mode, sender_account_id, sender_agent_id, sender_label,
                 sender_key_id, recipient_account_id, recipient_agent_id, recipient_label,
                 recipient_email_folded, sealing, wrapped_key, details, files, total_size,
                 auto_delete, max_downloads, downloads, status, bytes_until, created_at,
                 announced, expires_at, deleted_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
                 $18, $19, $20, $21, $22, $23, $24)",
            params![
                &it.id.to_string(),
                it.mode.as_str(),
                &it.sender.account.to_string(),
                it.sender.agent.map(|it| it.to_string()).as_ref(),
                it.sender.label.as_str(),
                &it.sender.credential.to_string(),
                account.as_ref(),
                it.recipient.agent().map(|it| it.to_string()).as_ref(),
                it.recipient.label(),
                address.as_ref().map(Email::as_str),
                it.sealing.as_ref().map(to_json).transpose()?.as_ref(),
                &it.wrapped_key,
                &it.details,
                &to_json(&it.files)?,
                count(it.total_size()),
                it.auto_delete,
                it.max_downloads,
                it.downloads,
                it.status.as_str(),
                it.bytes_until.map(Timestamp::as_millis),
                it.created_at.as_millis(),
                it.announced,
                it.expires_at.as_millis(),
                it.deleted_at.map(Timestamp::as_millis),
            ],
        )
        .await?;
        Ok(())
    }

    /// Writes down that what a transfer holds is encrypted in another way, and where it stands now.
    /// Of the key before nothing is left.
    pub async fn update_transfer_contents(&mut self, transfer: &Transfer) -> Result<()> {
        let it = transfer;
        self.execute(
            "UPDATE transfers SET sealing = $1, wrapped_key = $2, details = $3, files = $4,
                                  total_size = $5
             WHERE id = $6",
            params![
                it.sealing.as_ref().map(to_json).transpose()?.as_ref(),
                &it.wrapped_key,
                &it.details,
                &to_json(&it.files)?,
                count(it.total_size()),
                &it.id.to_string(),
            ],
        )
        .await?;
        self.update_transfer(transfer).await
    }

    /// Writes down where a transfer stands now.
    pub async fn update_transfer(&mut self, transfer: &Transfer) -> Result<()> {
        self.execute(
            "UPDATE transfers SET downloads = $1, status = $2, bytes_until = $3,
                                  announced = $4, deleted_at = $5
             WHERE id = $6",
            params![
                transfer.downloads,
                transfer.status.as_str(),
                transfer.bytes_until.map(Timestamp::as_millis),
                transfer.announced,
                transfer.deleted_at.map(Timestamp::as_millis),
                &transfer.id.to_string(),
            ],
        )
        .await?;
        Ok(())
    }
}

fn to_json(it: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(it).map_err(|it| Error::column("json", it))
}
