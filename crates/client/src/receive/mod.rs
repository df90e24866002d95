//! Receiving: fetch, check, open, and only then place.
//!
//! The server is not believed. A transfer that was announced as encrypted never yields plaintext; no
//! byte of a file is released before the tag over all of it was checked; names are data. Everything
//! happens in a private folder inside the target, so that placing is a rename, and no file of a
//! transfer is placed before all of them are good. That folder is gone when this ends, and what
//! a killed process left goes with the next transfer.
//!
//! What the compatible formats cannot show is not shown: neither a name, nor the order, nor the
//! transfer is bound to the bytes, and the sender's key is the server's word.

mod fetch;
mod person;
mod place;
mod unlock;

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::Arc;

use agentdrop_protocol::limits::{MAX_FILES, MAX_SEALED_BYTES};
use agentdrop_protocol::text::{Label, Message};
use agentdrop_protocol::wire::downloads::{Download, DownloadFile};
use agentdrop_protocol::wire::transfers::{DeliveryStatus, Transfer, TransferMode};
use agentdrop_protocol::{EncryptionPublicKey, FileName, TransferId};
use agentdrop_seal::{ContentKey, Nonce, OpenError, SealedFile};
use tokio_util::sync::CancellationToken;

use self::fetch::Fetch;
use self::place::Quarantine;
use crate::client::Client;
use crate::error::{Error, Result, TrustError};
use crate::progress::{Phase, Progress, Watcher};

/// Where a transfer is received, and on which terms.
#[derive(Debug)]
#[must_use]
pub struct Incoming {
    folder: PathBuf,
    listed: Option<Transfer>,
    plaintext: Plaintext,
    watcher: Watcher,
}

/// Whether files may come that the server could read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Plaintext {
    Accept,
    #[default]
    Refuse,
}

/// What was received.
#[derive(Debug)]
pub struct Received {
    /// The transfer.
    pub id: TransferId,
    /// Between whom it went.
    pub mode: TransferMode,
    /// Who sent it, in the sender's words.
    pub sender: Label,
    /// The message beside the files.
    pub message: Option<Message>,
    /// How it was protected on its way.
    pub security: Security,
    /// The sender's key that the files open with, by the server's word; none if they were not sealed.
    pub sender_key: Option<EncryptionPublicKey>,
    /// The files, in the sender's order.
    pub files: Vec<ReceivedFile>,
    /// Why the server does not know that the files arrived, if it does not.
    pub unacknowledged: Option<Error>,
}

/// A file that was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedFile {
    /// Where it is. Its name there may be another than `name`, which was taken or not safe.
    pub path: PathBuf,
    /// What the sender called it.
    pub name: FileName,
    /// How many bytes it has.
    pub bytes: u64,
}

/// How a transfer was protected on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Security {
    /// Sealed in a format of the published clients: secret, and whole. Names are not bound to it.
    Compatible,
    /// Sealed in our own format: names, order and number of the files are bound to it, too. Who sent it
    /// is the server's word.
    Sealed,
    /// Not sealed: the server could read it and change it.
    Plaintext,
}

impl Security {
    /// The word for it, in output that programs read.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Compatible => "compatible",
            Self::Sealed => "sealed",
            Self::Plaintext => "plaintext",
        }
    }
}

impl Incoming {
    /// Receives into this folder, which is made if there is none.
    pub fn into_folder(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            listed: None,
            plaintext: Plaintext::default(),
            watcher: Watcher::default(),
        }
    }

    /// Holds the server to what it announced in its list. Else it is asked first.
    pub fn listed(mut self, transfer: Transfer) -> Self {
        self.listed = Some(transfer);
        self
    }

    /// Takes files too that were not sealed, which the server could read and change.
    pub fn accept_plaintext(mut self) -> Self {
        self.plaintext = Plaintext::Accept;
        self
    }

    /// Tells `progress` how far it is.
    pub fn progress(mut self, progress: impl Progress + 'static) -> Self {
        self.watcher = Watcher::new(progress);
        self
    }
}

impl Client {
    /// Receives a transfer: all of its files, or none.
    ///
    /// No file replaces another: one whose name is taken gets a number. If the returned future is
    /// dropped, or fails, the folder is as it was.
    pub async fn receive(&self, id: TransferId, incoming: Incoming) -> Result<Received> {
        let listed = match incoming.listed {
            Some(listed) => listed,
            None => self.transfer(id).await?,
        };
        if listed.id != id {
            return Err(TrustError::Changed(id).into());
        }
        if !listed.is_encrypted && incoming.plaintext == Plaintext::Refuse {
            return Err(TrustError::Plaintext(id).into());
        }
        // Before the grant: a folder that cannot be written to must not cost a download.
        let (folder, files) = (incoming.folder, listed.files.len());
        let quarantine = blocking(move || Quarantine::make(&folder, files)).await?;
        let grant = self.download(id).await?;
        check(&grant, &listed, MAX_FILES)?;
        let unlocked = if grant.is_encrypted {
            Some(self.unlock(&grant).await?)
        } else {
            None
        };
        let sender_key = unlocked.as_ref().map(|it| it.sender_key);
        let work = Work {
            total_bytes: grant.files.iter().map(|it| it.size).sum(),
            watcher: incoming.watcher,
            stop: CancellationToken::new(),
        };
        // A thread that opens a file ends soon after this was dropped; the folder is gone by then.
        let _stop_with_us = work.stop.clone().drop_guard();
        let mut bytes = Vec::new();
        match unlocked {
            Some(unlock::Unlocked { key, nonces, .. }) => {
                let key = Arc::new(key);
                for (n, (file, nonce)) in grant.files.iter().zip(nonces).enumerate() {
                    let sealed = self
                        .fetch(&work, n, file, quarantine.create(n)?, &grant)
                        .await?;
                    bytes.push(
                        work.open(n, file, sealed, Arc::clone(&key), nonce, &grant)
                            .await?,
                    );
                }
            }
            None => {
                for (n, file) in grant.files.iter().enumerate() {
                    let opened = self
                        .fetch(&work, n, file, quarantine.create(n)?, &grant)
                        .await?;
                    blocking(move || opened.sync_all().map_err(Error::io("write", "the file")))
                        .await?;
                    bytes.push(file.size);
                }
            }
        }

        let names: Vec<FileName> = grant
            .files
            .iter()
            .map(|it| FileName::cleaned(it.name.as_str()))
            .collect();
        let paths = blocking(move || quarantine.place(&names)).await?;
        let files = paths.into_iter().zip(grant.files).zip(bytes);
        let files = files.map(|((path, file), bytes)| ReceivedFile {
            path,
            name: file.name,
            bytes,
        });
        let acknowledged = self
            .acknowledge(id, grant.download_id, DeliveryStatus::Received, None)
            .await;
        Ok(Received {
            id,
            mode: listed.mode,
            sender: grant.sender,
            message: grant.message,
            security: if grant.is_encrypted {
                Security::Compatible
            } else {
                Security::Plaintext
            },
            sender_key,
            files: files.collect(),
            unacknowledged: acknowledged.err(),
        })
    }

