//! Grants at rest.

use agentdrop_domain::downloads::{Download, Outcome};
use agentdrop_protocol::text::Reason;
use agentdrop_protocol::wire::transfers::DeliveryStatus;
use agentdrop_protocol::{AccountId, DownloadId, FileId, SignedStatement, TransferId};

use crate::bundles::signed;
use crate::db::{Row, holding, params};
use crate::transfers::is_of;
use crate::{Reader, Result, Tx};

macro_rules! columns {
    () => {
        "id, transfer_id, account_id, agent_id, granted_at, expires_at, outcome, reason, ended_at,
         receipt"
    };
}

impl Reader {
    /// The grant `id`. Its address is signed, so whoever asks has been let in.
    pub async fn download(&mut self, id: DownloadId) -> Result<Option<Download>> {
        self.fetch_optional(
            concat!("SELECT ", columns!(), " FROM downloads WHERE id = $1"),
            params![&id.to_string()],
            download,
        )
        .await
    }

    /// The grants of a transfer that `owner` sent or receives and that have ended, newest first.
    pub async fn ended_downloads_of(
        &mut self,
        owner: AccountId,
        transfer: TransferId,
    ) -> Result<Vec<Download>> {
        self.fetch_all(
            concat!(
                "SELECT ",
                columns!(),
                " FROM downloads
                 WHERE transfer_id = $2 AND outcome IS NOT NULL
                   AND EXISTS (SELECT 1 FROM transfers WHERE transfers.id = $2 AND ",
                is_of!(),
                ")
                 ORDER BY ended_at DESC, id DESC"
            ),
            params![&owner.to_string(), &transfer.to_string()],
            download,
        )
        .await
    }
}

impl Tx {
    /// The grant `id` for `transfer` that `owner` got, held until this unit of work ends.
    ///
    /// Hold the transfer first: so does deleting it, and two who lock the same rows in another
    /// order wait for each other.
    pub async fn hold_download_of(
        &mut self,
        owner: AccountId,
        transfer: TransferId,
        id: DownloadId,
    ) -> Result<Option<Download>> {
        let sql = holding!(
            self,
            concat!(
                "SELECT ",
                columns!(),
                " FROM downloads WHERE account_id = $1 AND transfer_id = $2 AND id = $3"
            )
        );
        let (owner, transfer, id) = (owner.to_string(), transfer.to_string(), id.to_string());
        self.fetch_optional(sql, params![&owner, &transfer, &id], download)
            .await
    }

    /// Writes a new grant down.
    pub async fn insert_download(&mut self, download: &Download) -> Result<()> {
        self.execute(
            "INSERT INTO downloads (id, transfer_id, account_id, agent_id, granted_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6)",
            params![
                &download.id.to_string(),
                &download.transfer.to_string(),
                &download.account.to_string(),
                download.agent.map(|it| it.to_string()).as_ref(),
                download.granted_at.as_millis(),
                download.expires_at.as_millis(),
            ],
        )
        .await?;
        Ok(())
    }

    /// Writes down how a download ended.
    pub async fn update_download(&mut self, download: &Download) -> Result<()> {
        let outcome = download.outcome.as_ref();
        self.execute(
            "UPDATE downloads SET outcome = $1, reason = $2, ended_at = $3, receipt = $4 WHERE id = $5",
            params![
                outcome.map(|it| it.status.as_str()),
                outcome
                    .and_then(|it| it.reason.as_ref())
                    .map(Reason::as_str),
                outcome.map(|it| it.at.as_millis()),
                outcome
                    .and_then(|it| it.receipt.as_ref())
                    .map(SignedStatement::as_bytes),
                &download.id.to_string(),
            ],
        )
        .await?;
        Ok(())
    }

    /// Writes down that a file was sent to its end under a grant; answers how many have been,
    /// which is none if the grant has gone.
    ///
    /// Hold the transfer first: of two who send the last two files at once, each would count its
    /// own alone, and nobody all of them.
    pub async fn insert_streamed_file(
        &mut self,
        download: DownloadId,
        file: FileId,
    ) -> Result<usize> {
        let download = download.to_string();
        self.execute(
            "INSERT INTO streamed_files (download_id, file_id)
             SELECT id, $2 FROM downloads WHERE id = $1
             ON CONFLICT (download_id, file_id) DO NOTHING",
            params![&download, &file.to_string()],
        )
        .await?;
        self.fetch_one(
            "SELECT COUNT(*) AS n FROM streamed_files WHERE download_id = $1",
            params![&download],
            |row| row.number("n"),
        )
        .await
    }
}

fn download(row: &Row<'_>) -> Result<Download> {
    let outcome = row.parse_optional::<DeliveryStatus>("outcome")?;
    let outcome = outcome.map(|status| -> Result<_> {
        Ok(Outcome {
            status,
            reason: row.parse_optional("reason")?,
            at: row.time("ended_at")?,
            receipt: row
                .get::<Option<Vec<u8>>>("receipt")?
                .map(signed)
                .transpose()?,
        })
    });
    Ok(Download {
        id: row.parse("id")?,
        transfer: row.parse("transfer_id")?,
        account: row.parse("account_id")?,
        agent: row.parse_optional("agent_id")?,
        granted_at: row.time("granted_at")?,
        expires_at: row.time("expires_at")?,
        outcome: outcome.transpose()?,
    })
}
