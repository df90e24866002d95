//! What every handler can reach.

use std::sync::Arc;

use agentdrop_domain::accounts::Account;
use agentdrop_protocol::wire::plans::Plan;
use agentdrop_protocol::{DownloadId, FileId, Timestamp, TransferId};
use agentdrop_store::Store;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ipnet::IpNet;
use tokio_util::sync::CancellationToken;

use crate::at_rest::{ServerKey, UrlSignature};
use crate::auth::{Lockout, Passwords};
use crate::blob::Blobs;
use crate::clock::Clock;
use crate::config::{EmailVerification, Limits, Signup};
use crate::events::Hub;
use crate::mail::Mailer;
use crate::metrics::Metrics;
use crate::rates::Requests;
use crate::under_way::UnderWay;

/// What every handler can reach. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct App(Arc<Parts>);

#[derive(Debug)]
pub(crate) struct Parts {
    /// What the server remembers.
    pub(crate) store: Store,
    /// Where the bytes of files are.
    pub(crate) blobs: Blobs,
    /// What the server encrypts with.
    pub(crate) server_key: ServerKey,
    /// What is counted for the operator.
    pub(crate) metrics: Arc<Metrics>,
    /// What carries mails away.
    pub(crate) mailer: Mailer,
    /// What time it is.
    pub(crate) clock: Clock,
    /// What the server takes.
    pub(crate) limits: Limits,
    /// Who may make an account.
    pub(crate) signup: Signup,
    /// Whether an address has to be shown to be its owner's.
    pub(crate) email_verification: EmailVerification,
    /// The plan of an account that is made without one.
    pub(crate) default_plan: Plan,
    /// Whoever reads a file holds it, so that they can be counted.
    pub(crate) readers: Arc<()>,
    /// How often was asked.
    pub(crate) requests: Requests,
    /// How often somebody may try a password.
    pub(crate) lockout: Lockout,
    /// What hashes passwords.
    pub(crate) passwords: Passwords,
    /// Who listens to what happens.
    pub(crate) events: Hub,
    /// Woken when something became due for the sweep.
    pub(crate) sweep: tokio::sync::Notify,
    /// Woken when something that waited for a person may be activated.
    pub(crate) activate: tokio::sync::Notify,
    /// Held by whoever activates.
    pub(crate) activating: tokio::sync::Mutex<()>,
    /// Cancelled when the server is to stop soon.
    pub(crate) draining: CancellationToken,
    /// Which requests run that their callers may repeat.
    pub(crate) under_way: UnderWay,
    /// The proxies in front, which say for whom they speak.
    pub(crate) trusted_proxies: Vec<IpNet>,
    /// How the server is reached, without a slash at the end.
    pub(crate) public_url: String,
}

impl std::ops::Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl App {
    pub(crate) fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// Whether an account's address counts as its owner's: somebody has shown it, or nobody is asked.
    pub(crate) fn is_verified(&self, account: &Account) -> bool {
        account.email_verified_at.is_some() || self.email_verification == EmailVerification::Off
    }

    /// An address on this server.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.public_url)
    }

    /// The address of a file under a grant, which works without an API key.
    pub(crate) fn file_url(&self, download: DownloadId, file: FileId, until: Timestamp) -> String {
        let signature = self.server_key.sign_url(download, file, until);
        let signature = URL_SAFE_NO_PAD.encode(signature.0);
        let until = until.as_millis();
        self.url(&format!(
            "/v1/downloads/{download}/files/{file}?expires={until}&signature={signature}"
        ))
    }

    /// The address that a part of a file is sent to, which works without an API key.
    ///
    /// A file that comes whole is its own first part.
    pub(crate) fn upload_url(
        &self,
        transfer: TransferId,
        file: FileId,
        part: u32,
        until: Timestamp,
    ) -> String {
        let signature = self.server_key.sign_upload_url(transfer, file, part, until);
        let signature = URL_SAFE_NO_PAD.encode(signature.0);
        let until = until.as_millis();
        self.url(&format!(
            "/v1/uploads/{transfer}/{file}?part={part}&expires={until}&signature={signature}"
        ))
    }

    /// Whether such an address is one that [`App::upload_url`] made.
    pub(crate) fn is_upload_url(
        &self,
        transfer: TransferId,
        file: FileId,
        part: u32,
        until: Timestamp,
        signature: &str,
    ) -> bool {
        let signature = read_signature(signature);
        let verifies = |it| {
            self.server_key
                .verifies_upload_url(transfer, file, part, until, it)
        };
        signature.is_some_and(verifies)
    }

    /// Whether a file's address is one that [`App::file_url`] made.
    pub(crate) fn is_file_url(
        &self,
        download: DownloadId,
        file: FileId,
        until: Timestamp,
        signature: &str,
    ) -> bool {
        let signature = read_signature(signature);
        signature.is_some_and(|it| self.server_key.verifies_url(download, file, until, it))
    }
}

fn read_signature(text: &str) -> Option<UrlSignature> {
    let signature = URL_SAFE_NO_PAD.decode(text).ok()?;
    <[u8; 32]>::try_from(signature).ok().map(UrlSignature)
}