    /// Fetches file `n` into `into`, and answers it, standing at its beginning.
    async fn fetch(
        &self,
        work: &Work,
        n: usize,
        file: &DownloadFile,
        into: File,
        grant: &Download,
    ) -> Result<File> {
        let before: u64 = grant.files.iter().take(n).map(|it| it.size).sum();
        let report = |done| {
            work.watcher
                .report(Phase::Fetching, before + done, work.total_bytes);
        };
        let url = self.transport().server.file(&file.download_url)?;
        Fetch::new(self.transport(), url, file.size, into)
            .run(report)
            .await
    }
}

/// What the steps of receiving share.
struct Work {
    total_bytes: u64,
    watcher: Watcher,
    stop: CancellationToken,
}

impl Work {
    /// The sealed file `n`, which reports when it is read; each byte passes so many times.
    fn watched(&self, n: usize, sealed: File, grant: &Download, passes: u64) -> Watched {
        let before: u64 = grant.files.iter().take(n).map(|it| it.size).sum();
        Watched {
            file: sealed,
            watcher: self.watcher.clone(),
            stop: self.stop.clone(),
            done_bytes: passes * before,
            total_bytes: passes * self.total_bytes,
        }
    }

    /// Checks the sealed file `n`, opens it where it lies, and answers how many bytes it has then.
    async fn open(
        &self,
        n: usize,
        file: &DownloadFile,
        sealed: File,
        key: Arc<ContentKey>,
        nonce: Nonce,
        grant: &Download,
    ) -> Result<u64> {
        // Once to be checked, once to be opened.
        let watched = self.watched(n, sealed, grant, 2);
        let open = move |sealed| {
            let verified = SealedFile::new(sealed, nonce)?.verify(&key)?;
            verified.open_in_place()
        };
        in_place(watched, file.name.clone(), open).await
    }
}

/// Refuses a grant that is not of what was announced.
fn check(grant: &Download, listed: &Transfer, max_files: usize) -> Result<(), TrustError> {
    let claims_seal = grant.encryption_algorithm.is_some() || grant.encrypted_key.is_some();
    if !grant.is_encrypted && (listed.is_encrypted || claims_seal) {
        return Err(TrustError::Downgrade(listed.id));
    }
    let ids: HashSet<_> = grant.files.iter().map(|it| it.file_id).collect();
    let as_announced = |file: &DownloadFile| {
        let announced = listed.files.iter().find(|it| it.file_id == file.file_id);
        announced.is_some_and(|it| it.size == file.size && it.name == file.name)
            && file.file_name == file.name
            && file.size <= MAX_SEALED_BYTES
    };
    let same_files = grant.files.len() == listed.files.len()
        && ids.len() == grant.files.len()
        && (1..=max_files).contains(&grant.files.len())
        && grant.files.iter().all(as_announced);
    if grant.id != listed.id || !same_files {
        return Err(TrustError::Changed(listed.id));
    }
    Ok(())
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .expect("working on files does not panic")
}

/// Opens a file where it lies, cuts off what is left of the sealed one, and answers how many bytes it
/// has then.
async fn in_place(
    sealed: Watched,
    name: FileName,
    open: impl FnOnce(Watched) -> Result<(Watched, u64), OpenError> + Send + 'static,
) -> Result<u64> {
    blocking(move || {
        let (opened, bytes) = open(sealed).map_err(|error| refused(error, &name))?;
        let cut = opened.file.set_len(bytes);
        cut.and_then(|()| opened.file.sync_all())
            .map_err(Error::io("write", name.as_str()))?;
        Ok(bytes)
    })
    .await
}

fn refused(error: OpenError, name: &FileName) -> Error {
    match error {
        OpenError::Io(source) => Error::io("open", name.as_str())(source),
        _ => Error::Open { file: name.clone() },
    }
}

/// A file that counts what is read of it, and fails when nobody waits for it any more.
struct Watched {
    file: File,
    watcher: Watcher,
    stop: CancellationToken,
    done_bytes: u64,
    total_bytes: u64,
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.stop.is_cancelled() {
            return Err(io::Error::other("nobody waits for the file any more"));
        }
        let read = self.file.read(buffer)?;
        self.done_bytes += read as u64;
        self.watcher
            .report(Phase::Opening, self.done_bytes, self.total_bytes);
        Ok(read)
    }
}

impl Write for Watched {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Seek for Watched {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}
