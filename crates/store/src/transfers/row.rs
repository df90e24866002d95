//! A transfer's row, as it is read.

use agentdrop_domain::transfers::{Recipient, Sealing, Sender, Transfer};

use crate::db::Row;
use crate::{Error, Result};

macro_rules! columns {
    () => {
        "id, mode, sender_account_id, sender_agent_id, sender_label, sender_key_id,
         recipient_account_id, recipient_agent_id, recipient_label, sealing, wrapped_key, details,
         (SELECT accounts.id FROM accounts
          WHERE accounts.email_folded = transfers.recipient_email_folded
            AND accounts.email_verified_at IS NOT NULL) AS person_account_id,
         files, auto_delete, max_downloads, downloads, status, bytes_until, created_at,
         announced, expires_at, deleted_at"
    };
}
pub(crate) use columns;

pub(crate) fn transfer(row: &Row<'_>) -> Result<Transfer> {
    let sealing: Option<String> = row.get("sealing")?;
    let sealing = sealing
        .map(|it| serde_json::from_str::<Sealing>(&it))
        .transpose();
    Ok(Transfer {
        id: row.parse("id")?,
        mode: row.parse("mode")?,
        sender: Sender {
            account: row.parse("sender_account_id")?,
            agent: row.parse_optional("sender_agent_id")?,
            label: row.parse("sender_label")?,
            credential: row.parse("sender_key_id")?,
        },
        recipient: recipient(row)?,
        sealing: sealing.map_err(|it| Error::column("sealing", it))?,
        wrapped_key: row.get("wrapped_key")?,
        details: row.get("details")?,
        files: row.json("files")?,
        auto_delete: row.get("auto_delete")?,
        max_downloads: row.number("max_downloads")?,
        downloads: row.number("downloads")?,
        status: row.parse("status")?,
        bytes_until: row.time_optional("bytes_until")?,
        created_at: row.time("created_at")?,
        announced: row.get("announced")?,
        expires_at: row.time("expires_at")?,
        deleted_at: row.time_optional("deleted_at")?,
    })
}

fn recipient(row: &Row<'_>) -> Result<Recipient> {
    Ok(match row.parse_optional("recipient_agent_id")? {
        Some(agent) => Recipient::Agent {
            account: row.parse("recipient_account_id")?,
            agent,
            label: row.get("recipient_label")?,
        },
        None => Recipient::Person {
            email: row.parse("recipient_label")?,
            account: row.parse_optional("person_account_id")?,
        },
    })
}
